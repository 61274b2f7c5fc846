"""The drop-in: pykeops is imported, Khufu computes.

In a program, before anything imports pykeops:

    import khufu
    khufu.as_pykeops()

    from pykeops.torch import LazyTensor

For a program that is not to be changed, and for tests:

    python -m khufu.as_pykeops script.py arguments…
    python -m khufu.as_pykeops -m module arguments…
    pytest -p khufu.pytest_plugin …

It holds for this process, whether pykeops is installed or not. A process that multiprocessing spawns, unlike one that it forks, begins anew:
its main module calls `as_pykeops` for itself.
"""

from __future__ import annotations

import os
import runpy
import sys
from types import ModuleType

from khufu._pykeops import install

_USAGE = """usage: python -m khufu.as_pykeops script.py [arguments …]
       python -m khufu.as_pykeops -m module [arguments …]

Runs a program in which `import pykeops` gives Khufu."""


class _CallableModule(ModuleType):
    """This module, which is also the function `khufu.as_pykeops`: whichever way it is imported, both are meant."""

    def __call__(self) -> None:
        """Makes `import pykeops` and `import keopscore` give Khufu, in this process, from now on.

        Raises:
            DropInError: where another pykeops or keopscore has been imported before.
        """
        install()


def main(arguments: list[str]) -> int:
    """Runs a program as the command line says."""
    is_module = arguments[:1] == ["-m"]
    program = arguments[1:] if is_module else arguments
    if not program or program[0].startswith("-"):
        is_help = program[:1] in (["-h"], ["--help"])
        print(_USAGE, file=sys.stdout if is_help else sys.stderr)
        return 0 if is_help else 2
    install()
    sys.argv = program
    if is_module:
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    else:
        # Where Python itself would put the script's folder; `-m` had put the working directory there.
        sys.path[0] = os.path.dirname(os.path.realpath(program[0]))
        runpy.run_path(program[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
sys.modules[__name__].__class__ = _CallableModule
