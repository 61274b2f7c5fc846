"""KernelSolve: the linear system of a formula, with KeOps' arguments; what NumPy's and PyTorch's have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Callable

from ._arrays import Arrays, SolverSettings
from ._recipes import reduction_of, written
from ._reductions import accumulation_of, axis_of, check_accumulator, completed, options_of
from .errors import ArgumentError, ArrayTypeError


class GenericKernelSolve:
    """Solves K a + alpha a = b for a, where the formula is K b: a sum that is linear in one of its inputs, and symmetric.

    Attributes:
        formula: the reduction as KeOps writes it.
        aliases: the inputs' declarations; those that the formula only writes as Var(…) are last.
        varinvpos: the position of b.
        axis: the axis that is reduced.
    """

    arrays: Arrays

    def _prepare(
        self, formula: str, aliases: Sequence[str], varinvalias: str, axis: int, dtype_acc: str, use_double_acc: bool,
        sum_scheme: str,
    ) -> None:  # fmt: skip
        if formula is None:
            raise ArrayTypeError("A formula is a text; None came.")
        self.axis = axis_of(axis)
        accumulation = accumulation_of("Sum", dtype_acc, use_double_acc, sum_scheme)
        self._accumulator = None if dtype_acc == "auto" else dtype_acc
        self.aliases = completed(aliases, formula)
        self._recipe = written("Sum", formula, None, 1, self.axis, accumulation, self.aliases)
        self.nargs = len(reduction_of(self._recipe).inputs)
        self.varinvalias = varinvalias
        self.varinvpos = self._position(varinvalias)
        self.formula = f"Sum_Reduction({formula},{1 - self.axis})"

    def _position(self, name: str) -> int:
        """The place of the unknown, given as a name or as Var(place,…)."""
        if not isinstance(name, str):
            raise ArrayTypeError(f"The unknown is named by a text, one of {', '.join(self.aliases)}; {name!r} came.")
        written_out = re.match(r"\s*Var\s*\(\s*(\d+)", name)
        if written_out and int(written_out[1]) < self.nargs:
            return int(written_out[1])
        for position, alias in enumerate(self.aliases):
            if alias.partition("=")[0].strip() == name.strip():
                return position
        raise ArgumentError(f"The unknown is one of {', '.join(self.aliases)}; {name!r} came.")

    def __call__(
        self,
        *args,
        backend: str = "auto",
        device_id: int | Sequence[int] = -1,
        alpha: Any = 1e-10,
        eps: float = 1e-6,
        ranges: Any = None,
        method: str = "cg",
        preconditioner: str | None = None,
        rank: int = 50,
        maximum_iterations: int = 0,
        progress: Callable[[int, int, float], Any] | None = None,
    ):
        """Solves the system.

        Args:
            args: one array per alias, as for Genred; that of the unknown is the right-hand side b, (batch…, N, D).
            backend, device_id: as for Genred. The solver's own vectors are on the host, in float64, those of tensors on a GPU too. The
                arrays are copied to the device once, and for each product with K, which is computed there, one vector is, and one back.
            alpha: added to the diagonal, a number or an array of one.
            eps: the residual r has |r|² less than eps² times the count of b's numbers. Where b itself is that small, zeros result.
            ranges: block-sparsity, as for Genred.
            method: "cg", for positive definite systems, or "minres", for symmetric ones.
            preconditioner: None, "cholesky" or "nystrom", for formulas that are a number per pair times b.
            rank: that of the preconditioner.
            maximum_iterations: 0 for 10 rows + 50, but 10 000 at most.
            progress: called with (iteration, maximum, residual) before each iteration; False ends the solve with an error.

        Returns:
            The solution, of b's shape.

        Raises:
            SolverError: where the system is not of the kind that the method is for, or is not solved after all iterations.
            ArgumentError: where arrays do not fit the declarations or each other.
        """
        if len(args) != self.nargs:
            raise ArgumentError(
                f"Invalid number of arguments in call to KernelSolve: it takes {self.nargs}, for {', '.join(self.aliases)}; "
                f"{len(args)} came."
            )
        if self._accumulator is not None and self.arrays.owns(args[0]):
            check_accumulator(self._accumulator, self.arrays.dtype(args[0]))
        settings = SolverSettings(alpha, 0.0, maximum_iterations, method, preconditioner, rank, progress, eps)
        options = options_of(backend, ranges, self.axis, device_id=device_id)
        return self.arrays.solve(self._reduction(), args, self.varinvpos, settings, options)

    def _reduction(self):
        return reduction_of(self._recipe)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.formula!r}, {self.aliases!r}, {self.varinvalias!r})"
