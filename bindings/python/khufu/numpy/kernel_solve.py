"""KernelSolve for NumPy."""

from __future__ import annotations

from typing import Sequence

from .._kernel_solve import GenericKernelSolve
from ._arrays import NUMPY


class KernelSolve(GenericKernelSolve):
    __doc__ = GenericKernelSolve.__doc__
    arrays = NUMPY

    def __init__(
        self,
        formula: str,
        aliases: Sequence[str],
        varinvalias: str,
        axis: int = 0,
        dtype: str | None = None,
        opt_arg: int | None = None,
        dtype_acc: str = "auto",
        use_double_acc: bool = False,
        sum_scheme: str = "auto",
        enable_chunks: bool = True,
        rec_multVar_highdim: bool | None = None,
        use_fast_math: bool = True,
    ):
        """
        Args:
            formula: K b, a formula that is linear in b, such as "Exp(-SqDist(x, y)) * b".
            aliases: declarations, in the order in which arrays are given.
            varinvalias: b's name, or "Var(2,1,1)".
            axis: 0 reduces over i, 1 over j; b follows the index that is reduced.
            dtype_acc, use_double_acc, sum_scheme: as for Genred.
            dtype, opt_arg, enable_chunks, rec_multVar_highdim, use_fast_math: accepted for KeOps' sake; nothing depends on them.
        """
        self._prepare(formula, aliases, varinvalias, axis, dtype_acc, use_double_acc, sum_scheme)
