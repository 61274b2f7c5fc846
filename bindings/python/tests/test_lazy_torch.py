"""Lazy tensors of PyTorch's tensors, and their gradients, against PyTorch on all pairs."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from khufu.errors import ArgumentError, ArrayTypeError  # noqa: E402
from khufu.numpy import LazyTensor as NumpyLazyTensor  # noqa: E402
from khufu.torch import ComplexLazyTensor, LazyTensor, Pm, Vi, Vj  # noqa: E402

M, N, D = 6, 9, 3
generator = torch.Generator().manual_seed(1)


def normal(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


x, y, v = normal(M, D).requires_grad_(), normal(N, D).requires_grad_(), normal(N, 2).requires_grad_()
scale = torch.nn.Parameter(torch.tensor(0.7, dtype=torch.float64))


def lazy():
    return (-((LazyTensor(x[:, None]) - LazyTensor(y[None])) ** 2).sum(-1) * scale).exp()


def dense():
    return (-((x[:, None] - y[None]) ** 2).sum(-1) * scale).exp()


SCALARS = {
    "product": (lambda: lazy() @ v, lambda: dense() @ v),
    "transpose": (lambda: lazy().T @ x, lambda: dense().T @ x),
    "vector": (lambda: lazy() @ v[:, 0], lambda: dense() @ v[:, 0]),
    "from the left": (lambda: v[:M].T @ lazy(), lambda: v[:M].T @ dense()),
    "entries": (lambda: lazy().dense()[..., 0], dense),
    "rows and columns": (lambda: lazy()[1:5, [0, 3, 3]].dense()[..., 0], lambda: dense()[1:5][:, [0, 3, 3]]),
    "mask of rows": (lambda: lazy()[x[:, 0] > 0, :].dense()[..., 0], lambda: dense()[x[:, 0] > 0]),
    "product of rows": (lambda: lazy()[::2, :] @ v, lambda: dense()[::2] @ v),
    "logsumexp": (lambda: lazy().logsumexp(1)[:, 0], lambda: dense().logsumexp(1)),
    "minimum": (lambda: lazy().min(dim=0)[:, 0], lambda: dense().min(0).values),
    "smallest": (lambda: lazy().Kmin(3, dim=1), lambda: dense().sort(1).values[:, :3]),
    "numbers": (lambda: (lazy() * 2.5 + 1).sum(1)[:, 0], lambda: (dense() * 2.5 + 1).sum(1)),
    "parameter": (lambda: (Vi(x) * Pm(scale)).sum(axis=0), lambda: (x * scale).sum(0, keepdim=True)),
    "complex": (
        lambda: (lazy() * LazyTensor(y[None]).exp1j()).sum(1).abs(),
        lambda: (dense()[..., None] * torch.exp(1j * y[None])).sum(1).abs(),
    ),
    "complex entries": (
        lambda: torch.view_as_real((lazy() * (1 + 2j)).dense()),
        lambda: torch.view_as_real((dense() * (1 + 2j))[..., None]),
    ),
}


@pytest.mark.parametrize("name", SCALARS)
def test_values_and_gradients(name):
    found, expected = (f() for f in SCALARS[name])
    torch.testing.assert_close(found, expected)
    weights = torch.linspace(0.5, 1.5, expected.numel(), dtype=torch.float64).reshape(expected.shape)
    inputs = (x, y, scale, v)
    for a, b in zip(
        torch.autograd.grad((found**2 * weights).sum(), inputs, allow_unused=True),
        torch.autograd.grad((expected**2 * weights).sum(), inputs, allow_unused=True),
    ):
        torch.testing.assert_close(a if a is not None else torch.zeros(()), b if b is not None else torch.zeros(()))


def test_systems():
    b = normal(M, 2).requires_grad_()
    kernel = (-Vi(x).sqdist(Vj(x)) * scale).exp()
    full = (-((x[:, None] - x[None]) ** 2).sum(-1) * scale).exp() + 0.1 * torch.eye(M, dtype=torch.float64)
    found, expected = kernel.solve(b, alpha=0.1, eps=1e-12), torch.linalg.solve(full, b)
    torch.testing.assert_close(found, expected)
    for a, c in zip(
        torch.autograd.grad((found**2).sum(), (x, scale, b)), torch.autograd.grad((expected**2).sum(), (x, scale, b))
    ):
        torch.testing.assert_close(a, c)


def test_types():
    single = Vi(x.detach().float())
    assert single.dtype == "float32" and (single * 0.5).sum(axis=0).dtype == torch.float32
    # A number takes the type of what it meets, also as a tensor without axes.
    assert (single * scale).dtype == "float32"
    with pytest.raises(ArrayTypeError, match="float32 and float64"):
        single * Vj(y)
    with pytest.raises(ArrayTypeError, match="int64"):
        LazyTensor(torch.arange(3))
    assert isinstance(LazyTensor(torch.zeros(3, dtype=torch.complex64)), ComplexLazyTensor)


def test_libraries_do_not_meet():
    with pytest.raises(ArrayTypeError, match="torch and numpy"):
        Vi(x) + NumpyLazyTensor(np.ones((1, N, D)))
    with pytest.raises(ArgumentError, match="number of points along j"):
        lazy() @ v[:4]


def test_numpy_takes_tensors_that_share_memory():
    np.testing.assert_array_equal(NumpyLazyTensor(x.detach(), axis=0).dense()[:, 0], x.detach().numpy())
    with pytest.raises(ArrayTypeError, match="does not share"):
        NumpyLazyTensor(x, axis=0)
