"""The engine: a shared library with a C interface (`khufu.h`), loaded at first use."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import threading
from typing import NamedTuple, Sequence

from ._devices import parsed
from ._interrupts import Interrupts
from .errors import ArgumentError, ArrayTypeError, EngineError, FormulaError, KhufuError, SolverError

ABI_VERSION = 2

#: Codes of the header.
CATEGORIES = ("Vi", "Vj", "Pm")
TYPES = {"float16": 0, "float32": 1, "float64": 2, "bfloat16": 3}
#: "auto" is for this package to decide; for the engine it is the processor.
ENGINES = {"auto": 0, "processor": 0, "cpu": 1, "interpreter": 2, "cuda": 3, "opencl": 4}
PRUNINGS = {"auto": 0, "always": 1, "never": 2}
_ERRORS = {1: FormulaError, 2: ArgumentError, 3: EngineError, 4: SolverError}
_CANCELLED = 5

_pointer = ctypes.c_void_p
_texts = ctypes.POINTER(ctypes.c_char_p)

SolverProgress = ctypes.CFUNCTYPE(ctypes.c_int32, _pointer, ctypes.c_int64, ctypes.c_int64, ctypes.c_double)


class _Accumulation(ctypes.Structure):
    _fields_ = [("scheme", ctypes.c_char_p), ("uses_double_accumulator", ctypes.c_int32)]


class _SolverSettings(ctypes.Structure):
    _fields_ = [
        ("alpha", ctypes.c_double),
        ("tolerance", ctypes.c_double),
        ("maximum_iterations", ctypes.c_int64),
        ("solver", ctypes.c_int32),
        ("preconditioner", ctypes.c_int32),
        ("preconditioner_rank", ctypes.c_int64),
        ("progress", SolverProgress),
        ("context", _pointer),
        ("residual", ctypes.POINTER(ctypes.c_double)),
        ("accepts_stagnation", ctypes.c_int32),
    ]


_SIGNATURES = {
    "khufu_abi_version": (ctypes.c_int32, []),
    "khufu_version": (ctypes.c_char_p, []),
    "khufu_last_error": (ctypes.c_char_p, []),
    "khufu_diagnosis": (ctypes.c_size_t, [_pointer, ctypes.c_size_t]),
    "khufu_device_count": (ctypes.c_int32, [ctypes.c_int32]),
    "khufu_device_name": (ctypes.c_size_t, [ctypes.c_int32, ctypes.c_int32, _pointer, ctypes.c_size_t]),
    "khufu_formula_parse": (ctypes.c_int, [ctypes.c_char_p, _texts, _pointer, ctypes.c_int32, _pointer]),
    "khufu_formula_dimension": (ctypes.c_int64, [_pointer]),
    "khufu_formula_text": (ctypes.c_size_t, [_pointer, _pointer, ctypes.c_size_t]),
    "khufu_formula_release": (None, [_pointer]),
    "khufu_reduction_create": (
        ctypes.c_int,
        [ctypes.c_char_p, _pointer, _pointer, ctypes.c_int64, ctypes.c_int, _pointer, _texts, ctypes.c_int32, _pointer],
    ),
    "khufu_reduction_create_from_text": (
        ctypes.c_int,
        [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_int, _pointer, _texts, ctypes.c_int32, _pointer],
    ),
    "khufu_reduction_parse": (ctypes.c_int, [ctypes.c_char_p, _texts, ctypes.c_int32, _pointer]),
    "khufu_reduction_gradient": (ctypes.c_int, [_pointer, ctypes.c_int32, _pointer]),
    "khufu_reduction_tangent": (ctypes.c_int, [_pointer, ctypes.c_int32, _pointer]),
    "khufu_reduction_input_count": (ctypes.c_int32, [_pointer]),
    "khufu_reduction_input": (ctypes.c_int, [_pointer, ctypes.c_int32, _pointer, _pointer]),
    "khufu_reduction_result": (None, [_pointer, _pointer, _pointer, _pointer]),
    "khufu_reduction_release": (None, [_pointer]),
    "khufu_reduction_shape": (ctypes.c_int, [_pointer, _pointer, ctypes.c_int32, _pointer, ctypes.c_int32, _pointer]),
    "khufu_reduction_run": (
        ctypes.c_int,
        [_pointer, _pointer, ctypes.c_int32, _pointer, _pointer, ctypes.c_int64, _pointer, ctypes.c_int64],
    ),
    "khufu_reduction_device_memory": (ctypes.c_int, [_pointer, _pointer, ctypes.c_int32, _pointer, _pointer, ctypes.c_int32]),
    "khufu_solve": (ctypes.c_int, [_pointer, _pointer, ctypes.c_int32, ctypes.c_int32, _pointer, _pointer, _pointer]),
}

_loading = threading.Lock()
_loaded = None


def path() -> str:
    """Where the shared library is: in the package, or where `KHUFU_LIBRARY` says."""
    return os.environ.get("KHUFU_LIBRARY") or os.path.join(os.path.dirname(__file__), "libKhufuC.so")


def library():
    """The library with its functions' types declared."""
    return _loaded or _load()


