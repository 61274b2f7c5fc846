"""Khufu for NumPy's arrays: symbolic matrices, reductions of formulas, linear systems and block-sparsity."""

from .genred import Genred, generic_argkmin, generic_argmin, generic_logsumexp, generic_sum
from .kernel_solve import KernelSolve
from .lazy import ComplexLazyTensor, LazyTensor, Pm, Var, Vi, Vj

__all__ = [
    "ComplexLazyTensor",
    "Genred",
    "KernelSolve",
    "LazyTensor",
    "Pm",
    "Var",
    "Vi",
    "Vj",
    "generic_argkmin",
    "generic_argmin",
    "generic_logsumexp",
    "generic_sum",
]
