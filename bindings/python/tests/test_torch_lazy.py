"""Lazy tensors of PyTorch's: what is PyTorch's own about them. Their mathematics is tested with NumPy's and with random expressions."""

import gc
import weakref

import numpy as np
import pytest
import torch
from khufu.errors import ArrayTypeError, EngineError
from khufu.torch import ComplexLazyTensor, LazyTensor, Pm, Vi, Vj

torch.manual_seed(5)
M, N, D = 6, 7, 3


def inputs(*batch, dtype=torch.float64):
    shapes = (M, D), (N, D), (N, 2)
    return [torch.randn(*batch, *shape, dtype=dtype).requires_grad_() for shape in shapes]


def gaussian(x, y):
    return torch.exp(-((x[..., :, None, :] - y[..., None, :, :]) ** 2).sum(-1))


def lazy_gaussian(x, y):
    return (-((LazyTensor(x[..., :, None, :]) - LazyTensor(y[..., None, :, :])) ** 2).sum(-1)).exp()


def close(found, expected):
    assert found.shape == expected.shape and found.dtype == expected.dtype
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


def agree(found, expected, arrays):
    close(found, expected)
    cotangent = torch.randn_like(expected)
    for one, other in zip(*(torch.autograd.grad(result, arrays, cotangent) for result in (found, expected))):
        close(one, other)


@pytest.mark.parametrize("batch", [(), (4,), (2, 1)])
def test_products(batch):
    x, y, b = inputs(*batch)
    agree(lazy_gaussian(x, y) @ b, gaussian(x, y) @ b, (x, y, b))
    a = torch.randn(*batch, M, 2, dtype=torch.float64).requires_grad_()
    agree(lazy_gaussian(x, y).T @ a, gaussian(x, y).mT @ a, (x, y, a))
    if not batch:
        agree(lazy_gaussian(x, y) @ b[:, 0], gaussian(x, y) @ b[:, 0], (x, y, b))


def test_tensors_on_either_side_of_an_operator():
    x, y, _ = inputs()
    p = torch.randn(D, dtype=torch.float64).requires_grad_()
    for lazy in (p * Vi(x) + Vj(y) - 2 * p, Vi(x) * Pm(p) + Vj(y) - p - p):
        agree(lazy.sin().sum(1), (p * x[:, None] + y - 2 * p).sin().sum(1), (x, y, p))
    scale = torch.tensor(0.5, dtype=torch.float64).requires_grad_()
    agree((Vi(x).sqdist(Vj(y)) * scale).sum(1), torch.cdist(x, y).square().sum(1, keepdim=True) * scale, (x, y, scale))


def test_parameters_of_modules():
    weights = torch.nn.Parameter(torch.randn(D, dtype=torch.float64))
    x, y, _ = inputs()
    agree((Vi(x) * weights | Vj(y)).sum(1), ((x * weights) @ y.T).sum(1, keepdim=True), (x, y, weights))


def test_dense_matrices_and_parts():
    x, y, b = inputs()
    agree(lazy_gaussian(x, y).dense().squeeze(-1), gaussian(x, y), (x, y))
    agree((Vi(x) - Vj(y)).dense(), x[:, None] - y, (x, y))


def test_complex_numbers():
    x, y, _ = inputs()
    z = torch.randn(M, 1, D, dtype=torch.complex128, requires_grad=True)
    y_j = LazyTensor(y[None])
    assert isinstance(LazyTensor(z), ComplexLazyTensor)
    found = ((LazyTensor(z) * y_j) * (1j * y_j).exp()).sum(1)
    expected = (z * y * torch.exp(1j * y)).sum(1)
    agree(found, expected, (z, y))
    single = LazyTensor(z.detach().to(torch.complex64)).sum(1)
    assert single.dtype == torch.complex64
    conjugated = LazyTensor(z.detach().conj())
    close((conjugated * y_j).sum(1), (z.detach().conj() * y.detach()).sum(1))


def test_results_in_memory_of_the_callers():
    x, y, b = (array.detach() for array in inputs())
    out = torch.empty(M, 2, dtype=torch.float64)
    assert lazy_gaussian(x, y).__matmul__(b, out=out).data_ptr() == out.data_ptr()
    close(out, gaussian(x, y) @ b)


def test_symbolic_variables():
    x, y, b = inputs()
    K = (-Vi(0, D).sqdist(Vj(1, D))).exp() * Vj(2, 2)
    agree(K.sum(1)(x, y, b), gaussian(x, y) @ b, (x, y, b))


def test_types_of_numbers():
    x = torch.randn(M, D)
    assert (Vi(x) * 0.5).sum(1).dtype == torch.float32
    assert (Vi(x.double()) * 0.5).sum(1).dtype == torch.float64
    half = (Vi(x.half()) * 0.5).sum(0)
    assert half.dtype == torch.float16
    torch.testing.assert_close(half.float(), 0.5 * x.half().float().sum(0, keepdim=True), rtol=1e-2, atol=1e-2)
    assert (Vi(x.bfloat16()) * 0.5).sum(0).dtype == torch.bfloat16
    for other in (x.long(), x > 0):
        with pytest.raises(ArrayTypeError):
            Vi(other)


def test_arrays_of_others():
    x, y, b = (array.detach() for array in inputs())
    shared = Vi(x.numpy())
    close(shared.sqdist(Vj(y)).sum(1), torch.cdist(x, y).square().sum(1, keepdim=True))
    close(lazy_gaussian(x, y) @ b.numpy(), gaussian(x, y) @ b)
    with pytest.raises(ArrayTypeError):
        Vi(np.zeros((M, D), "complex64").astype(object))
    with pytest.raises(ArrayTypeError):
        LazyTensor("x")


def test_backends():
    x, y, _ = inputs()
    K = lazy_gaussian(x, y)
    close(K.sum(1, backend="CPU", device_id=0), gaussian(x, y).sum(1, keepdim=True))
    with pytest.raises(EngineError):
        K.sum(1, backend="GPU_1D")


def test_gradients_through_ranges():
    x, y, b = inputs()
    K = lazy_gaussian(x, y)
    K.ranges = tuple(torch.tensor(part) for part in ([[0, 4]], [1], [[2, 5]], [[2, 5]], [1], [[0, 4]]))
    kept = torch.zeros(M, N)
    kept[:4, 2:5] = 1
    agree(K @ b, (gaussian(x, y) * kept) @ b, (x, y, b))
    agree((K * 2).sum(0), 2 * (gaussian(x, y) * kept).sum(0)[:, None], (x, y))


def test_data_is_let_go_at_once():
    """Without waiting for the garbage collector, which knows nothing of the size of tensors."""
    gc.collect()
    gc.disable()
    try:
        x, y, b = inputs()
        found = (lazy_gaussian(x, y) @ b).sum()
        gradients = torch.autograd.grad(found, (x, y, b), create_graph=True)
        lazy_gaussian(x, x).solve(x, alpha=1.0).sum().backward()
        held = [weakref.ref(array) for array in (x, y, b, found, *gradients)]
        del x, y, b, found, gradients
        assert [reference() for reference in held] == [None] * len(held)
    finally:
        gc.enable()
