"""Symbolic matrices of complex numbers, of which the engine keeps real and imaginary parts in turn."""

from __future__ import annotations

from .._arrays import COMPLEX_TYPES
from .tensor import GenericLazyTensor


class ComplexGenericLazyTensor(GenericLazyTensor):
    """A symbolic matrix of complex numbers. `ndim` and `_shape` count their parts, `shape` and indices complex numbers."""

    is_complex = True

    @property
    def dtype(self) -> str | None:
        """ "complex64" or "complex128"; None while it is not known."""
        return COMPLEX_TYPES.get(self._frame.dtype)

    @property
    def real(self):
        """The real part."""
        return self._applied("ComplexReal")

    @property
    def imag(self):
        """The imaginary part."""
        return self._applied("ComplexImag")

    def angle(self):
        """The angle in the plane, in [-π, π]."""
        return self._applied("ComplexAngle")

    def conj(self):
        """The conjugate."""
        return self._applied("Conj", is_complex=True)

    def exp(self):
        """e^z."""
        return self._applied("ComplexExp", is_complex=True)

    def square(self):
        """z²."""
        return self * self

    def sqnorm2(self):
        """Σ |z_k|²."""
        return self._applied("ComplexSquareAbs").sum(-1)

    def norm2(self):
        """The square root of Σ |z_k|²."""
        return self.sqnorm2().sqrt()

    def normalize(self):
        """z / |z|, and 0 where z is 0."""
        return self * self.sqnorm2().rsqrt()

    def rmatvec(self, v):
        """The conjugate transpose times v, as SciPy's linear operators call it."""
        return self.conj().T @ v
