"""Reductions of lazy tensors over both axes, with batches, parameters, block-sparsity and options, against NumPy's."""

import numpy as np
import pytest
from scipy.special import logsumexp

from khufu.errors import ArgumentError, ArrayTypeError, EngineError, FormulaError
from khufu.numpy import LazyTensor, Pm, Vi, Vj

random = np.random.default_rng(2)
M, N, D = 6, 9, 3
x, y = random.normal(size=(M, D)), random.normal(size=(N, D))

#: Shapes of an i-variable, a j-variable and a parameter, with dummy axes for the others.
SHAPES = {
    "plain": ((M, 1, D), (1, N, D), (1, 1, D)),
    "batch": ((4, M, 1, D), (4, 1, N, D), (4, 1, 1, D)),
    "broadcast": ((4, M, 1, D), (1, 1, N, D), (1, 1, 1, D)),
    "broadcast both": ((3, 1, M, 1, D), (1, 2, 1, N, D), (3, 2, 1, 1, D)),
    "batch beside none": ((2, M, 1, D), (1, N, D), (D,)),
    "batch of a parameter": ((M, 1, D), (1, N, D), (5, 1, 1, D)),
    "one row": ((1, 1, D), (1, N, D), (1, 1, D)),
    "one row in a batch": ((4, 1, 1, D), (1, 1, N, D), (1, 1, 1, D)),
    "one column": ((M, 1, D), (1, 1, D), (D,)),
}


def made(name):
    arrays = [random.normal(size=shape) for shape in SHAPES[name]]
    lazy = [LazyTensor(array) for array in arrays]
    a, b, p = lazy
    A, B, P = arrays
    vectors = (a - b) * p + a, (A - B) * P + A
    scalars = -((a - b) ** 2 * p).sum(-1), -((A - B) ** 2 * P).sum(-1, keepdims=True)
    return vectors, scalars, (b + a, B + A)


AXES = pytest.mark.parametrize("over", [0, 1])
CASES = pytest.mark.parametrize("name", SHAPES)


@CASES
@AXES
def test_sums_and_extrema(name, over):
    (z, Z), _, _ = made(name)
    axis = z.nbatchdims + over
    close = np.testing.assert_allclose
    assert z._shape == Z.shape and z.dim() == Z.ndim
    close(z.sum(axis), Z.sum(axis), atol=1e-12)
    close(z.sum_reduction(dim=axis), Z.sum(axis), atol=1e-12)
    close(z.max(dim=axis), Z.max(axis))
    close(z.min_reduction(axis=axis), Z.min(axis))
    for found, expected in ((z.argmin(axis), Z.argmin(axis)), (z.argmax_reduction(axis), Z.argmax(axis))):
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, expected)
    values, indices = z.min_argmin(axis=axis)
    close(values, Z.min(axis))
    np.testing.assert_array_equal(indices, Z.argmin(axis))
    values, indices = z.max_argmax_reduction(dim=axis)
    close(values, Z.max(axis))
    np.testing.assert_array_equal(indices, Z.argmax(axis))


@CASES
@AXES
def test_soft_maxima(name, over):
    _, (s, S), (w, W) = made(name)
    axis = s.nbatchdims + over
    close = np.testing.assert_allclose
    close(s.logsumexp(axis), logsumexp(S, axis=axis))
    positive, POSITIVE = w.exp(), np.exp(W)
    close(s.logsumexp(dim=axis, weight=positive), logsumexp(S, axis=axis, b=POSITIVE))
    close(s.logsumexp_reduction(axis=axis, other=positive), logsumexp(S, axis=axis, b=POSITIVE))
    soft = np.exp(S - S.max(axis, keepdims=True))
    close(s.sumsoftmaxweight(w, axis=axis), (soft * W).sum(axis) / soft.sum(axis), atol=1e-12)
    close(s.sumsoftmaxweight_reduction(weight=w, dim=axis), (soft * W).sum(axis) / soft.sum(axis), atol=1e-12)


