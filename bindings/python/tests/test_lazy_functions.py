"""Operators and functions of lazy tensors against NumPy's on all pairs."""

import numpy as np
import pytest

from khufu.numpy import LazyTensor, Pm, Vi, Vj

M, N, D = 5, 7, 3
random = np.random.default_rng(1)
x, y, p = random.normal(size=(M, D)), random.normal(size=(N, D)), random.normal(size=D)
X, Y, P = x[:, None, :], y[None, :, :], p[None, None, :]
u, v = random.uniform(0.2, 0.9, size=(M, D)), random.uniform(0.2, 0.9, size=(N, D))
U, V = u[:, None, :], v[None, :, :]

OPERATORS = {
    "x + y": lambda x, y: x + y,
    "x - y": lambda x, y: x - y,
    "x * y": lambda x, y: x * y,
    "x / y": lambda x, y: x / y,
    "-x": lambda x, y: -x - y,
    "+x": lambda x, y: +x - y,
    "x + 0": lambda x, y: x + 0 + y,
    "0 + x": lambda x, y: 0 + x + y,
    "0 - x": lambda x, y: 0 - x + y,
    "x - 0.0": lambda x, y: x - 0.0 + y,
    "1 * x": lambda x, y: 1 * x + y * 1,
    "-1 * x": lambda x, y: -1 * x + y * -1,
    "0 * x": lambda x, y: 0 * x + y * 0,
    "0 / x": lambda x, y: 0 / x + y,
    "1 / x": lambda x, y: 1 / x + 1.0 / y,
    "x / 1": lambda x, y: x / 1 + y,
    "x / 3": lambda x, y: x / 3 + y,
    "2 / x": lambda x, y: 2 / x + y,
    "2.5 * x": lambda x, y: 2.5 * x + y * 0.1,
    "1.5 - x": lambda x, y: 1.5 - x - y,
    "numpy scalars": lambda x, y: x * np.float64(0.3) + y * np.int64(4) - np.float32(0.5),
    "0-d array": lambda x, y: x * np.array(0.3) + y,
    "lists": lambda x, y: x * [0.1, 0.2, 0.3] + y,
    "vectors": lambda x, y: x * p + y,
    "vectors on the left": lambda x, y: p * x + y,
    "x ** 2": lambda x, y: (x + y) ** 2,
    "x ** 3": lambda x, y: (x + y) ** 3,
    "x ** -1": lambda x, y: (x + y) ** -1,
    "x ** 0": lambda x, y: (x + y) ** 0,
    "x ** 1": lambda x, y: (x + y) ** 1,
    "x == y": lambda x, y: x == y * 0 + x,
    "x != y": lambda x, y: x != y,
    "x < y": lambda x, y: x < y,
    "x <= y": lambda x, y: x <= y,
    "x > y": lambda x, y: x > y,
    "x >= y": lambda x, y: x >= y,
    "x > 0": lambda x, y: (x + y) > 0,
    "abs": lambda x, y: abs(x - y),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name):
    f = OPERATORS[name]
    lazy, expected = f(LazyTensor(X), LazyTensor(Y)), f(X, Y)
    assert lazy.shape == expected.shape == lazy._shape
    np.testing.assert_allclose(lazy.dense(), expected, rtol=1e-12, atol=1e-14)


POWERS = {
    "x ** 0.5": lambda x, y: (x + y) ** 0.5,
    "x ** -0.5": lambda x, y: (x + y) ** -0.5,
    "x ** 1.5": lambda x, y: (x + y) ** 1.5,
    "x ** 2.0": lambda x, y: (x + y) ** 2.0,
    "x ** np.float64": lambda x, y: (x + y) ** np.float64(0.7),
    "x ** np.int64": lambda x, y: (x + y) ** np.int64(3),
    "x ** y": lambda x, y: x**y,
    "x ** vector": lambda x, y: (x + y) ** p,
    "2 ** x": lambda x, y: 2 ** (x + y),
    "1.5 ** x": lambda x, y: 1.5 ** (x - y),
}


@pytest.mark.parametrize("name", POWERS)
def test_powers(name):
    f = POWERS[name]
    np.testing.assert_allclose(f(LazyTensor(U), LazyTensor(V)).dense(), f(U, V), rtol=1e-12)


def test_power_of_a_negative_number_to_a_whole_float():
    np.testing.assert_allclose((LazyTensor(X) ** 2.0).dense(), X**2.0, rtol=1e-12)


