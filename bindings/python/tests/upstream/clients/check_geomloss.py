"""geomloss, a program that uses pykeops: its KeOps backends against its dense one."""

import pytest
import torch

geomloss = pytest.importorskip("geomloss")


def clouds(count=150, other=170, dimension=2, batch=None):
    generator = torch.Generator().manual_seed(0)
    shape = () if batch is None else (batch,)
    a = torch.rand(*shape, count, generator=generator, dtype=torch.float64)
    b = torch.rand(*shape, other, generator=generator, dtype=torch.float64)
    x = torch.rand(*shape, count, dimension, generator=generator, dtype=torch.float64)
    y = torch.rand(*shape, other, dimension, generator=generator, dtype=torch.float64) + 0.2
    return a / a.sum(-1, keepdim=True), x.requires_grad_(), b / b.sum(-1, keepdim=True), y


def values_and_gradients(backend, arguments, **settings):
    a, x, b, y = arguments
    a = a.clone().requires_grad_()
    value = geomloss.SamplesLoss(backend=backend, **settings)(a, x, b, y)
    return [value.detach(), *torch.autograd.grad(value.sum(), [a, x])]


# The dense backend keeps distances from 0 by 1e-4, the others do not: its results are so far from theirs, with pykeops too.
DISTANCES, SQUARES = 1e-3, 1e-6


@pytest.mark.parametrize("loss, tolerance", [("gaussian", 1e-12), ("laplacian", DISTANCES), ("energy", DISTANCES)])
def test_kernel_norms(loss, tolerance):
    compare("online", tolerance, loss=loss, blur=0.3)


@pytest.mark.parametrize(
    "settings, tolerance",
    [
        ({"p": 1}, DISTANCES),
        ({"p": 2}, SQUARES),
        ({"p": 2, "reach": 0.5}, SQUARES),
        ({"p": 2, "debias": False}, SQUARES),
    ],
)
def test_sinkhorn(settings, tolerance):
    compare("online", tolerance, loss="sinkhorn", blur=0.1, **settings)


def test_multiscale_sinkhorn():
    # Coarse scales make it another approximation of the same.
    compare("multiscale", 1e-2, loss="sinkhorn", p=2, blur=0.05)


def compare(backend, tolerance, **settings):
    arguments = clouds()
    found = values_and_gradients(backend, arguments, **settings)
    expected = values_and_gradients("tensorized", arguments, **settings)
    for one, other in zip(found, expected):
        assert (one - other).norm() <= tolerance * other.norm()


def test_multiscale_kernel_norms():
    arguments = clouds()
    found = values_and_gradients("multiscale", arguments, loss="gaussian", blur=0.05, truncate=5)
    expected = values_and_gradients("tensorized", arguments, loss="gaussian", blur=0.05)
    for one, other in zip(found, expected):
        assert (one - other).norm() <= 1e-4 * other.norm()


def test_batches():
    arguments = clouds(40, 50, batch=3)
    found = values_and_gradients("online", arguments, loss="sinkhorn", p=2, blur=0.1)
    expected = values_and_gradients("tensorized", arguments, loss="sinkhorn", p=2, blur=0.1)
    for one, other in zip(found, expected):
        assert one.shape == other.shape and (one - other).norm() <= SQUARES * other.norm()


def test_potentials():
    a, x, b, y = clouds()
    pairs = [
        geomloss.SamplesLoss("sinkhorn", p=2, blur=0.1, potentials=True, backend=backend)(a, x.detach(), b, y)
        for backend in ("online", "tensorized")
    ]
    for one, other in zip(*pairs):
        torch.testing.assert_close(one.reshape(-1), other.reshape(-1), rtol=SQUARES, atol=1e-7)


@pytest.mark.parametrize("library", ["torch", "numpy"])
@pytest.mark.parametrize("unbalanced", [None, 0.5])
def test_symbolic_costs_against_a_matrix(library, unbalanced):
    from geomloss import _backends, ot

    assert _backends.keops_available
    a, x, b, y = (array.detach() if library == "torch" else array.detach().numpy() for array in clouds())
    settings = {"reg": 0.05, "unbalanced": unbalanced, "max_iter": 40}
    found = ot.solve_sample(x, y, a=a, b=b, **settings)
    expected = ot.solve(((x[:, None] - y[None]) ** 2).sum(-1), a=a, b=b, **settings)
    tensor = torch.as_tensor
    torch.testing.assert_close(tensor(found.value), tensor(expected.value), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(tensor(found.potential_a), tensor(expected.potential_a), rtol=1e-4, atol=1e-4)
    plan, marginal = found.lazy_plan, expected.plan @ tensor(b) if library == "torch" else expected.plan @ b
    torch.testing.assert_close(tensor(plan @ b), tensor(marginal), rtol=1e-3, atol=1e-7)
