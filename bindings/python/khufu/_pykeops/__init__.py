"""The packages `pykeops` and `keopscore` as they are imported after `khufu.as_pykeops()`, and what has them found.

The folders `pykeops` and `keopscore` in here hold packages of these names: the modules that programs import from, each a few lines on top of
`khufu`. They become modules like any others, with reload and submodules, and no list of names has to be kept.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location

from ..errors import DropInError

#: The version of pykeops of which these packages have the interface.
VERSION = "2.3"

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_PACKAGES = ("pykeops", "keopscore")


class _Finder:
    """Finds the packages, and all that is in them, ahead of every other finder and of every folder on the path."""

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        package, _, rest = name.partition(".")
        if package not in _PACKAGES:
            return None
        if not rest:
            folder = os.path.join(_FOLDER, package)
            return spec_from_file_location(
                name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
            )
        spec = PathFinder.find_spec(name, path, target)
        if spec is None:
            # Not None: a finder of an installed pykeops would be asked then, and its modules mixed with these.
            raise ModuleNotFoundError(
                f"{name!r} is not among what khufu.as_pykeops() offers of {package} {VERSION}.", name=name
            )
        return spec

    def find_distributions(self, context):
        """For importlib.metadata.version("pykeops"), by which some programs ask whether it is there."""
        name = context.name
        return iter([_distribution(name)] if name in _PACKAGES else [])


def _distribution(name: str):
    from importlib.metadata import Distribution
    from pathlib import Path

    class KhufuDistribution(Distribution):
        def read_text(self, filename):
            return f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n" if filename == "METADATA" else None

        def locate_file(self, path):
            return Path(_FOLDER) / path

    return KhufuDistribution()


_finder = _Finder()


def install() -> None:
    """Makes the packages importable; once more does nothing.

    Raises:
        DropInError: where another package of their names has been imported before.
    """
    for name in _PACKAGES:
        module = sys.modules.get(name)
        place = str(getattr(module, "__file__", None))
        if module is not None and not place.startswith(_FOLDER + os.sep):
            raise DropInError(
                f"khufu.as_pykeops() comes before the first import of {name}; it has been imported already, from {place}."
            )
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
