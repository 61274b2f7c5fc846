"""Reductions as an operator that PyTorch knows by name, for torch.compile, fake tensors and exported programs.

In ordinary programs `_autograd` is quicker; this is what stands in a graph. An operator takes tensors, numbers and texts only, so a
reduction is given as its recipe.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .. import _expression
from .._arrays import DEFAULT_OPTIONS, KEPT, RunOptions
from .._library import Reduction
from .._recipes import recipe_of, reduction_of
from ..errors import ArgumentError
from ._arrays import TORCH, has_transforms, is_compiling
from ._batching import batched

_PARAMETER = 2

#: ranges are three tensors for each pattern; known is the result of the reduction that this one was derived from, if any.
_SCHEMA = (
    "(Tensor[] arrays, Tensor[] known, Tensor[] ranges, bool is_list, str recipe, str engine, int threads, "
    "bool fast_exponentials) -> (Tensor, Tensor)"
)


def by_recipe(
    recipe: str, value_count: int, index_count: int, arrays: Sequence[Tensor], options: RunOptions, out=None, known=None
):
    """As `TorchArrays.reduce`, by way of the operator. Tracers can follow it: it looks into none of the engine's objects."""
    if is_compiling() and has_transforms():
        # PyTorch's own operators of this kind have no rules for torch.func; what is transformed runs as it is.
        torch._dynamo.graph_break()
    if out is not None:
        raise ArgumentError(
            "out is not taken in compiled graphs and for fake tensors; the graph has memory of its own."
        )
    values, indices = torch.ops.khufu.reduce(
        list(arrays),
        [] if known is None else [known],
        packed_ranges(options),
        isinstance(options.ranges, list),
        recipe,
        options.engine,
        options.threads,
        options.fast_exponentials,
    )
    return values if value_count else None, indices if index_count else None


def packed_ranges(options: RunOptions) -> list[Tensor]:
    """Block-sparsity as a list, three tensors for each pattern."""
    if options.ranges is None:
        return []
    patterns = options.ranges if isinstance(options.ranges, list) else [options.ranges]
    return [torch.as_tensor(part) for pattern in patterns for part in pattern]


def options_of_operator(
    ranges: Sequence[Tensor], is_list: bool, engine: str, threads: int, fast_exponentials: bool
) -> RunOptions:
    patterns = [tuple(ranges[k : k + 3]) for k in range(0, len(ranges), 3)]
    if not patterns and engine == "auto" and not threads and not fast_exponentials:
        return DEFAULT_OPTIONS
    return RunOptions(engine, patterns if is_list else patterns[0] if patterns else None, threads, fast_exponentials)


def _reduce(arrays, known, ranges, is_list, recipe, engine, threads, fast_exponentials):
    for x in arrays:
        TORCH.check_device(x)
    reduction = reduction_of(recipe)
    values, indices = TORCH.run_plain(
        reduction,
        arrays,
        options_of_operator(ranges, is_list, engine, threads, fast_exponentials),
        None,
        known[0] if known else None,
    )
    return (
        arrays[0].new_empty(0) if values is None else values,
        arrays[0].new_empty(0, dtype=torch.int64) if indices is None else indices,
    )


def _fake(arrays, known, ranges, is_list, recipe, engine, threads, fast_exponentials):
    reduction = reduction_of(recipe)
    shape = result_shape(reduction, arrays)
    values = arrays[0].new_empty(shape if reduction.value_count else 0)
    indices = arrays[0].new_empty(
        (*shape[:-1], reduction.index_count) if reduction.index_count else 0, dtype=torch.int64
    )
    return values, indices


def result_shape(reduction: Reduction, arrays: Sequence[Tensor]) -> tuple:
    """The result's shape, from lengths that may be symbols."""
    while reduction.is_derivative:
        reduction, step, position = reduction.origin
        if step == "g":
            return tuple(arrays[position].shape)
    points = 1
    batches = []
    for x, (category, _) in zip(arrays, reduction.inputs):
        batches.append(x.shape[: -1 if category == _PARAMETER else -2])
        if category == reduction.category:
            points = x.shape[-2]
    return (*torch.broadcast_shapes(*batches), points, reduction.value_count)


def _setup_context(ctx, inputs, output):
    arrays, known, ranges, *ctx.rest = inputs
    ctx.counts = (len(arrays), len(known), len(ranges))
    reduction = reduction_of(ctx.rest[1])
    if not reduction.is_derivative and reduction.origin[0] in KEPT:
        known = [output[0]]
    ctx.mark_non_differentiable(output[1])
    ctx.save_for_backward(*arrays, *ranges, *known)


def _backward(ctx, cotangent, _):
    array_count, known_count, range_count = ctx.counts
    saved = ctx.saved_tensors
    arrays, ranges = list(saved[:array_count]), list(saved[array_count : array_count + range_count])
    known = [x.detach() for x in saved[array_count + range_count :]]
    is_list, recipe, *rest = ctx.rest
    gradients: list = [None] * array_count
    if cotangent is not None:
        for position, is_needed in enumerate(ctx.needs_input_grad[0]):
            if is_needed:
                derivative = recipe_of(reduction_of(recipe).gradient(position))
                gradients[position] = torch.ops.khufu.reduce(
                    [*arrays, cotangent], known, ranges, is_list, derivative, *rest
                )[0]
    return (gradients, [None] * known_count, [None] * range_count, *[None] * len(ctx.rest))


def _vmap(info, in_dims, arrays, known, ranges, is_list, recipe, engine, threads, fast_exponentials):
    options = options_of_operator(ranges, is_list, engine, threads, fast_exponentials)
    call = batched(
        reduction_of(recipe),
        info.batch_size,
        in_dims[0],
        arrays,
        options,
        *((in_dims[1][0], known[0]) if known else ()),
    )
    repeated = list(ranges) * info.batch_size if is_list else list(ranges)
    values, indices = torch.ops.khufu.reduce(
        call.arrays,
        [] if call.known is None else [call.known],
        repeated,
        is_list,
        recipe,
        engine,
        threads,
        fast_exponentials,
    )
    reduction = reduction_of(recipe)
    return (
        (call.restored(values) if reduction.value_count else values, indices),
        (0 if reduction.value_count else None, 0 if reduction.index_count else None),
    )


# PyTorch has had such operators since 2.4; before, programs are not compiled but run.
if hasattr(torch.library, "custom_op"):
    _operator = torch.library.custom_op("khufu::reduce", _reduce, mutates_args=(), schema=_SCHEMA)
    _operator.register_fake(_fake)
    _operator.register_autograd(_backward, setup_context=_setup_context)
    if hasattr(_operator, "register_vmap"):
        _operator.register_vmap(_vmap)

# A tracer asks the engine, but does not look into it. The mark is that of torch.compiler.assume_constant_result, which would import the
# tracer, and that takes a second.
_expression.is_tracing = is_compiling
_expression.asked_dimension._dynamo_marked_constant = True
_expression.described._dynamo_marked_constant = True
