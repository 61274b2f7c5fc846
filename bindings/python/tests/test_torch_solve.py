"""KernelSolve for PyTorch: solutions and their derivatives, against dense ones in float64."""

import inspect

import pytest
import torch
from khufu.errors import ArgumentError, ArrayTypeError
from khufu.torch import KernelSolve, LazyTensor, Vi, Vj
from torch.autograd import gradcheck, gradgradcheck

torch.manual_seed(3)
N, D = 8, 2
ALIASES = ["x = Vi(2)", "y = Vj(2)", "b = Vj(2)", "p = Pm(1)"]
SYSTEM = KernelSolve("Exp(-p * SqDist(x, y)) * b", ALIASES, "b", axis=1)
TIGHT = {"eps": 1e-13, "backend": "interpreter"}


def inputs(*batch):
    x, b = torch.randn(*batch, N, D, dtype=torch.float64), torch.randn(*batch, N, 2, dtype=torch.float64)
    p, alpha = torch.tensor([0.7], dtype=torch.float64), torch.tensor(0.4, dtype=torch.float64)
    return [array.requires_grad_() for array in (x, b, p, alpha)]


def solution(x, b, p, alpha, **keywords):
    return SYSTEM(x, x, b, p, alpha=alpha, **TIGHT, **keywords)


def dense(x, b, p, alpha):
    K = torch.exp(-p * ((x[..., :, None, :] - x[..., None, :, :]) ** 2).sum(-1))
    return torch.linalg.solve(K + alpha * torch.eye(N, dtype=x.dtype), b)


def close(found, expected, tolerance=1e-8):
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("keywords", [{}, {"method": "minres"}, {"preconditioner": "cholesky", "rank": 4}])
def test_solution_and_derivatives(keywords):
    arrays = inputs()
    found, expected = solution(*arrays, **keywords), dense(*arrays)
    close(found, expected)
    cotangent = torch.randn_like(expected)
    first, first_expected = (
        torch.autograd.grad(result, arrays, cotangent, create_graph=True) for result in (found, expected)
    )
    for one, other in zip(first, first_expected):
        close(one, other)
    for one, other in zip(
        *(torch.autograd.grad(sum(g.sin().sum() for g in gradients), arrays) for gradients in (first, first_expected))
    ):
        close(one, other, 1e-7)


def test_finite_differences():
    x, b, p, alpha = inputs()
    arrays = [x.detach()[:4].clone().requires_grad_(), b.detach()[:4].clone().requires_grad_(), p, alpha]
    assert gradcheck(solution, arrays, check_forward_ad=True, check_batched_grad=True, nondet_tol=1e-10)
    assert gradgradcheck(solution, arrays, check_fwd_over_rev=True, nondet_tol=1e-10)


def test_batches():
    x, b, p, alpha = inputs(2)
    found, expected = solution(x, b, p, alpha), dense(x, b, p, alpha)
    close(found, expected)
    for one, other in zip(*(torch.autograd.grad(result.sin().sum(), (x, b, p, alpha)) for result in (found, expected))):
        close(one, other)
    # One right-hand side for both systems: its gradient is summed.
    b = b.detach()[0].clone().requires_grad_()
    found, expected = solution(x, b, p, alpha), dense(x, b.expand(2, N, 2), p, alpha)
    close(found, expected)
    for one, other in zip(*(torch.autograd.grad(result.sin().sum(), (x, b)) for result in (found, expected))):
        close(one, other)


def test_over_i():
    x, b, p, alpha = inputs()
    aliases = ["x = Vi(2)", "y = Vj(2)", "b = Vi(2)", "p = Pm(1)"]
    system = KernelSolve("Exp(-p * SqDist(x, y)) * b", aliases, "b", axis=0)
    found, expected = system(x, x, b, p, alpha=alpha, **TIGHT), dense(x, b, p, alpha)
    close(found, expected)
    for one, other in zip(*(torch.autograd.grad(result.sin().sum(), (x, b, p, alpha)) for result in (found, expected))):
        close(one, other)


def test_numbers_for_alpha():
    x, b, p, alpha = (array.detach() for array in inputs())
    expected = dense(x, b, p, alpha)
    for value in (0.4, alpha, alpha.reshape(1)):
        close(solution(x, b, p, value), expected)
    assert not solution(x, b, p, 0.4).requires_grad


def test_lazy_tensors():
    x, b, p, alpha = inputs()
    K = (-Vi(x).sqdist(Vj(x)) * LazyTensor(p)).exp()
    found, expected = K.solve(b, alpha=alpha, **TIGHT), dense(x, b, p, alpha)
    close(found, expected)
    for one, other in zip(*(torch.autograd.grad(result.sin().sum(), (x, b, p, alpha)) for result in (found, expected))):
        close(one, other)


def test_what_keops_users_write():
    names = list(inspect.signature(KernelSolve).parameters)
    assert names == [
        "formula", "aliases", "varinvalias", "axis", "dtype_acc", "use_double_acc", "sum_scheme", "enable_chunks",
        "rec_multVar_highdim", "dtype", "cuda_type", "use_fast_math",
    ]  # fmt: skip
    x, b, p, alpha = (array.detach().float() for array in inputs())
    found = SYSTEM(x, x, b, p, alpha=alpha)
    assert found.dtype == torch.float32
    close(found, dense(x, b, p, alpha), 1e-4)


def test_progress_and_mistakes():
    x, b, p, alpha = inputs()
    steps = []
    solution(x, b, p, alpha, progress=lambda *step: steps.append(step))
    assert len(steps) > 1
    with pytest.raises(ArgumentError, match="'lu' came"):
        solution(x, b, p, alpha, method="lu")
    with pytest.raises(ArgumentError, match="it takes 4"):
        SYSTEM(x, x, b)
    with pytest.raises(ArrayTypeError, match="list"):
        SYSTEM(x, x, [1.0], p)
    with pytest.raises(ArrayTypeError):
        SYSTEM(x, x, b.float(), p)
    with pytest.raises(ArgumentError, match="float32 or float64"):
        SYSTEM(*(array.detach().half() for array in (x, x, b, p)))
