"""torch.func's transforms of reductions and solutions, and their compositions, against dense tensors in float64."""

import pytest
import torch
from khufu.torch import Genred, KernelSolve, LazyTensor
from torch.func import grad, hessian, jacfwd, jacrev, jvp, vjp, vmap

torch.manual_seed(1)
ALIASES = ["x = Vi(2)", "y = Vj(2)", "b = Vj(1)", "p = Pm(1)"]
POSITIONS = (0, 1, 2, 3)
SHAPES = (3, 2), (4, 2), (4, 1), (1,)


def random(*shape):
    return torch.rand(*shape, dtype=torch.float64)


def dense(x, y, b, p):
    return -p[..., None, :] * ((x.unsqueeze(-2) - y.unsqueeze(-3)) ** 2).sum(-1), b.transpose(-1, -2)


def dense_sum(*arrays):
    exponents, b = dense(*arrays)
    return (exponents.exp() * b).sum(-1, keepdim=True)


def dense_logarithm(*arrays):
    exponents, b = dense(*arrays)
    return (exponents + b).logsumexp(-1, keepdim=True)


def dense_least(x, y, b, p):
    return ((x.unsqueeze(-2) - y.unsqueeze(-3)) ** 2 * p[..., None, None, :] * b.unsqueeze(-3)).amin(-2)


def interpreted(*arguments, **keywords):
    genred = Genred(*arguments, axis=1, **keywords)
    return lambda *arrays: genred(*arrays, backend="interpreter")


def lazy(x, y, b, p):
    x, y, b, p = x[..., :, None, :], y[..., None, :, :], b[..., None, :, :], p[..., None, None, :]
    x, y, b, p = (LazyTensor(array.contiguous()) for array in (x, y, b, p))
    return (((-p * ((x - y) ** 2).sum(-1)).exp()) * b).sum(x.nbatchdims + 1, backend="interpreter")


CASES = {
    "Sum": (interpreted("Exp(-p * SqDist(x, y)) * b", ALIASES), dense_sum),
    "LogSumExp": (interpreted("-p * SqDist(x, y) + b", ALIASES, "LogSumExp"), dense_logarithm),
    "Min": (interpreted("p * Square(x - y) * b", ALIASES, "Min"), dense_least),
    "LazyTensor": (lazy, dense_sum),
}
ALL = pytest.mark.parametrize(("function", "expected"), CASES.values(), ids=CASES)


def flat(x):
    return [part for item in x for part in flat(item)] if isinstance(x, (tuple, list)) else [x]


def close(found, expected):
    found, expected = flat(found), flat(expected)
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert one.shape == other.shape
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


def square(function):
    return lambda *arrays: function(*arrays).pow(2).sum()


@ALL
def test_first_derivatives(function, expected):
    arrays, directions = [random(*shape) for shape in SHAPES], tuple(random(*shape) for shape in SHAPES)
    close(grad(square(function), POSITIONS)(*arrays), grad(square(expected), POSITIONS)(*arrays))
    found, pull = vjp(function, *arrays)
    value, expected_pull = vjp(expected, *arrays)
    close(found, value)
    cotangent = torch.randn_like(value)
    close(pull(cotangent), expected_pull(cotangent))
    close(jvp(function, tuple(arrays), directions), jvp(expected, tuple(arrays), directions))
    close(jacrev(function, POSITIONS)(*arrays), jacrev(expected, POSITIONS)(*arrays))
    close(jacfwd(function, POSITIONS)(*arrays), jacrev(expected, POSITIONS)(*arrays))


@ALL
def test_second_derivatives(function, expected):
    arrays = [random(*shape) for shape in SHAPES]
    second = jacrev(jacrev(expected, POSITIONS), POSITIONS)(*arrays)
    for outer in (jacrev, jacfwd):
        close(outer(jacfwd(function, POSITIONS), POSITIONS)(*arrays), second)
    close(hessian(square(function), POSITIONS)(*arrays), hessian(square(expected), POSITIONS)(*arrays))


@pytest.mark.parametrize(
    ("in_dims", "shapes"),
    [
        ((0, None, 1, None), ((5, 3, 2), (4, 2), (4, 5, 1), (1,))),
        ((None, None, None, 0), ((3, 2), (4, 2), (4, 1), (5, 1))),
        ((2, 1, 0, 1), ((3, 2, 5), (4, 5, 2), (5, 4, 1), (1, 5))),
        ((-1, -2, None, 0), ((3, 2, 5), (4, 5, 2), (4, 1), (5, 1))),
    ],
)
@ALL
def test_maps(function, expected, in_dims, shapes):
    arrays = [random(*shape) for shape in shapes]
    for out_dims in (0, -1):
        close(vmap(function, in_dims, out_dims)(*arrays), vmap(expected, in_dims, out_dims)(*arrays))
    for transform in (lambda f: grad(square(f), POSITIONS), lambda f: hessian(square(f), (0, 3))):
        close(vmap(transform(function), in_dims)(*arrays), vmap(transform(expected), in_dims)(*arrays))
    # The graph outlives the map.
    arrays = [array.requires_grad_() for array in arrays]
    found, value = vmap(function, in_dims)(*arrays), vmap(expected, in_dims)(*arrays)
    close(torch.autograd.grad(found.sin().sum(), arrays), torch.autograd.grad(value.sin().sum(), arrays))


