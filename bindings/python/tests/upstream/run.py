"""Runs programs that were written for pykeops with Khufu in its place: pykeops' own tests, tutorials and examples, and geomloss' tests.

    python run.py [tests] [tutorials] [examples] [geomloss] [--only WORD] [--with-pykeops]

They are downloaded by pip as source distributions into `.cache`, which git ignores, and only the programs are unpacked, not the packages that they
test. `--with-pykeops` runs them with the installed pykeops, to compare. Exits with 1 where anything fails.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
SOURCES = {"pykeops": "2.3", "geomloss": "0.3.1"}
#: Folders of programs in the source distributions, below the archive's own.
FOLDERS = {
    "tests": ("pykeops", "pykeops/test"),
    "tutorials": ("pykeops", "pykeops/tutorials"),
    "examples": ("pykeops", "pykeops/examples"),
    "geomloss": ("geomloss", "tests"),
}
#: What does not come to its end on a machine without a network or a GPU, with pykeops neither.
LEFT_OUT = {
    "plot_gpu_select_example.py": "asks for a GPU",
    "plot_knn_mnist.py": "downloads a data set",
    "plot_multi_gpu.py": "asks for a GPU",
}
SECONDS_PER_SCRIPT = 300


def unpacked(kind: str) -> Path:
    """The folder with programs of a kind, downloaded at first use."""
    name, folder = FOLDERS[kind]
    # Some scripts write pictures to a folder four levels up: it is the cache.
    place = CACHE / f"{name}-{SOURCES[name]}" / "programs" / kind
    if place.exists():
        return place
    archive = CACHE / f"{name}-{SOURCES[name]}.tar.gz"
    if not archive.exists():
        requirement = f"{name}=={SOURCES[name]}"
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            ":all:",
            "--dest",
            CACHE,
            requirement,
        ]
        subprocess.run(command, check=True)
    beginning = f"{name}-{SOURCES[name]}/{folder}/"
    with tarfile.open(archive) as files:
        for member in files.getmembers():
            # The folders' own __init__.py would make them parts of the package.
            if member.isfile() and member.name.startswith(beginning) and not member.name.endswith("__init__.py"):
                target = place / member.name[len(beginning) :]
                if place.resolve() not in target.resolve().parents:
                    raise ValueError(f"{member.name} lies outside of its folder.")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(files.extractfile(member).read())
    return place


def environment() -> dict[str, str]:
    package = HERE.parent.parent
    path = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def run_tests(kind: str, only: str, with_pykeops: bool) -> bool:
    """Runs a folder of tests under pytest; whether all passed."""
    folder = unpacked(kind)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        folder,
        "--durations",
        "8",
        folder,
    ]
    command += [] if with_pykeops else ["-p", "khufu.pytest_plugin"]
    command += ["-k", only] if only else []
    start = time.monotonic()
    status = subprocess.run(command, cwd=folder, env=environment()).returncode
    print(f"{kind}: {'passed' if status == 0 else 'FAILED'} in {time.monotonic() - start:.1f} s", flush=True)
    return status == 0


def run_scripts(kind: str, only: str, with_pykeops: bool) -> bool:
    """Runs each script of a folder to its end, by itself; whether all came there."""
    folder = unpacked(kind)
    failures = 0
    for script in sorted(folder.rglob("*.py")):
        name = str(script.relative_to(folder))
        if not script.name.startswith("plot_") or only not in name:
            continue
        if script.name in LEFT_OUT:
            print(f"{kind}/{name}: left out, {LEFT_OUT[script.name]}", flush=True)
            continue
        command = [sys.executable, *([] if with_pykeops else ["-m", "khufu.as_pykeops"]), script]
        start = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=script.parent, env=environment(), timeout=SECONDS_PER_SCRIPT, text=True, errors="replace",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            status, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired:
            status, output = None, f"not at its end after {SECONDS_PER_SCRIPT} s"
        print(f"{kind}/{name}: {'passed' if status == 0 else 'FAILED'} in {time.monotonic() - start:.1f} s", flush=True)
        if status != 0:
            failures += 1
            print("    " + "\n    ".join(output.strip().splitlines()[-12:]), flush=True)
    return failures == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*FOLDERS, []], metavar="kind", help=", ".join(FOLDERS))
    parser.add_argument("--only", default="", help="scripts and tests with this word in their name")
    parser.add_argument("--with-pykeops", action="store_true", help="pykeops in place of Khufu, to compare")
    options = parser.parse_args()
    CACHE.mkdir(exist_ok=True)
    results = []
    for kind in options.kinds or ["tests", "tutorials", "examples", "geomloss"]:
        run = run_tests if kind in ("tests", "geomloss") else run_scripts
        results.append(run(kind, options.only, options.with_pykeops))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
