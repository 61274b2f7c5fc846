"""NumPy's arrays."""

from __future__ import annotations

from typing import Sequence

import numpy

from .._arrays import COMPLEX_TYPES, DEFAULT_OPTIONS, REAL_TYPES, Arrays, RunOptions, SolverSettings
from ..errors import ArrayTypeError

_NAMES = {numpy.dtype(name): name for name in ("float16", "float32", "float64", "complex64", "complex128", "int64")}


class NumpyArrays(Arrays):
    name = "numpy"

    def owns(self, x) -> bool:
        return isinstance(x, numpy.ndarray)

    def dtype(self, x) -> str:
        # Asking a dtype for its name takes two microseconds.
        dtype = x.dtype
        return _NAMES.get(dtype) or dtype.name

    def array(self, values, dtype: str, like=None):
        return numpy.array(values, dtype=dtype)

    def cast(self, x, dtype: str):
        return x.astype(dtype, copy=False)

    def empty(self, shape: Sequence[int], dtype: str, like=None):
        return numpy.empty(shape, dtype)

    def contiguous(self, x):
        if not isinstance(x, numpy.ndarray):
            raise ArrayTypeError(f"Inputs are NumPy arrays; {type(x).__name__} came.")
        if type(x) is not numpy.ndarray:
            self.check_mask(x)
        flags = x.flags
        if flags.c_contiguous and flags.aligned and x.dtype.isnative:
            return x
        return numpy.require(x, x.dtype.newbyteorder("="), "CA")

    def address(self, x) -> int:
        return x.__array_interface__["data"][0]

    def is_writable(self, x) -> bool:
        return x.flags.writeable

    def check_mask(self, x) -> None:
        """Raises where numbers are masked, which would count."""
        if numpy.ma.is_masked(x):
            raise ArrayTypeError("Masks are not looked at, so that masked numbers would count; a masked array came.")

    def as_real(self, x):
        self.check_mask(x)
        x = numpy.ascontiguousarray(x)
        return x.view(REAL_TYPES[x.dtype.name]) if x.ndim else x[None].view(REAL_TYPES[x.dtype.name])

    def as_complex(self, x):
        return numpy.ascontiguousarray(x).view(COMPLEX_TYPES[x.dtype.name])

    def integers(self, x):
        x = numpy.asarray(x)
        if x.dtype.kind not in "iu" and not (x.dtype.kind == "f" and (x == numpy.floor(x)).all()):
            raise ArrayTypeError(f"Ranges are arrays of whole numbers; one of {x.dtype} came.")
        return numpy.ascontiguousarray(x, dtype="int64")

    def norm(self, x) -> float:
        return float(numpy.linalg.norm(x.astype("float64", copy=False)))

    def converted(self, x):
        if hasattr(x, "__dlpack__"):
            try:
                return numpy.from_dlpack(x)
            except (BufferError, RuntimeError, TypeError, ValueError) as error:
                raise ArrayTypeError(f"A {type(x).__name__} does not share its memory with NumPy: {error}") from None
        if hasattr(x, "__array_interface__") or hasattr(x, "__array__"):
            return numpy.asarray(x)
        return None

    def broadcast(self, x, shape: Sequence[int]):
        return numpy.broadcast_to(x, shape)

    def where(self, condition, x, y):
        return numpy.where(condition, x, y)

    def reduce(self, reduction, arrays: Sequence, options: RunOptions = DEFAULT_OPTIONS, out=None):
        return self.run(reduction, [self.contiguous(x) for x in arrays], options, out)

    def solve(self, reduction, arrays, position: int, settings: SolverSettings, options: RunOptions = DEFAULT_OPTIONS):
        return self.run_solve(reduction, [self.contiguous(x) for x in arrays], position, settings, options)


NUMPY = NumpyArrays()
