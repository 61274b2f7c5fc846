"""The vector at each pair of points: norms, parts, products, and derivatives of formulas."""

from __future__ import annotations

from .. import _expression as expression
from ..errors import ArgumentError, ArrayTypeError, FormulaError
from .functions import _whole


class Vectors:
    """Along the last axis, of length D."""

    def _same_dimension(self, what: str, *others) -> None:
        for other in others:
            if other.ndim != self.ndim:
                raise ArgumentError(
                    f"{what} takes vectors of one dimension; shapes {self.shape} and {other.shape} came."
                )

    def _is_real(self, name: str) -> None:
        if self.is_complex:
            raise ArrayTypeError(f"{name} is not defined for complex lazy tensors; their parts are .real and .imag.")

    # Norms and distances

    def sqnorm2(self):
        """|x|²."""
        return self._unary("SqNorm2")

    def norm2(self):
        """|x|; its gradient at 0 is 0."""
        return self._unary("Norm2")

    def norm(self, dim: int = -1):
        """|x|, along the last axis."""
        if dim not in (-1, self.dim() - 1):
            raise ArgumentError(f"A norm is taken along the last axis, -1 or {self.dim() - 1}; {dim} came.")
        return self.norm2()

    def normalize(self):
        """x / |x|, and 0 where x is 0."""
        return self._unary("Normalize")

    def sqdist(self, other):
        """|x - other|²."""
        return self._real("SqDist", other)

    def weightedsqnorm(self, other):
        """Σ w x² with one weight w for all components or one for each, or xᵀ W x with a symmetric matrix of D² numbers."""
        weights = self._operand(other)
        if weights.ndim not in (1, self.ndim, self.ndim**2):
            raise ArgumentError(
                f"The weights of a squared norm of {self.ndim} components are 1, {self.ndim} or {self.ndim**2} numbers; "
                f"{weights.ndim} came."
            )
        return weights._real("WeightedSqNorm", self)

    def weightedsqdist(self, g, s):
        """The squared norm of x - g, weighted by s; see `weightedsqnorm`."""
        return (self - self._operand(g)).weightedsqnorm(s)

    def difference_matrix(self, other):
        """The matrix x_k - other_l, row by row: D · D' numbers."""
        other = self._operand(other)
        ones, others_ones = _ones(self, other.ndim), _ones(self, self.ndim)
        return self.tensorprod(ones) - others_ones.tensorprod(other)

    def softdtw_sqdist(self, other, gamma):
        """The soft dynamic time warping divergence of two series, with squared distances and a temperature."""
        return self._real("SoftDTW_SqDist", other, gamma)

    # Parts

    def elem(self, i: int):
        """Component i."""
        self._is_real("elem")
        i = _whole(i, "The index of a component")
        if not 0 <= i < self.ndim:
            raise ArgumentError(f"A component of {self.ndim} has an index from 0 to {self.ndim - 1}; {i} came.")
        return self._unary("Elem", (i,))

    def extract(self, i: int, d: int):
        """d components from the i-th on."""
        self._is_real("extract")
        i, d = _whole(i, "The first component"), _whole(d, "The number of components")
        if not (0 <= i < self.ndim and 1 <= d <= self.ndim - i):
            raise ArgumentError(f"{d} components from the {i}-th on are no part of a vector of {self.ndim}.")
        return self._unary("Extract", (i, d))

    def one_hot(self, D: int):
        """The vector of D numbers that is 1 at the component x, rounded, and 0 elsewhere."""
        D = _whole(D, "The dimension of a one-hot vector")
        if self.ndim != 1:
            raise ArgumentError(f"A one-hot vector is made of one number; {self.ndim} came, with shape {self.shape}.")
        return self._unary("OneHot", (D,))

    def bspline(self, x, k: int = 0):
        """The B-spline basis functions of order k, of which this tensor holds the knots, at the number x."""
        return self._real("BSpline", x, attributes=(_whole(k, "The order of a B-spline"),))

    def concat(self, other):
        """The components of x and then those of other."""
        other = self._operand(other)
        if self.is_complex or other.is_complex:
            a, b = (operand if operand.is_complex else operand.real2complex() for operand in (self, other))
            return a._applied("Concat", b, is_complex=True)
        return self._applied("Concat", other)

    @staticmethod
    def concatenate(tuple_of_lt, axis: int = -1):
        """The components of several lazy tensors, one after the other, along the last axis."""
        if not isinstance(tuple_of_lt, (tuple, list)) or not tuple_of_lt:
            raise ArgumentError(f"What is concatenated is a tuple of lazy tensors, at least one; {tuple_of_lt!r} came.")
        first, *others = tuple_of_lt
        if not hasattr(first, "__GenericLazyTensor__"):
            raise ArrayTypeError(
                f"The first thing that is concatenated is a lazy tensor; a {type(first).__name__} came."
            )
        if axis not in (-1, first.dim() - 1):
            raise ArgumentError(
                f"Lazy tensors are concatenated along the last axis, -1 or {first.dim() - 1}; {axis} came."
            )
        for other in others:
            first = first.concat(other)
        return first

    @staticmethod
    def cat(tuple_of_lt, dim: int = -1):
        """`concatenate`, as PyTorch calls it."""
        return Vectors.concatenate(tuple_of_lt, dim)

    # Products of matrices and tensors, which are stored row by row

    def matvecmult(self, other):
        """The matrix x, of D / D' rows, times the vector other, of dimension D'."""
        return self._real("MatVecMult", other)

    def vecmatmult(self, other):
        """The vector x times the matrix other."""
        return self._real("VecMatMult", other)

    def tensorprod(self, other):
        """The matrix x_k other_l, row by row."""
        return self._real("TensorProd", other)

    def keops_tensordot(self, other, dimfa, dimfb, contfa, contfb, *permute):
        """A contraction of tensors.

        Args:
            other: another tensor.
            dimfa: the shape of this one, of which the product is D.
            dimfb: the shape of the other.
            contfa: the axes of this one that are contracted.
            contfb: those of the other that they are contracted with, in the same order.
            permute: for each axis that is left, its place in the result.
        """
        attributes = tuple(_axes(axes) for axes in (dimfa, dimfb, contfa, contfb, *permute))
        return self._real("TensorDot", other, attributes=attributes)

    def keops_kron(self, other, dimfself, dimfother):
        """The Kronecker product of tensors of shapes dimfself and dimfother, as `numpy.kron`."""
        return self._real("Kron", other, attributes=(_axes(dimfself), _axes(dimfother)))

    # Derivatives of the formula

    def grad(self, other, gradin):
        """(∂x/∂v)ᵀ e for a variable v and a vector e of x's dimension."""
        gradin = self._operand(gradin)
        self._same_dimension("A gradient and its cotangent", gradin)
        return self._real("Grad", _variable(other, "A gradient"), gradin)

    def diff(self, other, diffin):
        """(∂x/∂v) u for a variable v and a vector u of its dimension."""
        return self._real("Diff", _variable(other, "A derivative"), diffin)

    def grad_matrix(self, other):
        """The Jacobian matrix of x with respect to a variable v: block k is the gradient of component k."""
        return self._real("GradMatrix", _variable(other, "A Jacobian matrix"))

    def divergence(self, var):
        """Σ_k ∂x_k/∂v_k for a variable v of x's dimension."""
        self._same_dimension("A divergence", _variable(var, "A divergence"))
        return self._real("Divergence", var)

    def laplacian(self, var):
        """Σ_k ∂²x/∂v_k² for a variable v and a number x."""
        return self._real("Laplacian", _variable(var, "A Laplacian"))

    def trace_operator(self, var):
        """The trace of x as a linear map of a variable v of its dimension; v is no variable of the result."""
        self._same_dimension("A trace", _variable(var, "A trace"))
        bound = expression.VariableNode(var._node.category, var.ndim, expression.Bound())
        same = (var._node.category, var.ndim, id(var._node.source))

        def replace(node):
            return bound if (node.category, node.dimension, id(node.source)) == same else node

        return self._made(expression.substituted(self._node, replace), self._frame)._applied(
            "TraceOperator", self._made(bound, self._frame)
        )

    def factorize(self, other):
        """x. Parts that repeat are always computed once; the name is kept for KeOps' users."""
        return self._real("Factorize", other)

    def auto_factorize(self):
        """x. Parts that repeat are always computed once; the name is kept for KeOps' users."""
        return self._unary("AutoFactorize")


def _variable(x, what: str):
    if not (hasattr(x, "__GenericLazyTensor__") and isinstance(x._node, expression.VariableNode)):
        raise FormulaError(
            f"{what} is taken with respect to a variable: a LazyTensor of an array or a symbol, not an expression."
        )
    return x


def _axes(axes) -> tuple[int, ...]:
    return (_whole(axes, "An axis"),) if hasattr(axes, "__index__") else tuple(_whole(axis, "An axis") for axis in axes)


def _ones(tensor, count: int):
    """(1, …, 1), as part of the formula."""
    node = expression.constant(1)
    return tensor._made(expression.apply("SumT", node, attributes=(count,)) if count > 1 else node, tensor._frame)
