"""Symbolic matrices: an entry F(x_i, y_j, p) for each pair of points, of which no more than the formula and the points are stored."""

from __future__ import annotations

from typing import Any

from .. import _expression as expression
from .._arrays import Arrays
from .._expression import Node, apply
from ..errors import ArgumentError, ArrayTypeError, FormulaError
from .compatibility import Compatibility
from .construction import made, unusable
from .frame import EMPTY, Frame, joined
from .functions import Functions
from .operators import Operators
from .parts import Parts
from .printing import formula_text, printed
from .products import Products
from .reductions import Reductions
from .sources import Symbol, symbols
from .vectors import Vectors

_new = object.__new__


class GenericLazyTensor(Operators, Functions, Vectors, Reductions, Products, Parts, Compatibility):
    """A symbolic matrix of any array library; users take the LazyTensor of one of them.

    It has shape (batch…, M, N, D): M points along i, N along j, and D numbers for each pair. Operators and functions make further
    symbolic matrices; reductions over i or j, products and `dense` compute arrays.
    """

    arrays: Arrays
    #: The classes of a library's real and complex lazy tensors.
    classes: tuple[type, type]

    is_complex = False
    #: By which lazy tensors are known, whatever the library.
    __GenericLazyTensor__ = True
    # NumPy's arrays leave operators to a lazy tensor on the other side.
    __array_ufunc__ = None
    # An index of a lazy tensor is one of its components, so a loop would go over those by accident.
    __iter__ = None

    _node: Node
    _frame: Frame

    def __new__(cls, x: Any = None, axis: int | None = None, is_complex: bool = False):
        """Makes a symbolic matrix.

        Args:
            x: one of
                an array (batch…, M, 1, D), points along i; (batch…, 1, N, D), points along j; or (batch…, 1, 1, D), a parameter. With
                one point an array is a parameter, which broadcasts,
                an array (M, D) with axis=0 for points along i, 1 along j, 2 for a parameter with a batch,
                an array (D,), a parameter,
                a whole number, which is part of the formula,
                a number or a list of numbers, a parameter that takes the type of what it meets,
                a tuple (index, dimension, category): a symbolic variable, which is given when a reduction is called.
            axis: for arrays of two axes; see above.
            is_complex: makes it a complex one also where x is real.

        Raises:
            ArrayTypeError: for things of other types.
            ArgumentError: for arrays of other shapes.
        """
        if x is None:
            if axis is not None:
                raise unusable(x, cls.arrays)
            self = _new(cls.classes[is_complex or cls.is_complex])
            self._node, self._frame = expression.constant(0), EMPTY
            return self
        node, frame, is_complex_data = made(x, axis, cls.arrays)
        if is_complex_data is cls.is_complex and not is_complex:
            self = _new(cls)
        elif is_complex_data:
            self = _new(cls.classes[True])
        elif is_complex or cls.is_complex:
            self = _new(cls.classes[True])
            node = apply("Real2Complex", node)
        else:
            self = _new(cls)
        self._node, self._frame = node, frame
        return self

    def __init__(self, x: Any = None, axis: int | None = None, is_complex: bool = False):
        """Does nothing: all is done when it is made. Subclasses may call it."""

    def _made(self, node: Node, frame: Frame, is_complex: bool = False) -> GenericLazyTensor:
        new = _new(self.classes[is_complex])
        new._node, new._frame = node, frame
        return new

    def _operand(self, x) -> GenericLazyTensor:
        """A lazy tensor of what stands beside this one in a formula."""
        if x is None:
            raise unusable(x, self.arrays)
        return x if hasattr(x, "__GenericLazyTensor__") else self.classes[False](x)

    def _applied(self, name: str, *others: GenericLazyTensor, attributes: tuple = (), is_complex: bool = False):
        """An operation on this tensor and others, which are joined."""
        frame = self._frame
        for other in others:
            if other._frame is not frame:
                frame = joined(frame, other._frame)
        try:
            node = apply(name, self._node, *[other._node for other in others], attributes=attributes)
        except FormulaError as error:
            raise _with_shapes(error, name, self, others) from None
        new = _new(self.classes[is_complex])
        new._node, new._frame = node, frame
        return new

    def _unary(self, name: str, attributes: tuple = ()) -> GenericLazyTensor:
        """An operation that takes real numbers to real numbers."""
        if self.is_complex:
            raise ArrayTypeError(f"{name} is not defined for complex lazy tensors; its parts are .real and .imag.")
        new = _new(self.__class__)
        new._frame = self._frame
        try:
            new._node = apply(name, self._node, attributes=attributes)
        except FormulaError as error:
            raise _with_shapes(error, name, self, ()) from None
        return new

    def _real(self, name: str, *others, attributes: tuple = ()) -> GenericLazyTensor:
        """An operation that takes real numbers to real numbers, with operands of any kind."""
        others = tuple([self._operand(other) for other in others])
        for operand in (self, *others):
            if operand.is_complex:
                raise ArrayTypeError(
                    f"{name} is not defined for complex lazy tensors; their parts are .real and .imag."
                )
        return self._applied(name, *others, attributes=attributes)

    def __getattr__(self, name: str):
        # Only called for what is missing: on the result of a reduction, what there is to compute with.
        if name == "_node" and "reduction_op" in self.__dict__:
            raise ArgumentError(
                "This LazyTensor is reduced: it is called for its values, and no operation applies to it."
            )
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")

    # What it looks like

    @property
    def _root(self) -> Node:
        """The formula's node, for reduced ones too."""
        return self.__dict__["_node"] if "_node" in self.__dict__ else self._call.root

    @property
    def _shape(self) -> tuple[int, ...]:
        """(batch…, M, N, D), with two numbers for each complex one."""
        return self._frame.shape(self.ndim)

    @property
    def shape(self) -> tuple[int, ...]:
        """(batch…, M, N, D), or (batch…, M, N) where D is 1."""
        shape = self._frame.shape(self.ndim // 2 if self.is_complex else self.ndim)
        return shape[:-1] if shape[-1] == 1 else shape

    def dim(self) -> int:
        """The number of axes, of which the last is D, also where that is 1."""
        return 3 + self.nbatchdims

    @property
    def ndim(self) -> int:
        """D, the length of the vector at each pair; not, as in NumPy, the number of axes."""
        return self._root.dimension

    @property
    def ni(self) -> int | None:
        """The number of points along i; None where the formula has none."""
        return self._frame.ni

    @property
    def nj(self) -> int | None:
        """The number of points along j; None where the formula has none."""
        return self._frame.nj

    @property
    def batchdims(self) -> tuple[int, ...] | None:
        """The lengths of the batch axes; None where there is no batch."""
        return self._frame.batch

    @property
    def nbatchdims(self) -> int:
        """The number of batch axes."""
        return len(self._frame.batch) if self._frame.batch else 0

    @property
    def _dtype(self) -> str | None:
        return self._frame.dtype

    @property
    def dtype(self) -> str | None:
        """The type of its numbers, such as "float32"; None while it is not known."""
        return self._frame.dtype

    @property
    def ranges(self):
        """Block-sparsity: KeOps' six arrays, a list of such for the items of a batch, or None. It can be set."""
        return self._frame.ranges

    @ranges.setter
    def ranges(self, value) -> None:
        self._frame = self._frame.with_(ranges=value)

    @property
    def backend(self) -> str | None:
        """Where reductions run: "auto", "CPU", "GPU", …, or None. It can be set."""
        return self._frame.backend

    @backend.setter
    def backend(self, value: str | None) -> None:
        self._frame = self._frame.with_(backend=value)

    @property
    def tools(self) -> Arrays:
        """The array library."""
        return self.arrays

    # What it is made of

    @property
    def formula(self) -> str:
        """The formula as text, in which inputs are Var(position, dimension, category)."""
        return formula_text(self._root, self._weight)

    @property
    def formula2(self) -> str | None:
        """The second formula of a weighted reduction."""
        return None if self._weight is None else formula_text(self._weight, self._root)

    @property
    def _weight(self) -> Node | None:
        return self._call.weight if "reduction_op" in self.__dict__ else None

    @property
    def variables(self) -> tuple:
        """The arrays and lists of numbers in the formula."""
        found = self._variable_nodes()
        return tuple(getattr(node.source, "values", node.source) for node in found if type(node.source) is not Symbol)

    @property
    def symbolic_variables(self) -> tuple[tuple[int, int, int], ...]:
        """(index, dimension, category) of the variables that are given at a call."""
        return tuple((node.source.index, node.dimension, node.category) for node in symbols(self._variable_nodes()))

    def _variable_nodes(self) -> list[expression.VariableNode]:
        return expression.variables([self._root] if self._weight is None else [self._root, self._weight])

    @property
    def axis(self) -> int | None:
        """For a variable: 0 along i, 1 along j, 2 for a parameter; for a reduced tensor: the axis reduced; else None."""
        if "reduction_op" in self.__dict__:
            return self._call.axis
        if isinstance(self._node, expression.VariableNode):
            return self._node.category
        return expression.PM if self._node.name == "IntCst" else None

    @property
    def ind(self) -> int:
        """The index of a symbolic variable."""
        if isinstance(self._node, expression.VariableNode) and type(self._node.source) is Symbol:
            return self._node.source.index
        raise AttributeError("Only symbolic variables have an index.")

    def __str__(self) -> str:
        return printed(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype})"

    def __copy__(self):
        new = _new(type(self))
        new.__dict__.update(self.__dict__)
        return new


def _with_shapes(error: FormulaError, name: str, tensor: GenericLazyTensor, others) -> FormulaError:
    shapes = " and ".join(str(operand.shape) for operand in (tensor, *others))
    sentence = str(error).splitlines()[0]
    return FormulaError(f"{name} of lazy tensors of shape{'s' if others else ''} {shapes}: {sentence}")
