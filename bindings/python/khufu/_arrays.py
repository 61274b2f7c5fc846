"""What the package asks of an array library, NumPy or PyTorch."""

from __future__ import annotations

import warnings
from itertools import product
from math import inf, isfinite
from operator import index as whole_number
from typing import Any, NamedTuple, Sequence

from . import _devices
from ._library import TYPES, Options, Ranges, Reduction
from .errors import ArgumentError, ArrayTypeError, SolverError

#: The real type behind each complex one.
REAL_TYPES = {"complex64": "float32", "complex128": "float64"}
COMPLEX_TYPES = {real: complex_ for complex_, real in REAL_TYPES.items()}


class RunOptions(NamedTuple):
    """How a reduction is run."""

    #: A word of `_devices`: "auto", "processor", "cpu", "interpreter", "cuda:0", …
    engine: str = "auto"
    #: Block-sparsity of the reduction: (ranges of the result's points, ends, ranges of the points reduced over), int64 arrays of
    #: shapes (n, 2), (n,), (m, 2). A list of them: one for each batch item.
    ranges: Any = None
    #: At most so many; 0: as many as the process may use.
    threads: int = 0
    fast_exponentials: bool = False
    #: "auto", "always" or "never": whether pairs are left out that provably do not matter.
    pruning: str = "auto"
    #: What pruned sums may miss, relative to the sum of magnitudes; 0: sums take all pairs.
    tolerance: float = 0.0


DEFAULT_OPTIONS = RunOptions()

#: Kinds whose derivatives are written with their result, which then is not computed again.
KEPT = frozenset(
    ["LogSumExp", "LogSumExpWeight", "SumSoftMaxWeight", "SoftMax", "Max_SumShiftExp", "Max_SumShiftExpWeight"]
)

#: The largest relative residual that is taken in place of a smaller one that was asked for.
_LOOSEST = 0.1


class SolverSettings(NamedTuple):
    """How a linear system is solved."""

    alpha: float = 1e-10
    #: Of |b - Ax| / |b|; 0: 1e-5 in float32, 1e-8 in float64.
    tolerance: float = 0.0
    #: 0: 10 rows + 50, but 10 000 at most.
    maximum_iterations: int = 0
    #: "cg" or "minres".
    method: str = "cg"
    #: None, "cholesky" or "nystrom".
    preconditioner: str | None = None
    rank: int = 50
    #: Called with (iteration, maximum, residual) before each iteration; False ends the solve.
    progress: Any = None
    #: KeOps' way to say the tolerance, used where it is not None: |b - Ax|² is less than eps² times the count of b's numbers.
    eps: float | None = None

    def checked(self) -> SolverSettings:
        """The same with Python's numbers, where each is one that a solver takes."""
        for value, known, name in (
            (self.method, self.METHODS, "A solver's method is 'cg' or 'minres'"),
            (self.preconditioner, self.PRECONDITIONERS, "A preconditioner is None, 'cholesky' or 'nystrom'"),
        ):
            if not (value is None or isinstance(value, str)) or value not in known:
                raise ArgumentError(f"{name}; {value!r} came.")
        if not (self.progress is None or callable(self.progress)):
            raise ArrayTypeError(f"progress is a function of (iteration, maximum, residual); {self.progress!r} came.")
        return self._replace(
            alpha=_number(self.alpha, "alpha"),
            eps=None if self.eps is None else _number(self.eps, "eps", 0.0),
            maximum_iterations=_whole(self.maximum_iterations, "maximum_iterations"),
            rank=_whole(self.rank, "rank"),
        )

    METHODS = {"cg": 0, "minres": 1}
    PRECONDITIONERS = {None: 0, "cholesky": 1, "nystrom": 2}


