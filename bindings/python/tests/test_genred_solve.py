"""KernelSolve for NumPy, against dense solutions in float64."""

import inspect

import numpy as np
import pytest
from khufu.errors import ArgumentError, FormulaError, KhufuError, SolverError
from khufu.numpy import KernelSolve

random = np.random.default_rng(1)
N, D = 20, 2
ALIASES = ["x = Vi(2)", "y = Vj(2)", "b = Vj(3)", "p = Pm(1)"]
FORMULA = "Exp(-p * SqDist(x, y)) * b"


def problem(*batch, dtype="float64"):
    x, b = random.normal(size=(*batch, N, D)), random.normal(size=(*batch, N, 3))
    return x.astype(dtype), b.astype(dtype), np.array([0.8], dtype)


def dense(x, b, p, alpha):
    K = np.exp(-p * ((x[..., :, None, :] - x[..., None, :, :]) ** 2).sum(-1))
    return np.linalg.solve(K + alpha * np.eye(N), b)


@pytest.mark.parametrize("preconditioner", [None, "cholesky", "nystrom"])
@pytest.mark.parametrize("method", ["cg", "minres"])
def test_solution(method, preconditioner):
    x, b, p = problem()
    solve = KernelSolve(FORMULA, ALIASES, "b", axis=1)
    found = solve(x, x, b, p, alpha=0.1, eps=1e-12, method=method, preconditioner=preconditioner, rank=5)
    np.testing.assert_allclose(found, dense(x, b, p, 0.1), rtol=1e-9, atol=1e-9)


def test_solution_over_i():
    x, b, p = problem()
    aliases = ["x = Vi(2)", "y = Vj(2)", "b = Vi(3)", "p = Pm(1)"]
    found = KernelSolve(FORMULA, aliases, "b")(x, x, b, p, alpha=0.1, eps=1e-12)
    np.testing.assert_allclose(found, dense(x, b, p, 0.1), rtol=1e-9, atol=1e-9)


def test_a_matrix_for_each_pair():
    x, b, _ = problem()
    b = b[:, :2]
    solve = KernelSolve(
        "Exp(-SqDist(x, y)) * (b + (x - y) * ((x - y) | b))", ["x = Vi(2)", "y = Vj(2)", "b = Vj(2)"], "b", axis=1
    )
    d = x[:, None] - x
    blocks = np.exp(-(d**2).sum(-1))[..., None, None] * (np.eye(2) + d[..., :, None] * d[..., None, :])
    matrix = blocks.transpose(0, 2, 1, 3).reshape(2 * N, 2 * N) + 3 * np.eye(2 * N)
    found = solve(x, x, b, alpha=3, eps=1e-12)
    np.testing.assert_allclose(found.ravel(), np.linalg.solve(matrix, b.ravel()), rtol=1e-9, atol=1e-9)


def test_batches():
    x, b, p = problem(2, 3)
    solve = KernelSolve(FORMULA, ALIASES, "b", axis=1)
    np.testing.assert_allclose(solve(x, x, b, p, alpha=0.1, eps=1e-12), dense(x, b, p, 0.1), rtol=1e-9, atol=1e-9)
    # One right-hand side for all matrices.
    found = solve(x, x, b[0, 0], p, alpha=0.1, eps=1e-12)
    np.testing.assert_allclose(found, dense(x, np.broadcast_to(b[0, 0], b.shape), p, 0.1), rtol=1e-9, atol=1e-9)


def test_eps_is_that_of_keops():
    x, b, p = problem()
    solve = KernelSolve(FORMULA, ALIASES, "b", axis=1)
    for scale in (1e-2, 1e3):
        for eps in (1e-1, 1e-4):
            found = solve(x, x, scale * b, p, alpha=0.1, eps=scale * eps)
            K = np.exp(-p * ((x[:, None] - x) ** 2).sum(-1)) + 0.1 * np.eye(N)
            residual = scale * b - K @ found
            assert (residual**2).sum() < residual.size * (scale * eps) ** 2
    assert (solve(x, x, 1e-9 * b, p) == 0).all()
    assert (solve(x, x, 0 * b, p) == 0).all()


