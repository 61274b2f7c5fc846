"""Part of pykeops.torch.cluster."""

from khufu.torch.cluster import from_matrix  # noqa: F401
