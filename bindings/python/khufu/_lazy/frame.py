"""What lazy tensors that meet in a formula agree on: the type of their numbers, how many points there are, batches, how they are run."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError, ArrayTypeError


class Frame:
    """Immutable, and shared by all lazy tensors that are computed from one."""

    __slots__ = ("arrays", "backend", "batch", "dtype", "is_plain", "ni", "nj", "ranges")

    def __init__(self, arrays=None, dtype=None, ni=None, nj=None, batch=None, ranges=None, backend=None):
        #: The array library; None for whole numbers.
        self.arrays = arrays
        #: Such as "float32", that of real and imaginary parts for complex ones; None while only numbers and symbols are there.
        self.dtype: str | None = dtype
        #: Points along i and j; None where no variable follows the index.
        self.ni: int | None = ni
        self.nj: int | None = nj
        #: Lengths of the batch axes; None without any.
        self.batch: tuple[int, ...] | None = batch
        #: KeOps' six arrays of block-sparsity, or None.
        self.ranges: Any = ranges
        self.backend: str | None = backend
        #: Whether it is run in the usual way.
        self.is_plain = ranges is None and backend is None

    def with_(self, **changes) -> Frame:
        """The same with some fields changed."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "is_plain"}
        return Frame(**{**fields, **changes})

    def shape(self, dimension: int) -> tuple[int, ...]:
        """(batch…, M, N, D), with 1 for an index that no variable follows."""
        ni, nj = self.ni, self.nj
        return (self.batch or ()) + (1 if ni is None else ni, 1 if nj is None else nj, dimension)


EMPTY = Frame()


def joined(a: Frame, b: Frame) -> Frame:
    """What two frames agree on.

    Raises:
        ArgumentError: where they do not, or
        ArrayTypeError: where they are of different types or libraries.
    """
    if a is b or b is EMPTY:
        return a
    if a is EMPTY:
        return b
    if a.arrays is not b.arrays and a.arrays is not None and b.arrays is not None:
        raise ArrayTypeError(
            f"Lazy tensors of one library meet in a formula; those of {a.arrays.name} and {b.arrays.name} came."
        )
    ni, nj, batch, dtype = a.ni, a.nj, a.batch, a.dtype
    if ni is None:
        ni = b.ni
    elif b.ni is not None and b.ni != ni:
        raise _disagreement(a, b, f"number of points along i: {ni} and {b.ni}")
    if nj is None:
        nj = b.nj
    elif b.nj is not None and b.nj != nj:
        raise _disagreement(a, b, f"number of points along j: {nj} and {b.nj}")
    if batch is None:
        batch = b.batch
    elif b.batch is not None and b.batch != batch:
        batch = _broadcast(a, b)
    if dtype is None:
        dtype = b.dtype
    elif b.dtype is not None and b.dtype != dtype:
        raise ArrayTypeError(
            f"Lazy tensors in a formula have numbers of one type; {dtype} and {b.dtype} came: convert one of them."
        )
    if a.is_plain and b.is_plain:
        return Frame(a.arrays or b.arrays, dtype, ni, nj, batch)
    if a.backend is not None and b.backend is not None and a.backend != b.backend:
        raise ArgumentError(f"Lazy tensors in a formula have one backend; {a.backend!r} and {b.backend!r} came.")
    if a.ranges is not None and b.ranges is not None and not _same_ranges(a.ranges, b.ranges):
        raise ArgumentError(
            "Lazy tensors in a formula have the same ranges, or only one of them has any; two different ones came."
        )
    ranges = b.ranges if a.ranges is None else a.ranges
    return Frame(a.arrays or b.arrays, dtype, ni, nj, batch, ranges, b.backend if a.backend is None else a.backend)


def _disagreement(a: Frame, b: Frame, what: str) -> ArgumentError:
    return ArgumentError(f"Lazy tensors of shapes {_points(a)} and {_points(b)} do not agree on the {what}.")


def _points(frame: Frame) -> str:
    lengths = (*(frame.batch or ()), 1 if frame.ni is None else frame.ni, 1 if frame.nj is None else frame.nj)
    return f"({', '.join(map(str, lengths))}, D)"


def _broadcast(a: Frame, b: Frame) -> tuple[int, ...]:
    """Batch shapes aligned at the right, where lengths are equal or 1."""
    long, short = (a.batch, b.batch) if len(a.batch) >= len(b.batch) else (b.batch, a.batch)
    lengths = list(long)
    for k in range(1, len(short) + 1):
        if lengths[-k] == 1:
            lengths[-k] = short[-k]
        elif short[-k] not in (1, lengths[-k]):
            raise ArgumentError(
                f"Batch shapes broadcast where lengths are equal or 1; {a.batch} and {b.batch}, "
                f"of lazy tensors of shapes {_points(a)} and {_points(b)}, do not."
            )
    return tuple(lengths)


def _same_ranges(a, b) -> bool:
    if a is b:
        return True
    if isinstance(a, list) or isinstance(b, list):
        return isinstance(a, list) and isinstance(b, list) and len(a) == len(b) and all(map(_same_ranges, a, b))
    return len(a) == len(b) and all(x is y or (len(x) == len(y) and bool((x == y).all())) for x, y in zip(a, b))
