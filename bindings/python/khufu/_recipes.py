"""Reductions as texts: what a pickled object, a forked child and a compiled graph keep of one, and the table in which it is found again."""

from __future__ import annotations

import json
import os

from ._library import Accumulation, Formula, Reduction

_table: dict[str, Reduction] = {}
_LARGEST_TABLE = 1024


def written(
    kind: str, formula: str, weight: str | None, k: int, over: int, accumulation: Accumulation, declarations
) -> str:
    """The text of a reduction; the arguments are those of `Reduction.from_text`."""
    return json.dumps([kind, formula, weight, k, over, *accumulation, list(declarations)])


def recipe_of(reduction: Reduction) -> str:
    """The text of a reduction that exists; derivatives follow on a line of their own, as in "g0 t1"."""
    if reduction.recipe is None:
        if isinstance(reduction.origin[0], Reduction):
            parent, step, position = reduction.origin
            recipe = recipe_of(parent)
            reduction.recipe = f"{recipe}{' ' if parent.is_derivative else chr(10)}{step}{position}"
        else:
            kind, formula, weight, k, over, accumulation, declarations = reduction.origin
            formula, weight = _text(formula), _text(weight)
            reduction.recipe = written(kind, formula, weight, k, over, accumulation, declarations)
    return reduction.recipe


def _text(formula: Formula | str | None) -> str | None:
    return str(formula) if isinstance(formula, Formula) else formula


def reduction_of(recipe: str) -> Reduction:
    """The reduction of a text: the same object each time, within one process.

    Raises:
        FormulaError: where the formula, a declaration or the reduction is wrong.
    """
    found = _table.get(recipe)
    if found is None:
        found = _made(recipe)
        if len(_table) >= _LARGEST_TABLE:
            _table.clear()
        found = _table.setdefault(recipe, found)
    return found


def _made(recipe: str) -> Reduction:
    root, _, steps = recipe.partition("\n")
    if steps:
        # Derivatives are the objects that their parent keeps.
        reduction = reduction_of(root)
        for step in steps.split(" "):
            reduction = (reduction.gradient if step[0] == "g" else reduction.tangent)(int(step[1:]))
        return reduction
    kind, formula, weight, k, over, scheme, double, declarations = json.loads(root)
    made = Reduction.from_text(kind, formula, weight, k, over, Accumulation(scheme, double), declarations)
    made.recipe = recipe
    return made


def root_of(reduction: Reduction) -> Reduction:
    """The reduction that derivatives were taken of."""
    while reduction.is_derivative:
        reduction = reduction.origin[0]
    return reduction


def targets_of(reduction: Reduction) -> frozenset[int]:
    """The inputs that derivatives were taken with respect to."""
    targets = set()
    while reduction.is_derivative:
        reduction, _, position = reduction.origin
        targets.add(position)
    return frozenset(targets)


def shaped_like(reduction: Reduction) -> int | None:
    """The input whose shape the result has; None where it is that of the reduction itself."""
    while reduction.is_derivative:
        parent, step, position = reduction.origin
        if step == "g":
            return position
        reduction = parent
    return None


# A forked child makes its own objects of the engine's.
os.register_at_fork(after_in_child=_table.clear)
