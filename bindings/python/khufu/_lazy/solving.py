"""Linear systems with lazy tensors."""

from __future__ import annotations

from numbers import Real
from typing import Any

from .. import _expression as expression
from .._arrays import REAL_TYPES, RunOptions, SolverSettings
from .._expression import PM, VI, VJ, VariableNode
from ..errors import ArgumentError, ArrayTypeError
from .call import Call
from .frame import Frame, joined
from .sources import Numbers, Symbol

#: Keywords of a solver.
_SETTINGS = frozenset(
    ["alpha", "eps", "tolerance", "maximum_iterations", "method", "preconditioner", "rank", "progress"]
)


def solved(tensor, other, var, call: bool, keywords: dict) -> Any:
    """What `LazyTensor.solve` does."""
    if tensor.is_complex:
        raise ArrayTypeError("Systems are solved for real lazy tensors.")
    other, is_vector = _right_hand_side(tensor, other)
    axis = 1 - other._node.category
    if type(other._node.source) is not Symbol and var is None and tensor.symbolic_variables:
        raise ArgumentError(
            "Where a LazyTensor has symbolic variables, so has the right-hand side of its systems: Vi(index, dimension)."
        )
    # Data of its own, lest it be taken for the same array elsewhere in the formula.
    source = other._node.source if type(other._node.source) is Symbol else other._node.source[...]
    if var is None:
        unknown = VariableNode(axis, other.ndim, source)
        points = other.ni if axis == VJ else other.nj
        frame = Frame(other.arrays, other._dtype, *((None, points) if axis == VJ else (points, None)), other.batchdims)
        root = (tensor * tensor._made(unknown, frame))._node
        frame = joined(tensor._frame, frame)
    else:
        unknown, root = _replaced(tensor, var, source)
        if unknown.category != axis or unknown.dimension != other.ndim:
            raise ArgumentError(
                f"The unknown of a system follows the index over which is summed and has the dimension of the right-hand side, "
                f"so it is {('Vi', 'Vj')[axis]}(…, {other.ndim}); {('Vi', 'Vj', 'Pm')[unknown.category]}(…, {unknown.dimension}) came."
            )
        frame = joined(tensor._frame, other._frame)
    made = Solve(tensor, frame, "Solve", root, None, 1, axis, keywords)
    made.unknown = unknown
    made.is_vector = is_vector
    return made.values() if call else made.reduced()


def _right_hand_side(tensor, other):
    """b as a variable, and whether it came as a vector without columns."""
    if hasattr(other, "__GenericLazyTensor__"):
        node = other._node
        if not isinstance(node, VariableNode) or node.category == PM or type(node.source) is Numbers:
            raise ArgumentError(
                "The right-hand side of a system is an array or a variable along i or j, not an expression or a parameter."
            )
        if other.is_complex:
            raise ArrayTypeError("The right-hand side of a system is real; a complex LazyTensor came.")
        return other, False
    if not tensor.arrays.owns(other):
        other = tensor._vector(other)
    if tensor.arrays.dtype(other) in REAL_TYPES:
        raise ArrayTypeError(f"The right-hand side of a system is real; {tensor.arrays.dtype(other)} came.")
    if len(other.shape) == 0:
        raise ArgumentError("The right-hand side of a system is an array (M,) or (…, M, E); one number came.")
    if len(other.shape) == 1:
        return tensor.classes[False](other.reshape(-1, 1), axis=VI), True
    if len(other.shape) == 2:
        return tensor.classes[False](other, axis=VI), False
    dtype = tensor.arrays.dtype(other)
    batch = tuple(other.shape[:-2])
    return tensor._made(
        VariableNode(VI, other.shape[-1], other), Frame(tensor.arrays, dtype, other.shape[-2], None, batch)
    ), False


def _replaced(tensor, var, source):
    node = var._node if hasattr(var, "__GenericLazyTensor__") else None
    if not isinstance(node, VariableNode) or type(node.source) is not Symbol:
        raise ArgumentError("var is the symbolic variable that stands for the unknown, such as Vj(0, 1).")
    identity = expression.identity(node)
    unknown = VariableNode(node.category, node.dimension, source)
    return unknown, expression.substituted(
        tensor._node, lambda other: unknown if expression.identity(other) == identity else other
    )


class Solve(Call):
    """A linear system, solved at once or when it is called."""

    known = (Call.known - {"out", "pruning"}) | _SETTINGS

    unknown: VariableNode
    is_vector: bool

    @property
    def kind(self) -> str:
        return "Sum"

    def _pruning(self, given: dict) -> tuple:
        """Products are of all pairs; the tolerance is the solver's."""
        return None, "auto"

    def _computed(self, program: expression.Program, data: list, options: RunOptions, out) -> Any:
        identity = expression.identity(self.unknown)
        position = next((k for k, node in enumerate(program.variables) if expression.identity(node) == identity), None)
        if position is None:
            raise ArgumentError(
                "The unknown of a system is a variable of the LazyTensor that is solved with; here it is none."
            )
        settings = settings_of(**{key: value for key, value in self.keywords.items() if key in _SETTINGS})
        solution = self.tensor.arrays.solve(program.reduction, data, position, settings, options)
        return solution.reshape(solution.shape[:-1]) if self.is_vector else solution


def settings_of(
    alpha=1e-10,
    eps: float = 1e-6,
    tolerance: float | None = None,
    maximum_iterations: int = 0,
    method: str = "cg",
    preconditioner: str | None = None,
    rank: int = 50,
    progress=None,
) -> SolverSettings:
    """A solver's settings from the keywords of `LazyTensor.solve`."""
    if tolerance is None:
        return SolverSettings(alpha, 0.0, maximum_iterations, method, preconditioner, rank, progress, eps)
    if not (isinstance(tolerance, Real) and 0 < tolerance < 1):
        raise ArgumentError(f"The tolerance of a solve is between 0 and 1; {tolerance!r} came.")
    return SolverSettings(alpha, tolerance, maximum_iterations, method, preconditioner, rank, progress)
