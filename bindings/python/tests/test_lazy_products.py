"""Products with arrays, transposes, linear systems, and SciPy's solvers on lazy tensors."""

import numpy as np
import pytest

from khufu.errors import ArgumentError, ArrayTypeError, KhufuError, SolverError
from khufu.numpy import LazyTensor, Pm, Vi, Vj

random = np.random.default_rng(3)
M, N, D = 8, 11, 3
x, y = random.normal(size=(M, D)), random.normal(size=(N, D))


def gaussian(x, y):
    return np.exp(-((x[..., :, None, :] - y[..., None, :, :]) ** 2).sum(-1))


def lazy_gaussian(x, y):
    return (-((LazyTensor(x[..., :, None, :]) - LazyTensor(y[..., None, :, :])) ** 2).sum(-1)).exp()


K, k = lazy_gaussian(x, y), gaussian(x, y)


@pytest.mark.parametrize("shape", [(N,), (N, 1), (N, 4), (3, N, 2), (2, 3, N, 1)])
def test_products(shape):
    v = random.normal(size=shape)
    result, expected = K @ v, k @ v
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected)


def test_products_in_batches():
    X, Y = random.normal(size=(2, M, D)), random.normal(size=(2, N, D))
    lazy, dense = lazy_gaussian(X, Y), gaussian(X, Y)
    for shape in ((2, N, 3), (1, N, 3), (N, 3), (5, 2, N, 1), (N,)):
        v = random.normal(size=shape)
        np.testing.assert_allclose(lazy @ v, dense @ v)
    np.testing.assert_allclose(lazy.t() @ random_like(X), np.swapaxes(dense, 1, 2) @ random_like(X))


def random_like(x):
    return np.random.default_rng(4).normal(size=x.shape)


def test_products_from_the_left():
    v, w = random.normal(size=M), random.normal(size=(2, M))
    np.testing.assert_allclose(v @ K, v @ k)
    np.testing.assert_allclose(w @ K, w @ k)


def test_products_with_options():
    v = random.normal(size=(N, 2))
    out = np.empty((M, 2))
    assert LazyTensor.__matmul__(K, v, backend="CPU", out=out) is out
    np.testing.assert_allclose(out, k @ v)
    np.testing.assert_allclose(K.__matmul__(v, sum_scheme="kahan_scheme"), k @ v)


def test_products_of_one_column():
    lazy, dense = lazy_gaussian(x, y[:1]), gaussian(x, y[:1])
    np.testing.assert_allclose(lazy @ np.array([2.0]), dense @ [2.0])
    np.testing.assert_allclose(lazy @ np.array([[2.0, 3.0]]), dense @ [[2.0, 3.0]])


def test_transposes():
    transpose = K.T
    assert transpose.shape == (N, M) and transpose.ni == N and transpose.nj == M
    v = random.normal(size=(M, 2))
    np.testing.assert_allclose(transpose @ v, k.T @ v)
    np.testing.assert_allclose(K.t().T @ random_like(y), k @ random_like(y))
    np.testing.assert_allclose(K.matvec(y[:, 0]), k @ y[:, 0])
    np.testing.assert_allclose(K.rmatvec(x[:, 0]), k.T @ x[:, 0])
    symbolic = (Vi(0, D) - 2 * Vj(1, D)).T
    assert symbolic.symbolic_variables == ((0, D, 1), (1, D, 0))
    np.testing.assert_allclose(symbolic.sum(axis=1)(x, y), (x[None] - 2 * y[:, None]).sum(1))
    square = lazy_gaussian(x, x)
    np.testing.assert_allclose((square + square.T).dense()[..., 0], gaussian(x, x) + gaussian(x, x).T)


def test_mistakes_in_products():
    with pytest.raises(ArgumentError, match=r"one number for each pair; this LazyTensor has shape \(8, 11, 3\)"):
        (Vi(x) - Vj(y)) @ np.ones(N)
    with pytest.raises(ArgumentError, match="number of points along j: 11 and 8"):
        K @ np.ones(M)
    with pytest.raises(ArrayTypeError, match="float64 and float32"):
        K @ np.ones(N, "float32")
    with pytest.raises(ArrayTypeError, match="a list came"):
        K @ [1.0] * N
    with pytest.raises(ArrayTypeError, match="a LazyTensor came"):
        K @ Vj(y)


# Linear systems

square, dense_square = lazy_gaussian(x, x), gaussian(x, x)


