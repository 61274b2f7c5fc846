"""Part of pykeops.numpy.cluster."""

from khufu.numpy.cluster import cluster_centroids, cluster_ranges, cluster_ranges_centroids, sort_clusters, swap_axes  # noqa: F401
