"""Part of pykeops.numpy.cluster."""

from khufu.numpy.cluster import from_matrix  # noqa: F401
