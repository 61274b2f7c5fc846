"""What Genred and LazyTensor share about reductions: their names, their options in KeOps' words, and the form of their results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import index
from typing import Any

from ._arrays import DEFAULT_OPTIONS, RunOptions
from ._devices import engine_of
from ._library import Accumulation
from .errors import ArgumentError, ArrayTypeError, FormulaError

#: The names that users write, and the engine's.
KINDS = {
    "Sum": "Sum",
    "LogSumExp": "LogSumExp",
    # KeOps returns a raw pair under this name and never takes the logarithm; here it is what it says.
    "LogSumExpWeight": "LogSumExp",
    "SumSoftMaxWeight": "SumSoftMaxWeight",
    "SoftMax": "SumSoftMaxWeight",
    "Max_SumShiftExp": "Max_SumShiftExpWeight",
    "Max_SumShiftExpWeight": "Max_SumShiftExpWeight",
    "Min": "Min",
    "Max": "Max",
    "ArgMin": "ArgMin",
    "ArgMax": "ArgMax",
    "Min_ArgMin": "Min_ArgMin",
    "Max_ArgMax": "Max_ArgMax",
    "KMin": "KMin",
    "ArgKMin": "ArgKMin",
    "KMin_ArgKMin": "KMin_ArgKMin",
    "Zero": "Zero",
}

#: Kinds that keep the K smallest values.
K_KINDS = frozenset(["KMin", "ArgKMin", "KMin_ArgKMin"])

#: Kinds that add terms up, to which sum_scheme and dtype_acc apply.
SUMS = frozenset(["Sum", "LogSumExp", "SumSoftMaxWeight", "Max_SumShiftExpWeight"])

#: The second formula, the weight, is not left out of these.
_WEIGHTED = frozenset(["LogSumExpWeight", "SumSoftMaxWeight", "SoftMax", "Max_SumShiftExpWeight"])

_VARIABLE = re.compile(r"\bVar\s*\(\s*(\d+)\s*,\s*\d+\s*,\s*\d+\s*\)", re.ASCII)

_POSITION = re.compile(r"\b(?:V[ijxy]|Pm)\s*\(\s*(\d+)\s*,\s*\d+\s*\)|\bVar\s*\(\s*(\d+)\s*,", re.ASCII)

_OUTPUT = re.compile(r"\s*(?:([A-Za-z_]\w*)\s*=)?\s*(Vi|Vj|Pm|Vx|Vy)\s*\(\s*(?:\d+\s*,\s*)?(\d+)\s*\)\s*")

_SCHEMES = ("auto", "direct_sum", "block_sum", "kahan_scheme")


def kind_of(reduction_op: str, has_weight: bool = False) -> str:
    """The engine's name of a reduction.

    Raises:
        ArgumentError: where there is none of this name, or its weight is missing.
    """
    kind = KINDS.get(reduction_op) if isinstance(reduction_op, str) else None
    if kind is None:
        raise ArgumentError(f"reduction_op is one of {', '.join(KINDS)}; {reduction_op!r} came.")
    if reduction_op in _WEIGHTED and not has_weight:
        raise ArgumentError(f"{reduction_op} takes a second formula, the weight; none came.")
    return kind


def axis_of(axis) -> int:
    """0 or 1, from KeOps' axis."""
    try:
        if axis in (0, 1):
            return int(axis)
    except (TypeError, ValueError):  # arrays
        pass
    raise ArgumentError(f"Axis should be 0 or 1; {axis!r} came.")


