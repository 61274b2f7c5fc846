"""Parts of symbolic matrices, and all of them as arrays."""

from __future__ import annotations

from typing import Any

from .. import _expression as expression
from .._expression import PM, VI, VJ, VariableNode
from .._reductions import pattern_of
from ..errors import ArgumentError, ArrayTypeError
from .sources import Numbers

_EVERYTHING = slice(None)


class Parts:
    """A key that is no tuple names components, as in KeOps: x[k], x[k:l].

    A tuple names axes from the left, as in NumPy: K[rows, columns], x[rows, columns, components], with those of the batch first and `...` for as
    many full ones as there is room for. Rows and columns are slices, positions or masks; a single position keeps its axis, of length 1.
    """

    def __getitem__(self, key: Any):
        if type(key) is not tuple:
            return self._components(key)
        axes = self.dim()
        places = [k for k, item in enumerate(key) if item is Ellipsis]
        if len(places) > 1:
            raise ArgumentError("An index has one ellipsis at most.")
        count = len(key) - len(places)
        if count > axes:
            raise ArgumentError(
                f"This LazyTensor has {axes} axes, the batch's, rows, columns and components; {count} indices came."
            )
        fill = [_EVERYTHING] * (axes - count)
        place = places[0] if places else len(key)
        full = [*key[:place], *fill, *key[place + 1 :]]
        *batch, rows, columns, components = full
        if any(not _is_everything(item) for item in batch):
            raise ArgumentError(
                "Indices of a LazyTensor are of rows, columns and components; those of its batch are `:`."
            )
        part = self
        if not _is_everything(rows) or not _is_everything(columns):
            part = self._selected(rows, columns)
        return part if _is_everything(components) else part._components(components)

    def _components(self, key):
        """x[k] or x[k:l], counting complex numbers as one."""
        width = 2 if self.is_complex else 1
        dimension = self.ndim // width
        if isinstance(key, slice):
            start, stop, step = key.indices(dimension)
            if step != 1:
                raise ArgumentError(f"Components are taken in steps of 1; {step} came.")
            if (
                any(
                    part is not None and not -dimension <= part.__index__() <= dimension
                    for part in (key.start, key.stop)
                )
                or stop <= start
            ):
                raise ArgumentError(f"The components {_text(key)} are no part of a vector of {dimension}.")
            attributes = (start * width, (stop - start) * width)
            return self._applied("Extract", attributes=attributes, is_complex=self.is_complex)
        if isinstance(key, bool) or not hasattr(key, "__index__") or getattr(key, "shape", ()):
            raise ArgumentError(
                f"Components are named by a whole number or a slice; {key!r} came. Rows and columns take a tuple, K[rows, columns]."
            )
        k = key.__index__()
        if not -dimension <= k < dimension:
            raise ArgumentError(f"A component of {dimension} has an index from 0 to {dimension - 1}; {k} came.")
        k %= dimension
        if self.is_complex:
            return self._applied("Extract", attributes=(2 * k, 2), is_complex=True)
        return self._applied("Elem", attributes=(k,))

    def _selected(self, rows, columns):
        """Some rows and columns: those of the variables' points."""
        if self.ranges is not None:
            raise ArgumentError("A part of a block-sparse LazyTensor was asked for; set its ranges to None first.")
        asked = [category for category, key in ((VI, rows), (VJ, columns)) if not _is_everything(key)]
        if any(category in asked for _, _, category in self.symbolic_variables):
            raise ArgumentError("Rows and columns are taken of data; that of symbolic variables is not known.")
        keys = {VI: _kept(rows, self.ni, "row"), VJ: _kept(columns, self.nj, "column")}
        selected: dict[tuple, VariableNode] = {}
        counts = {VI: self.ni, VJ: self.nj}

        def replace(node: VariableNode) -> VariableNode:
            if node.category == PM or keys[node.category] is None:
                return node
            identity = expression.identity(node)
            found = selected.get(identity)
            if found is None:
                try:
                    source = node.source[(..., keys[node.category], _EVERYTHING)]
                except (IndexError, TypeError, ValueError) as error:
                    axis = ("row", "column")[node.category]
                    raise ArgumentError(f"These are no {axis}s of {counts[node.category]}: {error}.") from None
                counts[node.category] = source.shape[-2]
                found = selected[identity] = VariableNode(node.category, node.dimension, source)
            return found

        node = expression.substituted(self._node, replace)
        return self._made(node, self._frame.with_(ni=counts[VI], nj=counts[VJ]), self.is_complex)

    def dense(self):
        """All entries as an array (batch…, M, N, D), 0 where ranges leave pairs out; for as many as fit in memory.

        Raises:
            ArgumentError: where it has symbolic variables.
        """
        frame = self._frame
        if self.symbolic_variables:
            raise ArgumentError("A LazyTensor with symbolic variables has no entries: their data is not known.")
        arrays = self.arrays
        dtype = frame.dtype or arrays.default_dtype()
        # Rows become items of a batch, each of them a parameter; what remains to sum over is one point.
        parameters: dict[tuple, VariableNode] = {}

        def replace(node: VariableNode) -> VariableNode:
            found = parameters.get(expression.identity(node))
            if found is None:
                found = VariableNode(PM if node.category == VI else node.category, node.dimension, node)
                parameters[expression.identity(node)] = found
            return found

        program = expression.program("Sum", expression.substituted(self._node, replace), over=VI)
        sources = [node.source.source for node in program.variables]
        like = next((source for source in sources if type(source) is not Numbers), None)
        data = []
        for node, source in zip(program.variables, sources):
            if type(source) is Numbers:
                source = source.array(arrays, dtype, like)
            elif node.source.category != VI:
                # (batch…, N, D) and (batch…, D) repeat for all rows.
                axis = len(source.shape) - (2 if node.category == VJ else 1)
                source = source.reshape((*source.shape[:axis], 1, *source.shape[axis:]))
            data.append(source)
        if not data:
            data, program = _without_inputs(arrays, self._node, dtype)
        values, _ = arrays.reduce(program.reduction, data)
        # (batch…, M, N, D), where batch axes and rows that no variable has are missing or of length 1.
        shape = frame.shape(self.ndim)
        if tuple(values.shape) != shape:
            values = arrays.broadcast(
                values.reshape((1,) * (len(shape) - len(values.shape)) + tuple(values.shape)), shape
            )
        if frame.ranges is not None:
            values = arrays.where(_met(frame, shape, arrays, values), values, 0)
        return arrays.as_complex(values) if self.is_complex else values


