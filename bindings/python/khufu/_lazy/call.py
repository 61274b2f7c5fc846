"""A reduction of a lazy tensor, from its keywords to its values: run at once, or kept and called with the data of symbolic variables."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
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
_IGNORED = frozenset(["enable_chunks", "use_fast_math", "optional_flags", "rec_multVar_highdim"])
_KNOWN = _ACCURACY | _IGNORED | {"backend", "device_id", "ranges", "out", "tolerance", "pruning"}

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

    @property
    def kind(self) -> str:
        """The engine's name for it."""
        return kind_of(self.name, self.weight is not None)

    def program(self) -> expression.Program:
        """The reduction, compiled, and its variables; found again where one like it was made before."""
        accumulation = _DEFAULT_ACCUMULATION
        if self.keywords:
            accuracy = {key: value for key, value in self.keywords.items() if key in _ACCURACY}
            accumulation = accumulation_of(self.kind, **accuracy)
        return expression.program(
            self.kind, self.root, self.weight, k=self.k, over=self.axis, accumulation=accumulation
        )

    def values(self) -> Any:
        """The values; where a type or the data of symbolic variables is not known, what is called for them."""
        dtype = self.frame.dtype
        program = self.program()
        data = None if dtype is None else self._data(program.variables, dtype, None)
        return self.reduced() if data is None else self._run(program, dtype, data)

    def reduced(self):
        """A LazyTensor that is called for the values."""
        new = object.__new__(type(self.tensor))
        new._frame = self.frame
        new._call = self
        new.reduction_op = self.name
        new.opt_arg = None if self.k == 1 else self.k
        new.kwargs = self.keywords
        return new

    def run(self, args: Sequence, keywords: dict) -> Any:
        """The values.

        Args:
            args: data for the symbolic variables.
            keywords: before those that the call was made with.
        """
        call, program, dtype, data = self._prepared(args, keywords)
        return call._run(program, dtype, data)

    def device_memory(self, args: Sequence, gradient: int | None, keywords: dict) -> dict[str, int]:
        """The most bytes that `run` takes of each device's memory."""
        call, program, _, data = self._prepared(args, keywords)
        return call.tensor.arrays.device_memory(program.reduction, data, call._options(), gradient)

    def _prepared(self, args: Sequence, keywords: dict) -> tuple:
        """The call with further keywords, its program, the type and an array for each input."""
        call = self
        if keywords:
            call = copy(self)
            call._check(keywords)
            call.keywords = {**self.keywords, **keywords}
        arrays = call.tensor.arrays
        program = call.program()
        given = call._matched([call._given(x) for x in args], program.variables)
        dtype = call.frame.dtype
        if dtype is None:
            dtype = arrays.dtype(next(iter(given.values()))) if given else arrays.default_dtype()
        return call, program, dtype, call._data(program.variables, dtype, given)

    def _run(self, program: expression.Program, dtype: str, data: list) -> Any:
        frame, given = self.frame, self.keywords
        if not given and frame.is_plain:
            return self._computed(program, data, DEFAULT_OPTIONS, None)
        if "dtype_acc" in given:
            check_accumulator(given["dtype_acc"], dtype)
        return self._computed(program, data, self._options(), given.get("out"))

    def _options(self) -> RunOptions:
        frame, given = self.frame, self.keywords
        return options_of(
            given.get("backend", frame.backend),
            given.get("ranges", frame.ranges),
            self.axis,
            *self._pruning(given),
            given.get("device_id", -1),
        )

    def _pruning(self, given: dict) -> tuple:
        """What the keywords say of pruning."""
        return given.get("tolerance"), given.get("pruning", "auto")

    def _computed(self, program: expression.Program, data: list, options: RunOptions, out) -> Any:
        arrays = self.tensor.arrays
        dimension = self.root.dimension
        if out is None:
            values, indices = arrays.reduce(program.reduction, data, options)
        else:
            place = self._real_place(out) if self.is_complex else unfinished(self.kind, out, self.k, dimension)
            values, indices = arrays.reduce(program.reduction, data, options, place)
            if indices is None:
                return out
        if self.is_complex:
            return arrays.as_complex(values)
        return finish(self.name, values, indices, self.k, dimension)

    def _real_place(self, out):
        """The memory of a complex result, as real and imaginary parts."""
        arrays = self.tensor.arrays
        if not arrays.owns(out) or arrays.dtype(out) not in REAL_TYPES:
            came = arrays.dtype(out) if arrays.owns(out) else type(out).__name__
            raise ArrayTypeError(f"out is an array of {arrays.name} of complex numbers, as the result; {came} came.")
        place = arrays.as_real(out)
        if arrays.address(place) != arrays.address(out):
            raise ArrayTypeError("out is contiguous; this array is not.")
        return place

    # Checks and data

    def _check(self, keywords: dict) -> None:
        for key in keywords:
            if key not in self.known:
                raise ArrayTypeError(f"A reduction has no keyword {key!r}; it has {', '.join(sorted(self.known))}.")

    def _data(self, variables: Sequence, dtype: str, given: dict[int, Any] | None) -> list | None:
        """An array for each input; None where there is a symbolic variable and nothing is given for those."""
        data: list = []
        like = None
        has_numbers = False
        for node in variables:
            source = node.source
            kind = source.__class__
            if kind is Numbers:
                has_numbers = True
            elif kind is Symbol:
                if given is None:
                    return None
                source = given[source.index]
                like = source
            else:
                like = source
            data.append(source)
        if has_numbers:
            arrays = self.tensor.arrays
            data = [x.array(arrays, dtype, like) if x.__class__ is Numbers else x for x in data]
        return data

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
                f"Symbolic variables are given arrays of float32, float64, float16 or bfloat16;"
                f" one of {arrays.dtype(x)} came."
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