def _load():
    global _loaded
    with _loading:
        if _loaded is None:
            _name_packages()
            try:
                found = ctypes.CDLL(path())
            except OSError as error:
                hint = ""
                if not os.path.exists(path()) and not os.environ.get("KHUFU_LIBRARY"):
                    hint = " These are the sources of the package: it is installed by pip, and imported from another folder."
                raise EngineError(f"The engine {path()} could not be loaded: {error}.{hint}") from None
            for name, (result, arguments) in _SIGNATURES.items():
                function = getattr(found, name, None)
                if function is None:
                    raise EngineError(f"{path()} is not this package's engine: it has no function {name}.")
                function.restype, function.argtypes = result, arguments
            if found.khufu_abi_version() != ABI_VERSION:
                raise EngineError(
                    f"The engine {path()} has interface {found.khufu_abi_version()}; this package is made for {ABI_VERSION}."
                )
            _loaded = found
    return _loaded


def _name_packages() -> None:
    """Tells the engine where Python's packages are, among which it finds CUDA's compiler: those of NVIDIA's, such as come with PyTorch."""
    found = [path for path in sys.path if path and os.path.isdir(os.path.join(path, "nvidia"))]
    known = os.environ.get("KHUFU_SITE_PACKAGES", "").split(":")
    if found:
        os.environ["KHUFU_SITE_PACKAGES"] = ":".join(dict.fromkeys([*found, *filter(None, known)]))


def device_names(library_name: str) -> list[str]:
    """What the devices of "cuda" or "opencl" are called."""
    engine, code = library(), ENGINES[library_name]
    return [_text(engine.khufu_device_name, code, number) for number in range(engine.khufu_device_count(code))]


def require_device(library_name: str, number: int = 0) -> None:
    """Raises where there is no such device, saying why."""
    engine = library()
    if not engine.khufu_device_name(ENGINES[library_name], number, None, 0):
        raise EngineError(engine.khufu_last_error().decode())


def check(status: int) -> None:
    """Raises what a status that is not 0 means."""
    if status:
        message = library().khufu_last_error().decode()
        if status == _CANCELLED:
            raise Cancelled(message)
        raise _ERRORS.get(status, KhufuError)(message)


class Cancelled(SolverError):
    """A progress function asked to stop."""


def diagnosis() -> str:
    """Which processor, instructions and compilers were found, and why others were refused."""
    return _text(library().khufu_diagnosis)


def version() -> str:
    """The engine's version."""
    return library().khufu_version().decode()


def _text(write, *arguments) -> str:
    size = write(*arguments, None, 0)
    buffer = ctypes.create_string_buffer(size)
    write(*arguments, buffer, size)
    return buffer.value.decode()


def _bytes(text: str) -> bytes:
    """A text as the engine reads it."""
    if not isinstance(text, str):
        raise ArrayTypeError(f"Formulas and declarations are texts; a {type(text).__name__} came.")
    if "\0" in text:
        # The engine's texts end there.
        raise FormulaError(f"The character of code 0 is not part of formulas; {text!r} came.")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise FormulaError(f"A formula is a text of whole characters; {text!r} came.") from None


