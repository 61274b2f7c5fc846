"""Python's operators on lazy tensors."""

from __future__ import annotations

from .._expression import apply
from .frame import joined

_new = object.__new__


class Operators:
    """Component by component; dimensions are equal, or 1, which broadcasts."""

    def _arithmetic(self, name: str, other, is_reflected: bool = False):
        if not hasattr(other, "__GenericLazyTensor__"):
            other = self._operand(other)
        a, b = (other, self) if is_reflected else (self, other)
        if a.is_complex or b.is_complex:
            return _complex_arithmetic(name, a, b)
        dimension, other_dimension = a._node.dimension, b._node.dimension
        if dimension != other_dimension and dimension != 1 and other_dimension != 1:
            return a._applied(name, b)
        # What `_applied` does, at the least cost: this is most of what a formula takes.
        frame = a._frame
        if b._frame is not frame:
            frame = joined(frame, b._frame)
        new = _new(self.__class__)
        new._node = apply(name, a._node, b._node)
        new._frame = frame
        return new

    def __add__(self, other):
        return self if _is(other, 0) else self._arithmetic("Add", other)

    def __radd__(self, other):
        return self if _is(other, 0) else self._arithmetic("Add", other, True)

    def __sub__(self, other):
        return self if _is(other, 0) else self._arithmetic("Subtract", other)

    def __rsub__(self, other):
        return -self if _is(other, 0) else self._arithmetic("Subtract", other, True)

    def __mul__(self, other):
        if _is(other, 1):
            return self
        return -self if _is(other, -1) else self._arithmetic("Mult", other)

    def __rmul__(self, other):
        if _is(other, 1):
            return self
        return -self if _is(other, -1) else self._arithmetic("Mult", other, True)

    def __truediv__(self, other):
        return self if _is(other, 1) else self._arithmetic("Divide", other)

    def __rtruediv__(self, other):
        if _is(other, 1) and not self.is_complex:
            return self._unary("Inv")
        return self._arithmetic("Divide", other, True)

    def __or__(self, other):
        """(x | y), the scalar product of vectors of one dimension."""
        other = self._operand(other)
        self._same_dimension("The scalar product x | y", other)
        return self._real("Scalprod", other)

    def __ror__(self, other):
        return self._operand(other) | self

    def __neg__(self):
        if self.is_complex:
            return self._applied("Minus", is_complex=True)
        return self._unary("Minus")

    def __pos__(self):
        return self

    def __abs__(self):
        if self.is_complex:
            return self._applied("ComplexAbs")
        return self._unary("Abs")

    def __pow__(self, other):
        """x to a power: a whole number, which is part of the formula, another number, an array or a lazy tensor."""
        if isinstance(other, float):
            if other == 0.5:
                return self._unary("Sqrt")
            if other == -0.5:
                return self._unary("Rsqrt")
        other = self._operand(other)
        if other._node.name == "IntCst":
            return self._integer_power(other._node.attributes[0])
        return self._real("Powf", other)

    def __rpow__(self, other):
        return self._operand(other) ** self

    def _integer_power(self, n: int):
        if not self.is_complex:
            return self._unary("Square") if n == 2 else self._unary("Pow", (n,))
        if n <= 0:
            return 1 / self._integer_power(-n) if n else self * 0 + 1
        # By squaring: x^13 = x · x^4 · x^8.
        power, square = None, self
        while n:
            if n & 1:
                power = square if power is None else power * square
            n >>= 1
            square = square * square if n else square
        return power

    def __eq__(self, other):
        return self._real("Equal", other)

    def __ne__(self, other):
        return self._real("NotEqual", other)

    def __lt__(self, other):
        return self._real("LessThan", other)

    def __gt__(self, other):
        return self._operand(other)._real("LessThan", self)

    def __le__(self, other):
        return self._real("LessOrEqual", other)

    def __ge__(self, other):
        return self._operand(other)._real("LessOrEqual", self)

    # As == makes a lazy tensor, dictionaries could not tell them apart.
    __hash__ = None


def _is(x, number: int) -> bool:
    """Whether x is one of Python's numbers and equal to some."""
    kind = type(x)
    return (kind is int or kind is float or kind is complex) and x == number


_COMPLEX = {"Add": "ComplexAdd", "Subtract": "ComplexSubtract", "Mult": "ComplexMult", "Divide": "ComplexDivide"}


def _complex_arithmetic(name: str, a, b):
    if name == "Mult" and a.is_complex != b.is_complex:
        real, other = (b, a) if a.is_complex else (a, b)
        if real.ndim == 1:
            return real._applied("ComplexRealScal", other, is_complex=True)
    a, b = (operand if operand.is_complex else operand.real2complex() for operand in (a, b))
    return a._applied(_COMPLEX[name], b, is_complex=True)
