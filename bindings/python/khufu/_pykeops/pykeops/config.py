"""What programs ask pykeops about the machine."""

import os
import sysconfig
from importlib.util import find_spec

from keopscore.config import *  # noqa: F401, F403
from keopscore.config import config, cuda_config, openmp_config

numpy_found = find_spec("numpy") is not None
torch_found = find_spec("torch") is not None

pykeops_base = config
pykeops_cuda = cuda_config
pykeops_openmp = openmp_config
get_build_folder = config.get_build_folder


def __getattr__(name: str):
    # Asked for, not on import: see CUDAConfig.
    if name in ("gpu_available", "use_cuda"):
        return cuda_config.get_use_cuda()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def pykeops_nvrtc_name(type="src") -> str:
    """Where pykeops would keep a library for CUDA; nothing is there."""
    extension = ".cpp" if type == "src" else sysconfig.get_config_var("EXT_SUFFIX")
    return os.path.join(get_build_folder(), "pykeops_nvrtc" + extension)


def pykeops_cpp_name(tag="", extension="") -> str:
    """Where pykeops would keep a compiled formula; Khufu's have other names."""
    return os.path.join(get_build_folder(), f"pykeops_cpp_{tag}{extension}")