def _encoded(texts: Sequence[str]):
    return (ctypes.c_char_p * len(texts))(*map(_bytes, texts))


class Formula:
    """A formula of the engine's."""

    __slots__ = ("handle", "_release", "__weakref__")

    def __init__(self, text: str, operands: dict[str, "Formula"] | None = None):
        """Reads a formula in which names stand for others."""
        operands = operands or {}
        engine = library()
        self._release = engine.khufu_formula_release
        self.handle = None
        handle = _pointer()
        handles = (_pointer * len(operands))(*(operand.handle for operand in operands.values()))
        check(engine.khufu_formula_parse(_bytes(text), _encoded(list(operands)), handles, len(operands), ctypes.byref(handle)))
        self.handle = handle.value

    @property
    def dimension(self) -> int:
        return library().khufu_formula_dimension(self.handle)

    def __str__(self) -> str:
        return _text(library().khufu_formula_text, self.handle)

    def __del__(self):
        if self.handle is not None:
            self._release(self.handle)


class Accumulation(NamedTuple):
    """How terms are added up: "auto", "direct_sum", "block_sum" or "kahan_scheme", and whether totals are in float64."""

    scheme: str = "auto"
    double: bool = False

    def _structure(self):
        return _Accumulation(self.scheme.encode(), int(self.double))


class Ranges(NamedTuple):
    """Block-sparsity for one call: addresses of contiguous int64 arrays, which the caller keeps alive, and their lengths."""

    row_ranges: int
    ends: int
    column_ranges: int
    row_range_count: int
    column_range_count: int


_options = struct.Struct("iiiiqqqqqidqiq")
_ranges = struct.Struct("qqqqq")
_known = struct.Struct("qqqii")


class Layout:
    """What the arrays of a call look like, and the result: worked out at the first call with such shapes."""

    __slots__ = ("shape", "index_shape", "_count", "_shapes", "_fixed", "_pack")

    def __init__(self, reduction: "Reduction", type_code: int, shapes: tuple):
        self._count = len(shapes)
        flat = [length for shape in shapes for length in shape]
        self._shapes = (ctypes.c_int64 * max(1, len(flat)))(*flat)
        address = ctypes.addressof(self._shapes)
        self._fixed = []
        for shape in shapes:
            self._fixed.append((address, len(shape) | type_code << 32))
            address += 8 * len(shape)
        self._pack = struct.Struct(f"{3 * self._count}q").pack
        lengths, rank = (ctypes.c_int64 * 64)(), ctypes.c_int32()
        # Memory is not read for a shape; an address that is not NULL stands for it.
        check(
            library().khufu_reduction_shape(
                reduction.handle, self.packed([4096] * self._count), self._count, lengths, 64, ctypes.byref(rank)
            )
        )
        shape = tuple(lengths[: rank.value])
        self.shape = shape
        self.index_shape = shape[:-1] + (reduction.index_count,)

    def packed(self, addresses: Sequence[int]) -> bytes:
        """The arrays at some addresses, as `khufu_array`s."""
        words = []
        for address, (shape, rank_and_type) in zip(addresses, self._fixed):
            words += (address, shape, rank_and_type)
        return self._pack(*words)