def xlogx(x):
    return x * np.log(x)


UNARY = {
    "exp": np.exp,
    "log": np.log,
    "xlogx": xlogx,
    "cos": np.cos,
    "sin": np.sin,
    "sinxdivx": lambda x: np.sin(x) / x,
    "sinc": np.sinc,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "square": np.square,
    "abs": np.abs,
}
SIGNED = {
    "sign": np.sign,
    "step": lambda x: np.where(x < 0, 0.0, 1.0),
    "relu": lambda x: np.maximum(x, 0),
    "floor": np.floor,
    "abs": np.abs,
    "round": lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x),
}


@pytest.mark.parametrize("name", UNARY)
def test_functions(name):
    lazy = getattr(LazyTensor(U) * LazyTensor(V), name)()
    np.testing.assert_allclose(lazy.dense(), UNARY[name](U * V), rtol=1e-12)


@pytest.mark.parametrize("name", SIGNED)
def test_functions_of_both_signs(name):
    lazy = getattr(LazyTensor(X) - LazyTensor(Y), name)()
    np.testing.assert_allclose(lazy.dense(), SIGNED[name](X - Y), rtol=1e-12)


def test_values_at_zero():
    zero = LazyTensor(np.zeros((4, 1, 1)))
    for name, value in {"xlogx": 0, "sinxdivx": 1, "sinc": 1, "rsqrt": 0, "sign": 0, "step": 1, "relu": 0}.items():
        assert (getattr(zero, name)().dense() == value).all(), name


@pytest.mark.parametrize("decimals", [0, 1, 2, -1])
def test_round_to_decimals(decimals):
    values = 30 * X - 7 * Y
    np.testing.assert_allclose(
        (30 * LazyTensor(X) - 7 * LazyTensor(Y)).round(decimals).dense(), values.round(decimals), rtol=1e-12
    )


def test_functions_of_several():
    a, b = LazyTensor(X), LazyTensor(Y)
    np.testing.assert_allclose(a.atan2(b).dense(), np.arctan2(X, Y), rtol=1e-12)
    np.testing.assert_allclose(a.power(2).dense(), np.broadcast_to(X**2, (M, 1, D)))
    np.testing.assert_allclose((a + b).clamp(-1, 1).dense(), np.clip(X + Y, -1, 1))
    np.testing.assert_allclose((a + b).clamp(-0.5, 0.25).dense(), np.clip(X + Y, -0.5, 0.25))
    np.testing.assert_allclose(a.clamp(b - 0.1, b + 0.1).dense(), np.clip(X, Y - 0.1, Y + 0.1))
    np.testing.assert_allclose(a.ifelse(b, 2.0).dense(), np.where(X >= 0, Y, 2.0))
    np.testing.assert_allclose((a + b).mod(0.7).dense(), np.mod(X + Y, 0.7), atol=1e-12)
    expected = (X + Y) - 3 * np.floor((X + Y - 0.5) / 3)
    np.testing.assert_allclose((a + b).mod(3, 0.5).dense(), expected, atol=1e-12)


def test_norms_and_distances():
    a, b, q = LazyTensor(X), LazyTensor(Y), Pm(p)
    square = ((X - Y) ** 2).sum(-1, keepdims=True)
    close = np.testing.assert_allclose
    close((a - b).sqnorm2().dense(), square)
    close((a - b).norm2().dense(), np.sqrt(square))
    close((a - b).norm(-1).dense(), np.sqrt(square))
    close((a - b).norm(2).dense(), np.sqrt(square))
    close((a - b).normalize().dense(), (X - Y) / np.sqrt(square))
    close(a.sqdist(b).dense(), square)
    close((a | b).dense(), (X * Y).sum(-1, keepdims=True), atol=1e-14)
    close((p | a).dense(), (X * P).sum(-1, keepdims=True), atol=1e-14)
    close(a.weightedsqdist(b, Pm([2.0])).dense(), 2 * square)
    close(a.weightedsqdist(b, q).dense(), (P * (X - Y) ** 2).sum(-1, keepdims=True), atol=1e-13)
    matrix = random.normal(size=(D, D))
    matrix = matrix @ matrix.T
    expected = np.einsum("ijk,kl,ijl->ij", X - Y, matrix, X - Y)[..., None]
    close((a - b).weightedsqnorm(Pm(matrix.reshape(-1))).dense(), expected)
    assert ((LazyTensor(np.zeros((4, 1, 3)))).normalize().dense() == 0).all()


