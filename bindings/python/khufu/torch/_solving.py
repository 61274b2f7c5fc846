"""Linear systems for PyTorch, differentiable any number of times: the derivative of a solution is another solution."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.function import Function

from .._arrays import RunOptions, SolverSettings
from .._library import Accumulation, Reduction
from .._recipes import recipe_of, reduction_of, written
from ..errors import ArgumentError
from ._arrays import TORCH, has_transforms, is_compiling
from ._autograd import combination
from ._batching import each_mapped, is_mapped
from ._solve_operator import operated


class Problem:
    """What a system is, beside its tensors."""

    __slots__ = ("options", "position", "reduction", "settings")

    def __init__(self, reduction: Reduction, position: int, settings: SolverSettings, options: RunOptions):
        self.reduction = reduction
        self.position = position
        self.settings = settings
        self.options = options

    def solution(self, alpha: Tensor | None, arrays: Sequence[Tensor], b: Tensor) -> Tensor:
        """That for a right-hand side in place of the one among the arrays."""
        return Solution.apply(self, alpha, *self.inputs(arrays, b))

    def inputs(self, arrays: Sequence[Tensor], b: Tensor) -> list[Tensor]:
        return [b if k == self.position else x for k, x in enumerate(arrays)]


def solved(
    reduction: Reduction, arrays: Sequence[Tensor], position: int, settings: SolverSettings, options: RunOptions
) -> Tensor:
    """x of K x + alpha x = b, where b is the array at a position and K takes it to the reduction's result."""
    if isinstance(settings.alpha, Tensor) and settings.alpha.numel() != 1:
        raise ArgumentError(f"alpha is a number, or a tensor of one; one of shape {tuple(settings.alpha.shape)} came.")
    alpha = settings.alpha.reshape(1).to(arrays[position].dtype) if isinstance(settings.alpha, Tensor) else None
    if is_compiling() and has_transforms():
        torch._dynamo.graph_break()
    if is_compiling() or (not has_transforms() and (TORCH.is_traced(arrays) or any(x.is_meta for x in arrays))):
        return operated(recipe_of(reduction), arrays, alpha, position, settings, options)
    return Solution.apply(Problem(reduction, position, settings, options), alpha, *arrays)


class Solution(Function):
    """For A = K + alpha, which is symmetric: the derivative of x = A⁻¹ b is A⁻¹ (db - dA x), and its adjoint takes g to A⁻¹ g for b."""

    @staticmethod
    def forward(problem: Problem, alpha: Tensor | None, *arrays: Tensor) -> Tensor:
        if any(is_mapped(x) for x in (alpha, *arrays)):
            return each_mapped(lambda *tensors: Solution.forward(problem, *tensors), (alpha, *arrays))
        settings = problem.settings
        if alpha is not None:
            settings = settings._replace(alpha=alpha.item())
        contiguous = [TORCH.contiguous(x) for x in arrays]
        return TORCH.run_solve(problem.reduction, contiguous, problem.position, settings, problem.options)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.problem, alpha, *arrays = inputs
        ctx.save_for_backward(alpha, output, *arrays)
        ctx.save_for_forward(alpha, output, *arrays)

    @staticmethod
    def backward(ctx, g: Tensor):
        problem: Problem = ctx.problem
        alpha, x, *arrays = ctx.saved_tensors
        adjoint = problem.solution(alpha, arrays, g)
        gradients: list[Tensor | None] = [None, None]
        if ctx.needs_input_grad[1]:
            gradients[1] = -(adjoint * x).sum().reshape(alpha.shape)
        at_solution = (*problem.inputs(arrays, x), -adjoint)
        for k, is_needed in enumerate(ctx.needs_input_grad[2:]):
            if not is_needed:
                gradients.append(None)
            elif k == problem.position:
                # Where b was broadcast, its gradient is summed.
                gradients.append(adjoint.sum_to_size(arrays[k].shape))
            else:
                gradients.append(TORCH.reduce(problem.reduction.gradient(k), at_solution, problem.options)[0])
        return tuple(gradients)

    @staticmethod
    def jvp(ctx, _, alpha_tangent, *tangents):
        problem: Problem = ctx.problem
        alpha, x, *arrays = ctx.saved_tensors
        at_solution = problem.inputs(arrays, x)
        weights, parts = [], []
        for k, tangent in enumerate(tangents):
            if tangent is None:
                continue
            if k == problem.position:
                weights.append(1.0)
                parts.append(tangent)
            else:
                weights.append(-1.0)
                parts.append(TORCH.reduce(problem.reduction.tangent(k), (*at_solution, tangent), problem.options)[0])
        if alpha_tangent is not None:
            weights.append(-1.0)
            parts.append(_product(alpha_tangent, x))
        return problem.solution(alpha, arrays, combination(weights, parts))

    @staticmethod
    def vmap(info, in_dims, problem: Problem, alpha: Tensor | None, *arrays: Tensor):
        # One system after the other: the engine's iterations for one go on until that one is solved.
        solutions = [
            Solution.apply(
                problem, *[x if dim is None else x.select(dim, k) for x, dim in zip((alpha, *arrays), in_dims[1:])]
            )
            for k in range(info.batch_size)
        ]
        return torch.stack(solutions), 0


def _product(number: Tensor, x: Tensor) -> Tensor:
    """A number, of shape (1,), times an array, as a sum of one term: a reduction has derivatives in a jvp, too."""
    dimension = x.shape[-1]
    recipe = written("Sum", "p * x", None, 1, 1, Accumulation(), ["p = Pm(1)", f"x = Vi({dimension})"])
    return TORCH.reduce(reduction_of(recipe), (number, x))[0]
