"""A reduction of a lazy tensor, from its keywords to its values: run at once, or kept and called with the data of symbolic variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _expression as expression
from .._arrays import DEFAULT_OPTIONS, REAL_TYPES, RunOptions
from .._library import Accumulation
from .._reductions import accumulation_of, check_accumulator, count_of, finish, kind_of, options_of, unfinished
from ..errors import ArgumentError, ArrayTypeError
from .construction import FLOATS
from .frame import Frame, joined
from .sources import Numbers, Symbol, symbols

_ACCURACY = frozenset(["dtype_acc", "use_double_acc", "sum_scheme"])
#: Keywords of KeOps' that choose among its kernels; there is nothing to choose here.
_IGNORED = frozenset(["device_id", "enable_chunks", "use_fast_math", "optional_flags", "rec_multVar_highdim"])
_KNOWN = _ACCURACY | _IGNORED | {"backend", "ranges", "out"}

_DEFAULT_ACCUMULATION = Accumulation()


class Call:
    """What a reduction computes, and how."""

    #: Keywords that a call takes.
    known = _KNOWN

    def __init__(self, tensor, frame: Frame, name: str, root, weight, k: int, axis: int, keywords: dict):
        self.tensor = tensor
        self.frame = frame
        #: As users call it.
        self.name = name
        self.root = root
        self.weight = weight
        self.k = k
        #: What is reduced: 0 for i, 1 for j.
        self.axis = axis
        self.keywords = keywords
        self.is_complex = tensor.is_complex
        self._program: expression.Program | None = None
        if keywords:
            self._check(keywords)

    @classmethod
    def reduction(cls, tensor, name: str, other, opt_arg, axis: int, keywords: dict) -> Call:
        """A reduction with KeOps' arguments."""
        root, frame, weight = tensor._node, tensor._frame, None
        if other is not None:
            other = tensor._operand(other)
            frame, weight = joined(frame, other._frame), other._node
        if name != "Sum":
            kind = kind_of(name, weight is not None)
            if tensor.is_complex or other is not None and other.is_complex:
                raise ArrayTypeError(f"{name} is not defined for complex lazy tensors, of which there are sums.")
            return cls(tensor, frame, name, root, weight, count_of(opt_arg, kind), axis, keywords)
        if weight is not None:
            raise ArgumentError("A Sum takes no weight: multiply by it.")
        return cls(tensor, frame, name, root, weight, 1, axis, keywords)

    def __getstate__(self) -> dict:
        # What is compiled belongs to a process.
        return {**self.__dict__, "_program": None}

    @property
    def kind(self) -> str:
        """The engine's name for it."""
        return kind_of(self.name, self.weight is not None)

    @property
    def can_run(self) -> bool:
        """Whether all data and their type are known."""
        if self.frame.dtype is None:
            return False
        for node in self.program.variables:
            if type(node.source) is Symbol:
                return False
        return True

    @property
    def program(self) -> expression.Program:
        """The reduction, compiled."""
        found = self._program
        if found is None:
            accumulation = _DEFAULT_ACCUMULATION
            if self.keywords:
                accuracy = {key: value for key, value in self.keywords.items() if key in _ACCURACY}
                accumulation = accumulation_of(self.kind, **accuracy)
            found = self._program = expression.program(
                self.kind, self.root, self.weight, k=self.k, over=self.axis, accumulation=accumulation
            )
        return found

    def reduced(self):
        """A LazyTensor that is called for the values."""
        new = object.__new__(type(self.tensor))
        new._frame = self.frame
        new._call = self
        new.reduction_op = self.name
        new.opt_arg = None if self.k == 1 else self.k
        new.kwargs = self.keywords
        return new

    def run(self, args: Sequence, keywords: dict | None) -> Any:
        """The values.

        Args:
            args: data for the symbolic variables.
            keywords: before those that the call was made with.
        """
        call = self
        if keywords:
            call = self.__class__.__new__(self.__class__)
            call.__dict__.update(self.__dict__)
            call._check(keywords)
            call.keywords = {**self.keywords, **keywords}
            if any(key in _ACCURACY for key in keywords):
                call._program = None
        dtype, data = call._data(args)
        given = call.keywords
        if not given and call.frame.is_plain:
            return call._computed(dtype, data, DEFAULT_OPTIONS, None)
        if "dtype_acc" in given:
            check_accumulator(given["dtype_acc"], dtype)
        frame = call.frame
        options = options_of(given.get("backend", frame.backend), given.get("ranges", frame.ranges), call.axis)
        return call._computed(dtype, data, options, given.get("out"))

    def _computed(self, dtype: str, data: list, options: RunOptions, out) -> Any:
        arrays = self.tensor.arrays
        dimension = self.root.dimension
        if out is None:
            values, indices = arrays.reduce(self.program.reduction, data, options)
        else:
            place = arrays.as_real(out) if self.is_complex else unfinished(self.kind, out, self.k, dimension)
            values, indices = arrays.reduce(self.program.reduction, data, options, place)
            if indices is None:
                return out
        if self.is_complex:
            return arrays.as_complex(values)
        return finish(self.name, values, indices, self.k, dimension)

    # Checks and data

    def _check(self, keywords: dict) -> None:
        for key in keywords:
            if key not in self.known:
                raise ArrayTypeError(f"A reduction has no keyword {key!r}; it has {', '.join(sorted(self.known))}.")

    def _data(self, args: Sequence) -> tuple[str, list]:
        """The type of the numbers, and an array for each input."""
        arrays = self.tensor.arrays
        dtype = self.frame.dtype
        given: dict[int, Any] = {}
        variables = self.program.variables
        if args or dtype is None or not self.can_run:
            args = [self._given(x) for x in args]
            given = self._matched(args, variables)
            dtype = dtype or (arrays.dtype(args[0]) if args else arrays.default_dtype())
        data: list = []
        like = None
        has_numbers = False
        for node in variables:
            source = node.source
            kind = source.__class__
            if kind is Symbol:
                source = given[source.index]
            elif kind is Numbers:
                has_numbers = True
                data.append(None)
                continue
            if like is None:
                like = source
            data.append(source)
        if has_numbers:
            for k, node in enumerate(variables):
                if data[k] is None:
                    data[k] = node.source.array(arrays, dtype, like)
        return dtype, data

    def _given(self, x):
        arrays = self.tensor.arrays
        if not arrays.owns(x):
            converted = arrays.converted(x)
            if converted is None:
                raise ArrayTypeError(
                    f"Symbolic variables are given arrays of {arrays.name}; a {type(x).__name__} came."
                )
            x = converted
        if arrays.dtype(x) in REAL_TYPES:
            raise ArrayTypeError(f"Symbolic variables are given real arrays; one of {arrays.dtype(x)} came.")
        if arrays.dtype(x) not in FLOATS:
            raise ArrayTypeError(
                f"Symbolic variables are given arrays of float32, float64 or float16; one of {arrays.dtype(x)} came."
            )
        return x

    def _matched(self, args: list, variables) -> dict[int, Any]:
        """The data of each symbolic variable."""
        found = symbols(variables)
        count = len(found)
        indices = [node.source.index for node in found]
        if len(args) == count:
            return dict(zip(indices, args))
        if found and len(args) == indices[-1] + 1:
            return {index: args[index] for index in indices}
        expected = ", ".join(
            f"{('Vi', 'Vj', 'Pm')[node.category]}({node.source.index}, {node.dimension})" for node in found
        )
        raise ArgumentError(
            f"This LazyTensor is called with {count} arrays{f', for {expected}' if expected else ''}; {len(args)} came."
        )
