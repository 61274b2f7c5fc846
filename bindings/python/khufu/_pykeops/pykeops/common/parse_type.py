"""Declarations of variables as text, and options of reductions."""

from __future__ import annotations

import re

from khufu import ArgumentError, FormulaError
from khufu._reductions import completed

categories = {"Vi": 0, "Vj": 1, "Pm": 2}

_DECLARATION = re.compile(r"(?:([a-zA-Z_]\w*)=)?(Vi|Vj|Pm)\((?:(\d+),)?(\d+)\)", re.ASCII)
_VARIABLE = re.compile(r"Var\((\d+),(\d+),(\d+)\)", re.ASCII)
_SUMS = ("Sum", "Max_SumShiftExp", "Max_SumShiftExpWeight")


def get_type(type_str: str, position_in_list: int | None = None) -> tuple[str | None, int, int, int | None]:
    """What a declaration such as "x = Vi(3)", "Vj(1,3)" or "Var(0,3,2)" says.

    Returns:
        (name or None, category, dimension, position): the position in the list where the text gives none.
    """
    text = "".join(type_str.split()).replace("Vx", "Vi").replace("Vy", "Vj")
    variable = _VARIABLE.fullmatch(text)
    if variable:
        position, dimension, category = map(int, variable.groups())
        return None, category, dimension, position
    declaration = _DECLARATION.fullmatch(text)
    if not declaration:
        raise FormulaError(f"A declaration is like 'x = Vi(3)', 'Vi(0,3)' or 'Var(0,3,0)'; {type_str!r} came.")
    name, category, position, dimension = declaration.groups()
    return name, categories[category], int(dimension), position_in_list if position is None else int(position)


def get_sizes(aliases, *args) -> tuple[int, int]:
    """How many points i and j the arrays of a call have; 1 where nothing follows that index."""
    counts = [1, 1]
    for place, declaration in enumerate(aliases):
        _, category, _, position = get_type(declaration, place)
        if category < 2:
            counts[category] = args[position].shape[-2]
    return counts[0], counts[1]


def complete_aliases(formula: str, aliases) -> list[str]:
    """The declarations, and those that a formula makes by Var(position,dimension,category) beyond them; a new list."""
    return completed(aliases, formula)


def get_optional_flags(
    reduction_op_internal: str,
    dtype_acc: str,
    use_double_acc: bool,
    sum_scheme: str,
    enable_chunks: bool,
    use_fast_math: bool,
) -> dict:
    """The options of a reduction, checked."""
    if dtype_acc != "auto" and use_double_acc:
        raise ArgumentError("you cannot set both options use_double_acc and dtype_acc.")
    dtype_acc = "float64" if use_double_acc else dtype_acc
    is_sum = reduction_op_internal in _SUMS
    if dtype_acc != "auto" and not is_sum:
        raise ArgumentError(f"dtype_acc is for sums; {reduction_op_internal} is none.")
    if sum_scheme == "auto":
        sum_scheme = "block_sum" if is_sum else "direct_sum"
    if sum_scheme not in ("direct_sum", "block_sum", "kahan_scheme"):
        raise ArgumentError(f"sum_scheme is 'auto', 'direct_sum', 'block_sum' or 'kahan_scheme'; {sum_scheme!r} came.")
    if sum_scheme != "direct_sum" and not is_sum:
        raise ArgumentError(f"sum_scheme {sum_scheme!r} is for sums; {reduction_op_internal} is none.")
    return {
        "dtype_acc": dtype_acc,
        "sum_scheme": sum_scheme,
        "use_fast_math": int(bool(use_fast_math)),
        "enable_chunks": int(bool(enable_chunks)),
    }