@pytest.mark.parametrize("name", ["Sum", "LogSumExp"])
def test_batches_in_maps(name):
    function, expected = CASES[name]
    arrays = [random(7, 3, 2), random(2, 1, 4, 2), random(4, 1), random(7, 1)]
    close(function(*arrays), expected(*arrays))
    close(grad(square(function), POSITIONS)(*arrays), grad(square(expected), POSITIONS)(*arrays))
    close(hessian(square(function), (0, 1))(*arrays), hessian(square(expected), (0, 1))(*arrays))
    arrays = [random(7, 3, 2), random(2, 5, 1, 4, 2), random(4, 1), random(5, 7, 1)]
    in_dims = (None, 1, None, 0)
    close(vmap(function, in_dims)(*arrays), vmap(expected, in_dims)(*arrays))
    slope, expected_slope = grad(square(function), POSITIONS), grad(square(expected), POSITIONS)
    close(vmap(slope, in_dims)(*arrays), vmap(expected_slope, in_dims)(*arrays))
    twice, expected_twice = (vmap(vmap(f, (None, 0, None, None)), in_dims) for f in (function, expected))
    close(twice(*arrays), expected_twice(*arrays))


def test_indices_in_maps():
    x, y = random(5, 3, 2), random(4, 2)
    for name, keywords in (("ArgMin", {}), ("Max_ArgMax", {}), ("KMin_ArgKMin", {"opt_arg": 2})):
        function = interpreted("SqDist(x, y)", ALIASES[:2], name, **keywords)
        found = vmap(function, (0, None))(x, y)
        each = [function(item, y) for item in x]
        if isinstance(found, tuple):
            close(found, tuple(torch.stack(parts) for parts in zip(*each)))
        else:
            assert torch.equal(found, torch.stack(each))


def test_block_sparsity_in_maps():
    genred = Genred("Exp(-p * SqDist(x, y)) * b", ALIASES, axis=1)
    parts = [torch.tensor(part) for part in ([[0, 3]], [1], [[1, 4]], [[1, 4]], [1], [[0, 3]])]

    def function(x, y, b, p):
        return genred(x, y, b, p, ranges=tuple(parts), backend="interpreter")

    def expected(x, y, b, p):
        return dense_sum(x, y[..., 1:, :], b[..., 1:, :], p)

    arrays, in_dims = [random(5, 3, 2), random(4, 2), random(5, 4, 1), random(1)], (0, None, 0, None)
    close(vmap(function, in_dims)(*arrays), vmap(expected, in_dims)(*arrays))
    slope, expected_slope = grad(square(function), POSITIONS), grad(square(expected), POSITIONS)
    close(vmap(slope, in_dims)(*arrays), vmap(expected_slope, in_dims)(*arrays))
    # Items of a batch have patterns of their own.
    batch = [random(2, 3, 2), random(5, 2, 4, 2), random(4, 1), random(1)]
    other = tuple(torch.tensor(part) for part in ([[0, 3]], [1], [[0, 4]], [[0, 4]], [1], [[0, 3]]))

    def patterned(x, y, b, p):
        return genred(x, y, b, p, ranges=[tuple(parts), other], backend="interpreter")

    def expected_patterned(x, y, b, p):
        return torch.stack([expected(x[0], y[0], b, p), dense_sum(x[1], y[1], b, p)])

    in_dims = (None, 0, None, None)
    close(vmap(patterned, in_dims)(*batch), vmap(expected_patterned, in_dims)(*batch))
    slope, expected_slope = grad(square(patterned), POSITIONS), grad(square(expected_patterned), POSITIONS)
    close(vmap(slope, in_dims)(*batch), vmap(expected_slope, in_dims)(*batch))


def test_batches_of_cotangents():
    x, y, b, p = (random(*shape).requires_grad_() for shape in SHAPES)
    found, expected = CASES["LogSumExp"][0](x, y, b, p), dense_logarithm(x, y, b, p)
    cotangents = torch.randn(6, *found.shape, dtype=torch.float64)
    close(
        torch.autograd.grad(found, (x, y, b, p), cotangents, is_grads_batched=True),
        torch.autograd.grad(expected, (x, y, b, p), cotangents, is_grads_batched=True),
    )


def test_solutions():
    system = KernelSolve("Exp(-p * SqDist(x, y)) * b", ALIASES, "b", axis=1)

    def function(x, b, p, alpha):
        return system(x, x, b, p, alpha=alpha, eps=1e-13, backend="interpreter")

    def expected(x, b, p, alpha):
        K = torch.exp(-p * ((x[:, None] - x[None]) ** 2).sum(-1)) + alpha * torch.eye(len(x), dtype=x.dtype)
        # torch.linalg.solve loses terms where forward derivatives are nested.
        return torch.linalg.inv(K) @ b

    arrays = [random(4, 2), random(4, 1), random(1), torch.tensor(0.3, dtype=torch.float64)]
    close(function(*arrays), expected(*arrays))
    close(jacrev(function, POSITIONS)(*arrays), jacrev(expected, POSITIONS)(*arrays))
    second = jacrev(jacrev(expected, POSITIONS), POSITIONS)(*arrays)
    close(jacfwd(jacrev(function, POSITIONS), POSITIONS)(*arrays), second)
    close(jacfwd(jacfwd(function, POSITIONS), POSITIONS)(*arrays), second)
    mapped = [random(3, 4, 2), random(4, 3, 1), random(1), arrays[3]]
    in_dims = (0, 1, None, None)
    close(vmap(function, in_dims)(*mapped), vmap(expected, in_dims)(*mapped))


def test_mistakes_in_maps():
    genred = Genred("x + y", ["x = Vi(2)", "y = Vj(2)"], axis=1)
    with pytest.raises(ValueError, match="out is not taken"):
        vmap(lambda x, y: genred(x, y, out=torch.empty(3, 2)), (0, None))(torch.rand(5, 3, 2), torch.rand(4, 2))
