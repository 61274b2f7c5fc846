"""The report: what machine this is, and what was measured, in Markdown."""

import importlib.metadata
import platform
import re
import subprocess
from datetime import date

from rivals import ENGINES, THREADS, TOOL, share_of_limit
from workloads import tolerance


def output(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def processor():
    names = re.findall(r"^model name\s*:\s*(.+)$", open("/proc/cpuinfo").read(), re.M)
    return names[0].strip() if names else platform.machine()


def file_name():
    return f"{date.today()}-" + re.sub(r"[^a-z0-9]+", "-", processor().lower()).strip("-")


def heading():
    doctor = output(TOOL, "doctor")

    def told(key):
        line = re.search(rf"^{key}\s+(.+)$", doctor, re.M)
        return line[1] if line else "unknown"

    compiler = re.sub(r"^used\s+|\s*\(https?:[^)]*\)", "", told("compilers"))
    revision = output("git", "rev-parse", "--short", "HEAD").strip()
    changed = " with changes" if output("git", "status", "--porcelain", "Sources") else ""
    gcc = (output("g++", "--version").splitlines() or ["no g++"])[0]
    return "\n".join(
        [
            f"# {date.today()}, {processor()}, {THREADS} cores",
            "",
            f"- processor: {processor()} ({platform.machine()}), {THREADS} threads for every engine",
            f"- vector instructions of khufu: {told('instructions')}",
            f"- system: {told('versions').split('; ')[-1]}, Linux {platform.release()}, Python {platform.python_version()}",
            f"- khufu at {revision}{changed}; kernels by {compiler}",
            f"- rivals: {', '.join(versions())}; those that compile C++ do so with {gcc}",
        ]
    )


def versions():
    for package in ("pykeops", "torch", "jax", "faiss-cpu", "scikit-learn", "numpy"):
        try:
            yield f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{package} missing"


def table(columns, rows):
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def seconds(value):
    if value != value:
        return "–"
    return f"{value:.3g} s" if value < 100 else f"{value:.0f} s"


def number(value):
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def label(workload):
    return [workload.name, f"{workload.points:,}", workload.dtype]


def times_table(measured):
    """Seconds of the best call; in brackets how many times khufu's they are."""
    rivals = [name for name in ENGINES if name != "khufu"]
    rows = []
    for workload, by_name in measured:
        khufu = by_name["khufu"]
        row = label(workload) + [seconds(khufu.best) + flag(khufu), f"{workload.points**2 / khufu.best:.2e}", share_of_limit(workload)]
        for name in rivals:
            rival = by_name.get(name)
            if rival is None or not rival.times:
                row.append("–")
            else:
                row.append(f"{seconds(rival.best)} ({number(rival.best / khufu.best)}×){flag(rival)}")
        rows.append(row)
    return table(["workload", "points", "type", "khufu", "pairs/s", "of the limit", *rivals], rows)


def flag(measurement):
    return " ⚠" if measurement.wrong else ""


def errors_table(measured):
    rows = []
    for workload, by_name in measured:
        row = label(workload) + [f"{tolerance(workload):.0e}"]
        for name in ENGINES:
            engine = by_name.get(name)
            row.append("–" if engine is None or engine.error != engine.error else f"{engine.error:.1e}{flag(engine)}")
        rows.append(row)
    return table(["workload", "points", "type", "tolerance", *ENGINES], rows)


def first_calls_table(measured):
    names = ["khufu", "pykeops"]
    rows = [
        label(workload) + [seconds(by_name[name].first) if name in by_name else "–" for name in names]
        for workload, by_name in measured
    ]
    return table(["workload", "points", "type", *names], rows)


def missing_list(measured):
    lines = [
        f"- {name}, {workload.name}, {workload.dtype}: {engine.missing}"
        for workload, by_name in measured
        for name, engine in by_name.items()
        if engine.missing
    ]
    return "Missing:\n\n" + "\n".join(lines) if lines else ""


def memory_table(peaks):
    def size(value):
        unit = next(u for u in ("GB", "MB", "kB") if value >= {"GB": 1e9, "MB": 1e6, "kB": 1e3}[u] or u == "kB")
        return f"{value / {'GB': 1e9, 'MB': 1e6, 'kB': 1e3}[unit]:.3g} {unit}"

    rows = []
    for workload, by_name in peaks:
        data = 4 * workload.points * sum([3, 3, 1, 1])  # x, y, b and the result
        rows.append([f"{workload.points:,}", size(data), size(4 * workload.points**2)])
        rows[-1] += [size(by_name[name]) if name in by_name else "–" for name in ("khufu", "pykeops")]
    return table(["points", "inputs and result", "the matrix, were it stored", "khufu", "pykeops"], rows)