@pytest.mark.parametrize("shape", [(M,), (M, 1), (M, 5)])
def test_systems(shape):
    b = random.normal(size=shape)
    solution = square.solve(b, alpha=0.1, eps=1e-10)
    assert solution.shape == shape
    np.testing.assert_allclose(solution, np.linalg.solve(dense_square + 0.1 * np.eye(M), b), atol=1e-8)


def test_systems_of_variables():
    b = random.normal(size=(M, 2))
    expected = np.linalg.solve(dense_square + 0.1 * np.eye(M), b)
    np.testing.assert_allclose(square.solve(Vi(b), alpha=0.1), expected, atol=1e-5)
    np.testing.assert_allclose(square.solve(Vj(b), alpha=0.1), expected, atol=1e-5)
    np.testing.assert_allclose(LazyTensor.solve(square, Vi(b), alpha=0.1, tolerance=1e-10), expected, atol=1e-8)
    np.testing.assert_allclose(square.solve(b, alpha=np.array([0.1]), tolerance=1e-10), expected, atol=1e-8)
    # The points are the right-hand side too.
    kernel = (-Vi(x).sqdist(Vj(x))).exp()
    np.testing.assert_allclose(
        kernel.solve(Vi(x), alpha=0.5), np.linalg.solve(dense_square + 0.5 * np.eye(M), x), atol=1e-5
    )


def test_systems_that_are_called():
    b = random.normal(size=(M, 2))
    expected = np.linalg.solve(dense_square + 0.1 * np.eye(M), b)
    later = square.solve(b, alpha=0.1, call=False)
    np.testing.assert_allclose(later(), expected, atol=1e-5)
    np.testing.assert_allclose(later(alpha=0.7), np.linalg.solve(dense_square + 0.7 * np.eye(M), b), atol=1e-5)
    symbolic = square.solve(Vi(0, 2), alpha=0.1)
    np.testing.assert_allclose(symbolic(b), expected, atol=1e-5)
    kernel = (-Vi(0, D).sqdist(Vj(1, D))).exp()
    np.testing.assert_allclose(kernel.solve(Vi(2, 2), alpha=0.1)(x, x, b), expected, atol=1e-5)


def test_systems_of_an_expression_in_the_unknown():
    b = random.normal(size=(M, 2))
    unknown = Vj(0, 2)
    operator = (-Vi(x).sqdist(Vj(x))).exp() * unknown * 3
    expected = np.linalg.solve(3 * dense_square + 0.1 * np.eye(M), b)
    np.testing.assert_allclose(operator.solve(Vi(0, 2), var=unknown, alpha=0.1, eps=1e-9)(b), expected, atol=1e-7)
    np.testing.assert_allclose(operator.solve(b, var=unknown, alpha=0.1, eps=1e-9), expected, atol=1e-7)
    # A matrix for each pair.
    coupling = np.array([[2.0, 0.5], [0.5, 1.0]])
    operator = (-Vi(x).sqdist(Vj(x))).exp() * Pm(coupling.reshape(-1)).matvecmult(unknown)
    whole = np.kron(dense_square, coupling) + 0.1 * np.eye(2 * M)
    solution = operator.solve(b, var=unknown, alpha=0.1, eps=1e-10)
    np.testing.assert_allclose(solution.ravel(), np.linalg.solve(whole, b.ravel()), atol=1e-8)


def test_systems_in_batches():
    X = random.normal(size=(3, M, D))
    b = random.normal(size=(3, M, 2))
    expected = np.linalg.solve(gaussian(X, X) + 0.1 * np.eye(M), b)
    np.testing.assert_allclose(lazy_gaussian(X, X).solve(b, alpha=0.1, eps=1e-9), expected, atol=1e-7)
    shared = lazy_gaussian(X, X).solve(b[0], alpha=0.1, eps=1e-9)
    np.testing.assert_allclose(
        shared, np.linalg.solve(gaussian(X, X) + 0.1 * np.eye(M), np.stack([b[0]] * 3)), atol=1e-7
    )


def test_absolute_accuracy_of_systems():
    b = random.normal(size=(M, 3))
    residual = b - (dense_square + 0.1 * np.eye(M)) @ square.solve(b, alpha=0.1, eps=1e-3)
    assert (residual**2).sum() < b.size * 1e-6
    assert (square.solve(1e-8 * b, alpha=0.1) == 0).all()
    assert (square.solve(0 * b, alpha=0.1) == 0).all()


