"""What lazy tensors are made of, what they look like, and what mistakes say."""

import copy
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from khufu.errors import ArgumentError, ArrayTypeError, FormulaError
from khufu.numpy import LazyTensor, Pm, Var, Vi, Vj

random = np.random.default_rng(7)
M, N, D = 5, 6, 3
x, y, p = random.normal(size=(M, D)), random.normal(size=(N, D)), random.normal(size=D)


@pytest.mark.parametrize(
    "shape, axis, expected, category",
    [
        ((M, 1, D), None, (M, 1, D), 0),
        ((1, N, D), None, (1, N, D), 1),
        ((1, 1, D), None, (1, 1, D), 2),
        ((2, M, 1, D), None, (2, M, 1, D), 0),
        ((2, 3, 1, N, D), None, (2, 3, 1, N, D), 1),
        ((4, 1, 1, D), None, (4, 1, 1, D), 2),
        ((M, D), 0, (M, 1, D), 0),
        ((N, D), 1, (1, N, D), 1),
        ((1, D), 0, (1, 1, D), 0),
        ((D,), None, (1, 1, D), 2),
        ((D,), 2, (1, 1, D), 2),
        ((4, D), 2, (4, 1, 1, D), 2),
        ((1, D), 2, (1, 1, D), 2),
        ((M, 1, 1), None, (M, 1, 1), 0),
    ],
)
def test_shapes(shape, axis, expected, category):
    array = random.normal(size=shape)
    lazy = LazyTensor(array, axis=axis)
    assert lazy._shape == expected and lazy.axis == category
    assert lazy.shape == (expected[:-1] if expected[-1] == 1 else expected)
    assert lazy.ndim == expected[-1] and lazy.dim() == len(expected)
    assert lazy.nbatchdims == len(expected) - 3 and lazy.batchdims == (expected[:-3] or None)
    np.testing.assert_array_equal(lazy.dense(), array.reshape(expected))
    np.testing.assert_array_equal(lazy.variables[0].reshape(-1), array.reshape(-1))


def test_attributes():
    K = (-Vi(x).sqdist(Vj(y)) / 2.5).exp() * Pm(0, 1)
    assert (K.ni, K.nj, K.ndim, K.batchdims, K.nbatchdims) == (M, N, 1, None, 0)
    assert K.shape == (M, N) and K._shape == (M, N, 1)
    assert K.dtype == K._dtype == "float64" and not K.is_complex and K.__GenericLazyTensor__
    assert K.symbolic_variables == ((0, 1, 2),) and K.new_variable_index() == 1
    arrays = [variable for variable in K.variables if not isinstance(variable, list)]
    assert len(K.variables) == 3 and len(arrays) == 2
    assert K.ranges is None and K.backend is None and K.formula2 is None and K.axis is None
    assert K.tools is LazyTensor.arrays and K.tools.name == "numpy"
    assert LazyTensor(3).dtype is None and LazyTensor(3).ndim == 1 and LazyTensor(3).axis == 2
    assert Vi(2, 4).ind == 2
    assert K.Genred.__name__ == "Genred" and K.KernelSolve.__name__ == "KernelSolve"
    assert Var(x, cat=0).axis == 0 and Var(1, 3, 1).symbolic_variables == ((1, 3, 1),)


def test_text():
    K = (-Vi(x).sqdist(Vj(y))).exp()
    lines = str(K).split("\n")
    assert (
        lines[0].endswith("LazyTensor")
        and lines[1].startswith("    formula: Exp(")
        and lines[2] == f"    shape: ({M}, {N})"
    )
    text = str((K * Vi(0, 2)).sum(axis=1))
    assert "symbolic variables: Var(0, 2, 0)" in text and "reduction: Sum (axis=1)" in text
    assert "Var(1,3,0)" in text and "Var(2,3,1)" in text
    text = str(Vi(0, 1).reduction("LogSumExp", other=Vj(1, 2), axis=1, call=False))
    assert "formula2: Var(1,2,1)" in text
    assert "opt_arg: 3" in str(Vi(0, 1).argKmin(3, axis=1))
    assert repr(K) == f"LazyTensor(shape=({M}, {N}), dtype=float64)"


class Interface:
    def __init__(self, array):
        self.array = array

    @property
    def __array_interface__(self):
        return self.array.__array_interface__


class DLPack:
    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("wrap", [Interface, DLPack])
