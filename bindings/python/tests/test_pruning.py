"""Pairs of points that provably do not matter are left out: the same selections, and sums within the tolerance."""

import numpy as np
import pytest
from khufu import default_device
from khufu.errors import ArgumentError
from khufu.numpy import Genred, Vi, Vj

random = np.random.default_rng(0)
X, Y = random.uniform(size=(2_000, 3)), random.uniform(size=(3_000, 3))


def test_selections_are_the_same():
    distances = (Vi(X) - Vj(Y)).abs().sum(-1)
    for axis in (0, 1):
        indices = distances.argKmin(4, axis=axis, pruning="always")
        assert (indices == distances.argKmin(4, axis=axis, pruning="never")).all()
    dense = np.abs(X[:, None] - Y[None]).sum(-1)
    assert (distances.argmin(axis=1, pruning="always").ravel() == dense.argmin(axis=1)).all()


@pytest.mark.parametrize("tolerance", [1e-2, 1e-6])
def test_sums_are_within_the_tolerance(tolerance):
    matrix = np.exp(-((X[:, None] - Y[None]) ** 2).sum(-1) / 0.002)
    expected = matrix.sum(axis=1, keepdims=True)
    kernel = (-Vi(X).sqdist(Vj(Y)) / 0.002).exp()
    genred = Genred("Exp(-SqDist(x, y) / s)", ["x = Vi(3)", "y = Vj(3)", "s = Pm(1)"], axis=1)
    for result in (
        kernel.sum(axis=1, tolerance=tolerance, pruning="always"),
        genred(X, Y, np.array([0.002]), tolerance=tolerance, pruning="always"),
    ):
        assert (np.abs(result - expected) <= (tolerance + 1e-13) * expected).all()
        # Something is left out where that much is allowed; by the processor, that is.
        assert tolerance < 1e-4 or default_device() != "cpu" or not np.array_equal(result, kernel.sum(axis=1))


def test_gradients_are_within_the_tolerance():
    torch = pytest.importorskip("torch")
    from khufu.torch import Vi as Ti
    from khufu.torch import Vj as Tj

    x, y = torch.tensor(X, requires_grad=True), torch.tensor(Y)
    gradients = []
    for keywords in ({}, {"tolerance": 1e-3, "pruning": "always"}):
        density = (-Ti(x).sqdist(Tj(y)) / 0.002).exp().sum(axis=1, **keywords)
        gradients.append(torch.autograd.grad(density.sum(), x)[0])
    magnitudes = (2 / 0.002) * (np.abs(X[:, None] - Y[None]) * np.exp(-((X[:, None] - Y[None]) ** 2).sum(-1) / 0.002)[..., None]).sum(1)
    assert (np.abs((gradients[1] - gradients[0]).numpy()) <= 1e-3 * magnitudes.max(axis=1, keepdims=True) + 1e-9).all()


@pytest.mark.parametrize("keywords", [{"tolerance": 1.5}, {"tolerance": -1e-3}, {"pruning": "maybe"}])
def test_mistakes(keywords):
    with pytest.raises(ArgumentError, match="came"):
        Vi(X).sqdist(Vj(Y)).sum(axis=1, **keywords)
