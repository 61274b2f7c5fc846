"""Functions of the components of lazy tensors."""

from __future__ import annotations

import math


class Functions:
    """Component by component."""

    def abs(self):
        """|x|; of complex numbers, their modulus."""
        return abs(self)

    def exp(self):
        """e^x."""
        return self._unary("Exp")

    def log(self):
        """The natural logarithm."""
        return self._unary("Log")

    def xlogx(self):
        """x log x, with 0 at 0."""
        return self._unary("XLogX")

    def cos(self):
        """The cosine."""
        return self._unary("Cos")

    def sin(self):
        """The sine."""
        return self._unary("Sin")

    def sinxdivx(self):
        """sin(x) / x, with 1 at 0."""
        return self._unary("SinXDivX")

    def sinc(self):
        """sin(πx) / (πx), with 1 at 0, as `numpy.sinc`."""
        return (self * math.pi).sinxdivx()

    def asin(self):
        """The arcsine; its gradient at -1 and 1 is 0."""
        return self._unary("Asin")

    def acos(self):
        """The arccosine; its gradient at -1 and 1 is 0."""
        return self._unary("Acos")

    def atan(self):
        """The arctangent."""
        return self._unary("Atan")

    def atan2(self, other):
        """The angle of the point (other, self), in [-π, π]."""
        return self._real("Atan2", other)

    def sqrt(self):
        """The square root; its gradient at 0 is 0."""
        return self._unary("Sqrt")

    def rsqrt(self):
        """1 / sqrt(x), with 0 at 0."""
        return self._unary("Rsqrt")

    def square(self):
        """x²."""
        return self._integer_power(2)

    def power(self, other):
        """x ** other."""
        return self**other

    def sign(self):
        """-1, 0 or 1."""
        return self._unary("Sign")

    def step(self):
        """0 below 0, and 1 from there."""
        return self._unary("Step")

    def relu(self):
        """0 below 0, and x from there."""
        return self._unary("ReLU")

    def floor(self):
        """The whole number at or below x."""
        return self._unary("Floor")

    def round(self, other: int = 0):
        """Rounded to a number of decimals, halves away from 0."""
        return self._unary("Round", (_whole(other, "The number of decimals"),))

    def clamp(self, other1, other2):
        """other1 below it, other2 above that, and x between them. Whole numbers are part of the formula."""
        low, high = self._operand(other1), self._operand(other2)
        if low._node.name == high._node.name == "IntCst":
            return self._unary("ClampInt", low._node.attributes + high._node.attributes)
        return self._real("Clamp", low, high)

    def ifelse(self, other1, other2):
        """other1 where x ≥ 0, other2 where x < 0."""
        return self._real("IfElse", other1, other2)

    def mod(self, modulus, offset=0):
        """x - modulus * floor((x - offset) / modulus)."""
        return self._real("Mod", modulus, offset)

    # Complex numbers of real ones

    def real2complex(self):
        """x + 0i."""
        self._is_real("real2complex")
        return self._applied("Real2Complex", is_complex=True)

    def imag2complex(self):
        """0 + xi."""
        self._is_real("imag2complex")
        return self._applied("Imag2Complex", is_complex=True)

    def exp1j(self):
        """e^(ix) = cos x + i sin x."""
        self._is_real("exp1j")
        return self._applied("ComplexExp1j", is_complex=True)


def _whole(x, name: str) -> int:
    """x as one of Python's whole numbers."""
    from ..errors import ArrayTypeError

    if isinstance(x, bool) or not hasattr(x, "__index__"):
        raise ArrayTypeError(f"{name} is a whole number; {x!r} came.")
    return x.__index__()
