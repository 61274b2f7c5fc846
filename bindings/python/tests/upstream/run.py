"""Runs programs that were written for pykeops with Khufu in its place: pykeops' own tests, tutorials and examples, and packages that use it.

    python run.py [tests] [tutorials] [examples] [gpytorch] [clients] [--only WORD] [--with-pykeops]

Source distributions are downloaded by pip into `.cache`, which git ignores, and only the programs are unpacked, not the packages that they
test. `--with-pykeops` runs them with the installed pykeops, to compare. Exits with 1 where anything fails.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: The installed package, or else the one beside the tests.
FOUND = importlib.util.find_spec("khufu")
PACKAGE = Path(FOUND.origin).parents[1] if FOUND else HERE.parents[1]
CACHE = HERE / ".cache"
#: Folders of programs in source distributions; the clients' are here.
FOLDERS = {
    "tests": "pykeops-2.3/pykeops/test/",
    "tutorials": "pykeops-2.3/pykeops/tutorials/",
    "examples": "pykeops-2.3/pykeops/examples/",
    "gpytorch": "gpytorch-1.15.2/test/kernels/keops/",
    "clients": None,
}
NOTHING_CHOSEN = 5  # a status of pytest
TESTS = ("tests", "gpytorch", "clients")
#: What does not come to its end on a machine without a network or a GPU, with pykeops neither.
LEFT_OUT = {
    "plot_gpu_select_example.py": "asks for a GPU",
    "plot_knn_mnist.py": "downloads a data set",
    "plot_multi_gpu.py": "asks for a GPU",
}
#: It is a function of no class, with an argument `self`.
NO_TEST = "test_periodic_kernel.py::test_prior_type"
SECONDS_PER_SCRIPT = 300


def programs(kind: str) -> Path:
    """The folder with programs of a kind, downloaded at first use."""
    if FOLDERS[kind] is None:
        return HERE / kind
    # Some scripts write pictures to a folder four levels up: it is the cache.
    distribution = FOLDERS[kind].partition("/")[0]
    place = CACHE / distribution / "programs" / kind
    if not place.exists():
        unpack(archive(distribution), FOLDERS[kind], place)
    return place


def archive(distribution: str) -> Path:
    """A source distribution, "name-version"."""
    CACHE.mkdir(exist_ok=True)
    file = CACHE / f"{distribution}.tar.gz"
    if not file.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--dest", CACHE, distribution.replace("-", "==")], check=True)
    return file


def unpack(file: Path, beginning: str, place: Path) -> None:
    """Writes the files of an archive whose names begin so, but for each __init__.py, which would make them parts of the package."""
    with tarfile.open(file) as members:
        for member in members:
            if member.isfile() and member.name.startswith(beginning) and not member.name.endswith("__init__.py"):
                target = place / member.name[len(beginning) :]
                if place.resolve() not in target.resolve().parents:
                    raise ValueError(f"{member.name} lies outside of its folder.")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(members.extractfile(member).read())


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def run_tests(kind: str, only: str, with_pykeops: bool) -> bool:
    """Runs a folder of tests under pytest; whether all passed."""
    folder = programs(kind)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder]
    command += ["--durations", "5", "--deselect", NO_TEST, "-k", only]
    command += [] if with_pykeops else ["-p", "khufu.pytest_plugin"]
    start = time.monotonic()
    # Our own have another name than pytest looks for, so that they are run from here only.
    done = subprocess.run([*command, *(sorted(folder.glob("check_*.py")) or [folder])], cwd=folder, env=environment())
    has_passed = done.returncode in ((0, NOTHING_CHOSEN) if only else (0,))
    report(kind, has_passed, start)
    return has_passed


def run_scripts(kind: str, only: str, with_pykeops: bool) -> bool:
    """Runs each script of a folder to its end, by itself; whether all came there."""
    folder = programs(kind)
    results = []
    for script in sorted(folder.rglob("plot_*.py")):
        name = f"{kind}/{script.relative_to(folder)}"
        if only not in name:
            continue
        if script.name in LEFT_OUT:
            print(f"{name}: left out, {LEFT_OUT[script.name]}", flush=True)
            continue
        start = time.monotonic()
        command = [sys.executable, *([] if with_pykeops else ["-m", "khufu.as_pykeops"]), script]
        try:
            done = subprocess.run(
                command, cwd=script.parent, env=environment(), timeout=SECONDS_PER_SCRIPT, text=True, errors="replace",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            has_passed, output = done.returncode == 0, done.stdout
        except subprocess.TimeoutExpired:
            has_passed, output = False, f"It had not come to its end after {SECONDS_PER_SCRIPT} s."
        results.append(has_passed)
        report(name, has_passed, start)
        if not has_passed:
            print("    " + "\n    ".join(output.strip().splitlines()[-12:]), flush=True)
    return all(results)


def report(name: str, has_passed: bool, start: float) -> None:
    print(f"{name}: {'passed' if has_passed else 'FAILED'} in {time.monotonic() - start:.1f} s", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(FOLDERS))
    parser.add_argument("--only", default="", metavar="WORD", help="scripts and tests with this word in their name")
    parser.add_argument("--with-pykeops", action="store_true", help="pykeops in place of Khufu, to compare")
    options = parser.parse_args()
    unknown = set(options.kinds) - set(FOLDERS)
    if unknown:
        parser.error(f"kinds are {', '.join(FOLDERS)}; {', '.join(sorted(unknown))} came")
    results = []
    for kind in options.kinds or FOLDERS:
        run = run_tests if kind in TESTS else run_scripts
        results.append(run(kind, options.only, options.with_pykeops))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
