"""Lazy tensors from numbers, lists, arrays and symbols."""

from __future__ import annotations

import numbers
from typing import Any

from .._arrays import REAL_TYPES, Arrays
from .._expression import PM, VI, VJ, Node, VariableNode, constant
from ..errors import ArgumentError, ArrayTypeError
from .frame import EMPTY, Frame
from .sources import Numbers, Symbol

FLOATS = frozenset(["float16", "bfloat16", "float32", "float64"])


def made(x: Any, axis: int | None, arrays: Arrays) -> tuple[Node, Frame, bool]:
    """What a lazy tensor of some data is: its node, its frame, and whether it is complex."""
    kind = type(x)
    if kind is int:
        return constant(x), EMPTY, False
    if kind is float:
        return VariableNode(PM, 1, Numbers([x])), _untyped(arrays), False
    if arrays.owns(x):
        return _of_array(x, axis, arrays)
    if kind is tuple:
        return _symbolic(x, axis, arrays)
    if kind is list:
        return _of_list(x, axis, arrays)
    if kind is bool or isinstance(x, (str, bytes)) or x is None:
        raise unusable(x, arrays)
    # NumPy's scalars are numbers too.
    if isinstance(x, numbers.Integral):
        return constant(int(x)), EMPTY, False
    if isinstance(x, numbers.Real):
        return VariableNode(PM, 1, Numbers([float(x)])), _untyped(arrays), False
    if isinstance(x, numbers.Complex):
        return VariableNode(PM, 2, Numbers([x.real, x.imag])), _untyped(arrays), True
    converted = arrays.converted(x)
    if converted is None:
        raise unusable(x, arrays)
    return _of_array(converted, axis, arrays)


_untyped_frames: dict[int, Frame] = {}


def _untyped(arrays: Arrays) -> Frame:
    frame = _untyped_frames.get(id(arrays))
    if frame is None:
        frame = _untyped_frames[id(arrays)] = Frame(arrays)
    return frame


def unusable(x, arrays: Arrays) -> ArrayTypeError:
    return ArrayTypeError(
        f"A LazyTensor is made of an array of {arrays.name}, a number, a list of numbers or three whole numbers "
        f"(index, dimension, category); a {type(x).__name__} came."
    )


def _symbolic(x: tuple, axis, arrays: Arrays):
    if len(x) != 3 or not all(isinstance(part, numbers.Integral) and not isinstance(part, bool) for part in x):
        raise ArgumentError(
            f"A tuple for a symbolic variable is (index, dimension, category), three whole numbers; {_kinds(x)} came."
        )
    if axis is not None:
        raise ArgumentError(f"A symbolic variable has its category in the tuple {x}, so axis is left out; {axis} came.")
    index, dimension, category = (int(part) for part in x)
    if category not in (VI, VJ, PM):
        raise ArgumentError(
            f"The category of a symbolic variable is 0 for i, 1 for j or 2 for a parameter; {category} came."
        )
    if index < 0 or dimension < 1:
        raise ArgumentError(
            f"A symbolic variable has an index from 0 and a dimension from 1; {index} and {dimension} came."
        )
    return VariableNode(category, dimension, Symbol(index)), _untyped(arrays), False


def _kinds(x: tuple) -> str:
    """A tuple for a message, in which arrays are not written out."""
    return f"({', '.join(str(part) if isinstance(part, numbers.Number) else f'a {type(part).__name__}' for part in x)})"


def _of_list(x: list, axis, arrays: Arrays):
    if axis not in (None, PM):
        raise ArgumentError(f"A list of numbers is a parameter, for which axis is left out or 2; {axis} came.")
    if not x or not all(isinstance(value, numbers.Complex) and not isinstance(value, bool) for value in x):
        raise ArrayTypeError(
            "A list for a LazyTensor holds numbers, at least one; tables of numbers are given as arrays."
        )
    if all(isinstance(value, numbers.Real) for value in x):
        return VariableNode(PM, len(x), Numbers([float(value) for value in x])), _untyped(arrays), False
    parts = [float(part) for value in x for part in (complex(value).real, complex(value).imag)]
    return VariableNode(PM, len(parts), Numbers(parts)), _untyped(arrays), True


def _of_array(x, axis: int | None, arrays: Arrays):
    dtype = arrays.dtype(x)
    is_complex = dtype in REAL_TYPES
    if is_complex:
        dtype = REAL_TYPES[dtype]
        x = arrays.as_real(x)
    elif dtype not in FLOATS:
        raise ArrayTypeError(
            "LazyTensors are made of arrays of float16, bfloat16, float32, float64 or complex numbers;"
            f" one of {dtype} came."
        )
    shape = x.shape
    rank = len(shape)
    if rank >= 3 and axis is None:
        return _of_points(x, dtype, is_complex, arrays)
    if axis not in (None, VI, VJ, PM):
        raise ArgumentError(f"axis is 0 for points along i, 1 for points along j or 2 for a parameter; {axis!r} came.")
    if axis == PM or axis is None and rank < 2:
        return _of_parameter(x, dtype, is_complex, arrays)
    if rank != 2:
        raise ArgumentError(
            f"An array with axis={axis} has two axes, points and components; one of shape {tuple(shape)} came. "
            "With three axes or more the place of the axis of length 1 says which points they are, and axis is left out."
        )
    if axis is None:
        raise ArgumentError(
            f"An array of shape {tuple(shape)} can be points along i or along j: give axis=0 or 1, or x[:, None, :] or x[None, :, :]."
        )
    frame = Frame(arrays, dtype, shape[0]) if axis == VI else Frame(arrays, dtype, None, shape[0])
    return VariableNode(axis, _dimension(x), x), frame, is_complex


def _of_parameter(x, dtype: str, is_complex: bool, arrays: Arrays):
    shape = tuple(x.shape)
    if len(shape) == 0:
        return VariableNode(PM, 1, Numbers(x)), _untyped(arrays), False
    if len(shape) == 2 and shape[0] == 1:
        x, shape = x.reshape(shape[1:]), shape[1:]
    return VariableNode(PM, _dimension(x), x), Frame(arrays, dtype, batch=shape[:-1] or None), is_complex


def _of_points(x, dtype: str, is_complex: bool, arrays: Arrays):
    """(…, M, 1, D) are points along i, (…, 1, N, D) along j, and (…, 1, 1, D) are parameters."""
    *batch, rows, columns, _ = shape = tuple(x.shape)
    batch = tuple(batch)
    dimension = _dimension(x)
    if rows == 1:
        if columns == 1:
            return (
                VariableNode(PM, dimension, x.squeeze(-2).squeeze(-2)),
                Frame(arrays, dtype, batch=batch or None),
                is_complex,
            )
        return (
            VariableNode(VJ, dimension, x.squeeze(-3)),
            Frame(arrays, dtype, None, columns, batch or None),
            is_complex,
        )
    if columns == 1:
        return VariableNode(VI, dimension, x.squeeze(-2)), Frame(arrays, dtype, rows, None, batch or None), is_complex
    raise ArgumentError(
        f"Arrays of three axes or more have shape (…, M, 1, D), (…, 1, N, D) or (…, 1, 1, D); {shape} came."
    )


def _dimension(x) -> int:
    if x.shape[-1] < 1:
        raise ArgumentError(
            f"The last axis of a LazyTensor's array has length 1 or more; the array has shape {tuple(x.shape)}."
        )
    return x.shape[-1]
