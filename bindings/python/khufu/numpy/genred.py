"""Genred and the generic functions for NumPy."""

from __future__ import annotations

from .._genred import GenericGenred, generic_functions
from ._arrays import NUMPY


class Genred(GenericGenred):
    __doc__ = GenericGenred.__doc__
    arrays = NUMPY


generic_sum, generic_logsumexp, generic_argmin, generic_argkmin = generic_functions(Genred)

__all__ = ["Genred", "generic_argkmin", "generic_argmin", "generic_logsumexp", "generic_sum"]