class Reduction:
    """A reduction of the engine's, or a derivative of one. Any number of threads may use it."""

    _LARGEST_TABLE = 256

    def __init__(self, make, origin: tuple):
        """Takes what a function of the library makes, which is given the place for it.

        Args:
            origin: the arguments of `of` or `from_text`; or (reduction, "g" or "t", position) for a gradient or tangent of one.
        """
        self.handle = None
        self.origin = origin
        #: The text of it, once asked for; see `_recipes`.
        self.recipe: str | None = None
        self._release = library().khufu_reduction_release
        handle = _pointer()
        check(make(ctypes.byref(handle)))
        self.handle = handle.value
        self._derivatives: dict = {}
        self._layouts: dict = {}
        category, values, indices = ctypes.c_int(), ctypes.c_int64(), ctypes.c_int64()
        engine = library()
        engine.khufu_reduction_result(self.handle, ctypes.byref(category), ctypes.byref(values), ctypes.byref(indices))
        #: 0 where the result follows i, 1 where it follows j, 2 for one vector.
        self.category = category.value
        self.value_count = values.value
        self.index_count = indices.value
        #: (category, dimension) of each input.
        self.inputs: list[tuple[int, int]] = []
        for k in range(engine.khufu_reduction_input_count(self.handle)):
            check(engine.khufu_reduction_input(self.handle, k, ctypes.byref(category), ctypes.byref(values)))
            self.inputs.append((category.value, values.value))

    @classmethod
    def of(cls, kind: str, formula: Formula, weight: Formula | None, k: int, over: int, accumulation: Accumulation, declarations):
        """A reduction of formulas. `over` is 0 for i, 1 for j."""
        return cls(
            lambda result: library().khufu_reduction_create(
                kind.encode(), formula.handle, weight.handle if weight else None, k, over,
                ctypes.byref(accumulation._structure()), _encoded(declarations), len(declarations), result,
            ),
            (kind, formula, weight, k, over, accumulation, declarations),
        )  # fmt: skip

    @classmethod
    def from_text(cls, kind: str, formula: str, weight: str | None, k: int, over: int, accumulation: Accumulation, declarations):
        """A reduction of formulas as text, in which the declarations' names stand for inputs."""
        return cls(
            lambda result: library().khufu_reduction_create_from_text(
                kind.encode(), _bytes(formula), None if weight is None else _bytes(weight), k, over,
                ctypes.byref(accumulation._structure()), _encoded(declarations), len(declarations), result,
            ),
            (kind, formula, weight, k, over, accumulation, declarations),
        )  # fmt: skip

    @classmethod
    def parsed(cls, text: str, declarations: Sequence[str]):
        """A reduction as KeOps' engine writes it: "Sum_Reduction(formula, tag)"."""
        return cls(
            lambda result: library().khufu_reduction_parse(_bytes(text), _encoded(declarations), len(declarations), result),
            (text, declarations),
        )

    def __del__(self):
        if self.handle is not None:
            self._release(self.handle)

    @property
    def is_derivative(self) -> bool:
        return isinstance(self.origin[0], Reduction)

    # Derivatives, each made once

    def gradient(self, position: int) -> "Reduction":
        """The gradient with respect to an input: a reduction of the same inputs and a cotangent."""
        return self._derivative("khufu_reduction_gradient", position)

    def tangent(self, position: int) -> "Reduction":
        """The derivative along a direction of an input: a reduction of the same inputs and the direction."""
        return self._derivative("khufu_reduction_tangent", position)

    def _derivative(self, function: str, position: int) -> "Reduction":
        found = self._derivatives.get((function, position))
        if found is None:
            found = Reduction(
                lambda result: getattr(library(), function)(self.handle, position, result),
                (self, function[len("khufu_reduction_")], position),
            )
            self._derivatives[function, position] = found
        return found

    # Running

    def layout(self, type_code: int, shapes: tuple) -> Layout:
        """Checks the shapes of a call's arrays; the result's shape. `shapes` is a tuple of tuples."""
        key = (type_code, shapes)
        found = self._layouts.get(key)
        if found is None:
            found = Layout(self, type_code, shapes)
            if len(self._layouts) >= self._LARGEST_TABLE:
                self._layouts.clear()
            self._layouts[key] = found
        return found

    def run(
        self,
        layout: Layout,
        addresses: Sequence[int],
        values: int | None,
        value_capacity: int,
        indices: int | None = None,
        index_capacity: int = 0,
        options: "Options | None" = None,
    ) -> None:
        """Computes into memory of the caller's, who keeps all of it alive; addresses are whole numbers."""
        status = library().khufu_reduction_run(
            self.handle, layout.packed(addresses), len(addresses), options and options.packed, values, value_capacity, indices,
            index_capacity,
        )  # fmt: skip
        if status:
            check(status)

    def device_memory(self, layout: Layout, input_count: int, options: "Options", device_count: int) -> list[int]:
        """The most bytes that a run takes of each device's memory; where the arrays are on the device, beside these."""
        taken = (ctypes.c_int64 * device_count)()
        # Their memory is not read; an address that is not NULL stands for it.
        arrays = layout.packed([4096] * input_count)
        check(
            library().khufu_reduction_device_memory(self.handle, arrays, input_count, options.packed, taken, device_count)
        )
        return list(taken)

    def solve(
        self,
        layout: Layout,
        addresses: Sequence[int],
        position: int,
        solution: int,
        *,
        alpha: float,
        tolerance: float,
        maximum_iterations: int,
        solver: int,
        preconditioner: int,
        rank: int,
        progress=None,
        accepts_stagnation: bool = False,
        options: "Options | None" = None,
    ) -> float:
        """Solves with the operator that takes the input at a position to the result; see `khufu_solve`.

        Returns:
            The largest |b - Ax| / |b|.
        """
        interrupts = Interrupts()

        # Asked for also where nobody wants to know of progress, for then Ctrl-C ends a solve.
        def step(_, iteration, maximum, residual):
            try:
                if progress is not None and progress(iteration, maximum, residual) is False:
                    return 1
            except BaseException as error:  # it cannot pass through the engine
                interrupts.raised = error
            return 0 if interrupts.raised is None else 1

        reached = ctypes.c_double()
        settings = _SolverSettings(
            alpha, tolerance, maximum_iterations, solver, preconditioner, rank, SolverProgress(step), None, ctypes.pointer(reached),
            int(accepts_stagnation),
        )  # fmt: skip
        with interrupts:
            status = library().khufu_solve(
                self.handle, layout.packed(addresses), len(addresses), position, ctypes.byref(settings), options and options.packed,
                solution,
            )  # fmt: skip
        if status:
            check(status)
        return reached.value


