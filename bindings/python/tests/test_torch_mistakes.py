"""Tensors that are no plain block of memory are told of."""

import pytest
import torch
from khufu import ArgumentError, ArrayTypeError, EngineError
from khufu.torch import Genred, KernelSolve, LazyTensor, Vi, Vj

torch.manual_seed(0)
x, y = torch.randn(7, 3, dtype=torch.float64), torch.randn(9, 3, dtype=torch.float64)
distances = Genred("SqDist(x, y)", ["x = Vi(3)", "y = Vj(3)"], axis=1)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (x.to_sparse(), "sparse_coo"),
        (x.to_sparse_csr(), "sparse_csr"),
        (torch.nested.nested_tensor([x[:3], x]), "nested"),
    ],
)  # fmt: skip
def test_layouts(tensor, message):
    with pytest.raises(ArrayTypeError, match=message):
        distances(tensor, y)


def test_out():
    with pytest.raises(ArgumentError, match="meta"):
        distances(x, y, out=torch.empty(7, 1, dtype=torch.float64, device="meta"))
    with pytest.raises(ArrayTypeError, match="sparse"):
        distances(x, y, out=torch.zeros(7, 1, dtype=torch.float64).to_sparse())
    product = LazyTensor((x + 1j)[:, None]) * Vj(y)
    for wrong in (torch.zeros(7, 3, dtype=torch.complex128).conj(), torch.zeros(7, 3, dtype=torch.float64)):
        with pytest.raises(ArrayTypeError, match="out is"):
            product.sum(axis=1, out=wrong)
    out = torch.zeros(7, 3, dtype=torch.complex128)
    torch.testing.assert_close(product.sum(axis=1, out=out), (x + 1j) * y.sum(0))


def test_ranges():
    K = Vi(x).sqdist(Vj(y))
    rows, ends, columns = torch.tensor([[0, 3], [3, 7]]), torch.tensor([1, 2]), torch.tensor([[0, 4], [2, 9]])
    for wrong in ((rows[:1], ends, columns), (rows.flatten(), ends, columns)):
        K.ranges = wrong * 2
        with pytest.raises(ArgumentError, match="came"):
            K.sum(axis=1)
    for wrong in ((rows + 0.5, ends, columns), (rows > 0, ends, columns), (None, ends, columns)):
        K.ranges = wrong * 2
        with pytest.raises(ArrayTypeError, match="whole numbers"):
            K.sum(axis=1)


def test_solves():
    solve = KernelSolve("Exp(-SqDist(x, y)) * b", ["x = Vi(3)", "y = Vj(3)", "b = Vj(1)"], "b", axis=1)
    with pytest.raises(ArgumentError, match="alpha"):
        solve(x, x, x[:, :1].contiguous(), alpha=torch.ones(2))
    with pytest.raises(ArrayTypeError, match="complex"):
        (-Vi(x).sqdist(Vj(x))).exp().solve(x + 1j, alpha=1)
    shape_only = solve(x.to("meta"), x.to("meta"), x[:, :1].to("meta"), alpha=1.0)
    assert shape_only.is_meta and shape_only.shape == (7, 1)