def options_of(
    backend: str | None, ranges, axis: int, tolerance: float | None = None, pruning: str = "auto", device_id=-1
) -> RunOptions:
    """How a call is run, from KeOps' keywords and two of Khufu's.

    Args:
        backend, device_id: as `_devices.engine_of` takes them.
        ranges: KeOps' six arrays (ranges_i, slices_i, redranges_j, ranges_j, slices_j, redranges_i), a list of such for the items of
            a batch, or None.
        axis: the axis that is reduced, 0 for i and 1 for j.
        tolerance: what each number of a sum may miss of the sum of magnitudes, such as 1e-4: pairs of points that provably matter less
            are left out. None: sums take all pairs.
        pruning: "auto", "always" or "never"; the result of other reductions does not depend on it.

    Raises:
        ArgumentError: where a value is none of those known.
    """
    pattern = None if ranges is None else pattern_of(ranges, axis)
    engine = "auto" if backend == "auto" and device_id == -1 else engine_of(backend, device_id)
    if tolerance is None and pruning == "auto":
        return DEFAULT_OPTIONS if pattern is None and engine == "auto" else RunOptions(engine, pattern)
    if tolerance is not None and not 0 <= tolerance < 1:
        raise ArgumentError(f"tolerance is 0 or more and less than 1; {tolerance!r} came.")
    return RunOptions(engine, pattern, pruning=pruning, tolerance=float(tolerance or 0))


def pattern_of(ranges, axis: int) -> Any:
    """The half of KeOps' six arrays that belongs to a reduction over an axis; of each, where a list of them came."""
    if isinstance(ranges, list) and ranges and isinstance(ranges[0], (tuple, list)):
        return [pattern_of(item, axis) for item in ranges]
    if not isinstance(ranges, (tuple, list)) or len(ranges) != 6:
        came = f"{len(ranges)} of them" if isinstance(ranges, (tuple, list)) else f"a {type(ranges).__name__}"
        raise ArgumentError(
            "ranges are six arrays: ranges_i, slices_i, redranges_j, ranges_j, slices_j, redranges_i; "
            + came
            + " came."
        )
    return tuple(ranges[:3] if axis else ranges[3:])


def accumulation_of(
    kind: str, dtype_acc: str = "auto", use_double_acc: bool = False, sum_scheme: str | None = "auto"
) -> Accumulation:
    """How terms are added up, from KeOps' keywords.

    Args:
        kind: the engine's name of the reduction.

    Raises:
        ArgumentError: where a value is none of those known, two contradict each other or nothing is added up.
    """
    if dtype_acc == "auto" and not use_double_acc and sum_scheme == "auto":
        return _DEFAULT
    if use_double_acc and dtype_acc not in ("auto", None):
        raise ArgumentError("dtype_acc and use_double_acc say the same thing; one of them is given, not both.")
    if dtype_acc not in ("auto", None, "float16", "float32", "float64"):
        raise ArgumentError(f"dtype_acc is 'auto', 'float16', 'float32' or 'float64'; {dtype_acc!r} came.")
    if sum_scheme not in _SCHEMES and sum_scheme is not None:
        raise ArgumentError(f"sum_scheme is one of {', '.join(map(repr, _SCHEMES))}; {sum_scheme!r} came.")
    scheme = sum_scheme or "auto"
    if kind not in SUMS:
        if scheme in ("auto", "direct_sum") and dtype_acc in ("auto", None) and not use_double_acc:
            return _DEFAULT
        raise ArgumentError(f"{kind} adds nothing up: sum_scheme, dtype_acc and use_double_acc do not apply to it.")
    return Accumulation(scheme, bool(use_double_acc) or dtype_acc == "float64")


_DEFAULT = Accumulation()

#: The accumulators' types that data of a type may have.
_ACCUMULATORS = {
    "float16": ("float16", "float32", "float64"),
    "bfloat16": ("float32", "float64"),
    "float32": ("float32", "float64"),
    "float64": ("float64",),
}


def check_accumulator(dtype_acc: str | None, dtype: str) -> None:
    """Raises where totals of some data would be kept in a type of fewer digits."""
    if dtype_acc not in ("auto", None) and dtype_acc not in _ACCUMULATORS.get(dtype, (dtype_acc,)):
        raise ArgumentError(f"dtype_acc is {' or '.join(_ACCUMULATORS[dtype])} for {dtype} data; {dtype_acc} came.")


def count_of(opt_arg, kind: str) -> int:
    """K, from KeOps' opt_arg; 1 for kinds without one."""
    try:
        k = 0 if opt_arg is None else index(opt_arg)
    except TypeError:
        k = None
    if k is None or isinstance(opt_arg, bool):
        raise ArrayTypeError(f"K is a whole number; {opt_arg!r} came.")
    if k.bit_length() > 63:
        raise ArgumentError(f"K is at most 2^63 - 1; {k} came.")
    if not k:
        if kind in K_KINDS:
            raise ArgumentError(f"{kind} takes the number K of values to keep, at least 1; {opt_arg} came.")
        return 1
    return k