def test_arrays_of_other_libraries(wrap):
    lazy = LazyTensor(wrap(x), axis=0)
    np.testing.assert_array_equal(lazy.dense()[:, 0], x)
    assert np.shares_memory(lazy.variables[0], x)
    np.testing.assert_allclose(Vj(y).sqdist(wrap(p)).dense()[0, :, 0], ((y - p) ** 2).sum(-1))
    kernel = (-Vi(x).sqdist(Vj(y))).exp()
    np.testing.assert_allclose(kernel @ wrap(y), kernel @ y)


@pytest.mark.parametrize(
    "value",
    [
        True,
        "x",
        b"x",
        object(),
        {},
        np.arange(3),
        np.array(["a"]),
        np.ones((2, 2), bool),
        [],
        [1, "a"],
        [[1.0]],
        [True],
    ],
)
def test_what_is_no_tensor(value):
    with pytest.raises(ArrayTypeError, match="LazyTensor"):
        LazyTensor(value, axis=0) if getattr(value, "ndim", 0) == 2 else LazyTensor(value)
    if not isinstance(value, np.ndarray):
        with pytest.raises(ArrayTypeError):
            Vi(x) * value


def test_mistakes_in_construction():
    for arguments, message in (
        ((x,), r"along i or along j: give axis=0 or 1"),
        ((x, 3), "axis is 0 for points along i"),
        ((x[None], 0), "has two axes"),
        ((np.ones((2, 3, 4)),), r"\(…, M, 1, D\), \(…, 1, N, D\) or \(…, 1, 1, D\); \(2, 3, 4\) came"),
        ((p, 0), "has two axes"),
        (((0, 3), None), "three whole numbers"),
        (((0, 3.0, 1), None), "three whole numbers"),
        (((0, 3, 5), None), "category"),
        (((-1, 3, 1), None), "index from 0"),
        (((0, 0, 1), None), "dimension from 1"),
        (((0, 3, 1), 1), "axis is left out"),
        (([1.0, 2.0], 0), "list of numbers is a parameter"),
        ((np.ones((3, 0)), 0), "length 1 or more"),
    ):
        with pytest.raises(ArgumentError, match=message):
            LazyTensor(*arguments)


def test_mistakes_in_joining():
    a, b = Vi(x), Vj(y)
    with pytest.raises(
        ArgumentError, match=r"shapes \(5, 1, D\) and \(4, 6, D\) do not agree on the number of points along i: 5 and 4"
    ):
        a + (Vi(x[:4]) + b)
    with pytest.raises(ArgumentError, match="points along j: 6 and 5"):
        b * Vj(x)
    with pytest.raises(ArrayTypeError, match="float64 and float32"):
        a + Vi(x.astype("float32"))
    with pytest.raises(ArrayTypeError, match="float64 and float32"):
        a * p.astype("float32")
    with pytest.raises(ArgumentError, match=r"\(2,\) and \(3,\)"):
        LazyTensor(np.ones((2, M, 1, D))) + LazyTensor(np.ones((3, M, 1, D)))
    with pytest.raises(FormulaError, match=r"Add of lazy tensors of shapes \(5, 1, 3\) and \(1, 6, 2\)"):
        a + Vj(y[:, :2])
    with pytest.raises(FormulaError, match="MatVecMult"):
        a.matvecmult(Vj(y[:, :2]))
    with pytest.raises(ArgumentError, match="vectors of one dimension"):
        a | Vj(y[:, :2])
    with pytest.raises(ArgumentError, match="1, 3 or 9 numbers; 2 came"):
        a.weightedsqnorm([1.0, 2.0])
    with pytest.raises(ArgumentError, match="one number; 3 came"):
        a.one_hot(4)
    with pytest.raises(ArgumentError, match="last axis"):
        a.norm(0)
    with pytest.raises(ArgumentError, match="last axis"):
        LazyTensor.concatenate((a, a), axis=0)
    with pytest.raises(ArgumentError, match="tuple of lazy tensors"):
        LazyTensor.concatenate(())
    with pytest.raises(ArrayTypeError, match="ndarray came"):
        LazyTensor.cat((x, a), dim=-1)
    with pytest.raises(FormulaError, match="not an expression"):
        (a * b).grad(a + 0 * a, b)
    with pytest.raises(ArgumentError, match="cotangent"):
        (a * b).grad(a, Vj(y[:, :2]))
    with pytest.raises(FormulaError):
        a.laplacian(a)
    with pytest.raises(FormulaError):
        (a.exp() * Vj(0, D)).trace_operator(a)
    with pytest.raises(ArrayTypeError, match="number of decimals is a whole number"):
        a.round(1.5)


