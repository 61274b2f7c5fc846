"""Lazy tensors of any array library."""

from .complex import ComplexGenericLazyTensor
from .tensor import GenericLazyTensor

__all__ = ["ComplexGenericLazyTensor", "GenericLazyTensor"]