class Arrays:
    """An array library."""

    name = ""

    def __reduce__(self):
        # There is one of each library, under its name.
        return self.name.upper()

    def owns(self, x) -> bool:
        """Whether x is one of its arrays."""
        raise NotImplementedError

    def dtype(self, x) -> str:
        """The type of an array's numbers, such as "float32"."""
        raise NotImplementedError

    def array(self, values, dtype: str, like=None):
        """An array of a number or a list of numbers; on the device of another."""
        raise NotImplementedError

    def cast(self, x, dtype: str):
        raise NotImplementedError

    def empty(self, shape: Sequence[int], dtype: str, like=None):
        raise NotImplementedError

    def contiguous(self, x):
        """The same numbers, contiguous and aligned."""
        raise NotImplementedError

    def address(self, x) -> int:
        raise NotImplementedError

    def is_writable(self, x) -> bool:
        return True

    def as_real(self, x):
        """A complex array (…, D) as a real one (…, 2 D), real and imaginary parts in turn."""
        raise NotImplementedError

    def as_complex(self, x):
        """The inverse of as_real."""
        raise NotImplementedError

    def integers(self, x):
        """A contiguous NumPy array of int64 on the host, of whole numbers that may be stored otherwise."""
        raise NotImplementedError

    def norm(self, x) -> float:
        """The Euclidean length of all numbers."""
        raise NotImplementedError

    def converted(self, x):
        """What shares its memory through DLPack or NumPy's array interface, as one of the library's arrays; None for other things."""
        raise NotImplementedError

    def default_dtype(self) -> str:
        """The type of numbers that meet no array."""
        return "float64"

    def broadcast(self, x, shape: Sequence[int]):
        """A view of a shape in which axes of length 1 repeat."""
        raise NotImplementedError

    def beside(self, x, like):
        """An array on the device of another."""
        return x

    def where(self, condition, x, y):
        """x where a condition holds, y elsewhere."""
        raise NotImplementedError

    def reduce(self, reduction: Reduction, arrays: Sequence, options: RunOptions = DEFAULT_OPTIONS, out=None):
        """Runs a reduction, in a way that the library can differentiate where it can.

        Args:
            arrays: one for each input, of shapes (batch…, points, dimension), or (batch…, dimension) for parameters.
            out: an array for the values, of their shape and type.

        Returns:
            (values, indices), of which one may be None: (batch…, points, numbers) of the inputs' type, and int64.
        """
        raise NotImplementedError

    def solve(
        self, reduction: Reduction, arrays: Sequence, position: int, settings: SolverSettings,
        options: RunOptions = DEFAULT_OPTIONS,
    ):  # fmt: skip
        """Solves K b' + alpha b' = b, where K takes the input at a position, b, to the reduction's result."""
        raise NotImplementedError

    # What libraries have in common

    def run(
        self,
        reduction: Reduction,
        arrays: Sequence,
        options: RunOptions = DEFAULT_OPTIONS,
        out=None,
        known: Sequence[tuple[Reduction, Any]] = (),
    ):
        """As `reduce`, without derivatives; arrays are contiguous and on the host or one device.

        Args:
            known: results of reductions that this one was derived from.
        """
        dtype = self.dtype(arrays[0]) if arrays else "float64"
        options, stream = self.placed(arrays, options)
        layout = reduction.layout(self._type_code(arrays, dtype), tuple([x.shape for x in arrays]))
        values = indices = None
        if reduction.value_count:
            if out is None:
                values = self.empty(layout.shape, dtype, arrays[0] if arrays else None)
            else:
                values = self._checked_output(out, layout.shape, dtype, arrays)
        if reduction.index_count:
            indices = self.empty(layout.index_shape, "int64", arrays[0] if arrays else None)
        reduction.run(
            layout,
            [self.address(x) for x in arrays],
            None if values is None else self.address(values),
            0 if values is None else _count(layout.shape),
            None if indices is None else self.address(indices),
            0 if indices is None else _count(layout.index_shape),
            self.packed(options, known, stream),
        )
        return values, indices

    def device_memory(
        self, reduction: Reduction, arrays: Sequence, options: RunOptions = DEFAULT_OPTIONS, gradient: int | None = None
    ) -> dict[str, int]:
        """The most bytes that a run takes of each device's memory: with arrays on the host, those that are copied there included; beside
        arrays that are there already.

        Args:
            arrays: as for `reduce`; their shapes, types and places are looked at, not their numbers.
            gradient: the position of an input: of the gradient with respect to it, as backward computes it.

        Raises:
            ArgumentError: where the call runs on no device.
        """
        for x in arrays:
            if not self.owns(x):
                raise ArrayTypeError(f"Inputs are arrays of {self.name}; {type(x).__name__} came.")
        options, stream = self.placed(arrays, options)
        name, numbers = _devices.parsed(options.engine)
        if name not in ("cuda", "opencl"):
            raise ArgumentError(
                "Memory is asked of a device, and this call runs on the processor; backend names a device, such as 'opencl:0'."
            )
        dtype = self.dtype(arrays[0]) if arrays else "float64"
        code, shapes, known = self._type_code(arrays, dtype), tuple([tuple(x.shape) for x in arrays]), ()
        layout = reduction.layout(code, shapes)
        if gradient is not None:
            result = self.broadcast(self.empty((1,) * len(layout.shape), dtype), layout.shape)
            derivative = reduction.gradient(_position(gradient, len(arrays)))
            # As for a backward pass, which has the result at hand.
            if reduction.origin[0] in KEPT:
                known = ((reduction, result),)
            shapes += (layout.shape,)
            reduction, layout = derivative, derivative.layout(code, shapes)
        places = [f"{name}:{number}" for number in numbers or (0,)]
        packed = self.packed(options, known, stream)
        return dict(zip(places, reduction.device_memory(layout, len(shapes), packed, len(places))))

    def placed(self, arrays: Sequence, options: RunOptions) -> tuple[RunOptions, int | None]:
        """The options with the engine that the arrays are to be computed with, and, where they are in a device's memory, the stream."""
        if options.engine[:4] == "auto" and (options.engine != "auto" or _devices.default_device() != "cpu"):
            options = options._replace(engine=_devices.on_host(options.engine))
        return options, None

    def run_solve(
        self, reduction: Reduction, arrays: Sequence, position: int, settings: SolverSettings,
        options: RunOptions = DEFAULT_OPTIONS,
    ):  # fmt: skip
        """As `solve`, without derivatives; arrays are contiguous and on the host."""
        settings = settings.checked()
        options, _ = self.placed(arrays, options)
        dtype = self.dtype(arrays[position])
        layout = reduction.layout(self._type_code(arrays, dtype), tuple([x.shape for x in arrays]))
        solution = self.empty(layout.shape, dtype, arrays[position])
        batch = layout.shape[:-2]
        if not batch:
            self._solve_one(reduction, layout, arrays, position, solution, settings, options)
            return solution
        # The engine solves one system; here are several, one for each item.
        items = [
            _broadcast(x, batch, 1 if category == 2 else 2) for x, (category, _) in zip(arrays, reduction.inputs)
        ]
        patterns = options.ranges if isinstance(options.ranges, list) else None
        for count, index in enumerate(product(*map(range, batch))):
            parts = [self.contiguous(x[tuple([k if n > 1 else 0 for k, n in zip(index, x.shape)])]) for x in items]
            one = options if patterns is None else options._replace(ranges=patterns[count])
            layout = reduction.layout(self._type_code(parts, dtype), tuple([x.shape for x in parts]))
            self._solve_one(reduction, layout, parts, position, solution[index], settings, one)
        return solution

    def _solve_one(self, reduction, layout, arrays, position: int, solution, settings: SolverSettings, options) -> None:
        """Solves one system into a part of an array."""
        tolerance = settings.tolerance
        if settings.eps is not None:
            limit = settings.eps * _count(layout.shape) ** 0.5
            length = self.norm(arrays[position])
            if length <= limit:
                solution[...] = 0
                return
            # Where it is no number, the engine says so of b.
            tolerance = limit / length if isfinite(length) else 0.0

        reached = reduction.solve(
            layout, [self.address(x) for x in arrays], position, self.address(solution), alpha=settings.alpha,
            tolerance=tolerance, maximum_iterations=settings.maximum_iterations,
            solver=SolverSettings.METHODS[settings.method],
            preconditioner=SolverSettings.PRECONDITIONERS[settings.preconditioner], rank=settings.rank,
            progress=settings.progress, accepts_stagnation=settings.eps is not None and not settings.maximum_iterations, options=self.packed(options, ()),
        )  # fmt: skip
        # KeOps stops by a recurrence, which gets as small as one likes. The engine looks at b - Ax itself, which rounding keeps above what
        # many programs ask for: they get what can be had, and are told.
        if settings.eps is not None and reached > max(tolerance, _LOOSEST):
            raise SolverError(
                f"A relative residual of {tolerance:.1e} was asked for; it stays at {reached:.1e}. A larger alpha or float64 may help."
            )
        if reached > tolerance > 0:
            warnings.warn(
                f"A relative residual of {tolerance:.1e} was asked for, which rounding does not let through; it is {reached:.1e}.",
                RuntimeWarning, stacklevel=4,
            )  # fmt: skip

    def pattern(self, parts: Sequence) -> list:
        """Block-sparsity for the engine, of which it is told lengths only: the three arrays of a pattern, in int64."""
        rows, ends, columns = [self.integers(part) for part in parts]
        if rows.shape != (len(ends), 2) or len(ends.shape) != 1 or columns.shape != (len(columns), 2):
            if any(part.size for part in (rows, ends, columns)):
                raise ArgumentError(
                    "Of ranges, those of the result have shape (n, 2), slices (n,) and those reduced over (m, 2); "
                    f"{rows.shape}, {ends.shape} and {columns.shape} came."
                )
        return [rows, ends, columns]

    def packed(self, options: RunOptions, known, stream: int | None = None) -> Options | None:
        """The options of a call for the engine; None for the defaults."""
        if options is DEFAULT_OPTIONS and not known:
            return None
        kept = []
        ranges = []
        if options.ranges is not None:
            patterns = options.ranges if isinstance(options.ranges, list) else [options.ranges]
            for pattern in patterns:
                rows, ends, columns = self.pattern(pattern)
                kept.append((rows, ends, columns))
                addresses = [part.__array_interface__["data"][0] for part in (rows, ends, columns)]
                ranges.append(Ranges(*addresses, len(ends), len(columns)))
        packed = Options(
            options.engine, options.threads, options.fast_exponentials, ranges,
            [(reduction, self.address(x), tuple(x.shape), TYPES[self.dtype(x)]) for reduction, x in known],
            options.pruning, options.tolerance, stream, _devices.device_memory_limit() or 0,
        )  # fmt: skip
        packed.kept = kept
        return packed

    def _type_code(self, arrays: Sequence, dtype: str) -> int:
        for k, x in enumerate(arrays):
            if self.dtype(x) != dtype:
                raise ArrayTypeError(f"All inputs have one type; input 0 is {dtype} and input {k} is {self.dtype(x)}.")
        code = TYPES.get(dtype)
        if code is None:
            raise ArrayTypeError(f"Inputs are float32, float64, float16 or bfloat16; {dtype} came.")
        return code

    def _checked_output(self, out, shape, dtype: str, arrays: Sequence):
        if not self.owns(out):
            raise ArrayTypeError(f"out is an array of {self.name}; {type(out).__name__} came.")
        if tuple(out.shape) != tuple(shape):
            raise ArgumentError(f"out has shape {tuple(shape)}, the result's; an array of shape {tuple(out.shape)} came.")
        if self.dtype(out) != dtype:
            raise ArrayTypeError(f"out has type {dtype}, the inputs'; {self.dtype(out)} came.")
        if not self.is_writable(out):
            raise ArgumentError("out is written to; this array is read-only.")
        if self.contiguous(out) is not out:
            raise ArrayTypeError("out is contiguous; this array is not.")
        size = int(dtype[len("float") :]) // 8
        first = self.address(out)
        end = first + size * _count(shape)
        for x in arrays:
            address = self.address(x)
            if address < end and first < address + size * _count(x.shape):
                raise ArgumentError("out has memory of its own; this array shares it with an input.")
        return out