class Options:
    """How a reduction is run: packed once for a call. Keeps what it refers to alive."""

    __slots__ = ("packed", "kept", "_kept")

    def __init__(
        self,
        engine: str = "auto",
        threads: int = 0,
        fast_exponentials: bool = False,
        ranges: Sequence[Ranges] = (),
        known: Sequence[tuple[Reduction, int, tuple, int]] = (),
        pruning: str = "auto",
        tolerance: float = 0.0,
        stream: int | None = None,
        memory_limit: int = 0,
    ):
        """
        Args:
            engine: a word, with the numbers of devices; see `_devices`.
            ranges: block-sparsity, one for all batch items or one for each.
            known: results of reductions that this one was derived from, as (reduction, address, shape, type code).
            stream: where the arrays are in the device's memory, the stream on which they are used.
            memory_limit: bytes of each device's memory that arrays on the host may pass through; 0: most of what is free.
        """
        if pruning not in PRUNINGS:
            raise ArgumentError(f"pruning is one of {', '.join(PRUNINGS)}; {pruning!r} came.")
        name, numbers = parsed(engine)
        devices = (ctypes.c_int32 * max(1, len(numbers)))(*numbers)
        range_bytes = ctypes.create_string_buffer(b"".join(_ranges.pack(*item) for item in ranges))
        shapes = [(ctypes.c_int64 * max(1, len(shape)))(*shape) for _, _, shape, _ in known]
        known_bytes = ctypes.create_string_buffer(
            b"".join(
                _known.pack(reduction.handle, address, ctypes.addressof(lengths), len(shape), type_code)
                for (reduction, address, shape, type_code), lengths in zip(known, shapes)
            )
        )
        self._kept = (range_bytes, known_bytes, shapes, known, devices)
        self.packed = _options.pack(
            ENGINES[name], threads, int(fast_exponentials), int(stream is not None), stream or 0,
            ctypes.addressof(range_bytes) if ranges else 0, len(ranges),
            ctypes.addressof(known_bytes) if known else 0, len(known), PRUNINGS[pruning], tolerance,
            ctypes.addressof(devices) if numbers else 0, len(numbers), memory_limit,
        )  # fmt: skip
