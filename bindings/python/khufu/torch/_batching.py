"""torch.vmap of a reduction: the mapped axis becomes its first batch axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable, NamedTuple

import torch
from torch import Tensor

from .._arrays import RunOptions
from .._library import Reduction
from .._recipes import root_of, shaped_like, targets_of

_PARAMETER = 2


class Batched(NamedTuple):
    """A call whose inputs and result have a batch axis more."""

    arrays: list[Tensor]
    known: Tensor | None
    options: RunOptions
    #: How many axes of length 1 follow the first one of the result.
    padding: int

    def restored(self, values: Tensor) -> Tensor:
        """The result, mapped over its first axis, without axes that only aligned it."""
        return values.reshape(values.shape[0], *values.shape[1 + self.padding :]) if self.padding else values


def batched(
    reduction: Reduction,
    size: int,
    in_dims: Sequence[int | None],
    arrays: Sequence[Tensor],
    options: RunOptions,
    known_dim: int | None = None,
    known: Tensor | None = None,
) -> Batched:
    """A reduction of tensors of which some are mapped over an axis.

    Args:
        size: the length of the mapped axis.
        in_dims: for each tensor the axis that is mapped, or None.
        known: the values of the reduction that this one was derived from; known_dim is its mapped axis.
    """
    # A gradient is summed over axes along which its input repeats. Here there is one gradient for each item, so inputs that were
    # differentiated get the axis even if they repeat; so does one input where each item of the batch has a pattern of its own.
    needed = set(targets_of(reduction))
    if isinstance(options.ranges, list):
        options = options._replace(ranges=options.ranges * size)
        needed.add(0)
    ranks = [
        x.dim() - (dim is not None) - (1 if category == _PARAMETER else 2)
        for x, dim, (category, _) in zip(arrays, in_dims, reduction.inputs)
    ]
    rank = max(ranks, default=0)
    moved = []
    for position, (x, dim) in enumerate(zip(arrays, in_dims)):
        if dim is None and position not in needed:
            moved.append(x)
            continue
        x = x.expand(size, *x.shape) if dim is None else x.movedim(dim, 0)
        padding = rank - ranks[position]
        moved.append(x.reshape(size, *(1,) * padding, *x.shape[1:]) if padding else x)
    if known is not None:
        root_count = len(root_of(reduction).inputs)
        is_mapped = any(dim is not None for dim in in_dims[:root_count]) or any(k < root_count for k in needed)
        if known_dim is not None:
            known = known.movedim(known_dim, 0) if is_mapped else None
        elif is_mapped:
            known = known.expand(size, *known.shape)
    like = shaped_like(reduction)
    if not any(dim is not None for dim in in_dims) and not needed:
        # Only what was known is mapped: the same for all.
        moved[0] = moved[0].expand(size, *moved[0].shape)
    return Batched(moved, known, options, 0 if like is None else rank - ranks[like])


# The map that was there before torch.func's, which torch.autograd still has for batches of cotangents


def is_mapped(x: Tensor | None) -> bool:
    """Whether a tensor is one of many in a map of torch.autograd's."""
    ask = getattr(torch._C._functorch, "is_legacy_batchedtensor", None)
    return x is not None and ask is not None and ask(x)


def run_mapped(
    run: Callable, reduction: Reduction, arrays: Sequence[Tensor], options: RunOptions, known: Tensor | None
) -> tuple[Tensor | None, Tensor | None]:
    """Runs a reduction once for all items of a map.

    Args:
        run: called with (reduction, arrays, options, out, known), of tensors that are not mapped.
    """
    level = _map_level()
    in_dims = [0 if is_mapped(x) else None for x in arrays]
    opened_arrays = [_opened(x, level) for x in arrays]
    size = next((x.shape[0] for x, dim in zip(opened_arrays, in_dims) if dim == 0), 1)
    call = batched(
        reduction, size, in_dims, opened_arrays, options, 0 if is_mapped(known) else None, _opened(known, level)
    )
    values, indices = run(reduction, call.arrays, call.options, None, call.known)
    return (
        None if values is None else torch._add_batch_dim(call.restored(values), 0, level),
        None if indices is None else torch._add_batch_dim(indices, 0, level),
    )


def each_mapped(run: Callable, tensors: Sequence[Tensor | None]) -> Tensor:
    """Runs a function of tensors for one item of a map after the other."""
    level = _map_level()
    whole = [_opened(x, level) for x in tensors]
    size = next(x.shape[0] for x, y in zip(whole, tensors) if is_mapped(y))
    results = [run(*[x[k] if is_mapped(y) else x for x, y in zip(whole, tensors)]) for k in range(size)]
    return torch._add_batch_dim(torch.stack(results), 0, level)


def _map_level() -> int:
    level = torch._C._vmapmode_increment_nesting() - 1
    torch._C._vmapmode_decrement_nesting()
    return level


def _opened(x: Tensor | None, level: int) -> Tensor | None:
    """All items, along the first axis; a tensor that is not mapped as it is."""
    return torch._remove_batch_dim(x, level, 1, 0) if is_mapped(x) else x