def _position(position, count: int) -> int:
    """The position of an input."""
    number = _whole(position, "gradient")
    if not 0 <= number < count:
        raise ArgumentError(f"gradient is the position of an input, 0 to {count - 1}; {number} came.")
    return number


def _number(x, name: str, least: float = -inf) -> float:
    """A number, or that of an array of one."""
    try:
        number = float(x.item() if hasattr(x, "item") else x)
    except (RuntimeError, TypeError, ValueError):
        raise ArrayTypeError(f"{name} is a number, or an array of one; {x!r} came.") from None
    if number < least:
        raise ArgumentError(f"{name} is {least:g} or more; {number} came.")
    return number


def _whole(x, name: str) -> int:
    try:
        number = whole_number(x)
    except TypeError:
        raise ArrayTypeError(f"{name} is a whole number; {x!r} came.") from None
    if number.bit_length() > 63:
        raise ArgumentError(f"{name} is at most 2^63 - 1; {number} came.")
    return number


def _broadcast(x, batch: Sequence[int], rank: int):
    """A view with as many batch axes as there are; those that repeat have length 1."""
    return x.reshape((1,) * (len(batch) - (len(x.shape) - rank)) + tuple(x.shape))


def _count(shape: Sequence[int]) -> int:
    count = 1
    for length in shape:
        count *= length
    return count