def finish(kind: str, values, indices, k: int = 1, dimension: int = 1):
    """A result as users get it.

    Args:
        kind: the reduction's name.
        values: (batch…, points, numbers), or None for kinds that only have indices.
        indices: the same in int64, or None.
        k: how many values the k-min kinds keep.
        dimension: D, of the formula.

    Returns:
        Values, indices or the pair of both, of shape (batch…, points, D); for the k-min kinds (batch…, points, K, D), without the last
        axis where D is 1.
    """
    if kind in K_KINDS and dimension != 1:
        values, indices = _split(values, k, dimension), _split(indices, k, dimension)
    if indices is None:
        return values
    return indices if values is None else (values, indices)


def _split(numbers, k: int, dimension: int):
    """The engine keeps the first components of the smallest, then of the next."""
    return None if numbers is None else numbers.reshape((*numbers.shape[:-1], k, dimension))


def unfinished(kind: str, out, k: int, dimension: int):
    """A user's array for a result of `finish`, in the shape that the engine writes; the same memory."""
    if (
        out is None
        or kind not in K_KINDS
        or dimension == 1
        or not hasattr(out, "shape")
        or tuple(out.shape[-2:]) != (k, dimension)
    ):
        return out
    return out.reshape((*out.shape[:-2], k * dimension))


def completed(aliases: Sequence[str], *formulas: str | None) -> list[str]:
    """The declarations of inputs, and those that formulas only write as Var(position,dimension,category), in the order of the arrays.

    They are read from the texts: an input stays one where simplification drops it.

    Raises:
        FormulaError: where positions leave a gap.
        ArrayTypeError: where something is not a text.
    """
    if isinstance(aliases, (str, bytes)) or not hasattr(aliases, "__iter__"):
        raise ArrayTypeError(f"Aliases are a list of declarations; {aliases!r} came.")
    complete = list(aliases)
    for alias in complete:
        if not isinstance(alias, str):
            raise ArrayTypeError(f"Aliases are texts such as 'x = Vi(3)'; {alias!r} came.")
    for text in formulas:
        if not (text is None or isinstance(text, str)):
            raise ArrayTypeError(f"A formula is a text; {text!r} came.")
    found = {
        int(match[1]): "".join(match[0].split()) for text in formulas if text for match in _VARIABLE.finditer(text)
    }
    while len(complete) in found:
        complete.append(found[len(complete)])
    beyond = [position for position in found if position > len(complete)]
    if beyond:
        raise FormulaError(
            f"Inputs are numbered without gaps; {found[min(beyond)]} came where {len(complete)} is the next."
        )
    return _in_order(complete)


def _in_order(declarations: list[str]) -> list[str]:
    """Declarations in the order of the arrays: that of their positions, where they say those, as "x = Vi(1, 3)" does."""
    positions = [
        int(match[1] or match[2]) if (match := _POSITION.search(text)) else place
        for place, text in enumerate(declarations)
    ]
    if positions == sorted(positions) and (not positions or positions[-1] < len(positions)):
        return declarations
    known = sorted(set(positions))
    if known != list(range(len(known))):
        missing = next(k for k, position in enumerate([*known, None]) if k != position)
        raise FormulaError(
            f"Inputs are numbered from 0 without gaps; none of {', '.join(declarations)} is input {missing}."
        )
    return [declarations[place] for place in sorted(range(len(positions)), key=positions.__getitem__)]


def declaration(text: str) -> Sequence[Any]:
    """(name, category, dimension) of a declaration such as "a = Vi(1)", as the generic_… functions take for their output."""
    match = _OUTPUT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ArgumentError(f"An output is declared as 'a = Vi(1)' or 'a = Vj(1)'; {text!r} came.")
    return match[1], {"i": 0, "x": 0, "j": 1, "y": 1, "m": 2}[match[2][1]], int(match[3])
