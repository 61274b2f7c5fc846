"""Reductions of symbolic matrices over i or j, and over the components at each pair."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from .call import Call


class Reductions:
    """Axes are counted with the batch's: nbatchdims is i, nbatchdims + 1 is j, and -1 the components.

    Every reduction over i or j takes these keywords, under KeOps' names:

        call: False for an object that is called later, with the data of its symbolic variables.
        backend, device_id: where it runs, as for Genred: "auto", "CPU", "GPU", "OpenCL", or a device such as "opencl:1".
        ranges: block-sparsity, KeOps' six arrays.
        out: an array for the result.
        dtype_acc, use_double_acc, sum_scheme: how terms are added up.
        enable_chunks, use_fast_math, optional_flags: accepted, and of no effect here.

    It returns an array (batch…, points, D) for the points that are left, or a pair of such; and, where a type or data is not known yet, as with
    symbolic variables, an object that is called for it.
    """

    def reduction(
        self,
        reduction_op: str,
        other: Any = None,
        opt_arg: int | None = None,
        axis: int | None = None,
        dim: int | None = None,
        call: bool = True,
        is_complex: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """A reduction by its name.

        Args:
            reduction_op: such as "Sum"; a name of Genred's.
            other: the weights of LogSumExp and SumSoftMaxWeight.
            opt_arg: K, for the k-min kinds.
            axis: nbatchdims for i, nbatchdims + 1 for j.
            dim: the same.

        Raises:
            ArgumentError: for another axis, name or option.
        """
        made = Call.reduction(self, reduction_op, other, opt_arg, self._reduced_axis(axis, dim), kwargs)
        return made.values() if call else made.reduced()

    def _reduced_axis(self, axis: int | None, dim: int | None) -> int:
        """0 for i, 1 for j."""
        if axis is None:
            axis = dim
        batch = self._frame.batch
        first = len(batch) if batch else 0
        try:
            if axis is not None and axis - first in (0, 1):
                return axis - first
        except (TypeError, ValueError):  # texts, lists, arrays
            pass
        raise ArgumentError(
            f"A reduction of a LazyTensor of shape {self.shape} is over axis {first}, for i, or {first + 1}, for j; {axis!r} came."
        )

    def _is_inner(self, axis: int | None) -> bool:
        return axis == -1 or axis == 2 + self.nbatchdims

    def _inner_or_reduction(self, inner: str, outer: str, axis, dim, kwargs):
        axis = axis if dim is None else dim
        return self._unary(inner) if self._is_inner(axis) else self.reduction(outer, axis=axis, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The values of a reduced LazyTensor.

        Args:
            args: data for its symbolic variables, in the order of their indices.
            kwargs: backend, ranges, out, …, before those that the reduction was made with.
        """
        if "reduction_op" not in self.__dict__:
            raise ArgumentError(
                "A LazyTensor is called when it is the result of a reduction or a solve; this one is neither."
            )
        return self._call.run(args, kwargs)

    def device_memory(self, *args: Any, gradient: int | None = None, **kwargs: Any) -> dict[str, int]:
        """The most bytes that this reduction takes of each device's memory, of one that is made and not run: `K.sum(1, call=False)`. With
        arrays on the host their copies are counted; for tensors on a GPU, what is taken beside these and the result. Nothing is computed.

        Args:
            args, kwargs: as for a call.
            gradient: the position of an array, in the order in which the formula has them: of its gradient, as backward computes it.

        Returns:
            Bytes by device, such as {"cuda:0": 1234}.

        Raises:
            ArgumentError: where this is no reduction, or runs on no device.
            EngineError: where there is no such device, or the call does not fit into what `khufu.set_device_memory_limit` leaves it.
        """
        if "reduction_op" not in self.__dict__:
            raise ArgumentError("Memory is asked of a reduction that is not run yet, such as K.sum(1, call=False).")
        return self._call.device_memory(args, gradient, kwargs)

    # Sums

    def sum(self, axis: int = -1, dim: int | None = None, **kwargs):
        """Over axis -1, the sum of the components; else the sum over i or j."""
        axis = axis if dim is None else dim
        if axis == -1 or self._is_inner(axis):
            return self._applied("ComplexSum", is_complex=True) if self.is_complex else self._unary("Sum")
        return self.reduction("Sum", axis=axis, **kwargs)

    def sum_reduction(self, axis=None, dim=None, **kwargs):
        """The sum over i or j."""
        return self.reduction("Sum", axis=axis, dim=dim, **kwargs)

    def logsumexp(self, axis=None, dim=None, weight=None, **kwargs):
        """log Σ e^x over i or j, or log Σ e^x w with a weight: a number or a vector for each pair. x is a number."""
        if "other" in kwargs:
            weight = kwargs.pop("other")
        return self.reduction("LogSumExp", other=weight, axis=axis, dim=dim, **kwargs)

    def logsumexp_reduction(self, **kwargs):
        """`logsumexp`."""
        return self.logsumexp(**kwargs)

    def sumsoftmaxweight(self, weight, axis=None, dim=None, **kwargs):
        """Σ e^x w / Σ e^x over i or j. x is a number."""
        return self.reduction("SumSoftMaxWeight", other=weight, axis=axis, dim=dim, **kwargs)

    def sumsoftmaxweight_reduction(self, **kwargs):
        """`sumsoftmaxweight`."""
        return self.sumsoftmaxweight(**kwargs)

    # Extrema. Of equal values, the first counts.

    def min(self, axis: int = -1, dim: int | None = None, **kwargs):
        """Over axis -1, the smallest component; else the smallest value over i or j."""
        return self._inner_or_reduction("Min", "Min", axis, dim, kwargs)

    def min_reduction(self, axis=None, dim=None, **kwargs):
        """The smallest value over i or j."""
        return self.reduction("Min", axis=axis, dim=dim, **kwargs)

    def __min__(self, **kwargs):
        return self.min(**kwargs)

    def argmin(self, axis: int = -1, dim: int | None = None, **kwargs):
        """Over axis -1, the index of the smallest component; else the index of the smallest value over i or j, in int64."""
        return self._inner_or_reduction("ArgMin", "ArgMin", axis, dim, kwargs)

    def argmin_reduction(self, axis=None, dim=None, **kwargs):
        """The index of the smallest value over i or j."""
        return self.reduction("ArgMin", axis=axis, dim=dim, **kwargs)

    def min_argmin(self, axis=None, dim=None, **kwargs):
        """The smallest values over i or j and their indices."""
        return self.reduction("Min_ArgMin", axis=axis, dim=dim, **kwargs)

    def min_argmin_reduction(self, **kwargs):
        """`min_argmin`."""
        return self.min_argmin(**kwargs)

    def max(self, axis: int = -1, dim: int | None = None, **kwargs):
        """Over axis -1, the largest component; else the largest value over i or j."""
        return self._inner_or_reduction("Max", "Max", axis, dim, kwargs)

    def max_reduction(self, axis=None, dim=None, **kwargs):
        """The largest value over i or j."""
        return self.reduction("Max", axis=axis, dim=dim, **kwargs)

    def __max__(self, **kwargs):
        return self.max(**kwargs)

    def argmax(self, axis: int = -1, dim: int | None = None, **kwargs):
        """Over axis -1, the index of the largest component; else the index of the largest value over i or j, in int64."""
        return self._inner_or_reduction("ArgMax", "ArgMax", axis, dim, kwargs)

    def argmax_reduction(self, axis=None, dim=None, **kwargs):
        """The index of the largest value over i or j."""
        return self.reduction("ArgMax", axis=axis, dim=dim, **kwargs)

    def max_argmax(self, axis=None, dim=None, **kwargs):
        """The largest values over i or j and their indices."""
        return self.reduction("Max_ArgMax", axis=axis, dim=dim, **kwargs)

    def max_argmax_reduction(self, **kwargs):
        """`max_argmax`."""
        return self.max_argmax(**kwargs)

    # The K smallest values, in increasing order: (batch…, points, K), or (batch…, points, K, D) for vectors

    def Kmin(self, K: int, axis=None, dim=None, **kwargs):
        """The K smallest values over i or j."""
        return self.reduction("KMin", opt_arg=K, axis=axis, dim=dim, **kwargs)

    def Kmin_reduction(self, **kwargs):
        """`Kmin`."""
        return self.Kmin(**kwargs)

    def argKmin(self, K: int, axis=None, dim=None, **kwargs):
        """The indices of the K smallest values over i or j."""
        return self.reduction("ArgKMin", opt_arg=K, axis=axis, dim=dim, **kwargs)

    def argKmin_reduction(self, **kwargs):
        """`argKmin`."""
        return self.argKmin(**kwargs)

    def Kmin_argKmin(self, K: int, axis=None, dim=None, **kwargs):
        """The K smallest values over i or j, and their indices."""
        return self.reduction("KMin_ArgKMin", opt_arg=K, axis=axis, dim=dim, **kwargs)

    def Kmin_argKmin_reduction(self, **kwargs):
        """`Kmin_argKmin`."""
        return self.Kmin_argKmin(**kwargs)
