"""Clusters of points in PyTorch's tensors, for block-sparse reductions. Centroids and weights have derivatives.

Sort points by cell, keep the pairs of cells that are near, and reduce over those only:

    labels = grid_cluster(x, 0.1)
    ranges, centroids, _ = cluster_ranges_centroids(x, labels)
    x, labels = sort_clusters(x, labels)
    near = ((centroids[:, None] - centroids[None]) ** 2).sum(-1) < 0.3**2
    K.ranges = from_matrix(ranges, ranges, near)
"""

from __future__ import annotations

import torch

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


class _TorchClusters(Clusters):
    library = torch
    array = torch.Tensor

    def cast(self, x, dtype):
        return x.to(getattr(torch, dtype) if isinstance(dtype, str) else dtype)

    def is_whole(self, x) -> bool:
        return not (x.is_floating_point() or x.is_complex())

    def constant(self, x):
        return x.detach()

    def row(self, values, like):
        return torch.tensor(values, dtype=torch.float64, device=like.device)

    def sorting(self, labels):
        return torch.sort(labels, stable=True)[1]

    def totals(self, labels, rows, count: int):
        sums = torch.zeros(count, rows.shape[1], dtype=torch.float64, device=rows.device)
        return sums.index_add(0, labels, rows.to(torch.float64))


_clusters = _TorchClusters()
grid_cluster = _clusters.grid_cluster
sort_clusters = _clusters.sort_clusters
cluster_ranges = _clusters.cluster_ranges
cluster_centroids = _clusters.cluster_centroids
cluster_ranges_centroids = _clusters.cluster_ranges_centroids
from_matrix = _clusters.from_matrix
swap_axes = _clusters.swap_axes
