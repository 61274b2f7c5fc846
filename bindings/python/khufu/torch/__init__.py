"""Khufu for PyTorch: symbolic matrices of tensors and their reductions, with derivatives of any order."""

from .genred import Genred, generic_argkmin, generic_argmin, generic_logsumexp, generic_sum
from .kernel_solve import KernelSolve
from .lazy import ComplexLazyTensor, LazyTensor, Pm, Vi, Vj

__all__ = [
    "ComplexLazyTensor",
    "Genred",
    "KernelSolve",
    "LazyTensor",
    "Pm",
    "Vi",
    "Vj",
    "generic_argkmin",
    "generic_argmin",
    "generic_logsumexp",
    "generic_sum",
]
