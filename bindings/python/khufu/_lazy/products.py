"""Lazy tensors as linear operators: products with arrays, transposes, linear systems."""

from __future__ import annotations

from typing import Any

from .. import _expression as expression
from .._expression import VI, VJ, Node, VariableNode
from ..errors import ArgumentError, ArrayTypeError
from .frame import Frame
from .solving import solved


class Products:
    """A symbolic matrix of one number for each pair takes arrays over j to arrays over i."""

    def __matmul__(self, v, **kwargs: Any):
        """K @ v, the sum over j of K times v.

        Args:
            v: an array (N,), or (batch…, N, E) for E columns.
            kwargs: those of a reduction.

        Returns:
            An array (M,), or (batch…, M, E); (batch…, M) for a v of shape (N,).

        Raises:
            ArgumentError: where K has more than one number for each pair.
        """
        if self.ndim != (2 if self.is_complex else 1):
            raise ArgumentError(f"K @ v takes a K of one number for each pair; this LazyTensor has shape {self.shape}.")
        arrays = self.arrays
        if not arrays.owns(v):
            v = self._vector(v)
        shape = v.shape
        if len(shape) == 0:
            raise self._no_vector(v)
        if len(shape) == 1:
            values = (self * self._columns(v.reshape(-1, 1))).reduction("Sum", axis=1 + self.nbatchdims, **kwargs)
            return values.reshape(values.shape[:-1])
        product = self * self._columns(v)
        return product.reduction("Sum", axis=1 + product.nbatchdims, **kwargs)

    def _vector(self, v):
        converted = None if hasattr(v, "__GenericLazyTensor__") else self.arrays.converted(v)
        if converted is None or len(converted.shape) == 0:
            raise self._no_vector(v)
        return converted

    def _no_vector(self, v) -> ArrayTypeError:
        came = "one number" if self.arrays.owns(v) else f"a {type(v).__name__}"
        return ArrayTypeError(f"K @ v takes an array of {self.arrays.name}, (N,) or (…, N, E); {came} came.")

    def _columns(self, v):
        """A variable along j of an array (batch…, N, E), also where N is 1."""
        arrays = self.arrays
        dtype = arrays.dtype(v)
        if dtype == self._frame.dtype:
            shape = v.shape
            batch = tuple(shape[:-2]) or None
            return self._made(VariableNode(VJ, shape[-1], v), Frame(arrays, dtype, None, shape[-2], batch))
        if len(v.shape) == 2:
            return self.classes[False](v, axis=VJ)
        return self.classes[False](v[..., None, :, :])

    def matvec(self, v):
        """K @ v, as SciPy's linear operators call it."""
        return self.__matmul__(v)

    def rmatvec(self, v):
        """The adjoint of K times v, as SciPy's linear operators call it."""
        return self.t().__matmul__(v)

    def __rmatmul__(self, v):
        """v @ K for an array (M,) or (E, M)."""
        v = v if self.arrays.owns(v) else self._vector(v)
        return self.T @ v if len(v.shape) < 2 else (self.T @ v.swapaxes(-1, -2)).swapaxes(-1, -2)

    def t(self):
        """The transpose: points along i follow j, and those along j follow i; block-sparsity too."""
        swapped: dict[int, VariableNode] = {}

        def swap(node: VariableNode) -> Node:
            if node.category not in (VI, VJ):
                return node
            found = swapped.get(id(node))
            if found is None:
                found = swapped[id(node)] = VariableNode(VJ if node.category == VI else VI, node.dimension, node.source)
            return found

        frame = self._frame
        frame = frame.with_(ni=frame.nj, nj=frame.ni, ranges=_swapped_ranges(frame.ranges))
        return self._made(expression.substituted(self._node, swap), frame, self.is_complex)

    @property
    def T(self):
        """The transpose, `t()`."""
        return self.t()

    def solve(self, other, var=None, call: bool = True, **kwargs: Any):
        """b' of K b' + alpha b' = b, for a symmetric positive K.

        Args:
            other: b: an array (M, E), or a variable along i; symbolic where data is given later. Its E columns are solved at the same time.
            var: the symbolic variable that stands for b' in this LazyTensor, where that is an expression linear in it and not K itself.
            call: False for an object that is called later.
            alpha: added to the diagonal; 1e-10.
            eps: the iteration ends when the mean square of b - K b' - alpha b' is below eps², as in KeOps; 1e-6.
            tolerance: instead of eps: of |b - K b' - alpha b'| / |b|, for each column.
            maximum_iterations: 0 for 10 M + 50, but 10 000 at most.
            method: "cg", or "minres" for symmetric matrices that may be indefinite.
            preconditioner: None, "cholesky" or "nystrom", of some rank; 50.
            progress: called with (iteration, maximum, residual) before each iteration; False ends the solve.
            kwargs: besides those, the keywords of a reduction.

        Returns:
            An array of b's shape, or an object to call where b is symbolic.

        Raises:
            ArgumentError: where shapes do not fit.
            SolverError: where no solution could be found.
        """
        return solved(self, other, var, call, kwargs)


def _swapped_ranges(ranges):
    if ranges is None:
        return None
    if isinstance(ranges, list) and ranges and isinstance(ranges[0], (tuple, list)):
        return [_swapped_ranges(item) for item in ranges]
    return (*ranges[3:6], *ranges[:3])
