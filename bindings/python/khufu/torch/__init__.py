"""Khufu for PyTorch: symbolic matrices of tensors and their reductions, with derivatives of any order."""

from .genred import Genred, generic_argkmin, generic_argmin, generic_logsumexp, generic_sum
from .kernel_solve import KernelSolve

__all__ = [
    "Genred",
    "KernelSolve",
    "generic_argkmin",
    "generic_argmin",
    "generic_logsumexp",
    "generic_sum",
]
