"""How far answers on a sample of rows are from those in float64."""

import numpy as np
from workloads import exact_row, make_data

_exact = {}


def error_of(workload, sample, rows):
    """The largest error in a column relative to the largest magnitude there. Of neighbours: how much farther they are than the nearest, as
    nearly equal distances may change places."""
    if workload not in _exact:
        _exact.clear()
        wide = {name: array.astype(np.float64) for name, array in make_data(workload).items()}
        x = wide.pop("x")
        _exact[workload] = [x[row] for row in rows], wide, [np.asarray(exact_row(workload, x[row], **wide)) for row in rows]
    points, wide, truth = _exact[workload]
    if workload.matrix == "euclidean":
        return max(excess(x, wide["y"], found, true) for x, found, true in zip(points, sample, truth))
    truth = np.array(truth).reshape(len(rows), -1)
    return float(np.max(np.abs(np.asarray(sample, np.float64) - truth).max(0) / np.abs(truth).max(0)))


def excess(x, y, found, true):
    found = np.asarray(found, np.int64)
    if len(set(found)) != len(found) or found.min() < 0 or found.max() >= len(y):
        return float("nan")
    distances = [np.sort(((y[places] - x) ** 2).sum(1)) for places in (found, true)]
    return float(np.max(np.abs(distances[0] - distances[1]) / distances[1]))


def tolerance_of(workload):
    return {"float32": 2e-5, "float64": 1e-12}[workload.dtype]
