"""Rows, columns and components of lazy tensors, and their entries as arrays."""

import numpy as np
import pytest

from khufu.errors import ArgumentError, ArrayTypeError
from khufu.numpy import LazyTensor, Pm, Vi, Vj

random = np.random.default_rng(5)
M, N, D = 8, 11, 3
x, y, p = random.normal(size=(M, D)), random.normal(size=(N, D)), random.normal(size=D)
z, Z = (Vi(x) - Vj(y)) * Pm(p), (x[:, None] - y[None]) * p
K, k = z.sqnorm2(), (Z**2).sum(-1)

KEYS = [
    slice(2, 5),
    slice(None, None, 2),
    slice(None, None, -1),
    slice(-3, None),
    np.array([3, 0, 0, 7]),
    [1, 2],
    np.arange(8) % 3 == 0,
    slice(4, 4),
]


@pytest.mark.parametrize("rows", KEYS)
@pytest.mark.parametrize("columns", [slice(None), slice(1, 9, 3), np.array([10, 4])])
def test_rows_and_columns(rows, columns):
    part = K[rows, columns]
    expected = k[rows][:, columns]
    assert part.shape == expected.shape
    np.testing.assert_allclose(part.dense()[..., 0], expected)
    np.testing.assert_allclose(K.T[columns, rows].dense()[..., 0], expected.T)
    if expected.shape[1]:
        np.testing.assert_allclose(part @ np.ones(part.shape[1]), expected.sum(1), atol=1e-12)


def test_rows_columns_and_components():
    np.testing.assert_allclose(z[1:4, :, 0].dense(), Z[1:4, :, :1])
    np.testing.assert_allclose(z[:, [2, 5], 1:].dense(), Z[:, [2, 5], 1:])
    np.testing.assert_allclose(z[..., 3:, 1:].dense(), Z[:, 3:, 1:])
    np.testing.assert_allclose(z[3:, ...].dense(), Z[3:])
    np.testing.assert_allclose(z[(slice(2),)].dense(), Z[:2])
    np.testing.assert_allclose(z[3:, 2].dense(), Z[3:, 2:3])
    np.testing.assert_allclose(z[-1, -2].dense(), Z[-1:, -2:-1])
    # A key that is no tuple names components.
    np.testing.assert_allclose(z[:2].dense(), Z[..., :2])


def test_rows_and_columns_in_batches():
    X, Y = random.normal(size=(2, M, D)), random.normal(size=(1, N, D))
    lazy, dense = LazyTensor(X[:, :, None]) - LazyTensor(Y[:, None]), X[:, :, None] - Y[:, None]
    np.testing.assert_allclose(lazy[:, 2:5, [1, 3]].dense(), dense[:, 2:5, [1, 3]])
    np.testing.assert_allclose(lazy[..., ::2, :, 1].dense(), dense[:, ::2, :, 1:2])
    with pytest.raises(ArgumentError, match="batch are `:`"):
        lazy[0, :, :]


def test_an_array_is_taken_from_once():
    a = Vi(x)
    assert len((a * a + a.exp())[2:5, :].variables) == 1


def test_mistakes_in_parts():
    with pytest.raises(ArgumentError, match="no row 8 among 8"):
        K[8, :]
    with pytest.raises(ArgumentError, match="no rows of 8"):
        K[[8], :]
    with pytest.raises(ArgumentError, match="4 indices came"):
        K[:, :, :, :]
    with pytest.raises(ArgumentError, match="one ellipsis"):
        K[..., ...]
    with pytest.raises(ArgumentError, match="one axis"):
        K[np.zeros((2, 2), int), :]
    with pytest.raises(ArrayTypeError, match="row"):
        K[None, :]
    with pytest.raises(ArgumentError, match="no part of a vector of 3"):
        z[1:5]
    with pytest.raises(ArgumentError, match="no part of a vector of 3"):
        z[2:1]
    with pytest.raises(ArgumentError, match="from 0 to 2; 3 came"):
        z[3]
    with pytest.raises(ArgumentError, match="steps of 1"):
        z[::2]
    with pytest.raises(ArgumentError, match="take a tuple"):
        z["a"]
    with pytest.raises(ArgumentError, match="symbolic"):
        (Vi(0, D) - Vj(y))[1:3, :]
    with pytest.raises(ArgumentError, match="row axis"):
        Vj(y)[0:1, :]
    sparse = Vi(x) - Vj(y)
    sparse.ranges = (np.array([[0, M]]), np.array([1]), np.array([[0, N]])) * 2
    with pytest.raises(ArgumentError, match="block-sparse"):
        sparse[1:2, :]
    for mistake in (
        lambda: z.elem(3),
        lambda: z.elem(-1),
        lambda: z.extract(2, 2),
        lambda: z.extract(0, 0),
        lambda: z.extract(3, 1),
    ):
        with pytest.raises(ArgumentError):
            mistake()
    with pytest.raises(ArrayTypeError, match="whole number"):
        z.elem(1.0)
    with pytest.raises(TypeError):
        iter(z)


@pytest.mark.parametrize("shapes", [
    ((M, 1, D), (1, N, D), (D,)),
    ((2, M, 1, D), (1, N, D), (D,)),
    ((3, 1, M, 1, D), (2, 1, N, D), (3, 2, 1, 1, D)),
    ((M, 1, D), (1, N, D), (4, 1, 1, D)),
])  # fmt: skip
def test_entries(shapes):
    a, b, c = (random.normal(size=shape) for shape in shapes)
    lazy = LazyTensor(a) * LazyTensor(b) - LazyTensor(c) * 0.5
    expected = a * b - c * 0.5
    assert lazy.dense().shape == lazy._shape == expected.shape
    np.testing.assert_allclose(lazy.dense(), expected)
    np.testing.assert_allclose(lazy.sqnorm2().dense(), (expected**2).sum(-1, keepdims=True))


def test_entries_of_single_variables():
    np.testing.assert_array_equal(Vi(x).dense(), x[:, None])
    np.testing.assert_array_equal(Vj(y).dense(), y[None])
    np.testing.assert_array_equal(Pm(p).dense(), p[None, None])
    np.testing.assert_array_equal(LazyTensor(2.5).dense(), [[[2.5]]])
    np.testing.assert_array_equal(LazyTensor(3).dense(), [[[3.0]]])
    batch = random.normal(size=(2, 1, 1, D))
    np.testing.assert_array_equal(LazyTensor(batch).dense(), batch)
    assert Vi(x[:0]).sqdist(Vj(y)).dense().shape == (0, N, 1)


def test_entries_that_are_not_numbers():
    with np.errstate(divide="ignore"):
        expected = np.log(np.zeros((2, 1, 1)))
    np.testing.assert_array_equal(LazyTensor(np.zeros((2, 1, 1))).log().dense(), expected)
    nothing = LazyTensor(np.full((2, 1, 1), np.nan))
    assert np.isnan(nothing.dense()).all()


def test_entries_need_data():
    with pytest.raises(ArgumentError, match="symbolic"):
        (Vi(0, D) * Vj(y)).dense()
