"""Lazy tensors of NumPy's arrays."""

from __future__ import annotations

from typing import Any

from .._lazy import ComplexGenericLazyTensor, GenericLazyTensor
from ._arrays import NUMPY


class LazyTensor(GenericLazyTensor):
    """A symbolic matrix of NumPy arrays, of shape (batch…, M, N, D).

    >>> x_i, y_j = LazyTensor(x[:, None, :]), LazyTensor(y[None, :, :])
    >>> K = (-((x_i - y_j) ** 2).sum(-1)).exp()
    >>> a = K @ b
    """

    arrays = NUMPY

    @property
    def Genred(self):
        """The class of reductions of formulas that are text."""
        from . import Genred

        return Genred

    @property
    def KernelSolve(self):
        """The class of linear systems of formulas that are text."""
        from . import KernelSolve

        return KernelSolve


class ComplexLazyTensor(ComplexGenericLazyTensor):
    """A symbolic matrix of complex NumPy arrays."""

    arrays = NUMPY
    Genred = LazyTensor.Genred
    KernelSolve = LazyTensor.KernelSolve


LazyTensor.classes = ComplexLazyTensor.classes = (LazyTensor, ComplexLazyTensor)


def Var(x_or_ind: Any, dim: int | None = None, cat: int | None = None) -> LazyTensor:
    """A variable.

    Args:
        x_or_ind: an array, or the index of a symbolic variable.
        dim: the dimension of a symbolic variable.
        cat: 0 for points along i, 1 for points along j, 2 for a parameter.
    """
    return LazyTensor(x_or_ind, axis=cat) if dim is None else LazyTensor((x_or_ind, dim, cat))


def Vi(x_or_ind: Any, dim: int | None = None) -> LazyTensor:
    """Points along i: of an array (M, D), or the symbolic variable of some index and dimension."""
    return Var(x_or_ind, dim, 0)


def Vj(x_or_ind: Any, dim: int | None = None) -> LazyTensor:
    """Points along j: of an array (N, D), or the symbolic variable of some index and dimension."""
    return Var(x_or_ind, dim, 1)


def Pm(x_or_ind: Any, dim: int | None = None) -> LazyTensor:
    """A parameter: of a number, a list or an array (D,), or the symbolic variable of some index and dimension."""
    return Var(x_or_ind, dim, 2)
