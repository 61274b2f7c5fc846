"""Times khufu and pykeops on the same data, in turns (A B A B …), on one machine, and compares the first
rows of both with NumPy in extended precision.

    python3 -m venv .build-bench && .build-bench/bin/pip install pykeops==2.3
    swift build -c release
    .build-bench/bin/python Benchmarks/side_by_side.py

Best of several rounds, warm: pykeops from NumPy arrays inside this process, khufu by `khufu reduce --repeat`, which also
leaves out the start of its process and the reading of files. Only the ratios of one run mean anything.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from datetime import date

import numpy as np

os.environ["PYKEOPS_VERBOSE"] = os.environ["KEOPS_VERBOSE"] = "0"

GAUSSIAN = "Exp(-g*SqDist(x,y))*b"

# name, formula, inputs as (name, kind, dimension), reduction, k, points, dtype
WORKLOADS = [
    ("Gaussian sum, D=3", GAUSSIAN, [("x", "i", 3), ("y", "j", 3), ("b", "j", 1), ("g", "p", 1)], "Sum", 1, 20_000, "float32"),
    ("Gaussian sum, D=3", GAUSSIAN, [("x", "i", 3), ("y", "j", 3), ("b", "j", 1), ("g", "p", 1)], "Sum", 1, 20_000, "float64"),
    ("Gaussian times 64 columns", GAUSSIAN, [("x", "i", 3), ("y", "j", 3), ("b", "j", 64), ("g", "p", 1)], "Sum", 1, 10_000, "float32"),
    ("log-sum-exp, D=3", "-g*SqDist(x,y)", [("x", "i", 3), ("y", "j", 3), ("g", "p", 1)], "LogSumExp", 1, 10_000, "float32"),
    ("argmin, D=50", "SqDist(x,y)", [("x", "i", 50), ("y", "j", 50)], "ArgMin", 1, 10_000, "float32"),
    ("argKmin(10), D=3", "SqDist(x,y)", [("x", "i", 3), ("y", "j", 3)], "ArgKMin", 10, 20_000, "float32"),
    ("argKmin(10), Manhattan, D=10", "Sum(Abs(x-y))", [("x", "i", 10), ("y", "j", 10)], "ArgKMin", 10, 10_000, "float32"),
    ("Gaussian sum, D=700", GAUSSIAN, [("x", "i", 700), ("y", "j", 700), ("b", "j", 1), ("g", "p", 1)], "Sum", 1, 3_000, "float64"),
]


def make_data(inputs, points, dtype):
    rng = np.random.default_rng(7)
    data = {}
    for name, kind, dim in inputs:
        data[name] = np.array([1.0 / 3], dtype) if kind == "p" else rng.random((points, dim)).astype(dtype) / np.sqrt(dim, dtype=dtype)
    return data


def reference(formula, reduction, k, data, rows):
    """The first rows of the result by NumPy, densely, in extended precision; written for these workloads' formulas."""
    wide = {name: array.astype(np.longdouble) for name, array in data.items()}
    results = []
    for x in wide["x"][:rows]:
        difference = x - wide["y"]
        if formula == "Sum(Abs(x-y))":
            value = np.abs(difference).sum(1)
        else:
            value = (difference**2).sum(1)
        if formula == GAUSSIAN:
            results.append(np.exp(-wide["g"][0] * value) @ wide["b"])
        elif reduction == "LogSumExp":
            exponent = -wide["g"][0] * value
            results.append([exponent.max() + np.log(np.exp(exponent - exponent.max()).sum())])
        else:
            results.append(np.argsort(value, kind="stable")[:k])
    return np.array(results)


class Khufu:
    """The tool on files in a folder of its own."""

    def __init__(self, tool, folder, workload, data):
        _, formula, inputs, reduction, k, _, dtype = workload
        for name, array in data.items():
            np.save(f"{folder}/{name}.npy", array)
        self.timings, self.output = f"{folder}/timings.json", f"{folder}/out.npy"
        self.command = [tool, "reduce", formula] + [f"{n}={kind}:{folder}/{n}.npy" for n, kind, _ in inputs]
        self.command += ["--reduction", reduction, "--dtype", dtype, "-o", self.output, "--timings", self.timings, "--device", "cpu"]
        self.command += ["--k", str(k)] if "KMin" in reduction else []

    def run(self, repetitions):
        subprocess.run(self.command + ["--repeat", str(repetitions)], check=True)
        with open(self.timings) as file:
            times = json.load(file)
        return min(times["times"]), times["preparation"], np.load(self.output)


class PyKeOps:
    def __init__(self, workload, data):
        from pykeops.numpy import Genred

        _, formula, inputs, reduction, k, _, _ = workload
        kinds = {"i": "Vi", "j": "Vj", "p": "Pm"}
        aliases = [f"{name} = {kinds[kind]}({dim})" for name, kind, dim in inputs]
        self.arguments = [data[name] for name, _, _ in inputs]
        self.function = Genred(formula, aliases, reduction_op=reduction, axis=1, opt_arg=k if "KMin" in reduction else None)
        start = time.perf_counter()
        self.function(*[a[:2] if a.ndim == 2 else a for a in self.arguments], backend="CPU")
        self.preparation = time.perf_counter() - start

    def run(self, repetitions):
        best = float("inf")
        for _ in range(repetitions):
            start = time.perf_counter()
            result = self.function(*self.arguments, backend="CPU")
            best = min(best, time.perf_counter() - start)
        return best, self.preparation, result


def error(result, exact):
    """Largest difference relative to the largest magnitude; for indices, the share that differs."""
    result = result[: len(exact)].reshape(exact.shape)
    if exact.dtype.kind == "i":
        return np.mean(result != exact)
    return float(np.max(np.abs(result - exact)) / np.max(np.abs(exact)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default=".build/release/khufu")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    print(f"{date.today()}, {platform.machine()}, {os.cpu_count()} processors\n")
    print("| workload | points | type | pykeops | khufu | ratio | khufu, pairs/s | error of pykeops | of khufu |")
    print("|---|---|---|---|---|---|---|---|---|")
    for workload in WORKLOADS:
        name, _, inputs, _, _, points, dtype = workload
        data = make_data(inputs, points, dtype)
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = Khufu(options.tool, folder, workload, data), PyKeOps(workload, data)
            best = {"ours": float("inf"), "theirs": float("inf")}
            for _ in range(options.rounds):
                for key, engine in (("theirs", theirs), ("ours", ours)):
                    seconds, _, result = engine.run(2 if key == "theirs" else 5)
                    best[key] = min(best[key], seconds)
                    if key == "ours":
                        our_result = result
                    else:
                        their_result = result
            exact = reference(workload[1], workload[3], workload[4], data, rows=200)
        print(
            f"| {name} | {points:,} | {dtype} | {best['theirs']:.3f} s | {best['ours']:.4f} s | {best['theirs'] / best['ours']:.1f} |"
            f" {points * points / best['ours']:.2e} | {error(their_result, exact):.1e} | {error(our_result, exact):.1e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
