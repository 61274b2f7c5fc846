"""Clusters of points in NumPy's arrays, for block-sparse reductions.

Sort points by cell, keep the pairs of cells that are near, and reduce over those only:

    labels = grid_cluster(x, 0.1)
    ranges, centroids, _ = cluster_ranges_centroids(x, labels)
    x, labels = sort_clusters(x, labels)
    near = ((centroids[:, None] - centroids[None]) ** 2).sum(-1) < 0.3**2
    K.ranges = from_matrix(ranges, ranges, near)
"""

from __future__ import annotations

import numpy

from .._clusters import Clusters

__all__ = [
    "cluster_centroids",
    "cluster_ranges",
    "cluster_ranges_centroids",
    "from_matrix",
    "grid_cluster",
    "sort_clusters",
    "swap_axes",
]


class _NumpyClusters(Clusters):
    library = numpy
    array = numpy.ndarray

    def cast(self, x, dtype):
        return x.astype(dtype, copy=False)

    def is_whole(self, x) -> bool:
        return x.dtype.kind in "iub"

    def row(self, values, like):
        return numpy.array(values, "float64")

    def sorting(self, labels):
        return numpy.argsort(labels, kind="stable")

    def totals(self, labels, rows, count: int):
        sums = numpy.empty((count, rows.shape[1]))
        for k in range(rows.shape[1]):
            sums[:, k] = numpy.bincount(labels, weights=rows[:, k], minlength=count)
        return sums


_clusters = _NumpyClusters()
grid_cluster = _clusters.grid_cluster
sort_clusters = _clusters.sort_clusters
cluster_ranges = _clusters.cluster_ranges
cluster_centroids = _clusters.cluster_centroids
cluster_ranges_centroids = _clusters.cluster_ranges_centroids
from_matrix = _clusters.from_matrix
swap_axes = _clusters.swap_axes