def test_inner_operations():
    a, b = LazyTensor(X), LazyTensor(Y)
    s = X - Y
    for axis in (-1, 2):
        np.testing.assert_allclose((a - b).sum(axis).dense()[..., 0], s.sum(-1), atol=1e-14)
        np.testing.assert_allclose((a - b).min(axis).dense()[..., 0], s.min(-1))
        np.testing.assert_allclose((a - b).max(dim=axis).dense()[..., 0], s.max(-1))
        np.testing.assert_allclose((a - b).argmin(axis=axis).dense()[..., 0], s.argmin(-1))
        np.testing.assert_allclose((a - b).argmax(axis, keepdim=True).dense()[..., 0], s.argmax(-1))
    assert (a - b).sum().shape == (M, N)


def test_parts_of_vectors():
    a, b = LazyTensor(X), LazyTensor(Y)
    z, Z = a - b, X - Y
    for key in (0, 2, np.int64(1), -1, slice(0, 2), slice(1, None), slice(None, 2), slice(-2, None), slice(None)):
        expected = Z[..., key] if isinstance(key, slice) else Z[..., key][..., None]
        np.testing.assert_array_equal(z[key].dense(), expected)
        np.testing.assert_array_equal(z[:, :, key].dense(), expected)
        np.testing.assert_array_equal(z[..., key].dense(), expected)
    np.testing.assert_array_equal(z.elem(1).dense(), Z[..., 1:2])
    np.testing.assert_array_equal(z.extract(1, 2).dense(), Z[..., 1:3])
    expected = np.concatenate([np.broadcast_to(X, (M, N, D)), np.broadcast_to(Y, (M, N, D)), Z], axis=-1)
    np.testing.assert_array_equal(LazyTensor.concatenate((a, b, z), axis=-1).dense(), expected)
    np.testing.assert_array_equal(LazyTensor.cat((a, b, z), dim=2).dense(), expected)
    np.testing.assert_array_equal(a.concat(b).concat(z).dense(), expected)
    hot = LazyTensor(np.array([0.0, 1.2, 2.7, 1.0])[:, None, None]).one_hot(4).dense()[:, 0]
    np.testing.assert_array_equal(hot, np.eye(4)[[0, 1, 3, 1]])


def test_bspline():
    from scipy.interpolate import BSpline

    knots, order = np.array([0.0, 0.1, 0.4, 0.5, 0.8, 1.0]), 2
    t = np.linspace(0.41, 0.49, 5)
    lazy = LazyTensor(knots).bspline(Vi(t[:, None]), order).dense()[:, 0]
    expected = BSpline.design_matrix(t, knots, order, extrapolate=True).toarray()
    np.testing.assert_allclose(lazy, expected, atol=1e-12)


def test_matrices():
    a, b = random.normal(size=(M, 6)), random.normal(size=(N, 3))
    A, B = a.reshape(M, 2, 3), b
    close = np.testing.assert_allclose
    close(Vi(a).matvecmult(Vj(b)).dense(), np.einsum("ikl,jl->ijk", A, B))
    close(Vj(b).vecmatmult(Vi(a)).dense(), np.einsum("jk,ikl->ijl", B, a.reshape(M, 3, 2)))
    close(Vi(a).tensorprod(Vj(b)).dense(), np.einsum("ik,jl->ijkl", a, b).reshape(M, N, 18))
    close(Vi(x).difference_matrix(Vj(a[:4])).dense(), (x[:, None, :, None] - a[None, :4, None, :]).reshape(M, 4, 18))
    c = random.normal(size=(N, 12))
    C = c.reshape(N, 3, 2, 2)
    close(
        Vi(a).keops_tensordot(Vj(c), (2, 3), (3, 2, 2), (1,), (0,)).dense(),
        np.einsum("iab,jbcd->ijacd", A, C).reshape(M, N, 8),
    )
    close(
        Vi(a).keops_tensordot(Vj(c), [2, 3], [3, 2, 2], [1], [0], [2, 0, 1]).dense(),
        np.einsum("iab,jbcd->ijcda", A, C).reshape(M, N, 8),
    )
    close(Vi(a).keops_kron(Vj(b), [2, 3], [3, 1]).dense(), np.array([[np.kron(A[i], b[j].reshape(3, 1)).ravel() for j in range(N)] for i in range(M)]))  # fmt: skip


