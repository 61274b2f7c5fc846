"""Genred and the generic functions for PyTorch."""

from __future__ import annotations

from .._genred import GenericGenred, generic_functions
from . import _operators
from ._arrays import TORCH, is_compiling


class Genred(GenericGenred):
    __doc__ = GenericGenred.__doc__
    arrays = TORCH

    def _reduce(self, args: tuple, options, out):
        if is_compiling():
            # A tracer sees a text and numbers in place of the engine's objects.
            return _operators.by_recipe(self._recipe, *self._numbers, args, options, out)
        return super()._reduce(args, options, out)


generic_sum, generic_logsumexp, generic_argmin, generic_argkmin = generic_functions(Genred)

__all__ = ["Genred", "generic_argkmin", "generic_argmin", "generic_logsumexp", "generic_sum"]
