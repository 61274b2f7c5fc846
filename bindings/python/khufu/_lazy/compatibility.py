"""What else KeOps' class offers to code that extends it: building operations by name, and what its parts are called there."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from .call import _ACCURACY
from .frame import joined


class Compatibility:
    """Under KeOps' names."""

    def lt_constructor(self, x: Any = None, axis: int | None = None, is_complex: bool = False):
        """A LazyTensor of the same library."""
        return self.classes[is_complex](x, axis)

    def get_tools(self):
        """The array library."""
        return self.arrays

    @property
    def callfun(self):
        """What the result of a reduction computes when it is called."""
        if "_call" not in self.__dict__:
            raise AttributeError("Only the result of a reduction has a callfun; this LazyTensor is not reduced.")
        return self._call

    def unary(self, operation: str, dimres=None, opt_arg=None, opt_arg2=None, is_complex: bool | None = None):
        """An operation of the formula language on this tensor.

        Args:
            operation: its name.
            dimres: its dimension, which is checked.
            opt_arg: a whole number or list of such, behind the operand.
            opt_arg2: another one.
        """
        attributes = tuple(_attribute(x) for x in (opt_arg, opt_arg2) if x is not None)
        is_complex = self.is_complex if is_complex is None else is_complex
        return _checked(self._applied(operation, attributes=attributes, is_complex=is_complex), operation, dimres)

    def binary(self, other, operation: str, is_operator: bool = False, dimres=None, dimcheck: str | None = "sameor1",
               opt_arg=None, opt_pos: str = "last", rversion: bool = False, is_complex: bool | None = None):  # fmt: skip
        """An operation of the formula language on this tensor and another; see `unary`.

        Args:
            is_operator: whether `operation` is a sign, such as "+".
            dimcheck: of no effect; operations check their operands.
            opt_pos: "middle" where opt_arg is a lazy tensor that stands between the two.
            rversion: whether the other one comes first.
        """
        other = self._operand(other)
        a, b = (other, self) if rversion else (self, other)
        if is_operator:
            if operation not in _SIGNS:
                raise ArgumentError(f"An operator is one of {' '.join(_SIGNS)}; {operation!r} came.")
            return _checked(_SIGNS[operation](a, b), operation, dimres)
        is_complex = a.is_complex or b.is_complex if is_complex is None else is_complex
        if hasattr(opt_arg, "__GenericLazyTensor__"):
            operands = (opt_arg, b) if opt_pos == "middle" else (b, opt_arg)
            return _checked(a._applied(operation, *operands, is_complex=is_complex), operation, dimres)
        attributes = () if opt_arg is None else (_attribute(opt_arg),)
        return _checked(a._applied(operation, b, attributes=attributes, is_complex=is_complex), operation, dimres)

    def ternary(self, other1, other2, operation: str, dimres=None, dimcheck: str | None = "sameor1", opt_arg=None):
        """An operation of the formula language on this tensor and two others; see `binary`."""
        attributes = () if opt_arg is None else (_attribute(opt_arg),)
        return _checked(self._real(operation, other1, other2, attributes=attributes), operation, dimres)

    def addop(self, other, **kwargs):
        """self + other."""
        return self.binary(other, "+", is_operator=True, **kwargs)

    def subop(self, other, **kwargs):
        """self - other."""
        return self.binary(other, "-", is_operator=True, **kwargs)

    def mulop(self, other, **kwargs):
        """self * other."""
        return self.binary(other, "*", is_operator=True, **kwargs)

    def divop(self, other, **kwargs):
        """self / other."""
        return self.binary(other, "/", is_operator=True, **kwargs)

    def init(self, is_complex: bool = False):
        """A tensor with this one's sizes and type."""
        return self._made(self._root, self._frame, is_complex)

    def join(self, other, is_complex: bool = False):
        """A tensor with the sizes and the type that two of them agree on."""
        return self._made(self._root, joined(self._frame, other._frame), is_complex)

    def promote(self, other, props=(), is_complex: bool = False):
        """`join`."""
        return self.join(other, is_complex)

    def fixvariables(self) -> None:
        """Nothing: variables have their places in the formula at all times."""

    def new_variable_index(self) -> int:
        """The first index above those of the symbolic variables."""
        return max((index + 1 for index, _, _ in self.symbolic_variables), default=0)

    @staticmethod
    def separate_kwargs(kwargs: dict) -> tuple[dict, dict]:
        """Keywords of a reduction's accumulation, and those of a call."""
        first = _ACCURACY | {"enable_chunks", "use_fast_math", "optional_flags"}
        return {k: v for k, v in kwargs.items() if k in first}, {k: v for k, v in kwargs.items() if k not in first}


_SIGNS = {
    "+": lambda a, b: a._arithmetic("Add", b),
    "-": lambda a, b: a._arithmetic("Subtract", b),
    "*": lambda a, b: a._arithmetic("Mult", b),
    "/": lambda a, b: a._arithmetic("Divide", b),
    "|": lambda a, b: a | b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _attribute(x):
    return tuple(x) if isinstance(x, (list, tuple)) else int(x)


def _checked(result, operation: str, dimension: int | None):
    if dimension is not None and result.ndim != dimension:
        raise ArgumentError(f"{operation} gives vectors of dimension {result.ndim} here; dimres is {dimension}.")
    return result
