"""KernelSolve for PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

from .._expression import Described
from .._kernel_solve import GenericKernelSolve
from . import _solve_operator  # noqa: F401, for programs that were exported with the operator
from ._arrays import TORCH, is_compiling


class KernelSolve(GenericKernelSolve):
    __doc__ = GenericKernelSolve.__doc__
    arrays = TORCH

    def __init__(
        self,
        formula: str,
        aliases: Sequence[str],
        varinvalias: str,
        axis: int = 0,
        dtype_acc: str = "auto",
        use_double_acc: bool = False,
        sum_scheme: str = "auto",
        enable_chunks: bool = True,
        rec_multVar_highdim: bool | None = None,
        dtype: str | None = None,
        cuda_type: str | None = None,
        use_fast_math: bool = True,
    ):
        """
        Args:
            formula: K b, a formula that is linear in b, such as "Exp(-SqDist(x, y)) * b".
            aliases: declarations, in the order in which arrays are given.
            varinvalias: b's name, or "Var(2,1,1)".
            axis: 0 reduces over i, 1 over j; b follows the index that is reduced.
            dtype_acc, use_double_acc, sum_scheme: as for Genred.
            dtype, cuda_type, enable_chunks, rec_multVar_highdim, use_fast_math: accepted for KeOps' sake; nothing depends on them.
        """
        self._prepare(formula, aliases, varinvalias, axis, dtype_acc, use_double_acc, sum_scheme)

    def _reduction(self):
        if is_compiling():
            # A tracer sees a text in place of the engine's object; systems are solved for values, as many as b has.
            return Described(self._recipe, 1, 0)
        return super()._reduction()
