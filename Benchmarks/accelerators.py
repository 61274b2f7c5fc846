"""Times khufu on a GPU beside its rivals and beside what the device's units could do at best.

    python accelerators.py --device cuda [--seconds 500] [--only NAME] [--output FOLDER]
    python accelerators.py --device opencl --smoke

It builds nothing: it takes Python with NumPy and torch, and the khufu package with its library beside this file or installed;
`Scripts/pack-bench` puts together one folder of what is to be carried. Rivals are used where they can be imported, and named where not.

Every engine runs in a process of its own. Times are the median of synchronised calls after two that warm up; inputs and results are on the
device, or with OpenCL on the host. The answers on a sample of rows are held against float64.
"""

import argparse
import json
import os
import re
import statistics
import sys
import time
from dataclasses import asdict, replace
from datetime import datetime, timezone

import accelerator_limits as limits
import accelerator_report as report
from accelerator_engines import ENGINES, Remote
from accelerator_errors import error_of, tolerance_of
from workloads import Workload

SAMPLE = 8  # rows that are checked
DIMENSIONS = [1, 2, 3, 5, 10, 20, 30, 50, 64, 100, 128, 129, 200, 300, 500, 1000]


def workloads():
    """What is timed, the most telling first: the budget may not suffice for all."""
    cases = [Workload("Gaussian sum", "gaussian", n) for n in (1_000_000, 100_000, 10_000)]
    cases += [Workload("10 nearest neighbours", "euclidean", 1_000_000, d, reduction="ArgKMin", k=10) for d in (3, 50)]
    cases += [Workload("argmin", "euclidean", 100_000, 50, reduction="ArgMin")]
    cases += [Workload("log-sum-exp (Sinkhorn)", "log gaussian", n, reduction="LogSumExp") for n in (100_000, 1_000_000)]
    cases += [
        Workload("attention", "attention", n, 64, columns=64, reduction="SumSoftMaxWeight") for n in (10_000, 100_000)
    ]
    cases += [Workload("Gaussian sum and its gradient", "gaussian", 100_000, d, gradient=True) for d in (3, 50)]
    cases += [Workload("Gaussian times a matrix", "gaussian", 100_000, columns=c) for c in (16, 64, 300)]
    cases += [Workload("Gaussian sum", "gaussian", 100_000, d) for d in DIMENSIONS if d != 3]
    cases += [Workload("10 nearest neighbours", "euclidean", 1_000_000, d, reduction="ArgKMin", k=10) for d in (10, 100)]
    cases += [Workload("Gaussian sum", "gaussian", 100_000, dtype="float64")]
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "opencl"], default="cuda")
    parser.add_argument("--seconds", type=float, default=1_500, help="how long it may take (default: 1500)")
    parser.add_argument("--only", metavar="NAME", default="", help="only workloads whose name has this in it")
    parser.add_argument("--engines", metavar="NAMES", default="", help="only these, separated by commas")
    parser.add_argument("--smoke", action="store_true", help="few points and dimensions: whether it runs, not how fast")
    parser.add_argument("--output", metavar="FOLDER", help="where the report goes (default: it is printed)")
    options = parser.parse_args()

    names = [name for name, engine in ENGINES.items() if options.device in engine.devices]
    if options.engines:
        unknown = set(options.engines.split(",")) - set(names)
        if unknown:
            sys.exit(f"For {options.device} there are {', '.join(names)}; {', '.join(sorted(unknown))} came.")
        names = options.engines.split(",")
    chosen = [w for w in workloads() if options.only.lower() in w.name.lower()]
    if not chosen:
        sys.exit(f"No workload has {options.only!r} in its name.")
    if options.smoke:
        # Once each of what differs in more than its size.
        chosen = list({(w.name, w.dim > 100, w.dtype): replace(w, points=min(w.points, 1_500)) for w in chosen}.values())

    results = run(chosen, names, options)
    text = report.text(results)
    print(text)
    if options.output:
        os.makedirs(options.output, exist_ok=True)
        device = re.sub(r"[^a-z0-9]+", "-", results["device"]["name"].lower()).strip("-")
        path = os.path.join(options.output, f"{results['date'][:10]}-{device}")
        with open(f"{path}.md", "w") as file:
            file.write(text)
        with open(f"{path}.json", "w") as file:
            json.dump(results, file, indent=1)
    if any(case["engines"]["khufu"].get("wrong") for case in results["cases"] if "khufu" in case["engines"]):
        sys.exit("khufu's answers are wrong where the table says so.")


def run(chosen, names, options):
    deadline = time.monotonic() + options.seconds
    remotes = {name: Remote(name, options.device) for name in names}
    results = {"date": datetime.now(timezone.utc).isoformat(timespec="seconds"), "missing": {}, "versions": {}, "cases": []}
    try:
        for name, remote in list(remotes.items()):
            start = remote.start()
            if "missing" in start:
                results["missing"][name] = start["missing"]
                remotes.pop(name).stop()
                continue
            results["versions"][name] = start["version"]
        results["device"] = limits.device(options.device)
        for number, workload in enumerate(chosen):
            case = {"workload": asdict(workload), "limit": limits.seconds(workload, results["device"]), "engines": {}}
            results["cases"].append(case)
            # What others leave over is for those that come after.
            share = max(0, deadline - time.monotonic()) / (len(chosen) - number)
            for place, (name, remote) in enumerate(remotes.items()):
                print(f"{workload.name}, {workload.points:,} points, D={workload.dim}: {name} …", file=sys.stderr, flush=True)
                if share <= 0:
                    case["engines"][name] = {"missing": "no time was left"}
                    continue
                case["engines"][name] = measured(remote, workload, share / (len(remotes) - place))
                share -= case["engines"][name].pop("spent")
    finally:
        for remote in remotes.values():
            remote.stop()
    return results


def measured(remote, workload, seconds):
    """Times and the error of an engine; or why there are none."""
    start = time.monotonic()
    answer = remote.measure(workload, seconds, SAMPLE)
    result = {"spent": time.monotonic() - start}
    if "missing" in answer:
        return result | {"missing": answer["missing"]}
    error = error_of(workload, answer["sample"], answer["rows"])
    result |= {"first": answer["first"], "times": answer["times"], "median": statistics.median(answer["times"])}
    # Also of NaN.
    return result | {"error": error, "wrong": not error <= tolerance_of(workload)}


if __name__ == "__main__":
    main()
