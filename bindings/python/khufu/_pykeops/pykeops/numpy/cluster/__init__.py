"""Clusters of points: khufu.numpy.cluster."""

from .grid_cluster import grid_cluster
from .matrix import from_matrix
from .utils import cluster_centroids, cluster_ranges, cluster_ranges_centroids, sort_clusters, swap_axes

__all__ = [
    "cluster_centroids",
    "cluster_ranges",
    "cluster_ranges_centroids",
    "from_matrix",
    "grid_cluster",
    "sort_clusters",
    "swap_axes",
]
