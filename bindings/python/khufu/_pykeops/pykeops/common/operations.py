"""Names of reductions, and a solver for linear operators given as functions."""

from __future__ import annotations

from khufu import ArgumentError
from pykeops.common.utils import get_tools


def preprocess(reduction_op: str, formula2: str | None) -> tuple[str, str, str | None]:
    """What KeOps' engine computes for a reduction: (the reduction, the engine's, its weight)."""
    if reduction_op == "SoftMax":
        reduction_op = "SumSoftMaxWeight"
    if reduction_op in ("SumSoftMaxWeight", "LogSumExpWeight", "Max_SumShiftExpWeight") and formula2 is None:
        raise ArgumentError(f"{reduction_op} takes a second formula, the weight.")
    if reduction_op == "SumSoftMaxWeight":
        return reduction_op, "Max_SumShiftExpWeight", f"Concat(IntCst(1),{formula2})"
    if reduction_op in ("LogSumExp", "LogSumExpWeight"):
        return reduction_op, "Max_SumShiftExp" if formula2 is None else "Max_SumShiftExpWeight", formula2
    return reduction_op, reduction_op, formula2


def ConjugateGradientSolver(binding: str, linop, b, eps: float = 1e-6):
    """Solves linop(x) = b by conjugate gradients, for a symmetric and positive operator.

    Args:
        binding: "numpy" or "torch".
        linop: takes an array of the shape of b to another.
        eps: the root mean square of the residual at which it is done.

    Raises:
        ArgumentError: where the operator is found not to be positive.
    """
    tools = get_tools(binding)
    x, residual = 0 * b, tools.copy(b)
    direction = tools.copy(residual)
    square = (residual**2).sum()
    for _ in range(10 * tools.size(b) + 50):
        if square < tools.size(b) * eps**2:
            break
        image = linop(direction)
        curvature = (direction * image).sum()
        if not curvature > 0:
            raise ArgumentError("Conjugate gradients are for positive operators; this one is not.")
        step = square / curvature
        x, residual = x + step * direction, residual - step * image
        previous, square = square, (residual**2).sum()
        direction = residual + (square / previous) * direction
    return x
