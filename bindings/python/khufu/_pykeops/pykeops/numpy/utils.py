"""Kernels in plain NumPy, of which tests and examples compute what a reduction ought to give."""

from __future__ import annotations

import numpy as np

from khufu.numpy import Genred, KernelSolve
from khufu.numpy.cluster import swap_axes as _swap_axes


class numpytools:
    """NumPy's functions under the names that they share with `torchtools`."""

    Genred, KernelSolve = Genred, KernelSolve
    arraytype = np.ndarray
    float_types = [float, np.float16, np.float32, np.float64]

    arraysum = staticmethod(np.sum)
    contiguous = staticmethod(np.ascontiguousarray)
    copy = staticmethod(np.copy)
    eq = staticmethod(np.equal)
    exp = staticmethod(np.exp)
    log = staticmethod(np.log)
    norm = staticmethod(np.linalg.norm)
    permute = staticmethod(np.transpose)
    solve = staticmethod(np.linalg.solve)
    swap_axes = staticmethod(_swap_axes)
    tile = staticmethod(np.tile)
    transpose = staticmethod(np.transpose)
    view = staticmethod(np.reshape)

    is_tensor = staticmethod(lambda x: isinstance(x, np.ndarray))
    device = staticmethod(lambda x: "cpu")
    device_type_index = staticmethod(lambda x: ("cpu", None))
    device_dict = staticmethod(lambda x: {"cat": "cpu"})
    dtype = staticmethod(lambda x: x.dtype)
    dtypename = staticmethod(lambda dtype: np.dtype(dtype).name)
    get_pointer = staticmethod(lambda x: x.__array_interface__["data"][0])
    long = staticmethod(lambda x: x.astype("int64"))
    numpy = staticmethod(lambda x: x)
    size = staticmethod(lambda x: x.size)

    array = staticmethod(lambda x, dtype, device=None: np.array(x, dtype=dtype))
    empty = staticmethod(lambda shape, dtype, device=None, requires_grad=None: np.empty(shape, dtype))
    eye = staticmethod(lambda n, dtype, device=None: np.eye(n, dtype=dtype))
    rand = staticmethod(lambda m, n, dtype="float64", device=None: np.random.rand(m, n).astype(dtype))
    randn = staticmethod(lambda m, n, dtype="float64", device=None: np.random.randn(m, n).astype(dtype))
    zeros = staticmethod(lambda shape, dtype, device=None, requires_grad=None: np.zeros(shape, dtype))

    @staticmethod
    def detect_complex(x) -> bool:
        """Whether an array, a list or a number is complex."""
        return any(map(np.iscomplexobj, x)) if isinstance(x, list) else bool(np.iscomplexobj(x))

    @staticmethod
    def view_as_complex(x):
        """Pairs of real numbers in the last axis as complex ones."""
        return x.view({"float32": "complex64", "float64": "complex128"}[x.dtype.name])

    @staticmethod
    def view_as_real(x):
        """The inverse of view_as_complex."""
        return x.view({"complex64": "float32", "complex128": "float64"}[x.dtype.name])


def squared_distances(x, y):
    """|x_i - y_j|², of shape (M, N), for points of shapes (M, D) and (N, D)."""
    return np.maximum((x**2).sum(1)[:, None] + (y**2).sum(1)[None] - 2 * x @ y.T, 0)


def differences(x, y):
    """x_i - y_j with the components first: shape (D, M, N)."""
    return x.T[:, :, None] - y.T[:, None, :]


#: Radial kernels and their logarithms and derivatives, of q = |x - y|² / s².
_RADIAL = {
    "gaussian": (lambda q: np.exp(-q), lambda q: -q, lambda q: -np.exp(-q)),
    "laplacian": (
        lambda q: np.exp(-np.sqrt(q)),
        lambda q: -np.sqrt(q),
        lambda q: -np.exp(-np.sqrt(q)) / (2 * np.sqrt(q)),
    ),
    "cauchy": (lambda q: 1 / (1 + q), lambda q: -np.log1p(q), lambda q: -1 / (1 + q) ** 2),
    "inverse_multiquadric": (
        lambda q: 1 / np.sqrt(1 + q),
        lambda q: -np.log1p(q) / 2,
        lambda q: -((1 + q) ** -1.5) / 2,
    ),
}


def np_kernel(x, y, s, kernel):
    """A radial kernel's matrix (M, N): "gaussian", "laplacian", "cauchy" or "inverse_multiquadric", of scale s."""
    return _RADIAL[kernel][0](squared_distances(x, y) / s**2)


def log_np_kernel(x, y, s, kernel):
    """The logarithm of np_kernel."""
    return _RADIAL[kernel][1](squared_distances(x, y) / s**2)


def grad_np_kernel(x, y, s, kernel):
    """The derivative of np_kernel with respect to the squared distance."""
    return _RADIAL[kernel][2](squared_distances(x, y) / s**2) / s**2


def np_kernel_sphere(nalpha, nbeta, s, kernel):
    """A kernel of unit vectors (M, D) and (N, D): "binet", "linear", "gaussian_unoriented" or "gaussian_oriented", of scale s."""
    cosines = nalpha @ nbeta.T
    kernels = {
        "binet": lambda c: c**2,
        "linear": lambda c: c,
        "gaussian_unoriented": lambda c: np.exp((2 * c**2 - 2) / s**2),
        "gaussian_oriented": lambda c: np.exp((2 * c - 2) / s**2),
    }
    return kernels[kernel](cosines)


def chain_rules(q, ax, by, Aa, p):
    """The gradient with respect to the points of Σ_ij q_i·p_j k(|ax_i - by_j|²), of which Aa is the derivative k'.

    Args:
        q, p: vectors, of shapes (M, E) and (N, E).
        ax, by: points, of shapes (M, D) and (N, D).
        Aa: of shape (M, N).

    Returns:
        An array of shape (M, D), float32.
    """
    factors = 2 * Aa * (q @ p.T)
    return np.einsum("ij,dij->id", factors, differences(ax, by)).astype("float32")


def log_sum_exp(mat, axis=0):
    """log Σ exp along an axis, without overflow."""
    largest = mat.max(axis=axis, keepdims=True)
    return np.log(np.exp(mat - largest).sum(axis=axis)) + largest.squeeze(axis)


def WarmUpGpu() -> None:
    """Does nothing: kernels are compiled when they are needed."""