def test_numpy_does_not_take_over():
    lazy = x[0] + Vi(x)
    assert isinstance(lazy, LazyTensor)
    np.testing.assert_allclose((x[:, None] * Vj(y)).dense(), x[:, None] * y[None])
    with pytest.raises(TypeError):
        np.exp(lazy)
    with pytest.raises(TypeError):
        hash(lazy)
    with pytest.raises(AttributeError, match="no attribute 'transpose'"):
        lazy.transpose


def test_copies():
    K = (-Vi(x).sqdist(Vj(y)) * 0.5).exp()
    for other in (copy.copy(K), copy.deepcopy(K), pickle.loads(pickle.dumps(K))):
        np.testing.assert_allclose(other.sum(axis=1), K.sum(axis=1))
        assert other.formula == K.formula
    reduced = (Vi(0, D) * K).sum(axis=1)
    for other in (copy.copy(reduced), copy.deepcopy(reduced), pickle.loads(pickle.dumps(reduced))):
        np.testing.assert_allclose(other(x), reduced(x))
    K2 = copy.copy(K)
    K2.backend = "CPU"
    assert K.backend is None


class Named(LazyTensor):
    def __init__(self, x, axis=None):
        super().__init__(x, axis)
        self.label = "points"


def test_subclasses():
    lazy = Named(x, 0)
    assert lazy.label == "points" and isinstance(lazy.exp(), Named) and isinstance(lazy + 1.0, Named)
    np.testing.assert_array_equal(lazy.exp().dense(), np.exp(x[:, None]))


def test_operations_by_name():
    a, b = Vi(x), Vj(y)
    np.testing.assert_array_equal(a.unary("Exp").dense(), a.exp().dense())
    np.testing.assert_array_equal(a.unary("Extract", dimres=2, opt_arg=0, opt_arg2=2).dense(), a[:2].dense())
    np.testing.assert_array_equal(a.binary(b, "SqDist", dimres=1).dense(), a.sqdist(b).dense())
    np.testing.assert_array_equal(a.binary(b, "-", is_operator=True, rversion=True).dense(), (b - a).dense())
    np.testing.assert_array_equal(a.ternary(b, 2.0, "IfElse").dense(), a.ifelse(b, 2.0).dense())
    np.testing.assert_array_equal(a.addop(b).subop(a).mulop(b).divop(2).dense(), ((a + b - a) * b / 2).dense())
    assert a.lt_constructor(2.0).ndim == 1 and a.get_tools() is a.arrays
    with pytest.raises(ArgumentError, match="dimres is 5"):
        a.unary("Exp", dimres=5)
    with pytest.raises(FormulaError, match="Expp"):
        a.unary("Expp")


def test_new_numbers_need_no_new_formula():
    from khufu import _expression

    def product(scale):
        return ((-Vi(x).sqdist(Vj(y)) * scale).exp() + scale).sum(axis=1)

    product(0.3)
    count = len(_expression._programs)
    for scale in (0.4, 0.5, 0.6):
        np.testing.assert_allclose(
            product(scale)[:, 0], (np.exp(-scale * ((x[:, None] - y[None]) ** 2).sum(-1)) + scale).sum(1)
        )
    assert len(_expression._programs) == count


def test_threads():
    def work(k):
        lazy = ((-Vi(x).sqdist(Vj(y)) * (0.1 * k)).exp() + k) ** (k % 3 + 1)
        dense = (np.exp(-0.1 * k * ((x[:, None] - y[None]) ** 2).sum(-1)) + k) ** (k % 3 + 1)
        return np.allclose(lazy.sum(axis=1)[:, 0], dense.sum(1)) and np.allclose(lazy @ y, dense @ y)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(1, 65)))


@pytest.mark.forks
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forks():
    K = (-Vi(x).sqdist(Vj(y))).exp()
    reduced = (K * Vj(0, 1)).sum(axis=1)
    expected = reduced(y[:, :1])
    child = os.fork()
    if child == 0:
        os._exit(0 if np.allclose(reduced(y[:, :1]), expected) and np.allclose(K @ y[:, :1], expected) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_long_formulas():
    total = Vi(x)
    for k in range(400):
        total = total + Vj(y) * (0.001 * k)
    total = pickle.loads(pickle.dumps(total))
    np.testing.assert_allclose(total.sum(axis=1), (N * x + 0.001 * (399 * 400 / 2) * y.sum(0)), rtol=1e-9)


def test_import_needs_numpy_only():
    code = "import sys, khufu; assert not {'numpy', 'torch'} & set(sys.modules); import khufu.numpy; assert 'torch' not in sys.modules and 'scipy' not in sys.modules"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
