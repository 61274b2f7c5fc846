"""Small things that programs import."""

from __future__ import annotations

import pykeops
from khufu import ArgumentError

c_type = {"float16": "half2", "float32": "float", "float64": "double"}


def axis2cat(axis: int) -> int:
    """The category that a result has where an axis is reduced: 1 for 0, 0 for 1."""
    if axis not in (0, 1):
        raise ArgumentError(f"Axis should be 0 or 1; {axis!r} came.")
    return 1 - axis


def cat2axis(cat: int) -> int:
    """The axis that is reduced where a result has a category: 1 for 0, 0 for 1."""
    if cat not in (0, 1):
        raise ArgumentError(f"Category should be Vi or Vj; {cat!r} came.")
    return 1 - cat


def get_tools(lang: str):
    """The functions of an array library under common names, for "numpy" or "torch"."""
    if lang == "numpy":
        from pykeops.numpy.utils import numpytools

        return numpytools()
    if lang in ("torch", "pytorch"):
        from pykeops.torch.utils import torchtools

        return torchtools()
    raise ArgumentError(f"Tools are there for 'numpy' and 'torch'; {lang!r} came.")


def WarmUpGpu(lang: str) -> None:
    """Does nothing: kernels are compiled when they are needed."""


def max_tuple(a: tuple, b: tuple) -> tuple:
    """The larger of two tuples, place by place."""
    return tuple(map(max, zip(a, b)))


def check_broadcasting(dims_1: tuple | None, dims_2: tuple | None) -> tuple | None:
    """The batch dimensions that two broadcast to, aligned at their ends; None is no constraint."""
    if dims_1 is None or dims_2 is None:
        return dims_2 if dims_1 is None else dims_1
    rank = max(len(dims_1), len(dims_2))
    padded_1, padded_2 = ((1,) * (rank - len(dims)) + tuple(dims) for dims in (dims_1, dims_2))
    if any(a != b and 1 not in (a, b) for a, b in zip(padded_1, padded_2)):
        raise ArgumentError(f"Incompatible batch dimensions: {dims_1} and {dims_2}.")
    return max_tuple(padded_1, padded_2)


def pyKeOps_Print(message, **options) -> None:
    """Prints where `pykeops.verbose` is set."""
    if pykeops.verbose:
        print(message, **options)


def pyKeOps_Message(message, use_tag: bool = True, **options) -> None:
    pyKeOps_Print(f"[pyKeOps] {message}" if use_tag else message, **options)


def pyKeOps_Warning(message) -> None:
    pyKeOps_Print(f"[pyKeOps] Warning : {message}")
