"""Part of pykeops.numpy.cluster."""

from khufu.numpy.cluster import grid_cluster  # noqa: F401
