"""The picture: time against points, and time per pair against dimensions, of the Gaussian sum in float32."""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

from measure import measure
from workloads import Workload

POINTS = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
DIMENSIONS = [1, 2, 5, 10, 30, 100, 300, 1_000]  # few, for pykeops compiles seconds for each
STYLES = {"khufu": "#c8102e", "pykeops": "#1f5fa8", "torch": "#6b6b6b", "torch.compile": "#a8a8a8", "JAX": "#4d9a6a"}
MARKERS = {"khufu": "o", "pykeops": "s", "torch": "^", "torch.compile": "v", "JAX": "D"}


def draw(path, rounds):
    by_points = curves([Workload(f"N={points:,}", "gaussian", points) for points in POINTS], list(STYLES), rounds)
    by_dimension = curves(
        [Workload(f"D={dim}", "gaussian", 4_000, dim=dim) for dim in DIMENSIONS], ["khufu", "pykeops", "torch"], rounds
    )

    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    for name, points in by_points.items():
        plot(left, name, [w.points for w, _ in points], [seconds for _, seconds in points])
    for name, points in by_dimension.items():
        plot(right, name, [w.dim for w, _ in points], [1e9 * seconds / w.points**2 for w, seconds in points])

    left.set(title="Gaussian sum in 3 dimensions", xlabel="points $N$ ($N × N$ pairs)", ylabel="seconds")
    right.set(title="4,000 × 4,000 points in $D$ dimensions", xlabel="dimension $D$", ylabel="nanoseconds per pair")
    left.yaxis.set_major_formatter(FuncFormatter(plain))
    right.yaxis.set_major_formatter(FuncFormatter(plain))
    left.xaxis.set_major_formatter(FuncFormatter(plain))
    right.xaxis.set_major_formatter(FuncFormatter(plain))
    left.legend(frameon=False, loc="upper left")
    for extension in ("svg", "png"):
        figure.savefig(f"{path}.{extension}", dpi=150)


def curves(workloads, names, rounds):
    """(workload, seconds) by engine. An engine stops before a call that would take long, as its last one predicts."""
    curves = {name: [] for name in names}
    for workload in workloads:
        going = [name for name in names if predicted(curves[name], workload) < (150 if name == "khufu" else 40)]
        print(f"picture, {workload.name}: {', '.join(going)} …", file=sys.stderr, flush=True)
        for name, measurement in measure(workload, going, rounds, check=False).items():
            if measurement.times:
                curves[name].append((workload, measurement.best))
    return curves


def predicted(curve, workload):
    if not curve:
        return 0
    last, seconds = curve[-1]
    return seconds * (workload.points / last.points) ** 2


def plot(axes, name, x, y):
    ours = name == "khufu"
    axes.loglog(
        x, y, label=name, color=STYLES[name], marker=MARKERS[name], markersize=5, linewidth=2.4 if ours else 1.5, zorder=3 if ours else 2
    )
    axes.grid(True, which="major", color="#e6e6e6", linewidth=0.8)
    axes.minorticks_off()


def plain(value, _):
    """1,000 and 0.01 rather than powers."""
    return f"{value:,.0f}" if value >= 1 else f"{value:.10f}".rstrip("0")
