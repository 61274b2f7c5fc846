"""pykeops as programs know it, with Khufu inside."""

import importlib
import os

import keopscore
from keopscore import check_health, set_build_folder, show_cuda_status  # noqa: F401
from khufu._pykeops import VERSION as __version__  # noqa: F401

from . import config
from .config import get_build_folder, numpy_found, pykeops_nvrtc_name, torch_found  # noqa: F401

verbose = os.environ.get("PYKEOPS_VERBOSE") != "0"
keopscore.verbose = verbose and os.environ.get("KEOPS_VERBOSE") != "0"
default_device_id = 0
pykeopsconfig = config
keops_get_build_folder = get_build_folder


def set_verbose(val) -> None:
    """Whether functions such as `test_numpy_bindings` tell what they find. Khufu itself prints nothing."""
    global verbose
    verbose = keopscore.verbose = val


def clean_pykeops(recompile_jit_binaries=True) -> None:
    """Does nothing: a kernel is kept under a digest of its source, compiler and flags, so that none is ever out of date."""


def test_numpy_bindings() -> None:
    """Computes a small reduction with NumPy and checks its values."""
    from .numpy.test_install import test_numpy_bindings

    test_numpy_bindings()


def test_torch_bindings() -> None:
    """Computes a small reduction with PyTorch and checks its values."""
    from .torch.test_install import test_torch_bindings

    test_torch_bindings()


def __getattr__(name: str):
    # `import pykeops` is enough for pykeops.torch, and imports PyTorch only where that is asked for.
    if name in ("common", "numpy", "torch"):
        return importlib.import_module(f"pykeops.{name}")
    raise AttributeError(f"module 'pykeops' has no attribute {name!r}")
