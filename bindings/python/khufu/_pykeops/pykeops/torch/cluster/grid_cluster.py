"""Part of pykeops.torch.cluster."""

from khufu.torch.cluster import grid_cluster  # noqa: F401
