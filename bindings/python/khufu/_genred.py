"""Genred: a reduction written as text, with KeOps' arguments; what NumPy's and PyTorch's have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._arrays import DEFAULT_OPTIONS, Arrays
from ._recipes import reduction_of, written
from ._reductions import (
    accumulation_of,
    axis_of,
    check_accumulator,
    completed,
    count_of,
    declaration,
    finish,
    kind_of,
    options_of,
    unfinished,
)  # fmt: skip
from .errors import ArgumentError, ArrayTypeError

#: What KeOps' engine accumulates for each kind.
_KEOPS_NAMES = {"LogSumExp": "Max_SumShiftExp", "SumSoftMaxWeight": "Max_SumShiftExpWeight"}


class GenericGenred:
    """A reduction of a formula, to be called on arrays.

    Objects hold texts and numbers only: they can be pickled, and be used by any number of threads and by forked children.

    Attributes:
        formula: the reduction as KeOps writes it, such as "Sum_Reduction(Exp(-SqDist(x,y))*b,0)".
        aliases: the inputs' declarations in the order of the arrays; those that the formula only writes as Var(…) are last.
        nargs: how many arrays a call takes.
        axis: the axis that is reduced.
        reduction_op: the name of the reduction.
        opt_arg: K.
        optional_flags: what was asked for beside.
    """

    #: The array library.
    arrays: Arrays

    def __init__(
        self,
        formula: str,
        aliases: Sequence[str],
        reduction_op: str = "Sum",
        axis: int = 0,
        dtype: str | None = None,
        opt_arg: int | None = None,
        formula2: str | None = None,
        cuda_type: str | None = None,
        dtype_acc: str = "auto",
        use_double_acc: bool = False,
        sum_scheme: str = "auto",
        enable_chunks: bool = True,
        rec_multVar_highdim: bool = False,
        use_fast_math: bool = True,
    ):
        """
        Args:
            formula: a formula of the engine's language.
            aliases: declarations "x = Vi(3)", "y = Vj(3)", "p = Pm(1)", in the order in which arrays are given; "x = Vi(0, 3)" says
                itself which array it is.
            reduction_op: "Sum", "LogSumExp", "SumSoftMaxWeight", "Max_SumShiftExp", "Max_SumShiftExpWeight", "Min", "Max", "ArgMin",
                "ArgMax", "Min_ArgMin", "Max_ArgMax", "KMin", "ArgKMin" or "KMin_ArgKMin".
            axis: 0 reduces over i, so that the result follows j; 1 reduces over j.
            opt_arg: K, for the k-min kinds.
            formula2: the weight, for "LogSumExp", "SumSoftMaxWeight" and "Max_SumShiftExpWeight".
            dtype_acc: the type of totals, "auto", "float32" or "float64".
            use_double_acc: the same as dtype_acc = "float64".
            sum_scheme: "auto", "direct_sum", "block_sum" or "kahan_scheme".
            dtype, cuda_type, enable_chunks, rec_multVar_highdim, use_fast_math: accepted for KeOps' sake; nothing depends on them.

        Raises:
            FormulaError: where the formula or a declaration is wrong.
            ArgumentError: where another argument is.
        """
        axis = axis_of(axis)
        if formula is None:
            raise ArrayTypeError("A formula is a text; None came.")
        kind = kind_of(reduction_op, formula2 is not None)
        self._count = count_of(opt_arg, kind)
        accumulation = accumulation_of(kind, dtype_acc, use_double_acc, sum_scheme)
        self.aliases = completed(aliases, formula, formula2)
        self._recipe = written(kind, formula, formula2, self._count, axis, accumulation, self.aliases)
        self._kind = kind
        self._accumulator = None if dtype_acc == "auto" else dtype_acc
        self.axis = axis
        self.opt_arg = opt_arg
        self.reduction_op = reduction_op
        self.rec_multVar_highdim = rec_multVar_highdim
        self.optional_flags = {
            "dtype_acc": "float64" if use_double_acc else dtype_acc,
            "sum_scheme": sum_scheme,
            "use_fast_math": use_fast_math,
            "enable_chunks": enable_chunks,
            "multVar_highdim": rec_multVar_highdim,
        }
        self.nargs = len(reduction_of(self._recipe).inputs)
        self.formula = _keops_text(kind, formula, formula2, opt_arg, self.axis)
        self._describe()

    def _describe(self) -> None:
        """Notes the numbers that a result is finished with."""
        reduction = reduction_of(self._recipe)
        self._numbers = (reduction.value_count, reduction.index_count)
        self._dimension = max(self._numbers) // self._count
        # Results of the simplest form, values as they are, are told apart at once.
        self._is_plain = reduction.index_count == 0 and self._kind != "KMin"

    def __call__(
        self,
        *args,
        backend: str = "auto",
        device_id: int | Sequence[int] = -1,
        ranges: Any = None,
        out: Any = None,
        tolerance: float | None = None,
        pruning: str = "auto",
    ):
        """Runs the reduction.

        Args:
            args: one array per alias: (batch…, M, D) for Vi(D), (batch…, N, D) for Vj(D), (batch…, D) for Pm(D). Batch axes are
                aligned at the right and broadcast.
            backend: where it runs. "auto": tensors on a GPU there, on PyTorch's current stream; other arrays on the processor, or on what
                `khufu.set_default_device` was told. "CPU". "GPU", or KeOps' other names for it: arrays on the host are copied to the GPU
                and the result back. "OpenCL". Or a device by its name, such as "cuda:1" or "opencl:0".
            device_id: the device's number, or a list of such, between which arrays on the host are divided; -1: that of the tensors, or
                the first.
            ranges: block-sparsity, six integer arrays (ranges_i, slices_i, redranges_j, ranges_j, slices_j, redranges_i), or a list of
                such for the items of a batch.
            out: an array for the result's values.
            tolerance, pruning: as `_reductions.options_of` describes.

        Returns:
            (batch…, M, D), or (batch…, N, D) for axis 0, as `_reductions.finish` describes.

        Raises:
            ArgumentError: where arrays do not fit the declarations or each other. Nothing has been read then.
        """
        self._check_count(args)
        options = DEFAULT_OPTIONS
        if backend != "auto" or ranges is not None or tolerance is not None or pruning != "auto" or device_id != -1:
            options = options_of(backend, ranges, self.axis, tolerance, pruning, device_id)
        if self._accumulator is not None and args and self.arrays.owns(args[0]):
            check_accumulator(self._accumulator, self.arrays.dtype(args[0]))
        if out is not None:
            out = self._writable(out)
        values, indices = self._reduce(args, options, out)
        if self._is_plain:
            return values
        return finish(self._kind, values, indices, self._count, self._dimension)

    def device_memory(
        self, *args, gradient: int | None = None, backend: str = "auto", device_id: int | Sequence[int] = -1, ranges: Any = None
    ) -> dict[str, int]:
        """The most bytes that a call would take of each device's memory: with arrays on the host, their copies included; for tensors on a
        GPU, beside these and the result. Nothing is computed, and of the arrays only shapes, types and places are looked at.

        Args:
            args, backend, device_id, ranges: as for a call.
            gradient: the position of an input: of its gradient, as backward computes it, in place of the call.

        Returns:
            Bytes by device, such as {"cuda:0": 1234}.

        Raises:
            ArgumentError: where arrays do not fit, or the call runs on no device.
            EngineError: where there is no such device, or the call does not fit into what `khufu.set_device_memory_limit` leaves it.
        """
        self._check_count(args)
        options = options_of(backend, ranges, self.axis, device_id=device_id)
        return self.arrays.device_memory(reduction_of(self._recipe), args, options, gradient)

    def _check_count(self, args: tuple) -> None:
        if len(args) != self.nargs:
            raise ArgumentError(
                f"Invalid number of arguments in call to Genred: it takes {self.nargs}, for {', '.join(self.aliases) or 'nothing'}; "
                f"{len(args)} came."
            )

    def _reduce(self, args: tuple, options, out):
        return self.arrays.reduce(reduction_of(self._recipe), args, options, out)

    def _writable(self, out):
        if not self._numbers[0]:
            raise ArgumentError(f"out takes values, of which {self.reduction_op} has none: it returns indices only.")
        if not self.arrays.owns(out):
            raise ArrayTypeError(f"out is an array of {self.arrays.name}; {type(out).__name__} came.")
        return unfinished(self._kind, out, self._count, self._dimension)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.formula!r}, {self.aliases!r})"


def _keops_text(kind: str, formula: str, weight: str | None, k: int | None, axis: int) -> str:
    """The reduction as KeOps writes it; its tag is the index that the result follows."""
    name = "Max_SumShiftExpWeight" if kind == "LogSumExp" and weight is not None else _KEOPS_NAMES.get(kind, kind)
    if kind == "Max_SumShiftExpWeight" and weight is None:
        name = "Max_SumShiftExp"
    if kind == "SumSoftMaxWeight":
        weight = f"Concat(IntCst(1),{weight})"
    parts = [formula, *([str(k)] if k else []), str(1 - axis), *([] if weight is None else [weight])]
    return f"{name}_Reduction({','.join(parts)})"


def wrapped(genred: type, reduction_op: str, formula: str, output: str, aliases: Sequence[str], keywords: dict) -> Any:
    """A Genred for the generic_… functions, whose output is declared like an input.

    Args:
        output: "a = Vi(1)": the result follows i; for ArgKMin its dimension is K.
    """
    _, category, dimension = declaration(output)
    if category == 2:
        raise ArgumentError(f"Category should be Vi or Vj: a result follows i or j; the output is {output!r}.")
    if reduction_op == "ArgKMin":
        keywords = {**keywords, "opt_arg": dimension}
    return genred(formula, list(aliases), reduction_op, axis=1 - category, **keywords)


def generic_functions(genred: type) -> tuple:
    """generic_sum, generic_logsumexp, generic_argmin and generic_argkmin for a Genred of some array library."""

    def generic_sum(formula: str, output: str, *aliases: str, **kwargs):
        """A sum: generic_sum("Exp(-SqDist(x, y)) * b", "a = Vi(1)", "x = Vi(3)", "y = Vj(3)", "b = Vj(1)").

        Args:
            formula: a formula of the engine's language.
            output: the result's declaration; its index is the one that is kept.
            aliases: the inputs' declarations.
            kwargs: further arguments of Genred.

        Returns:
            A Genred, to be called on arrays.
        """
        return wrapped(genred, "Sum", formula, output, aliases, kwargs)

    def generic_logsumexp(formula: str, output: str, *aliases: str, **kwargs):
        """A log-sum-exp; arguments as for generic_sum."""
        return wrapped(genred, "LogSumExp", formula, output, aliases, kwargs)

    def generic_argmin(formula: str, output: str, *aliases: str, **kwargs):
        """The index of the smallest value; arguments as for generic_sum."""
        return wrapped(genred, "ArgMin", formula, output, aliases, kwargs)

    def generic_argkmin(formula: str, output: str, *aliases: str, **kwargs):
        """The indices of the K smallest values; arguments as for generic_sum, K is the dimension of the output."""
        return wrapped(genred, "ArgKMin", formula, output, aliases, kwargs)

    return generic_sum, generic_logsumexp, generic_argmin, generic_argkmin
