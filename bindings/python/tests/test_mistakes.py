"""Mistakes: each is told in a sentence, as an error of a usual kind, and none gives wrong numbers. What looks like one but is right works."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from khufu import ArgumentError, ArrayTypeError, FormulaError, SolverError
from khufu.numpy import Genred, KernelSolve, LazyTensor, Pm, Vi, Vj, cluster, generic_argkmin

M, N, D = 7, 9, 3
rng = np.random.default_rng(0)
x, y, b = rng.normal(size=(M, D)), rng.normal(size=(N, D)), rng.normal(size=(N, 1))
aliases = ["x = Vi(3)", "y = Vj(3)", "b = Vj(1)"]
formula = "Exp(-SqDist(x, y)) * b"
dense = np.exp(-((x[:, None] - y) ** 2).sum(-1))


def kernel(points=x, others=y):
    return (-Vi(points).sqdist(Vj(others))).exp()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Genred(None, aliases), ArrayTypeError, "formula is a text; None"),
        (lambda: Genred(b"x", aliases), ArrayTypeError, "formula is a text"),
        (lambda: Genred("x\0 * nonsense", aliases), FormulaError, "code 0"),
        (lambda: Genred("\ud800", aliases), FormulaError, "whole characters"),
        (lambda: Genred("x", ["x = Vi(3)\0"]), FormulaError, "code 0"),
        (lambda: Genred("x", None), ArrayTypeError, "list of declarations; None"),
        (lambda: Genred("x", [3]), ArrayTypeError, "texts such as"),
        (lambda: Genred("x", [b"x = Vi(3)"]), ArrayTypeError, "texts such as"),
        (lambda: Genred("x", ["x = Vi(1, 3)"]), FormulaError, "is input 0"),
        (lambda: Genred(formula, aliases, ["Sum"]), ArgumentError, "reduction_op"),
        (lambda: Genred(formula, aliases, axis=np.array([0, 1])), ArgumentError, "0 or 1"),
        (lambda: Genred("b", aliases, "KMin", opt_arg=2**64 + 3), ArgumentError, "at most"),
        (lambda: Genred("b", aliases, "KMin", opt_arg=np.array([1, 2])), ArrayTypeError, "whole number"),
        (lambda: Genred("b", aliases, "LogSumExp", formula2=3), ArrayTypeError, "formula is a text; 3"),
        (lambda: Genred(formula, aliases)(x, y, b, backend=["CPU"]), ArgumentError, "backend"),
        (lambda: Genred(formula, aliases, dtype_acc="float64")(x.tolist(), y, b), ArrayTypeError, "list came"),
        (lambda: Genred(formula, aliases)(x.astype("f4"), y, b), ArrayTypeError, "input 0 is float32 and input 1 is float64"),
        (lambda: generic_argkmin("b", None, *aliases), ArgumentError, "declared as"),
        (lambda: KernelSolve("b", aliases, 3), ArrayTypeError, "named by a text"),
        (lambda: KernelSolve(None, aliases, "b"), ArrayTypeError, "None"),
        (lambda: Vi(None), ArrayTypeError, "NoneType"),
        (lambda: kernel() + None, ArrayTypeError, "NoneType"),
        (lambda: kernel() ** None, ArrayTypeError, "NoneType"),
        (lambda: LazyTensor((x, 3, 0)), ArgumentError, r"\(a ndarray, 3, 0\)"),
        (lambda: kernel().sum(axis="1"), ArgumentError, "'1' came"),
        (lambda: kernel().sum(axis=[1]), ArgumentError, "came"),
        (lambda: kernel().Kmin(2, axis=1, out=[1]), ArrayTypeError, "list"),
        (lambda: kernel() @ np.array(2.0), ArrayTypeError, "one number"),
        (lambda: np.array(2.0) @ kernel(), ArrayTypeError, "one number"),
        (lambda: Vi(x)[np.array([0, 1])], ArgumentError, "take a tuple"),
        (lambda: kernel()[np.ones(3, bool), :], ArgumentError, "no rows of 7"),
        (lambda: kernel()[:, [0.5]], ArgumentError, "no columns of 9"),
        (lambda: cluster.cluster_ranges(np.array([0, 1]), 2), ArrayTypeError, "Nlab"),
        (lambda: cluster.grid_cluster(x, "a"), ArrayTypeError, "size of cells"),
        (lambda: cluster.swap_axes(3), ArgumentError, "six arrays"),
    ],
)  # fmt: skip
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_positions_say_which_array_is_which():
    genred = Genred("SqDist(x, y)", ["x = Vi(1, 3)", "y = Vj(0, 3)", "p = Pm(1)"], axis=1)
    expected = ((x[:, None] - y) ** 2).sum(-1).sum(1, keepdims=True)
    np.testing.assert_allclose(genred(y, x, np.ones(1)), expected)
    solve = KernelSolve("Exp(-SqDist(x, y)) * b", ["b = Vj(2, 1)", "x = Vi(0, 3)", "y = Vj(1, 3)"], "b", axis=1)
    matrix = np.exp(-((x[:, None] - x) ** 2).sum(-1)) + 0.5 * np.eye(M)
    np.testing.assert_allclose(solve(x, x, x[:, :1], alpha=0.5), np.linalg.solve(matrix, x[:, :1]), rtol=1e-5)


def test_masked_arrays():
    genred, masked = Genred(formula, aliases, axis=1), np.ma.masked_array(x, mask=x > 0)
    for call in (lambda: genred(masked, y, b), lambda: Vi(masked).sum(axis=0), lambda: Vi(masked + 1j).sum(axis=0)):
        with pytest.raises(ArrayTypeError, match="masked"):
            call()
    np.testing.assert_allclose(genred(np.ma.masked_array(x), y, b), dense @ b)


integers = np.array([[0, 3], [3, M]]), np.array([1, 2]), np.array([[0, 4], [2, N]])


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({0: integers[0][:1]}, ArgumentError, r"\(1, 2\), \(2,\) and \(2, 2\) came"),
        ({0: integers[0].ravel()}, ArgumentError, "came"),
        ({1: integers[1][:, None]}, ArgumentError, "came"),
        ({2: np.zeros((2, 3), int)}, ArgumentError, "came"),
        ({0: integers[0] + 0.5}, ArrayTypeError, "whole numbers"),
        ({0: integers[0] * np.nan}, ArrayTypeError, "whole numbers"),
        ({2: integers[2].astype(str)}, ArrayTypeError, "whole numbers"),
        ({2: None}, ArrayTypeError, "whole numbers"),
        ({0: integers[0] + [0, 1]}, ArgumentError, "."),
    ],
)
@pytest.mark.parametrize("compute", [lambda K: K @ b, lambda K: K.dense()])
def test_mistakes_in_ranges(changed, error, message, compute):
    pattern = tuple(changed.get(k, part) for k, part in enumerate(integers))
    K = kernel()
    K.ranges = pattern * 2
    with pytest.raises(error, match=message):
        compute(K)


@pytest.mark.parametrize("kind", ["i4", ">i8", "f8", "u1"])
def test_ranges_of_whole_numbers(kind):
    K = kernel()
    K.ranges = tuple(part.astype(kind) for part in integers) * 2
    met = np.zeros((M, N))
    met[:3, :4] = met[3:, 2:] = 1
    np.testing.assert_allclose(K @ b, (met * dense) @ b)


def test_out_of_complex_results():
    product = LazyTensor((x + 1j)[:, None]) * Vj(y)
    out = np.zeros((M, D), complex)
    assert product.sum(axis=1, out=out) is out
    np.testing.assert_allclose(out, (x + 1j) * y.sum(0))
    for wrong in (np.zeros((M, 2 * D), complex)[:, ::2], np.zeros((M, D)), [1]):
        with pytest.raises(ArrayTypeError, match="out is"):
            product.sum(axis=1, out=wrong)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda K: pickle.loads(pickle.dumps(K))])
def test_copies_of_complex_tensors(copied):
    z = LazyTensor((x + 1j)[:, None])
    twin = copied(z)
    assert type(twin) is type(z) and twin.shape == z.shape
    np.testing.assert_allclose(twin.sum(axis=0), (x + 1j).sum(0)[None])


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"alpha": "a"}, ArrayTypeError, "alpha is a number"),
        ({"alpha": None}, ArrayTypeError, "alpha is a number"),
        ({"alpha": np.ones(2)}, ArrayTypeError, "alpha is a number"),
        ({"eps": "a"}, ArrayTypeError, "eps is a number"),
        ({"eps": -1}, ArgumentError, "eps is 0 or more"),
        ({"tolerance": "a"}, ArgumentError, "tolerance"),
        ({"maximum_iterations": 1.5}, ArrayTypeError, "maximum_iterations"),
        ({"maximum_iterations": 2**70}, ArgumentError, "maximum_iterations"),
        ({"preconditioner": "nystrom", "rank": "a"}, ArrayTypeError, "rank"),
        ({"method": ["cg"]}, ArgumentError, "method"),
        ({"preconditioner": ["nystrom"]}, ArgumentError, "preconditioner"),
        ({"progress": 3}, ArrayTypeError, "progress is a function"),
        ({"progress": lambda *_: False}, SolverError, "asked to stop"),
    ],
)
def test_mistakes_in_solves(keywords, error, message):
    with pytest.raises(error, match=message):
        kernel(x, x).solve(x, **{"alpha": 0.5, **keywords})


@pytest.mark.parametrize(
    ("right_hand_side", "error", "message"),
    [
        (x + 1j, ArrayTypeError, "complex128"),
        (x * np.nan, ArgumentError, "right-hand side contains infinity or NaN"),
        (np.array(1.0), ArgumentError, "one number"),
    ],
)
def test_mistakes_in_right_hand_sides(right_hand_side, error, message):
    with pytest.raises(error, match=message):
        kernel(x, x).solve(right_hand_side, alpha=0.5)


INTERRUPTED = """
import os, signal
import numpy as np
from khufu.numpy import Vi, Vj

