"""PyTorch's tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter

from .._arrays import DEFAULT_OPTIONS, Arrays, RunOptions, SolverSettings
from .._devices import beside
from .._recipes import recipe_of, root_of
from ..errors import ArgumentError, ArrayTypeError, EngineError

try:
    from torch.compiler import is_compiling
except ImportError:  # before 2.3, whose tracers leave calls of the engine alone

    def is_compiling() -> bool:
        return False


_NAMES = {
    getattr(torch, name): name
    for name in ("float16", "float32", "float64", "complex64", "complex128", "int64", "bfloat16", "int32", "bool")
}

#: Whether vmap, grad, jvp, … of torch.func are at work, and how many modes that see all operations, such as that of fake tensors.
has_transforms = torch._C._are_functorch_transforms_active
_mode_count = torch._C._len_torch_dispatch_stack


class TorchArrays(Arrays):
    """Tensors on the host or on a GPU. What is computed can be differentiated, in both modes and any number of times.

    Tensors on a GPU are computed with there, on PyTorch's current stream: results are PyTorch's memory, and nobody waits for them.
    """

    name = "torch"

    def owns(self, x) -> bool:
        return isinstance(x, Tensor)

    def dtype(self, x) -> str:
        return _NAMES.get(x.dtype) or str(x.dtype)[len("torch.") :]

    def array(self, values, dtype: str, like=None):
        return torch.tensor(values, dtype=getattr(torch, dtype), device=None if like is None else like.device)

    def cast(self, x, dtype: str):
        return x.to(getattr(torch, dtype))

    def empty(self, shape: Sequence[int], dtype: str, like=None):
        return torch.empty(shape, dtype=getattr(torch, dtype), device=None if like is None else like.device)

    def contiguous(self, x):
        return x.resolve_neg().contiguous() if x.is_neg() else x.contiguous()

    def address(self, x) -> int:
        return x.data_ptr()

    def as_real(self, x):
        x = torch.view_as_real(x.resolve_conj())
        return x.reshape(*x.shape[:-2], -1)

    def as_complex(self, x):
        return torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))

    def integers(self, x):
        try:
            x = torch.as_tensor(x).detach()
        except (RuntimeError, TypeError, ValueError):
            raise ArrayTypeError(f"Ranges are arrays of whole numbers; a {type(x).__name__} came.") from None
        is_whole = not (x.is_complex() or x.dtype == torch.bool)
        if not is_whole or x.is_floating_point() and not bool((x == x.floor()).all()):
            raise ArrayTypeError(f"Ranges are arrays of whole numbers; one of {self.dtype(x)} came.")
        return x.to("cpu", torch.int64).contiguous().numpy()

    def norm(self, x) -> float:
        return float(torch.linalg.vector_norm(x.detach(), dtype=torch.float64))

    def converted(self, x):
        if isinstance(x, Tensor):
            return x
        try:
            if hasattr(x, "__dlpack__"):
                return torch.from_dlpack(x)
            if hasattr(x, "__array_interface__") or hasattr(x, "__array__"):
                return torch.as_tensor(x)
        except (BufferError, RuntimeError, TypeError, ValueError) as error:
            raise ArrayTypeError(f"A {type(x).__name__} does not share its memory with PyTorch: {error}") from None
        return None

    def default_dtype(self) -> str:
        return _NAMES[torch.get_default_dtype()]

    def broadcast(self, x, shape: Sequence[int]):
        return x.expand(shape)

    def where(self, condition, x, y):
        return torch.where(torch.as_tensor(condition), x, y)

    def reduce(
        self,
        reduction,
        arrays: Sequence,
        options: RunOptions = DEFAULT_OPTIONS,
        out: Tensor | None = None,
        known: Tensor | None = None,
    ):
        """As for all libraries, and differentiable.

        Args:
            known: the values of the reduction that this one was derived from.
        """
        if is_compiling():
            # A tracer; what it gets is no reduction of the engine's but a description of one.
            return self._operator(reduction, arrays, options, out, known)
        is_wanted = is_special = False
        for x in arrays:
            kind = type(x)
            if kind is not Tensor and kind is not Parameter:
                if not isinstance(x, Tensor):
                    raise ArrayTypeError(f"Inputs are tensors; {type(x).__name__} came.")
                is_special = True
            if not (x.is_cpu or x.is_cuda):
                is_special = True
                self.check_device(x)
            if x.requires_grad:
                is_wanted = True
        if has_transforms():
            from ._autograd import transformed

            return transformed(reduction, arrays, options, out, known)
        if is_special or _mode_count():
            return self._operator(reduction, arrays, options, out, known)
        if (is_wanted and torch.is_grad_enabled()) or forward_ad._current_level >= 0:
            from ._autograd import recorded

            return recorded(reduction, arrays, options, out, known)
        return self.run_plain(reduction, arrays, options, out, known)

    def run_plain(self, reduction, arrays, options, out=None, known: Tensor | None = None):
        """As `reduce`, of tensors as they are in memory, without derivatives."""
        try:
            whole = [self.contiguous(x) for x in arrays]
            past = () if known is None else ((root_of(reduction), self.contiguous(known)),)
            return self.run(reduction, whole, options, out, past)
        except RuntimeError:
            for x in (*arrays, out):
                self.check_layout(x)
            # Tensors of `torch.autograd.grad(…, is_grads_batched=True)` have no memory of their own.
            from ._batching import is_mapped, run_mapped

            if out is not None or not any(is_mapped(x) for x in (*arrays, known)):
                raise
            return run_mapped(self.run_plain, reduction, arrays, options, known)

    def run_or_trace(self, reduction, arrays, options, known: Tensor | None):
        """As `run_plain` where tensors have memory; an operator in a graph where they do not."""
        if self.is_traced(arrays):
            return self._operator(reduction, arrays, options, None, known)
        return self.run_plain(reduction, arrays, options, None, known)

    def is_traced(self, arrays: Sequence) -> bool:
        """Whether a mode looks at what is done, or tensors are not of the plain kind."""
        return bool(_mode_count()) or not all(type(x) is Tensor or type(x) is Parameter for x in arrays)

    def _operator(self, reduction, arrays, options, out, known):
        from ._operators import by_recipe

        return by_recipe(
            recipe_of(reduction), reduction.value_count, reduction.index_count, arrays, options, out, known
        )

    def solve(self, reduction, arrays, position: int, settings: SolverSettings, options: RunOptions = DEFAULT_OPTIONS):
        from . import _solving

        for x in arrays:
            if not isinstance(x, Tensor):
                raise ArrayTypeError(f"Inputs are tensors; {type(x).__name__} came.")
            self.check_device(x)
        return _solving.solved(reduction, arrays, position, settings, options)

    def _checked_output(self, out, shape, dtype: str, arrays: Sequence):
        if self.owns(out):
            self.check_layout(out)
            if arrays and out.device != arrays[0].device:
                raise ArgumentError(f"out is where the inputs are, on {arrays[0].device}; a tensor on {out.device} came.")
        return super()._checked_output(out, shape, dtype, arrays)

    def check_layout(self, x: Tensor | None) -> None:
        """Raises for tensors that are not a block of memory."""
        if isinstance(x, Tensor) and (x.layout is not torch.strided or x.is_nested):
            kind = "nested" if x.is_nested else str(x.layout)[len("torch.") :]
            raise ArrayTypeError(f"Tensors are strided, a block of memory; a {kind} one came.")

    def check_device(self, x: Tensor) -> None:
        """Raises for memory that the engine cannot reach; tensors without memory pass."""
        if not (x.is_cpu or x.is_cuda or x.is_meta):
            raise EngineError(f"Tensors are on the host or a CUDA device; one on {x.device} came.")

    # Tensors on a GPU

    def placed(self, arrays: Sequence[Tensor], options: RunOptions) -> tuple[RunOptions, int | None]:
        for x in arrays:
            if not x.is_cpu:
                device = self._common_device(arrays)
                return options._replace(engine=beside(options.engine, device.index)), self.stream_of(device)
        return super().placed(arrays, options)

    def _common_device(self, arrays: Sequence[Tensor]):
        first = arrays[0].device
        for position, x in enumerate(arrays):
            self.check_device(x)
            if x.device != first:
                raise ArgumentError(f"All inputs are on one device; input 0 is on {first} and input {position} on {x.device}.")
        return first

    def stream_of(self, device) -> int:
        """The stream that PyTorch's own operations are on."""
        return torch.cuda.current_stream(device).cuda_stream

    def beside(self, x: Tensor, like: Tensor | None) -> Tensor:
        return x if like is None or x.device == like.device else x.to(like.device)

    def run_solve(self, reduction, arrays: Sequence[Tensor], position: int, settings: SolverSettings, options=DEFAULT_OPTIONS):
        if all(x.is_cpu for x in arrays):
            return super().run_solve(reduction, arrays, position, settings, options)
        # The solver's vectors are the host's; only the products are computed on the device.
        device = self._common_device(arrays)
        options = options._replace(engine=beside(options.engine, device.index))
        return super().run_solve(reduction, [x.cpu() for x in arrays], position, settings, options).to(device)


TORCH = TorchArrays()