def test_what_rounding_does_not_let_through_is_told():
    x, b, p = problem(dtype="float32")
    solve = KernelSolve(FORMULA, ALIASES, "b", axis=1)
    with pytest.warns(RuntimeWarning, match="rounding"):
        found = solve(x, x, b, p, alpha=0.01, eps=1e-9)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, dense(*map(np.float64, (x, b, p)), 0.01), rtol=1e-2, atol=1e-2)


def test_ranges():
    x, b, p = problem()
    # Two blocks that do not meet.
    part = np.array([[0, 12], [12, N]]), np.array([1, 2]), np.array([[0, 12], [12, N]])
    found = KernelSolve(FORMULA, ALIASES, "b", axis=1)(x, x, b, p, alpha=0.1, eps=1e-12, ranges=(*part, *part))
    K = np.exp(-p * ((x[:, None] - x) ** 2).sum(-1))
    K[:12, 12:] = K[12:, :12] = 0
    np.testing.assert_allclose(found, np.linalg.solve(K + 0.1 * np.eye(N), b), rtol=1e-9, atol=1e-9)


def test_progress():
    x, b, p = problem()
    solve = KernelSolve(FORMULA, ALIASES, "b", axis=1)
    seen = []
    solve(x, x, b, p, alpha=0.1, maximum_iterations=300, progress=lambda *step: seen.append(step))
    assert [step[0] for step in seen] == list(range(len(seen))) or [step[0] for step in seen] == list(
        range(1, len(seen) + 1)
    )
    assert all(step[1] == 300 for step in seen) and seen[-1][2] < seen[0][2]
    with pytest.raises(KhufuError):
        solve(x, x, b, p, alpha=0.1, progress=lambda *step: False)

    def broken(*step):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        solve(x, x, b, p, alpha=0.1, progress=broken)


def test_unknown_by_its_position_and_arguments():
    x, b, _ = problem()
    solve = KernelSolve("Exp(-SqDist(Var(0,2,0), Var(1,2,1))) * Var(2,3,1)", [], "Var(2,3,1)", axis=1)
    assert solve.nargs == 3 and solve.varinvpos == 2
    np.testing.assert_allclose(solve(x, x, b, alpha=0.1, eps=1e-12), dense(x, b, 1, 0.1), rtol=1e-9, atol=1e-9)
    names = list(inspect.signature(KernelSolve).parameters)
    assert names[:9] == [
        "formula", "aliases", "varinvalias", "axis", "dtype", "opt_arg", "dtype_acc", "use_double_acc", "sum_scheme",
    ]  # fmt: skip


def test_mistakes():
    x, b, p = problem()
    solve = KernelSolve(FORMULA, ALIASES, "b", axis=1)
    with pytest.raises(ArgumentError, match="'c' came"):
        KernelSolve(FORMULA, ALIASES, "c", axis=1)
    with pytest.raises(ArgumentError, match="Axis should be 0 or 1"):
        KernelSolve(FORMULA, ALIASES, "b", axis=2)
    with pytest.raises(FormulaError):
        KernelSolve("Exp(x", ALIASES, "b")
    with pytest.raises(ArgumentError, match="it takes 4"):
        solve(x, x, b)
    with pytest.raises(ArgumentError, match="'lu' came"):
        solve(x, x, b, p, method="lu")
    with pytest.raises(ArgumentError, match="'jacobi' came"):
        solve(x, x, b, p, preconditioner="jacobi")
    with pytest.raises(ArgumentError):
        solve(x, x[:-1], b[:-1], p)
    with pytest.raises(SolverError, match="positive definite"):
        KernelSolve("-" + FORMULA, ALIASES, "b", axis=1)(x, x, b, p, alpha=0.1)
    with pytest.raises(SolverError, match="iterations"):
        solve(x, x, b, p, alpha=1e-6, eps=1e-9, maximum_iterations=2)
