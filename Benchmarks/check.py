"""Checks khufu on the device that is here: the tests of its sources, as they were built elsewhere, and what only a GPU can show.

    python check.py --device cuda [--only NAME] [--seconds 1500] [--output FOLDER]
    python check.py --device opencl --quick

It takes the folder that `Scripts/pack-bench` puts together, Python, and torch for the checks of tensors; no Swift, no toolkit and no network. Every
group of tests runs in a process of its own, so that a crash is that group's only. Where compute-sanitizer is found, some run once more under
each of its tools. What fails is printed below the table.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent

# The groups of tests whose results depend on the device, the most telling first; the second needs `KHUFU_DEVICE`.
ORACLE = ["Accelerator", "Reduction", "SpecialPoint", "Operation", "RandomFormula", "ReductionGradient", "Derivative"]
ORACLE += ["HigherDerivative", "LongDistance", "Concurrency"]
GROUPS = ["EnginesTests.DeviceArrayTests", "EnginesTests.OpenCLTests", *[f"OracleTests.{name}Tests" for name in ORACLE], "KhufuTests"]
QUICK = ["EnginesTests.DeviceArrayTests", "EnginesTests.OpenCLTests", "OracleTests.SpecialPointTests"]
TOOLS = ["memcheck", "racecheck", "initcheck", "synccheck"]
#: Slowed down a hundred times, so few: pieces, several devices, states of parts, lists, gradients and totals there.
SANITIZED = ["EnginesTests.DeviceArrayTests", "OracleTests.AcceleratorTests.longRows", "OracleTests.AcceleratorTests.arraysLargerThanMemory"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "opencl"], default="cuda")
    parser.add_argument("--seconds", type=float, default=1_500, help="how long it may take (default: 1500)")
    parser.add_argument("--only", metavar="NAME", default="", help="only groups whose name has this in it")
    parser.add_argument("--quick", action="store_true", help="few groups: whether it runs")
    parser.add_argument("--output", metavar="FOLDER", help="where the report goes, too")
    options = parser.parse_args()
    deadline = time.monotonic() + options.seconds
    rows = []
    with tempfile.TemporaryDirectory(prefix="khufu-check-") as folder:
        environment = prepared(Path(folder), options.device)
        for name, run in checks(Path(folder), environment, options):
            if options.only.lower() not in name.lower():
                continue
            left = deadline - time.monotonic()
            print(f"{name} …", file=sys.stderr, flush=True)
            start = time.monotonic()
            row = {"missing": "no time was left"} if left < 1 else run(left)
            rows.append((name, row, time.monotonic() - start))
    if not rows:
        sys.exit(f"No group has {options.only!r} in its name.")
    text = report(rows)
    print(text)
    if options.output:
        os.makedirs(options.output, exist_ok=True)
        (Path(options.output) / "check.md").write_text(text)
    if any(row.get("failures") or row.get("crash") for _, row, _ in rows):
        sys.exit(1)


def prepared(folder, device):
    """Unpacks the tests; the environment that they find their libraries, the device and its compiler by."""
    with tarfile.open(HERE / "tests.tar.xz") as archive:
        archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    sys.path.insert(0, str(HERE))
    import khufu
    from khufu._library import require_device

    try:
        # Also names the folders of Python's packages, where NVRTC is looked for.
        require_device(device)
    except khufu.EngineError as error:
        sys.exit(f"There is nothing to check: {error}")
    print(khufu.diagnosis(), file=sys.stderr)
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{folder}/lib:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")}
    environment["KHUFU_TEST_ENGINE"] = {"cuda": "cuda", "opencl": "openCL"}[device]
    environment["KHUFU_DEVICE"] = device
    return environment


def checks(folder, environment, options):
    """Names of checks, and functions of the seconds that are left."""
    for group in QUICK if options.quick else GROUPS:
        # Tests that name their engine are told none.
        own = environment if group == "KhufuTests" else {key: value for key, value in environment.items() if key != "KHUFU_DEVICE"}
        yield group, lambda seconds, group=group, own=own: tested(folder, group, own, seconds)
    yield "tensors", lambda seconds: python_checks(options.device, environment, seconds)
    sanitizer = found_sanitizer() if options.device == "cuda" else None
    if options.device == "cuda" and sanitizer is None:
        yield "compute-sanitizer", lambda seconds: {"missing": "it is not installed"}
    own = {key: value for key, value in environment.items() if key != "KHUFU_DEVICE"}
    for tool in TOOLS if sanitizer else []:
        for group in SANITIZED:
            prefix = [sanitizer, "--tool", tool, "--error-exitcode", "99", "--print-limit", "20"]
            yield f"{tool}: {group}", lambda seconds, prefix=prefix, group=group: tested(
                folder, group, own, min(seconds, 300), prefix
            )


def found_sanitizer():
    places = [shutil.which("compute-sanitizer"), "/usr/local/cuda/bin/compute-sanitizer"]
    return next((place for place in places if place and os.access(place, os.X_OK)), None)


def tested(folder, group, environment, seconds, prefix=()):
    """Runs a group of the tests."""
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    # A whole name, lest it be the beginning of others.
    pattern = rf"^{group.replace('.', '[.]')}([./(]|$)"
    command = [*prefix, str(folder / "khufu-tests"), "--testing-library", "swift-testing", "--filter", pattern]
    done = ran([*command, "--xunit-output", str(report)], environment, seconds)
    if "missing" in done:
        return done
    try:
        cases = ElementTree.parse(report).getroot().find("testsuite").findall("testcase")
    except (OSError, ElementTree.ParseError):
        # It is written at the end, to which this did not come.
        return {"crash": f"exit status {done['status']}", "log": done["log"][-4_000:]}
    failed = [case for case in cases if case.find("failure") is not None]
    row = {"passed": len(cases) - len(failed), "failures": [f"{case.get('classname')}/{case.get('name')}" for case in failed]}
    if not cases and not prefix:
        return {"missing": "it has no tests for this device"}
    if failed:
        # What happened, and the case that does it again, which stands below.
        marks = ("recorded an issue", "\u21b3")
        row["log"] = "\n".join(line for line in done["log"].splitlines() if any(mark in line for mark in marks))[:6_000]
    elif done["status"]:
        row["crash"] = "compute-sanitizer has findings" if done["status"] == 99 else f"exit status {done['status']}"
        row["log"] = done["log"][-4_000:]
    return row


def python_checks(device, environment, seconds):
    """What is checked through Python: tensors in the device's memory, streams, graphs, leaks."""
    done = ran([sys.executable, str(HERE / "check_tensors.py"), device], environment, seconds)
    if "missing" in done:
        return done
    lines = done["log"].splitlines()
    passed = [line for line in lines if line.startswith("passed: ")]
    failures = [line[len("failed: ") :] for line in lines if line.startswith("failed: ")]
    missing = [line[len("missing: ") :] for line in lines if line.startswith("missing: ")]
    if missing:
        return {"missing": missing[0]}
    row = {"passed": len(passed), "failures": failures, "log": done["log"][-6_000:] if failures else ""}
    return row if done["status"] in (0, 1) else {**row, "crash": f"exit status {done['status']}", "log": done["log"][-4_000:]}


def ran(command, environment, seconds):
    """A command's exit status and all that it wrote; or that it was stopped."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        try:
            status = process.wait(timeout=max(1, seconds))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return {"missing": f"it was stopped after {seconds:.0f} s"}
        output.seek(0)
        return {"status": status, "log": output.read().decode(errors="replace")}


def report(rows):
    width = max(len(name) for name, _, _ in rows)
    lines = [f"| {'group':{width}} | passed | failed | seconds |", f"|{'-' * (width + 2)}|-------:|-------:|--------:|"]
    details = []
    for name, row, seconds in rows:
        if "missing" in row:
            lines.append(f"| {name:{width}} |      – |      – | {row['missing']} |")
            continue
        failures = row.get("failures", [])
        failed = row.get("crash") if row.get("crash") and not failures else len(failures)
        lines.append(f"| {name:{width}} | {row.get('passed', 0):6} | {failed:>6} | {seconds:7.1f} |")
        if failures or row.get("crash"):
            details.append("\n".join([f"\n## {name}\n", *failures, row.get("log", "")]))
    return "\n".join([*lines, *details]) + "\n"


if __name__ == "__main__":
    main()
