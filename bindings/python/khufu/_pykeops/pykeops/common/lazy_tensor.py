"""What symbolic matrices have in common, whatever the library of their arrays."""

from khufu._lazy import ComplexGenericLazyTensor, GenericLazyTensor

__all__ = [
    "ComplexGenericLazyTensor",
    "GenericLazyTensor",
    "is_complex_lazytensor",
    "is_scalar_and_equals",
    "same_or_one_test",
]


def same_or_one_test(*dims: int) -> bool:
    """Whether all dimensions that are not 1 are the same."""
    return len({*dims} - {1}) <= 1


def is_scalar_and_equals(x, val) -> bool:
    """Whether x is a number of Python's and has a value."""
    return isinstance(x, (int, float)) and x == val


def is_complex_lazytensor(x) -> bool:
    return isinstance(x, ComplexGenericLazyTensor)
