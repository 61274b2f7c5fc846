"""Run where there is neither Swift nor a compiler: the package still answers, by its interpreter, and says why."""

import numpy as np

import khufu
from khufu.numpy import Genred, LazyTensor

random = np.random.default_rng(0)
x, y, b = random.normal(size=(30, 3)), random.normal(size=(40, 3)), random.normal(size=(40, 2))
matrix = np.exp(-((x[:, None] - y[None]) ** 2).sum(-1))

lazy = (-((LazyTensor(x[:, None]) - LazyTensor(y[None])) ** 2).sum(-1)).exp()
assert np.allclose(lazy @ b, matrix @ b, rtol=1e-12)

reduction = Genred("Exp(-SqDist(x, y)) * b", ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)"], axis=1)
assert np.allclose(reduction(x, y, b), matrix @ b, rtol=1e-12)

report = khufu.diagnosis()
assert "interpreted" in report, report
print("1 passed, 0 failed")
