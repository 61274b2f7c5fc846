"""Reductions of formulas as text, and what they are made of."""

from __future__ import annotations

from functools import lru_cache

from khufu._arrays import DEFAULT_OPTIONS
from khufu._library import Reduction
from khufu._reductions import pattern_of
from khufu.torch import Genred
from khufu.torch._arrays import TORCH

__all__ = ["Genred", "GenredAutograd_fun", "Genred_parameters"]


class Genred_parameters:
    """How `GenredAutograd_fun` computes: an object with any of the attributes below."""

    #: A reduction as KeOps' engine writes it, Genred's attribute `formula`: "Sum_Reduction(Exp(-SqDist(x, y)), 0)".
    formula: str
    #: A declaration for each array.
    aliases: list
    #: The 6-tuple of a block-sparse reduction.
    ranges = None
    #: An array for the result.
    out = None


def GenredAutograd_fun(params: Genred_parameters, *args):
    """A reduction as the engine has it, before `Genred` shapes its result; with derivatives.

    Args:
        params: has at least `formula` and `aliases`.
        args: the tensors, one for each declaration.

    Returns:
        The values, of shape (…, M or N, numbers per point); int64 for reductions that give indices only.
    """
    reduction = _parsed(params.formula, tuple(params.aliases))
    options, ranges = DEFAULT_OPTIONS, getattr(params, "ranges", None)
    if ranges is not None:
        options = options._replace(ranges=pattern_of(ranges, 1 - reduction.category))
    values, indices = TORCH.reduce(reduction, args, options, getattr(params, "out", None))
    return indices if values is None else values


@lru_cache(maxsize=256)
def _parsed(formula: str, aliases: tuple) -> Reduction:
    return Reduction.parsed(formula, aliases)