@CASES
@AXES
@pytest.mark.parametrize("K", [1, 2, 4])
def test_smallest_values(name, over, K):
    (z, Z), (s, S), _ = made(name)
    axis = z.nbatchdims + over
    count = Z.shape[axis]
    for lazy, dense in ((z, Z), (s, S)):
        order = np.argsort(dense, axis=axis, kind="stable")
        # Beyond the points there are: infinity, and the index 0.
        order = (
            np.concatenate([order, np.zeros_like(order)], axis=axis)[(slice(None),) * axis + (slice(0, max(K, 1)),)]
            if K <= count
            else None
        )
        if order is None:
            continue
        expected = np.moveaxis(np.take_along_axis(dense, order, axis), axis, -2)
        order = np.moveaxis(order, axis, -2)
        if dense.shape[-1] == 1:
            expected, order = expected[..., 0], order[..., 0]
        np.testing.assert_allclose(lazy.Kmin(K, axis=axis), expected)
        np.testing.assert_array_equal(lazy.argKmin(K, dim=axis), order)
        values, indices = lazy.Kmin_argKmin(K, axis)
        np.testing.assert_allclose(values, expected)
        np.testing.assert_array_equal(indices, order)
        assert values.shape == expected.shape and indices.dtype == np.int64


def test_more_values_than_points():
    values, indices = Vi(x).sqdist(Vj(y[:2])).Kmin_argKmin(K=4, axis=1)
    assert values.shape == indices.shape == (M, 4)
    assert np.isinf(values[:, 2:]).all() and (indices[:, 2:] == 0).all()


def test_first_of_equal_values():
    flat = Vi(x).sqdist(Vj(y)) * 0
    assert (flat.argmin(axis=1) == 0).all()
    np.testing.assert_array_equal(flat.argKmin(3, axis=1), np.broadcast_to([0, 1, 2], (M, 3)))


