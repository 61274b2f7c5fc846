"""What is computed: the workloads, their data, and exact results to hold the engines' against."""

from dataclasses import dataclass

import numpy as np

# The matrix by name. x has a row per result, y, b and v are reduced over, g is a parameter.
FORMULAS = {
    "gaussian": "Exp(-g*SqDist(x,y))*b",
    "laplacian": "Exp(-g*Norm2(x-y))*b",
    "cauchy": "Inv(IntCst(1)+g*SqDist(x,y))*b",
    "matern": "(IntCst(1)+g*Norm2(x-y))*Exp(-g*Norm2(x-y))*b",
    "log gaussian": "-g*SqDist(x,y)",
    "euclidean": "SqDist(x,y)",
    "manhattan": "Sum(Abs(x-y))",
    "hyperbolic": "SqDist(x,y)/(Elem(x,0)*Elem(y,0))",  # which the distance in the half-space is an increasing function of
    "attention": "g*(x|y)",
}


@dataclass(frozen=True)
class Workload:
    name: str
    matrix: str  # a key of FORMULAS
    points: int  # rows of x, and rows of y
    dim: int = 3
    dtype: str = "float32"
    reduction: str = "Sum"
    columns: int = 1  # of b or v
    k: int = 1
    gradient: bool = False  # also the gradient in x, for a cotangent of ones

    @property
    def formula(self):
        return FORMULAS[self.matrix]

    @property
    def weight(self):
        return "v" if self.reduction == "SumSoftMaxWeight" else None

    @property
    def inputs(self):
        """Name, index and dimension of every input."""
        inputs = [("x", "i", self.dim), ("y", "j", self.dim)]
        if self.weight:
            inputs.append(("v", "j", self.columns))
        elif self.reduction == "Sum":
            inputs.append(("b", "j", self.columns))
        if "g*" in self.formula:
            inputs.append(("g", "p", 1))
        return inputs


WORKLOADS = [
    Workload("Gaussian sum, D=3", "gaussian", 20_000),
    Workload("Gaussian sum, D=3", "gaussian", 20_000, dtype="float64"),
    Workload("Gaussian sum and its gradient, D=3", "gaussian", 20_000, gradient=True),
    Workload("Gaussian times 64 columns, D=3", "gaussian", 10_000, columns=64),
    Workload("Gaussian sum, D=700", "gaussian", 3_000, dim=700, dtype="float64"),
    Workload("Laplacian sum, D=3", "laplacian", 20_000),
    Workload("Cauchy sum, D=3", "cauchy", 20_000),
    Workload("Matérn 3/2 sum, D=3", "matern", 20_000),
    Workload("log-sum-exp, D=3", "log gaussian", 10_000, reduction="LogSumExp"),
    Workload("soft-max attention, D=64", "attention", 10_000, dim=64, columns=64, reduction="SumSoftMaxWeight"),
    Workload("argmin, D=50", "euclidean", 10_000, dim=50, reduction="ArgMin"),
    Workload("argKmin(10), D=3", "euclidean", 20_000, reduction="ArgKMin", k=10),
    Workload("argKmin(10), Manhattan, D=10", "manhattan", 10_000, dim=10, reduction="ArgKMin", k=10),
    Workload("argKmin(10), hyperbolic, D=10", "hyperbolic", 10_000, dim=10, reduction="ArgKMin", k=10),
]


def make_data(workload):
    """Points of a cube whose diagonal is 1, above the half-space's boundary for hyperbolic distances; for attention normal ones, so
    that scores spread as they do in practice."""
    rng = np.random.default_rng(7)
    attention = workload.matrix == "attention"
    data = {}
    for name, index, dim in workload.inputs:
        if index == "p":
            data[name] = np.array([workload.dim**-0.5 if attention else 1 / 3], workload.dtype)
        elif attention:
            data[name] = rng.standard_normal((workload.points, dim)).astype(workload.dtype)
        else:
            data[name] = ((rng.random((workload.points, dim)) + (workload.matrix == "hyperbolic")) / np.sqrt(dim)).astype(workload.dtype)
    return data


def exact(workload, data, rows):
    """The first rows of the result by NumPy, in extended precision. A gradient stands to the right of its sum."""
    wide = {name: array.astype(np.longdouble) for name, array in data.items()}
    return np.array([exact_row(workload, x, **{n: a for n, a in wide.items() if n != "x"}) for x in wide["x"][:rows]])


def exact_row(workload, x, y, b=None, v=None, g=None):
    difference = x - y
    square = (difference**2).sum(1)
    g = None if g is None else g[0]
    match workload.matrix:
        case "gaussian":
            kernel = np.exp(-g * square)
            if workload.gradient:
                return np.concatenate([kernel @ b, (-2 * g * kernel * b[:, 0]) @ difference])
            return kernel @ b
        case "laplacian":
            return np.exp(-g * np.sqrt(square)) @ b
        case "cauchy":
            return (1 / (1 + g * square)) @ b
        case "matern":
            return ((1 + g * np.sqrt(square)) * np.exp(-g * np.sqrt(square))) @ b
        case "log gaussian":
            return [np.log(np.exp(-g * square).sum())]
        case "attention":
            score = g * (y @ x)
            share = np.exp(score - score.max())
            return share @ v / share.sum()
        case "hyperbolic":
            return np.argsort(square / (x[0] * y[:, 0]), kind="stable")[: workload.k]
        case "euclidean":
            return np.argsort(square, kind="stable")[: workload.k]
        case "manhattan":
            return np.argsort(np.abs(difference).sum(1), kind="stable")[: workload.k]


def error(result, truth):
    """Largest difference in a column, relative to the largest magnitude there; for indices, the share that differs."""
    if truth.dtype.kind == "i":
        return float(np.mean(result != truth))
    return float(np.max(np.abs(result - truth).max(0) / np.abs(truth).max(0)))


def tolerance(workload):
    if "Arg" in workload.reduction:
        return 1e-3  # two points at nearly one distance may change places
    return {"float32": 1e-5, "float64": 1e-13}[workload.dtype]