def soft_dtw(a, b, gamma):
    n, m = len(a), len(b)
    r = np.full((n + 1, m + 1), np.inf)
    r[0, 0] = 0
    for i in range(n):
        for j in range(m):
            before = np.array([r[i, j], r[i, j + 1], r[i + 1, j]])
            smallest = before.min()
            soft = smallest - gamma * np.log(np.exp(-(before - smallest) / gamma).sum())
            r[i + 1, j + 1] = (a[i] - b[j]) ** 2 + soft
    return r[n, m]


def test_soft_dtw():
    a, b = random.normal(size=(M, 4)), random.normal(size=(N, 5))
    expected = [[soft_dtw(a[i], b[j], 0.3) for j in range(N)] for i in range(M)]
    np.testing.assert_allclose(Vi(a).softdtw_sqdist(Vj(b), Pm([0.3])).dense()[..., 0], expected, rtol=1e-10)


def test_derivatives_of_formulas():
    a, b, e = Vi(x), Vj(y), Vj(random.normal(size=(N, 1)))
    E = e.variables[0][None]
    square = ((X - Y) ** 2).sum(-1, keepdims=True)
    K = (-a.sqdist(b)).exp()
    gradient = -2 * (X - Y) * np.exp(-square)
    close = np.testing.assert_allclose
    close(K.grad(a, e).dense(), gradient * E)
    close(K.grad(b, e).dense(), -gradient * E)
    direction = Vj(random.normal(size=(N, D)))
    close(K.diff(a, direction).dense(), (gradient * direction.variables[0][None]).sum(-1, keepdims=True))
    close(K.grad_matrix(a).dense(), gradient)
    jacobian = (a * a * b).grad_matrix(a).dense().reshape(M, N, D, D)
    close(jacobian, np.einsum("ijk,kl->ijkl", 2 * X * Y, np.eye(D)))
    close((a * a * b).divergence(a).dense()[..., 0], (2 * X * Y).sum(-1))
    close(K.laplacian(a).dense(), (4 * square - 2 * D) * np.exp(-square))
    close(K.factorize(a).dense(), np.exp(-square))
    close(K.auto_factorize().dense(), np.exp(-square))


def test_trace_of_a_linear_map():
    a, b, w = Vi(x), Vj(y), Vi(0, D)
    linear = (a | w) * b + 2 * w
    trace = linear.trace_operator(w)
    assert trace.symbolic_variables == ()
    np.testing.assert_allclose(trace.dense()[..., 0], (X * Y).sum(-1) + 2 * D)
    # A variable of the result where it occurs beside the trace.
    both = trace + w.sum(-1)
    assert both.symbolic_variables == ((0, D, 0),)


def test_one_array_in_both_roles():
    K = (Vi(x) - Vj(x)).sqnorm2()
    np.testing.assert_allclose(K.dense()[..., 0], ((x[:, None] - x[None]) ** 2).sum(-1))
    assert len(K.variables) == 2


def test_an_array_used_twice_is_one_input():
    a = Vi(x)
    assert len((a * a + a.exp()).variables) == 1


def test_numbers_are_not_part_of_the_formula():
    a = Vi(x)
    assert (a * 2.5).formula == (a * 3.5).formula != (a * 2).formula


def test_exactness_of_whole_numbers_and_fractions():
    np.testing.assert_allclose((LazyTensor(X) / 3).dense(), X / 3, rtol=4e-16)
    big = 2**40 + 1
    assert LazyTensor(np.ones((2, 1, 1))).__mul__(big).dense()[0, 0, 0] == big


def test_functions_called_on_the_class():
    K = LazyTensor.exp(-LazyTensor.sqdist(Vi(x), Vj(y)))
    np.testing.assert_allclose(LazyTensor.sum(K, axis=1), np.exp(-((X - Y) ** 2).sum(-1)).sum(1, keepdims=True))


def test_sum_that_begins_with_a_number():
    total = 0
    for sigma in (0.5, 1.0, 2.0):
        total += (-Vi(x).sqdist(Vj(y)) / (2 * sigma**2)).exp()
    square = ((X - Y) ** 2).sum(-1)
    np.testing.assert_allclose(total.dense()[..., 0], sum(np.exp(-square / (2 * s**2)) for s in (0.5, 1.0, 2.0)))