x = np.random.default_rng(0).normal(size=(50, 3))
K = (-Vi(x).sqdist(Vj(x))).exp()
calls = []

def progress(*_):
    calls.append(0)
    os.kill(os.getpid(), signal.SIGINT)

before = signal.getsignal(signal.SIGINT)
try:
    K.solve(x, alpha=0.01, progress=progress)
except KeyboardInterrupt:
    print(len(calls), signal.getsignal(signal.SIGINT) is before)
noted = []
signal.signal(signal.SIGINT, lambda *_: noted.append(0))
solution = K.solve(x, alpha=0.01, progress=progress)
print(len(noted) == len(calls) - 1 > 0, np.isfinite(solution).all())
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are sent")
def test_interrupted_solves():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "True", "True", "True"] and done.stderr == ""


def test_parameters_still_broadcast():
    # What the checks above are near to.
    np.testing.assert_allclose((kernel() * Pm(2.0)).sum(axis=1), 2 * dense.sum(1, keepdims=True))
    assert LazyTensor().shape == (1, 1)


def test_another_library_in_place_of_the_engine():
    import _ctypes

    environment = {**os.environ, "KHUFU_LIBRARY": _ctypes.__file__}
    done = subprocess.run(
        [sys.executable, "-c", "import khufu; khufu.diagnosis()"], capture_output=True, text=True, env=environment
    )
    assert "EngineError" in done.stderr.splitlines()[-1] and "is not this package's engine" in done.stderr
