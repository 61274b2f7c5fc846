"""Part of pykeops.torch.cluster."""

from khufu.torch import cluster as _cluster


def grid_cluster(x, size):
    """khufu.torch.cluster.grid_cluster, with the grid's corner at the points' minimum: what KeOps does in PyTorch, not in NumPy."""
    return _cluster.grid_cluster(x - x.amin(0, keepdim=True) if len(x) else x, size)
