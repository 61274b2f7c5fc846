"""Draws time against the number of points for reductions with and without certified pruning; `./Scripts/bench` installs what this takes.

    .build-bench/venv/bin/python Benchmarks/pruning.py

Uniform points in the unit cube, float32: the ten nearest neighbours of each, exactly, beside SciPy's k-d tree and pykeops; a Gaussian sum of
bandwidth 0.02 to 1e-4 of its value, by way of a lattice, and the same by tiles alone, which a formula gets that is not seen to be a Gaussian.
"""

import json
import os
import subprocess
import tempfile
import time

import numpy as np
from measure import limit_threads
from report import file_name
from rivals import THREADS, TOOL

RESULTS = os.path.join(os.path.dirname(__file__), "Results")
SIZES = [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000]
#: An engine that took longer than this is asked for no more points.
PATIENCE = 8.0


def khufu(formula, *options):
    """Times the tool on points, the best of three where there are few."""

    def seconds(points, folder):
        file = os.path.join(folder, "points.npy")
        np.save(file, points)
        timings = os.path.join(folder, "timings.json")
        subprocess.run(
            [TOOL, "reduce", formula, f"x=i:{file}", f"y=j:{file}", "--repeat", "3" if len(points) <= 300_000 else "1", "--timings", timings, "--threads", str(THREADS),
             "-o", os.path.join(folder, "out.npy"), *options],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with open(timings) as text:
            return min(json.load(text)["times"])

    return seconds


def kd_tree(points, _):
    from scipy.spatial import cKDTree

    start = time.perf_counter()
    cKDTree(points).query(points, k=10, workers=THREADS)
    return time.perf_counter() - start


def pykeops(method):
    def seconds(points, _):
        from pykeops.numpy import LazyTensor

        def call():
            return method(((LazyTensor(points[:, None]) - LazyTensor(points[None])) ** 2).sum(-1))

        if not seconds.is_compiled:
            method(((LazyTensor(points[:10, None]) - LazyTensor(points[None, :10])) ** 2).sum(-1))
            seconds.is_compiled = True
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    seconds.is_compiled = False
    return seconds


NEAREST = ["--reduction", "ArgKMin", "--k", "10"]
GAUSSIAN = "Exp(-SqDist(x,y)/0.0008)"
HIDDEN_GAUSSIAN = "Exp(-Square(Norm2(x-y))/0.0008)"
#: That of the unit ball, in which the cube is put.
POINCARE = "SqDist(x,y)/((1-SqNorm2(1.1*(x-0.5)))*(1-SqNorm2(1.1*(y-0.5))))"
PANELS = [
    (
        "10 nearest neighbours in 3 dimensions",
        {
            "khufu, pruned": khufu("SqDist(x,y)", *NEAREST, "--pruning", "always"),
            "khufu, all pairs": khufu("SqDist(x,y)", *NEAREST, "--pruning", "never"),
            "khufu, pruned, Manhattan": khufu("Sum(Abs(x-y))", *NEAREST, "--pruning", "always"),
            "khufu, pruned, Poincaré": khufu(POINCARE, *NEAREST, "--pruning", "always"),
            "SciPy cKDTree": kd_tree,
            "pykeops": pykeops(lambda distances: distances.argKmin(10, axis=1)),
        },
    ),
    (
        "Gaussian sum of bandwidth 0.02",
        {
            "khufu, to 1e-4": khufu(GAUSSIAN, "--pruning", "always", "--tolerance", "1e-4"),
            "khufu, tiles alone": khufu(HIDDEN_GAUSSIAN, "--pruning", "always", "--tolerance", "1e-4"),
            "khufu, all pairs": khufu(GAUSSIAN, "--pruning", "never"),
            "pykeops": pykeops(lambda distances: (-distances / 0.0008).exp().sum(axis=1)),
        },
    ),
]


def measured():
    """Times by panel, engine and number of points."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for title, engines in PANELS:
            times = {name: [] for name in engines}
            for size in SIZES:
                points = np.random.default_rng(size).uniform(size=(size, 3)).astype("float32")
                for name, seconds in engines.items():
                    known = times[name]
                    if len(known) == SIZES.index(size) and (not known or known[-1] < PATIENCE):
                        known.append(seconds(points, folder))
                        print(f"{title}, {name}, {size:,}: {known[-1]:.3g} s", flush=True)
            results.append((title, times))
    return results


def draw(results, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    colours = {"khufu, pruned": "#c8102e", "khufu, to": "#c8102e", "khufu, all": "#e58a98", "khufu, tiles": "#f0a030", "khufu, pruned, M": "#f0a030", "khufu, pruned, P": "#8c4fb0", "SciPy": "#3c8d5a", "pykeops": "#1f5fa8"}
    figure, panels = plt.subplots(1, len(results), figsize=(11, 4.2))
    for axes, (title, times) in zip(panels, results):
        for name, seconds in times.items():
            colour = colours[max((key for key in colours if name.startswith(key)), key=len)]
            axes.loglog(SIZES[: len(seconds)], seconds, "o-", label=name, color=colour, markersize=4)
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("points")
        axes.set_ylabel("seconds")
        axes.grid(True, alpha=0.3)
        axes.legend(fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(f"{path}.svg")
    figure.savefig(f"{path}.png", dpi=130)


def main():
    limit_threads()
    os.makedirs(RESULTS, exist_ok=True)
    path = os.path.join(RESULTS, file_name() + "-pruning")
    results = measured()
    draw(results, path)
    with open(f"{path}.md", "w") as text:
        text.write(f"# Pruning, {file_name()}\n\nSeconds; {THREADS} threads.\n")
        for title, times in results:
            text.write(f"\n## {title}\n\n| points | {' | '.join(times)} |\n|---|{'---|' * len(times)}\n")
            for row, size in enumerate(SIZES):
                cells = [f"{seconds[row]:.3g}" if row < len(seconds) else "–" for seconds in times.values()]
                text.write(f"| {size:,} | {' | '.join(cells)} |\n")
        text.write(f"\n![Time against points]({os.path.basename(path)}.svg)\n")


if __name__ == "__main__":
    main()
