"""Times calls on so few points that only the way to the engine and back counts: khufu's Python package beside pykeops, in turns.

    python Benchmarks/overhead.py        with khufu, pykeops, torch and NumPy installed
"""

import timeit

import numpy as np
import torch

import khufu.numpy
import khufu.torch
import pykeops
import pykeops.numpy
import pykeops.torch

ROUNDS, SECONDS = 5, 0.5
FORMULA, ALIASES = "Exp(-SqDist(x, y)) * b", ["x = Vi(3)", "y = Vj(3)", "b = Vj(1)"]


def calls(package):
    """What is timed, by name; `package` has `numpy` and `torch`."""
    random = np.random.default_rng(0)
    x, y, b = random.normal(size=(10, 3)), random.normal(size=(12, 3)), random.normal(size=(12, 1))
    reduction = package.numpy.Genred(FORMULA, ALIASES, axis=1)

    def product(LazyTensor, x, y, b):
        distances = ((LazyTensor(x[:, None, :]) - LazyTensor(y[None, :, :])) ** 2).sum(-1)
        return (-distances).exp() @ b

    tx, ty, tb = (torch.from_numpy(a) for a in (x, y, b))
    tx.requires_grad_(True)
    torch_reduction = package.torch.Genred(FORMULA, ALIASES, axis=1)
    weights = torch.from_numpy(random.normal(size=(10, 1)))
    return {
        "Genred, NumPy": lambda: reduction(x, y, b),
        "LazyTensor expression and product, NumPy": lambda: product(package.numpy.LazyTensor, x, y, b),
        "Genred, torch, forward and backward": lambda: torch.autograd.grad(torch_reduction(tx, ty, tb), tx, weights),
        "LazyTensor expression and product, torch, forward and backward": lambda: torch.autograd.grad(
            product(package.torch.LazyTensor, tx, ty, tb), tx, weights
        ),
    }


def main():
    pykeops.set_verbose(False)
    torch.set_num_threads(1)
    both = {"khufu": calls(khufu), "pykeops": calls(pykeops)}
    print("| microseconds per call, 10 × 12 points | khufu | pykeops | ratio |\n|---|---|---|---|")
    for name in both["khufu"]:
        best = {}
        for engine in both:
            both[engine][name]()  # compiled now
        for _ in range(ROUNDS):
            for engine in both:
                call = both[engine][name]
                count = max(1, int(SECONDS / timeit.timeit(call, number=10) * 10))
                best[engine] = min(best.get(engine, 1e9), timeit.timeit(call, number=count) / count)
        print(f"| {name} | {best['khufu'] * 1e6:.0f} | {best['pykeops'] * 1e6:.0f} | {best['pykeops'] / best['khufu']:.1f} |")


if __name__ == "__main__":
    main()
