"""Times khufu beside its rivals; `./Scripts/bench` installs those, builds khufu and runs this.

A full run takes about half an hour and is kept in Benchmarks/Results: a report and a picture. The others print only.
"""

import argparse
import os
import sys

import report
from measure import fresh_caches, limit_threads, measure, peak_memory
from picture import draw
from rivals import ENGINES
from workloads import WORKLOADS, Workload

RESULTS = os.path.join(os.path.dirname(__file__), "Results")


def main():
    parser = argparse.ArgumentParser(prog="Scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only the table, of one round")
    parser.add_argument("--only", metavar="NAME", default="", help="only the table, of workloads whose name has this in it")
    parser.add_argument("--picture", action="store_true", help="only the picture")
    options = parser.parse_args()
    full = not (options.quick or options.only or options.picture)

    limit_threads()
    os.makedirs(RESULTS, exist_ok=True)
    path = os.path.join(RESULTS, report.file_name())
    if not options.picture:
        with fresh_caches():
            text = tables(options.only, rounds=1 if options.quick else 3, memory=full)
        print(text)
        if full:
            with open(f"{path}.md", "w") as file:
                file.write(f"{text}\n![Time against points, and against dimensions]({os.path.basename(path)}.svg)\n")
    if full or options.picture:
        with fresh_caches():
            draw(path, rounds=3)


def tables(only, rounds, memory):
    measured = []
    for workload in WORKLOADS:
        if only.lower() in workload.name.lower():
            print(f"{workload.name}, {workload.dtype} …", file=sys.stderr, flush=True)
            measured.append((workload, measure(workload, ENGINES, rounds)))
    if not measured:
        sys.exit(f"No workload has {only!r} in its name.")

    parts = [report.heading(), TIMES, report.times_table(measured), report.missing_list(measured)]
    parts += [ERRORS, report.errors_table(measured), FIRST, report.first_calls_table(measured)]
    if memory:
        print("memory …", file=sys.stderr, flush=True)
        workloads = [Workload("Gaussian sum, D=3", "gaussian", points) for points in (1_000, 10_000, 100_000)]
        peaks = [(workload, {name: peak_memory(name, workload) for name in ("khufu", "pykeops")}) for workload in workloads]
        parts += [MEMORY, report.memory_table(peaks)]
    return "\n\n".join(part for part in parts if part) + "\n"


TIMES = """## Warm calls

The best call of several rounds, in which the engines take turns; in brackets, how many times khufu's. The matrix has points × points
entries, pairs/s are khufu's, and the share of the processor's limit is what `khufu bench` tells. A dash: the engine isn't made for this,
or failed. ⚠: wrong beyond tolerance."""

ERRORS = """## Errors

Of the first 200 rows, against NumPy in extended precision: the largest difference in a column relative to the largest magnitude there;
for indices, the share that differs."""

FIRST = """## First calls

From a formula never seen to its result, compiling included: khufu with the start of its process and the reading of files, pykeops in a
Python that has imported it."""

MEMORY = """## Peak memory

Of a process that computes the Gaussian sum, D=3, float32, from compiled code; pykeops' holds Python and NumPy."""


if __name__ == "__main__":
    main()
