"""Part of pykeops.torch.cluster."""

from khufu.torch.cluster import cluster_centroids, cluster_ranges, cluster_ranges_centroids, sort_clusters, swap_axes  # noqa: F401