def _met(frame, shape: tuple[int, ...], arrays, like):
    """Which pairs are part of a block-sparse matrix, (batch…, M, N, 1) in Booleans."""
    met = arrays.empty((*shape[:-1], 1), "bool", like)
    met[...] = False
    patterns = pattern_of(frame.ranges, 1)
    items = met.reshape((-1, *met.shape[-3:]))
    for k, item in enumerate(items):
        rows, ends, columns = arrays.pattern(patterns[k] if isinstance(patterns, list) else patterns)
        for ranges, count, axis in ((rows, shape[-3], "row"), (columns, shape[-2], "column")):
            if ranges.size and not 0 <= ranges.min() <= ranges.max() <= count:
                raise ArgumentError(f"Ranges of {axis}s are among {count}; from {ranges.min()} to {ranges.max()} came.")
        start = 0
        for (first, last), end in zip(rows.tolist(), ends.tolist()):
            for left, right in columns[start:end].tolist():
                item[first:last, left:right] = True
            start = end
    return met


def _without_inputs(arrays, node, dtype: str):
    """A formula of whole numbers, with an input that gives it a type."""
    zero = VariableNode(PM, 1, None)
    return [arrays.array([0.0], dtype)], expression.program("Sum", node, over=VI, extra=[zero])


def _is_everything(key) -> bool:
    return isinstance(key, slice) and key == _EVERYTHING


def _kept(key, count: int | None, axis: str):
    """A key for an axis of the variables; None for all of it."""
    if _is_everything(key):
        return None
    if count is None:
        raise ArgumentError(
            f"No variable of this LazyTensor has a {axis} axis of its own, so there is only `:` to take of it."
        )
    if isinstance(key, bool) or key is None:
        raise ArrayTypeError(f"The {axis}s of a LazyTensor are taken by a slice, positions or a mask; {key!r} came.")
    if hasattr(key, "__index__") and not getattr(key, "shape", ()):
        k = key.__index__()
        if not -count <= k < count:
            raise ArgumentError(f"There is no {axis} {k} among {count}.")
        return slice(k % count, k % count + 1)
    shape = getattr(key, "shape", None)
    if shape is not None and len(shape) != 1:
        raise ArgumentError(f"The positions of {axis}s have one axis; an array of shape {tuple(shape)} came.")
    return key


def _text(key: slice) -> str:
    return ":".join("" if part is None else str(part) for part in (key.start, key.stop))