def test_shapes_of_results():
    K = (-Vi(x).sqdist(Vj(y))).exp()
    assert K.sum(axis=1).shape == (M, 1)
    assert K.sum(axis=0).shape == (N, 1)
    assert (K * Vj(y)).sum(axis=1).shape == (M, D)
    assert Vj(y).sum(axis=1).shape == (1, D)
    assert Pm(y[0]).sum(axis=1).shape == (1, D)
    assert K.Kmin(2, axis=0).shape == (N, 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_types(dtype):
    a, b = Vi(x.astype(dtype)), Vj(y.astype(dtype))
    K = (-a.sqdist(b) * 0.5).exp()
    assert K.dtype == dtype and K.sum(axis=1).dtype == dtype
    expected = np.exp(-0.5 * ((x[:, None] - y[None]) ** 2).sum(-1)).sum(1)
    np.testing.assert_allclose(K.sum(axis=1)[:, 0], expected, rtol=1e-5 if dtype == "float32" else 1e-13)


def test_half_precision():
    a, b = Vi(x.astype("float16")), Vj(y.astype("float16"))
    result = a.sqdist(b).sum(axis=1)
    assert result.dtype == np.float16
    np.testing.assert_allclose(result[:, 0], ((x[:, None] - y[None]) ** 2).sum((1, 2)), rtol=5e-2)


def test_arrays_in_any_layout():
    wide = random.normal(size=(2 * M, 2 * D))
    view, flipped, fortran = wide[::2, ::2], y[::-1], np.asfortranarray(y)
    expected = ((view[:, None] - flipped[None]) ** 2).sum(-1).sum(1)
    np.testing.assert_allclose(Vi(view).sqdist(Vj(flipped)).sum(axis=1)[:, 0], expected)
    np.testing.assert_allclose(Vi(x).sqdist(Vj(fortran)).sum(axis=1), Vi(x).sqdist(Vj(y)).sum(axis=1))
    swapped = y.astype(">f8")
    np.testing.assert_allclose(Vi(x).sqdist(Vj(swapped)).sum(axis=1), Vi(x).sqdist(Vj(y)).sum(axis=1))


def test_empty_arrays():
    nothing = np.zeros((0, D))
    assert Vi(x).sqdist(Vj(nothing)).sum(axis=1).tolist() == [[0.0]] * M
    assert Vi(nothing).sqdist(Vj(y)).sum(axis=1).shape == (0, 1)
    assert np.isneginf(Vi(x).sqdist(Vj(nothing)).logsumexp(axis=1)).all()


# Options


@pytest.mark.parametrize("options", [{"sum_scheme": "kahan_scheme"}, {"sum_scheme": "direct_sum"}, {"sum_scheme": "block_sum"}, {"use_double_acc": True}, {"dtype_acc": "float64"}])  # fmt: skip
def test_accumulation(options):
    ones = np.full((20000, 1), 0.1, dtype="float32")
    total = Vj(ones).sum(axis=1, **options)
    # Blocks are summed in the type of the data.
    tolerance = {"kahan_scheme": 1e-7, "direct_sum": 1e-3}.get(options.get("sum_scheme"), 1e-5)
    np.testing.assert_allclose(total, 20000 * np.float64(np.float32(0.1)), rtol=tolerance)
    K = (-Vi(x.astype("float32")).sqdist(Vj(y.astype("float32")))).logsumexp(axis=1, **options)
    np.testing.assert_allclose(
        K, logsumexp(-((x[:, None] - y[None]) ** 2).sum(-1), axis=1)[:, None], rtol=1e-4, atol=1e-5
    )


def test_keywords_without_effect():
    K = Vi(x).sqdist(Vj(y))
    expected = K.sum(axis=1)
    for options in (
        {"device_id": 0},
        {"enable_chunks": False},
        {"use_fast_math": False},
        {"backend": "CPU"},
        {"backend": "auto"},
    ):
        np.testing.assert_array_equal(K.sum(axis=1, **options), expected)


def test_results_in_a_given_array():
    K = Vi(x).sqdist(Vj(y))
    out = np.empty((M, 1))
    assert K.sum(axis=1, out=out) is out
    np.testing.assert_array_equal(out, K.sum(axis=1))
    with pytest.raises(ArgumentError, match=r"out has shape \(6, 1\)"):
        K.sum(axis=1, out=np.empty((M, 2)))
    with pytest.raises(ArrayTypeError, match="out has type"):
        K.sum(axis=1, out=np.empty((M, 1), "float32"))


def test_mistakes_in_options():
    K = Vi(x).sqdist(Vj(y))
    with pytest.raises(TypeError, match="no keyword 'sum_shceme'"):
        K.sum(axis=1, sum_shceme="auto")
    with pytest.raises(EngineError, match="no CUDA device"):
        K.sum(axis=1, backend="GPU", device_id=99)
    with pytest.raises(ArgumentError, match="backend is one of"):
        K.sum(axis=1, backend="cpu!")
    with pytest.raises(ArgumentError, match="sum_scheme"):
        K.sum(axis=1, sum_scheme="pairwise")
    with pytest.raises(ArgumentError, match="adds nothing up"):
        K.min(axis=1, sum_scheme="kahan_scheme")
    with pytest.raises(ArgumentError, match="say the same"):
        K.sum(axis=1, dtype_acc="float64", use_double_acc=True)
    with pytest.raises(ArgumentError, match="dtype_acc is"):
        K.sum(axis=1, dtype_acc="float32")
    with pytest.raises(ArgumentError, match="is over axis 0, for i, or 1, for j; 3 came"):
        K.sum(axis=3)
    with pytest.raises(ArgumentError, match="None came"):
        K.logsumexp()
    with pytest.raises(ArgumentError, match="K of values"):
        K.Kmin(0, axis=1)
    with pytest.raises(ArrayTypeError, match="K is a whole number"):
        K.argKmin(2.5, axis=1)
    with pytest.raises(FormulaError):
        (Vi(x) - Vj(y)).logsumexp(axis=1)
    with pytest.raises(ArgumentError, match="reduction_op is one of"):
        K.reduction("Product", axis=1)
    with pytest.raises(ArgumentError, match="second formula"):
        K.reduction("SumSoftMaxWeight", axis=1)


# Block-sparsity


def pattern(blocks, keep, rows, columns):
    """KeOps' six arrays of a pattern of blocks, and the mask of pairs that it stands for."""
    mask = np.zeros((rows[-1][1], columns[-1][1]), dtype=bool)
    for i, (a, b) in enumerate(rows):
        for j, (c, d) in enumerate(columns):
            mask[a:b, c:d] = keep[i, j]
    ends_j = np.cumsum(keep.sum(1))
    ends_i = np.cumsum(keep.sum(0))
    met_j = np.concatenate([np.array(columns)[keep[i]] for i in range(len(rows))])
    met_i = np.concatenate([np.array(rows)[keep[:, j]] for j in range(len(columns))])
    return (np.array(rows), ends_j, met_j, np.array(columns), ends_i, met_i), mask


KEEP = np.array([[True, False, True], [False, True, False]])
RANGES, MASK = pattern(None, KEEP, [(0, 2), (2, 6)], [(0, 3), (3, 4), (4, 9)])


@AXES
def test_block_sparsity(over):
    K = (-Vi(x).sqdist(Vj(y))).exp()
    k = np.exp(-((x[:, None] - y[None]) ** 2).sum(-1))
    expected = np.where(MASK, k, 0).sum(over, keepdims=True).reshape(-1, 1)
    np.testing.assert_allclose(K.sum(axis=over, ranges=RANGES), expected)
    K.ranges = RANGES
    np.testing.assert_allclose(K.sum(axis=over), expected)
    np.testing.assert_allclose((2 * K).min(axis=over), 2 * np.where(MASK, k, np.inf).min(over).reshape(-1, 1))
    np.testing.assert_array_equal(K.argmin(axis=over)[:, 0], np.where(MASK, k, np.inf).argmin(over))
    np.testing.assert_allclose(K.T.sum(axis=1 - over), expected)
    np.testing.assert_allclose(K.dense()[..., 0], np.where(MASK, k, 0))
    b = random.normal(size=N)
    np.testing.assert_allclose(K @ b, np.where(MASK, k, 0) @ b)
    np.testing.assert_allclose(K.T @ b[:M], np.where(MASK, k, 0).T @ b[:M])


@AXES
def test_block_sparsity_in_batches(over):
    X, Y = random.normal(size=(2, M, D)), random.normal(size=(2, N, D))
    K = LazyTensor(X[:, :, None]).sqdist(LazyTensor(Y[:, None]))
    k = ((X[:, :, None] - Y[:, None]) ** 2).sum(-1)
    other, other_mask = pattern(None, ~KEEP, [(0, 2), (2, 6)], [(0, 3), (3, 4), (4, 9)])
    np.testing.assert_allclose(K.sum(axis=over + 1, ranges=RANGES)[..., 0], np.where(MASK, k, 0).sum(over + 1))
    K.ranges = [RANGES, other]
    expected = np.where(np.stack([MASK, other_mask]), k, 0)
    np.testing.assert_allclose(K.sum(axis=over + 1)[..., 0], expected.sum(over + 1))
    np.testing.assert_allclose(K.dense()[..., 0], expected)
    np.testing.assert_allclose(K.T.sum(axis=2 - over)[..., 0], expected.sum(over + 1))


def test_rows_that_no_range_holds():
    ranges, _ = pattern(None, np.array([[True]]), [(0, 2)], [(0, N)])
    K = Vi(x).sqdist(Vj(y))
    total = K.sum(axis=1, ranges=ranges)
    np.testing.assert_allclose(total[:2, 0], ((x[:2, None] - y[None]) ** 2).sum((1, 2)))
    assert (total[2:] == 0).all()
    assert np.isneginf(K.logsumexp(axis=1, ranges=ranges)[2:]).all()


def test_mistakes_in_ranges():
    K = Vi(x).sqdist(Vj(y))
    with pytest.raises(ArgumentError, match="six arrays"):
        K.sum(axis=1, ranges=RANGES[:3])
    beyond = (np.array([[0, M + 1]]), *RANGES[1:])
    with pytest.raises(ArgumentError):
        K.sum(axis=1, ranges=(np.array([[0, 2], [2, M + 1]]), *RANGES[1:]))
    other = Vi(x).exp()
    K.ranges, other.ranges = RANGES, beyond
    with pytest.raises(ArgumentError, match="same ranges"):
        K + other
    other.ranges = tuple(part.copy() for part in RANGES)
    assert (K + other).ranges is not None


def test_backend_of_a_tensor():
    K, other = Vi(x).sqdist(Vj(y)), Vi(x).exp()
    expected = K.sum(axis=1)
    K.backend = "CPU"
    np.testing.assert_array_equal(K.sum(axis=1), expected)
    other.backend = "auto"
    with pytest.raises(ArgumentError, match="one backend; 'CPU' and 'auto' came"):
        K * other
    K.backend = "cuda:99"
    with pytest.raises(EngineError, match="no CUDA device"):
        K.sum(axis=1)


# Reductions that are called later


def test_calls_with_symbolic_variables():
    K = (-Vi(0, D).sqdist(Vj(1, D)) / 2).exp() * Vj(2, 2)
    reduced = K.sum(axis=1)
    assert K.symbolic_variables == ((0, D, 0), (1, D, 1), (2, 2, 1))
    b = random.normal(size=(N, 2))
    expected = np.exp(-((x[:, None] - y[None]) ** 2).sum(-1) / 2) @ b
    np.testing.assert_allclose(reduced(x, y, b), expected)
    np.testing.assert_allclose(
        reduced(x.astype("float32"), y.astype("float32"), b.astype("float32")), expected, rtol=1e-4
    )
    out = np.empty((M, 2))
    assert reduced(x, y, b, out=out) is out
    np.testing.assert_allclose(reduced(x, y, b, backend="CPU", sum_scheme="kahan_scheme"), expected)
    np.testing.assert_allclose(reduced(x[None], np.stack([y, y]), b), np.stack([expected, expected]))


def test_symbolic_variables_beside_data():
    K = (-Vi(x).sqdist(Vj(y)) / Pm(0, 1)).exp()
    np.testing.assert_allclose(
        K.sum(axis=1)(np.array([2.0])), np.exp(-((x[:, None] - y[None]) ** 2).sum(-1) / 2).sum(1)[:, None]
    )
    values, indices = (Vi(0, D) - Vj(y)).min_argmin(axis=1)(x)
    np.testing.assert_array_equal(indices, (x[:, None] - y[None]).argmin(1))
    np.testing.assert_array_equal(values, (x[:, None] - y[None]).min(1))


def test_calls_without_symbolic_variables():
    K = (-Vi(x).sqdist(Vj(y))).exp()
    reduced = K.sum(axis=1, call=False)
    np.testing.assert_allclose(reduced(), K.sum(axis=1), rtol=1e-14)
    assert reduced.reduction_op == "Sum" and reduced.shape == K.shape and reduced.axis == 1
    np.testing.assert_array_equal(LazyTensor(2.0).sum(axis=1)(), [[2.0]])


def test_mistakes_in_calls():
    K = Vi(0, D).sqdist(Vj(1, D))
    reduced = K.sum(axis=1)
    with pytest.raises(ArgumentError, match=r"2 arrays, for Vi\(0, 3\), Vj\(1, 3\); 1 came"):
        reduced(x)
    with pytest.raises(ArgumentError, match=r"shape \[6, 2\]"):
        reduced(x[:, :2], y)
    with pytest.raises(ArrayTypeError, match="one type"):
        reduced(x, y.astype("float32"))
    with pytest.raises(ArrayTypeError, match="int64"):
        reduced(np.arange(18).reshape(6, 3), y)
    with pytest.raises(ArrayTypeError, match="a str came"):
        reduced("x", y)
    with pytest.raises(ArgumentError, match="neither"):
        K(x, y)
    with pytest.raises(ArgumentError, match="used as"):
        (Vi(0, D) + Vi(0, 1)).sum(axis=1)(x)
    for operation in (lambda r: r + 1, lambda r: r.exp(), lambda r: r.sum(axis=0), lambda r: 2 * r, lambda r: r.T):
        with pytest.raises(ValueError, match="is reduced"):
            operation(reduced)


def test_names_in_keops():
    K = Vi(x).sqdist(Vj(y))
    np.testing.assert_array_equal(K.reduction("Sum", axis=1), K.sum(axis=1))
    np.testing.assert_array_equal(K.reduction("ArgKMin", opt_arg=2, dim=1), K.argKmin(2, axis=1))
    np.testing.assert_allclose(K.reduction("LogSumExp", other=Vj(y), axis=1), logsumexp(((x[:, None] - y[None]) ** 2).sum(-1)[..., None], axis=1, b=y[None]))  # fmt: skip
    np.testing.assert_array_equal(K.__min__(axis=1), K.min(axis=1))
    np.testing.assert_array_equal(K.__max__(axis=1), K.max(axis=1))
    np.testing.assert_array_equal(K.Kmin_reduction(K=2, axis=1), K.Kmin(2, axis=1))
    np.testing.assert_array_equal(K.argKmin_reduction(K=2, axis=1), K.argKmin(2, axis=1))
    np.testing.assert_array_equal(K.Kmin_argKmin_reduction(K=2, axis=1)[1], K.argKmin(2, axis=1))
    np.testing.assert_array_equal(K.min_argmin_reduction(axis=1)[0], K.min(axis=1))
    np.testing.assert_array_equal(K.max_reduction(axis=1), K.max(axis=1))
    np.testing.assert_array_equal(K.argmin_reduction(axis=1), K.argmin(axis=1))
