"""Kernels in plain PyTorch, of which examples compute what a reduction ought to give."""

from __future__ import annotations

import torch

from khufu.torch import Genred, KernelSolve
from khufu.torch.cluster import swap_axes as _swap_axes


class torchtools:
    """PyTorch's functions under the names that they share with `numpytools`."""

    Genred, KernelSolve = Genred, KernelSolve
    arraytype = torch.Tensor
    float_types = [float]

    copy = staticmethod(torch.clone)
    eq = staticmethod(torch.eq)
    exp = staticmethod(torch.exp)
    log = staticmethod(torch.log)
    norm = staticmethod(torch.norm)
    solve = staticmethod(torch.linalg.solve)
    swap_axes = staticmethod(_swap_axes)
    tile = staticmethod(torch.Tensor.repeat)
    transpose = staticmethod(torch.t)

    arraysum = staticmethod(lambda x, axis=None: x.sum() if axis is None else x.sum(dim=axis))
    contiguous = staticmethod(lambda x: x.contiguous())
    detect_complex = staticmethod(lambda x: torchtools._is_complex(x))
    device = staticmethod(lambda x: x.device if isinstance(x, torch.Tensor) else None)
    dtype = staticmethod(lambda x: x.dtype if hasattr(x, "dtype") else type(x))
    dtypename = staticmethod(lambda dtype: str(dtype).partition(".")[2])
    get_pointer = pointer = staticmethod(lambda x: x.data_ptr())
    is_tensor = staticmethod(lambda x: isinstance(x, torch.Tensor))
    long = staticmethod(lambda x: x.long())
    numpy = staticmethod(lambda x: x.detach().cpu().numpy())
    permute = staticmethod(lambda x, *axes: x.permute(*axes))
    size = staticmethod(lambda x: x.numel())
    view = staticmethod(lambda x, shape: x.reshape(shape))

    empty = staticmethod(lambda shape, dtype, device=None, requires_grad=False: torch.empty(
        *shape, dtype=dtype, device=device, requires_grad=requires_grad))  # fmt: skip
    zeros = staticmethod(lambda shape, dtype, device=None, requires_grad=False: torch.zeros(
        *shape, dtype=dtype, device=device, requires_grad=requires_grad))  # fmt: skip
    eye = staticmethod(lambda n, dtype, device=None: torch.eye(n, dtype=dtype, device=device))
    rand = staticmethod(lambda m, n, dtype=None, device=None: torch.rand(m, n, dtype=dtype, device=device))
    randn = staticmethod(lambda m, n, dtype=None, device=None: torch.randn(m, n, dtype=dtype, device=device))

    @staticmethod
    def _is_complex(x) -> bool:
        if isinstance(x, list):
            return any(isinstance(number, complex) for number in x)
        return x.is_complex() if isinstance(x, torch.Tensor) else isinstance(x, complex)

    @staticmethod
    def array(x, dtype, device=None):
        """A tensor of numbers; the type may be given by name."""
        return torch.tensor(x, dtype=getattr(torch, dtype) if isinstance(dtype, str) else dtype, device=device)

    @staticmethod
    def device_type_index(x):
        """Such as ("cuda", 0); (None, None) for what is no tensor."""
        return (x.device.type, x.device.index) if isinstance(x, torch.Tensor) else (None, None)

    @staticmethod
    def view_as_complex(x):
        """Pairs of real numbers in the last axis as complex ones."""
        return torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))

    @staticmethod
    def view_as_real(x):
        """The inverse of view_as_complex."""
        return torch.view_as_real(x).flatten(-2)


def is_on_device(x) -> bool:
    """Whether a tensor is on a GPU."""
    return x.is_cuda


def squared_distances(x, y):
    """|x_i - y_j|², of shape (M, N), for points of shapes (M, D) and (N, D)."""
    return (x**2).sum(1)[:, None] + (y**2).sum(1)[None] - 2 * x @ y.T


#: Radial kernels of q = |x - y|² / s².
_RADIAL = {
    "gaussian": lambda q: torch.exp(-q),
    "laplacian": lambda q: torch.exp(-torch.sqrt(q)),
    "cauchy": lambda q: 1 / (1 + q),
    "inverse_multiquadric": lambda q: torch.rsqrt(1 + q),
}


def torch_kernel(x, y, s, kernel):
    """A radial kernel's matrix (M, N): "gaussian", "laplacian", "cauchy" or "inverse_multiquadric", of scale s."""
    return _RADIAL[kernel](squared_distances(x, y) / s**2)