@pytest.mark.parametrize("preconditioner", [None, "cholesky", "nystrom"])
@pytest.mark.parametrize("method", ["cg", "minres"])
def test_preconditioned_systems(preconditioner, method):
    points = random.uniform(size=(60, 1))
    b = random.normal(size=(60, 2))
    solution = lazy_gaussian(points, points).solve(
        b, alpha=1e-3, tolerance=1e-9, preconditioner=preconditioner, rank=8, method=method
    )
    np.testing.assert_allclose(
        solution, np.linalg.solve(gaussian(points, points) + 1e-3 * np.eye(60), b), rtol=1e-4, atol=1e-4
    )


def test_progress_of_systems():
    steps = []
    b = random.normal(size=(M, 1))
    square.solve(b, alpha=0.1, progress=lambda *step: steps.append(step))
    assert [step[0] for step in steps] == list(range(len(steps))) or [step[0] for step in steps] == list(
        range(1, len(steps) + 1)
    )
    assert len(steps) > 1 and steps[-1][2] < steps[0][2]
    with pytest.raises(KhufuError):
        square.solve(b, alpha=0.1, progress=lambda *step: False)
    with pytest.raises(ZeroDivisionError):
        square.solve(b, alpha=0.1, progress=lambda *step: 1 / 0)


def test_systems_with_block_sparsity():
    ranges = (np.array([[0, 4], [4, M]]), np.array([1, 2]), np.array([[0, 4], [4, M]])) * 2
    b = random.normal(size=(M, 2))
    mask = np.kron(np.eye(2), np.ones((4, 4)))
    expected = np.linalg.solve(dense_square * mask + 0.1 * np.eye(M), b)
    np.testing.assert_allclose(square.solve(b, alpha=0.1, ranges=ranges, eps=1e-9), expected, atol=1e-7)


def test_mistakes_in_systems():
    b = random.normal(size=(M, 2))
    with pytest.raises(ArgumentError, match="symbolic"):
        (square * Pm(0, 1)).solve(b)
    with pytest.raises(ArgumentError, match="square|points"):
        K.solve(b)
    with pytest.raises(TypeError, match="keyword 'tol'"):
        square.solve(b, tol=1e-3)
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        square.solve(b, tolerance=2.0)
    with pytest.raises(ArgumentError, match="method"):
        square.solve(b, method="gmres")
    with pytest.raises(ArgumentError, match="not an expression"):
        square.solve(Vi(b) * 2)
    with pytest.raises(SolverError):
        (-square).solve(b)
    with pytest.raises(SolverError):
        square.solve(b, alpha=1e-6, tolerance=1e-12, maximum_iterations=2)


# SciPy


def test_scipy():
    from scipy.sparse.linalg import LinearOperator, aslinearoperator, cg, eigsh, svds

    operator = aslinearoperator(square)
    assert isinstance(operator, LinearOperator) and operator.shape == (M, M) and operator.dtype == np.float64
    v = random.normal(size=M)
    np.testing.assert_allclose(operator @ v, dense_square @ v)
    np.testing.assert_allclose(operator.T @ v, dense_square.T @ v)
    np.testing.assert_allclose(operator @ np.stack([v, v], axis=1), dense_square @ np.stack([v, v], axis=1))
    values = eigsh(operator, k=3, return_eigenvectors=False)
    np.testing.assert_allclose(np.sort(values), np.linalg.eigvalsh(dense_square)[-3:])
    solution, info = cg(aslinearoperator(square + 0.1 * LazyTensor(np.eye(M)[:, None, :]).matvecmult(LazyTensor(np.eye(M)[None]))), v, rtol=1e-10)  # fmt: skip
    assert info == 0
    np.testing.assert_allclose(solution, np.linalg.solve(dense_square + 0.1 * np.eye(M), v), atol=1e-7)
    rectangle = aslinearoperator(K)
    np.testing.assert_allclose(rectangle.rmatvec(v), k.T @ v)
    np.testing.assert_allclose(
        np.sort(svds(rectangle, k=2, return_singular_vectors=False)), np.sort(np.linalg.svd(k, compute_uv=False)[:2])
    )


def test_scipy_with_complex_numbers():
    from scipy.sparse.linalg import aslinearoperator

    phase = (Vi(x) | Vj(y)).exp1j()
    dense = np.exp(1j * (x @ y.T))
    operator = aslinearoperator(phase)
    v, w = random.normal(size=N) + 1j * random.normal(size=N), random.normal(size=M) + 1j
    np.testing.assert_allclose(operator.matvec(v), dense @ v)
    np.testing.assert_allclose(operator.rmatvec(w), dense.conj().T @ w)
