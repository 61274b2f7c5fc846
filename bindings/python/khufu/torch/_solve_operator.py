"""Linear systems as an operator that PyTorch knows by name; what `_operators` is for reductions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .._arrays import RunOptions, SolverSettings
from .._recipes import recipe_of, reduction_of
from ..errors import ArgumentError
from ._arrays import TORCH
from ._operators import options_of_operator, packed_ranges, result_shape

_SCHEMA = "(Tensor[] arrays, Tensor? alpha, Tensor[] ranges, bool is_list, str recipe, int position, str settings, str engine) -> Tensor"


def operated(
    recipe: str,
    arrays: Sequence[Tensor],
    alpha: Tensor | None,
    position: int,
    settings: SolverSettings,
    options: RunOptions,
) -> Tensor:
    """A solution by way of the operator. Tracers can follow it."""
    if settings.progress is not None:
        raise ArgumentError("progress is not taken in compiled graphs, in which there is no place for a function.")
    number = 0.0 if alpha is not None else settings.alpha
    words = (
        number,
        settings.tolerance,
        settings.maximum_iterations,
        settings.method,
        settings.preconditioner,
        settings.rank,
    )
    return torch.ops.khufu.solve(
        list(arrays),
        alpha,
        packed_ranges(options),
        isinstance(options.ranges, list),
        recipe,
        position,
        " ".join([f"{word}" for word in (*words, settings.eps)]),
        options.engine,
    )


def _settings(text: str, alpha: Tensor | None) -> SolverSettings:
    number, tolerance, maximum_iterations, method, preconditioner, rank, eps = text.split(" ")
    return SolverSettings(
        float(number) if alpha is None else alpha.item(),
        float(tolerance),
        int(maximum_iterations),
        method,
        None if preconditioner == "None" else preconditioner,
        int(rank),
        None,
        None if eps == "None" else float(eps),
    )


def _solve(arrays, alpha, ranges, is_list, recipe, position, settings, engine):
    for x in arrays:
        TORCH.check_device(x)
    options = options_of_operator(ranges, is_list, engine, 0, False)
    contiguous = [TORCH.contiguous(x) for x in arrays]
    return TORCH.run_solve(reduction_of(recipe), contiguous, position, _settings(settings, alpha), options)


def _fake(arrays, alpha, ranges, is_list, recipe, position, settings, engine):
    return arrays[0].new_empty(result_shape(reduction_of(recipe), arrays))


def _setup_context(ctx, inputs, output):
    arrays, alpha, ranges, *ctx.rest = inputs
    ctx.counts = (len(arrays), len(ranges))
    ctx.save_for_backward(*arrays, *ranges, alpha, output)


def _backward(ctx, cotangent):
    """As for `_solving.Solution`."""
    array_count, range_count = ctx.counts
    *saved, alpha, x = ctx.saved_tensors
    arrays, ranges = list(saved[:array_count]), list(saved[array_count:])
    is_list, recipe, position, _, engine = ctx.rest
    with_cotangent, with_solution = list(arrays), list(arrays)
    with_cotangent[position], with_solution[position] = cotangent, x
    adjoint = torch.ops.khufu.solve(with_cotangent, alpha, ranges, *ctx.rest)
    gradients: list = [None] * array_count
    for k, is_needed in enumerate(ctx.needs_input_grad[0]):
        if is_needed and k == position:
            gradients[k] = adjoint.sum_to_size(arrays[k].shape)
        elif is_needed:
            derivative = recipe_of(reduction_of(recipe).gradient(k))
            gradients[k] = torch.ops.khufu.reduce(
                [*with_solution, -adjoint], [], ranges, is_list, derivative, engine, 0, False
            )[0]
    alpha_gradient = -(adjoint * x).sum().reshape(alpha.shape) if ctx.needs_input_grad[1] else None
    return (gradients, alpha_gradient, [None] * range_count, *[None] * len(ctx.rest))


if hasattr(torch.library, "custom_op"):
    _operator = torch.library.custom_op("khufu::solve", _solve, mutates_args=(), schema=_SCHEMA)
    _operator.register_fake(_fake)
    _operator.register_autograd(_backward, setup_context=_setup_context)
