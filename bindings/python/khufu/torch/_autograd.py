"""Derivatives of reductions for PyTorch: the engine's gradients and tangents, which are reductions again, and so on to any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.autograd import forward_ad
from torch.autograd.function import Function

from .._arrays import KEPT, RunOptions
from .._library import Reduction
from ..errors import ArgumentError
from ._arrays import TORCH
from ._batching import batched

class Step:
    """What a recorded reduction is, beside its tensors."""

    __slots__ = ("options", "out", "reduction")

    def __init__(self, reduction: Reduction, options: RunOptions, out: Tensor | None = None):
        self.reduction = reduction
        self.options = options
        self.out = out


def recorded(reduction: Reduction, arrays: Sequence[Tensor], options: RunOptions, out, known):
    """A reduction as a node of autograd's graph."""
    if not reduction.value_count:
        return TORCH.run_plain(reduction, [x.detach() for x in arrays], options)
    return _pair(reduction, Recorded.apply(Step(reduction, options, out), known, *arrays))


def transformed(reduction: Reduction, arrays: Sequence[Tensor], options: RunOptions, out, known):
    """A reduction under the transforms of torch.func."""
    if out is not None:
        raise ArgumentError("out is not taken under torch.func's transforms, which make new tensors of their own.")
    return _pair(reduction, Transformed.apply(Step(reduction, options), known, *arrays))


def _pair(reduction: Reduction, results):
    if type(results) is tuple:
        return results
    return (results, None) if reduction.value_count else (None, results)


def _one_or_both(values: Tensor | None, indices: Tensor | None):
    if indices is None:
        return values
    return indices if values is None else (values, indices)


def _save(ctx, step: Step, known: Tensor | None, arrays: Sequence[Tensor], results, for_tangents: bool) -> None:
    """Keeps what derivatives are made of."""
    ctx.step = step
    values = results
    if type(results) is tuple:
        values, indices = results
        ctx.mark_non_differentiable(indices)
    elif not step.reduction.value_count:
        ctx.mark_non_differentiable(results)
    if not step.reduction.is_derivative:
        known = values if step.reduction.origin[0] in KEPT else None
    ctx.save_for_backward(known, *arrays)
    if for_tangents:
        ctx.save_for_forward(known, *arrays)
    ctx.set_materialize_grads(False)


def _backward(ctx, *cotangents):
    step: Step = ctx.step
    known, *arrays = ctx.saved_tensors
    nothing = (None, None) + (None,) * len(arrays)
    cotangent = cotangents[0]
    if cotangent is None or not step.reduction.value_count:
        return nothing
    if known is not None:
        known = known.detach()
    inputs = (*arrays, cotangent)
    gradients: list[Any] = [None, None]
    for position, is_needed in enumerate(ctx.needs_input_grad[2:]):
        gradients.append(
            TORCH.reduce(step.reduction.gradient(position), inputs, step.options, known=known)[0] if is_needed else None
        )
    return tuple(gradients)


def _jvp(ctx, _, __, *tangents):
    step: Step = ctx.step
    known, *arrays = ctx.saved_tensors
    total = None
    if step.reduction.value_count:
        if known is not None:
            known = known.detach()
        parts = [
            TORCH.reduce(step.reduction.tangent(position), (*arrays, tangent), step.options, known=known)[0]
            for position, tangent in enumerate(tangents)
            if tangent is not None
        ]
        total = combination([1.0] * len(parts), parts)
    return (total, None) if step.reduction.value_count and step.reduction.index_count else total


def combination(weights: Sequence[float], parts: Sequence[Tensor]) -> Tensor:
    """Σ weight · part. PyTorch's own operations lose the tangents of an outer derivative where they stand in a Function's jvp."""
    return parts[0] if len(parts) == 1 and weights[0] == 1 else Combination.apply(tuple(weights), *parts)


class Combination(Function):
    """A linear combination, for use in a jvp."""

    @staticmethod
    def forward(weights: tuple, *parts: Tensor) -> Tensor:
        total = parts[0] * weights[0]
        for weight, part in zip(weights[1:], parts[1:]):
            total = total + weight * part
        return total

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.weights = inputs[0]

    @staticmethod
    def backward(ctx, cotangent):
        return (None, *[cotangent * weight for weight in ctx.weights])

    @staticmethod
    def jvp(ctx, _, *tangents):
        pairs = [(weight, tangent) for weight, tangent in zip(ctx.weights, tangents) if tangent is not None]
        return combination([weight for weight, _ in pairs], [tangent for _, tangent in pairs])

    @staticmethod
    def vmap(info, in_dims, weights: tuple, *parts: Tensor):
        moved = [
            part.expand(info.batch_size, *part.shape) if dim is None else part.movedim(dim, 0)
            for part, dim in zip(parts, in_dims[1:])
        ]
        return Combination.apply(weights, *moved), 0


class Recorded(Function):
    """For autograd alone: the quicker form, without setup_context."""

    @staticmethod
    def forward(ctx, step: Step, known: Tensor | None, *arrays: Tensor):
        results = _one_or_both(*TORCH.run_plain(step.reduction, arrays, step.options, step.out, known))
        _save(ctx, step, known, arrays, results, forward_ad._current_level >= 0)
        return results

    backward = staticmethod(_backward)
    jvp = staticmethod(_jvp)


class Transformed(Function):
    """For torch.func: vmap, grad, jvp and what is made of them."""

    @staticmethod
    def forward(step: Step, known: Tensor | None, *arrays: Tensor):
        # Tensors in memory, or fake ones that a graph is traced with.
        return _one_or_both(*TORCH.run_or_trace(step.reduction, arrays, step.options, known))

    @staticmethod
    def setup_context(ctx, inputs, output):
        step, known, *arrays = inputs
        _save(ctx, step, known, arrays, output, True)

    backward = staticmethod(_backward)
    jvp = staticmethod(_jvp)

    @staticmethod
    def vmap(info, in_dims, step: Step, known: Tensor | None, *arrays: Tensor):
        call = batched(step.reduction, info.batch_size, in_dims[2:], arrays, step.options, in_dims[1], known)
        results = Transformed.apply(Step(step.reduction, call.options), call.known, *call.arrays)
        if type(results) is tuple:
            return results, (0, 0)
        return call.restored(results), 0
