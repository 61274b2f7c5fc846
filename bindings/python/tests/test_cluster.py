"""Clusters: both libraries against loops over points in Python, and against each other."""

import numpy as np
import pytest

from khufu import ArgumentError, ArrayTypeError
from khufu.numpy import cluster as numpy_cluster

try:
    import torch

    from khufu.torch import cluster as torch_cluster
except ImportError:
    torch = None

LIBRARIES = ["numpy", pytest.param("torch", marks=pytest.mark.skipif(torch is None, reason="needs PyTorch"))]


@pytest.fixture(params=LIBRARIES)
def library(request):
    return request.param


def functions(library):
    return numpy_cluster if library == "numpy" else torch_cluster


def array(library, values, dtype="float64"):
    values = np.asarray(values, dtype)
    return values if library == "numpy" else torch.tensor(values)


def points(count, dimension, seed=0):
    return np.random.default_rng(seed).normal(size=(count, dimension))


def cells_by_hand(x, size):
    cells = [tuple(np.floor(point / size).astype(int)) for point in x]
    numbers = {cell: number for number, cell in enumerate(sorted(set(cells)))}
    return [numbers[cell] for cell in cells]


@pytest.mark.parametrize("dimension", [1, 2, 3, 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_grid_labels_are_cells_in_order(library, dimension, dtype):
    x = points(200, dimension).astype(dtype)
    labels = functions(library).grid_cluster(array(library, x, dtype), 0.7)
    assert str(labels.dtype).endswith("int64") and tuple(labels.shape) == (200,)
    assert labels.tolist() == cells_by_hand(x.astype("float64"), 0.7)


def test_grid_has_a_size_per_axis(library):
    x, sizes = points(100, 2), np.array([0.5, 2.0])
    for given in (array(library, sizes), [0.5, 2.0], (0.5, 2.0)):
        assert functions(library).grid_cluster(array(library, x), given).tolist() == cells_by_hand(x, sizes)


def test_cells_far_apart_do_not_collide(library):
    # More than 2**10 cells along an axis, and more than fit one integer together.
    x = np.array([[0.0, 1024.5, 0.5], [1.0, 0.5, 0.5], [0.0, 0.5, 1e12], [1e15, 0.5, -1e15], [-1e15, 0.0, 0.0]])
    labels = functions(library).grid_cluster(array(library, x), 1.0).tolist()
    assert sorted(labels) == [0, 1, 2, 3, 4] and labels == cells_by_hand(x, 1.0)


def test_cells_do_not_depend_on_the_other_points(library):
    x = points(50, 2)
    cluster = functions(library)
    whole = np.array(cluster.grid_cluster(array(library, x), 0.5).tolist())
    part = np.array(cluster.grid_cluster(array(library, x[10:30]), 0.5).tolist())
    same = whole[10:30, None] == whole[None, 10:30]
    assert (same == (part[:, None] == part[None])).all()


def test_no_points(library):
    assert functions(library).grid_cluster(array(library, np.zeros((0, 2))), 1.0).tolist() == []


@pytest.mark.parametrize(
    "x, size",
    [
        (np.zeros(3), 1.0),
        (np.zeros((3, 2)), 0.0),
        (np.zeros((3, 2)), -1.0),
        (np.zeros((3, 2)), float("nan")),
        (np.zeros((3, 2)), [1.0, 1.0, 1.0]),
        (np.full((3, 2), np.nan), 1.0),
        (np.full((3, 2), np.inf), 1.0),
        (np.full((3, 2), 1e300), 1e-300),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_grids_that_are_none(library, x, size):
    with pytest.raises(ArgumentError):
        functions(library).grid_cluster(array(library, x), size)


def test_sorting_is_stable_and_keeps_the_kind(library):
    labels = np.random.default_rng(1).integers(0, 4, 300)
    order = sorted(range(300), key=lambda k: labels[k])
    x, w = points(300, 2), points(300, 1)[:, 0]
    cluster = functions(library)
    given = array(library, labels, "int32")
    x_sorted, labels_sorted = cluster.sort_clusters(array(library, x), given)
    assert np.array_equal(np.asarray(x_sorted), x[order]) and labels_sorted.tolist() == labels[order].tolist()
    assert labels_sorted.dtype == given.dtype
    for kind in (tuple, list):
        parts, _ = cluster.sort_clusters(kind([array(library, x), array(library, w)]), given)
        assert type(parts) is kind
        assert np.array_equal(np.asarray(parts[0]), x[order]) and np.array_equal(np.asarray(parts[1]), w[order])


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_ranges_count_points(library, dtype):
    labels = array(library, [3, 0, 0, 3, 1, 3], dtype)
    ranges = functions(library).cluster_ranges(labels)
    assert ranges.tolist() == [[0, 2], [2, 3], [3, 3], [3, 6]] and str(ranges.dtype).endswith("int64")


def test_ranges_are_exact_whole_numbers(library):
    # float32 has no 2**24 + 1.
    counts = [2**24 + 1, 1, 2**40]
    ranges = functions(library).cluster_ranges(array(library, [0, 1, 2], "int64"), array(library, counts, "int64"))
    assert ranges.tolist() == [[0, 2**24 + 1], [2**24 + 1, 2**24 + 2], [2**24 + 2, 2**40 + 2**24 + 2]]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_centroids_are_means(library, weighted, dtype):
    rng = np.random.default_rng(2)
    x, labels = points(120, 3).astype(dtype), rng.integers(0, 7, 120)
    w = rng.uniform(0.1, 2, 120).astype(dtype) if weighted else np.ones(120, dtype)
    expected = np.array([np.average(x[labels == k].astype("float64"), 0, w[labels == k]) for k in range(7)])
    cluster = functions(library)
    arguments = [array(library, x, dtype), array(library, labels, "int64")]
    weights = array(library, w, dtype) if weighted else None
    centroids = cluster.cluster_centroids(*arguments, weights=weights)
    ranges, again, totals = cluster.cluster_ranges_centroids(*arguments, weights=weights)
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(np.asarray(centroids), expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(np.asarray(again), expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(np.asarray(totals), [w[labels == k].sum() for k in range(7)], rtol=tolerance)
    assert centroids.dtype == again.dtype == totals.dtype == arguments[0].dtype
    assert [end - start for start, end in ranges.tolist()] == [(labels == k).sum() for k in range(7)]


def test_weights_from_below(library):
    x, labels, w = [[1.0], [3.0], [5.0]], [0, 0, 1], [0.0, 0.0, 2.0]
    cluster = functions(library)
    arguments = [array(library, x), array(library, labels, "int64")]
    _, centroids, totals = cluster.cluster_ranges_centroids(*arguments, weights=array(library, w))
    assert centroids.tolist() == [[2.0], [5.0]] and totals.tolist() == [2e-9, 2.0]
    _, _, totals = cluster.cluster_ranges_centroids(*arguments, weights=array(library, w), min_weight=0.5)
    assert totals.tolist() == [1.0, 2.0]


@pytest.mark.filterwarnings("error")
def test_a_cluster_without_points_has_no_centroid(library):
    x, labels = array(library, [[1.0], [3.0]]), array(library, [0, 2], "int64")
    centroids = np.asarray(functions(library).cluster_centroids(x, labels))
    assert np.array_equal(centroids, [[1.0], [np.nan], [3.0]], equal_nan=True)


def test_pairs_of_clusters_by_hand(library):
    ranges_i, ranges_j = np.array([[2, 5], [7, 12]]), np.array([[1, 4], [4, 9], [20, 30]])
    keep = np.array([[True, True, False], [False, True, False]])
    for dtype in ("bool", "uint8"):
        found = functions(library).from_matrix(
            array(library, ranges_i, "int32"), array(library, ranges_j, "int64"), array(library, keep, dtype)
        )
        assert all(str(part.dtype).endswith("int64") for part in found)
        assert [part.tolist() for part in found] == [
            ranges_i.tolist(),
            [2, 3],
            [[1, 4], [4, 9], [4, 9]],
            ranges_j.tolist(),
            [1, 3, 3],
            [[2, 5], [2, 5], [7, 12]],
        ]


def test_pairs_of_clusters_make_the_mask(library):
    rng = np.random.default_rng(3)
    ends_i, ends_j = np.cumsum(rng.integers(0, 4, 6)), np.cumsum(rng.integers(0, 4, 5))
    ranges_i, ranges_j = (np.stack([np.r_[0, ends[:-1]], ends], 1) for ends in (ends_i, ends_j))
    keep = rng.random((6, 5)) < 0.4
    expected = np.zeros((ends_i[-1], ends_j[-1]), bool)
    for (a, b), row in zip(ranges_i, keep):
        for (c, d), taken in zip(ranges_j, row):
            expected[a:b, c:d] = taken
    cluster = functions(library)
    arrays = [array(library, ranges_i, "int64"), array(library, ranges_j, "int64"), array(library, keep, "bool")]
    found = cluster.from_matrix(*arrays)
    assert np.array_equal(mask(found, expected.shape), expected)
    assert np.array_equal(mask(cluster.swap_axes(found), expected.T.shape), expected.T)


def mask(ranges, shape):
    """The pairs of points that the first three of the ranges take."""
    taken = np.zeros(shape, bool)
    start = 0
    for (a, b), end in zip(ranges[0].tolist(), ranges[1].tolist()):
        for c, d in ranges[2].tolist()[start:end]:
            taken[a:b, c:d] = True
        start = end
    return taken


def test_swapping_no_ranges(library):
    assert functions(library).swap_axes(None) is None


def test_what_does_not_fit(library):
    cluster = functions(library)
    x, labels = array(library, points(4, 2)), array(library, [0, 1, 1, 0], "int64")
    ranges = array(library, [[0, 2], [2, 4]], "int64")
    with pytest.raises(ArrayTypeError, match="whole numbers"):
        cluster.cluster_ranges(array(library, [0.0, 1.0]))
    with pytest.raises(ArgumentError, match="from 0; -1"):
        cluster.cluster_ranges(array(library, [0, -1], "int64"))
    with pytest.raises(ArgumentError, match="label for each of 4 points; 2"):
        cluster.cluster_centroids(x, labels[:2])
    with pytest.raises(ArgumentError, match="weight for each of 4 points; 3"):
        cluster.cluster_ranges_centroids(x, labels, weights=x[:3, 0])
    with pytest.raises(ArgumentError, match="3 labels"):
        cluster.sort_clusters(x, labels[:3])
    with pytest.raises(ArgumentError, match=r"keep has shape \(2, 2\)"):
        cluster.from_matrix(ranges, ranges, array(library, np.ones((2, 3)), "bool"))
    with pytest.raises(ArrayTypeError, match="booleans"):
        cluster.from_matrix(ranges, ranges, array(library, np.ones((2, 2))))
    with pytest.raises(ArgumentError, match=r"ranges_j has shape \(clusters, 2\)"):
        cluster.from_matrix(ranges, ranges[:, :1], array(library, np.ones((2, 2)), "bool"))
    with pytest.raises(ArrayTypeError, match="list came"):
        cluster.grid_cluster([[0.0]], 1.0)


@pytest.mark.skipif(torch is None, reason="needs PyTorch")
def test_centroids_have_derivatives():
    labels = torch.tensor([0, 1, 0, 1, 1])
    x = torch.tensor(points(5, 2), requires_grad=True)
    w = torch.tensor([0.5, 1.0, 2.0, 0.7, 0.3], dtype=torch.float64, requires_grad=True)
    centroids = lambda x, w: torch_cluster.cluster_ranges_centroids(x, labels, w)[1:]  # noqa: E731
    assert torch.autograd.gradcheck(centroids, (x, w))
    assert torch_cluster.grid_cluster(x, 0.5).tolist() == cells_by_hand(x.detach().numpy(), 0.5)
