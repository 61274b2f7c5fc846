"""What programs ask keopscore about the machine."""

from __future__ import annotations

import os
import platform
import sys
import warnings

__all__ = [
    "config",
    "cuda_config",
    "get_config",
    "get_cuda_config",
    "get_openmp_config",
    "get_platform_config",
    "openmp_config",
    "platform_detector",
]


class Config:
    """Where kernels are kept."""

    def get_build_folder(self) -> str:
        """The folder that the engine takes by default; one of its own for the process where that is not to be had."""
        chosen = os.environ.get("KHUFU_CACHE_DIR")
        if chosen:
            return chosen
        caches = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(caches):
            caches = os.path.expanduser("~/Library/Caches" if sys.platform == "darwin" else "~/.cache")
        return os.path.join(caches, "khufu")

    def set_build_folder(self, path: str | None = None) -> None:
        from khufu import _library

        if path is None:
            os.environ.pop("KHUFU_CACHE_DIR", None)
        else:
            os.environ["KHUFU_CACHE_DIR"] = os.fspath(path)
        if _library._loaded is not None:
            warnings.warn(
                "The engine runs already: the build folder holds for processes that are started from here.",
                stacklevel=3,
            )

    get_default_build_path = get_build_folder


class PlatformDetector:
    def get_os(self) -> str:
        return platform.platform()

    def get_python_version(self) -> str:
        return platform.python_version()


class CUDAConfig:
    """NVIDIA's GPUs, counted when somebody asks: then CUDA is started, which processes that are forked later cannot use."""

    @property
    def n_gpus(self) -> int:
        from khufu._library import device_names

        return len(device_names("cuda"))

    def get_use_cuda(self) -> bool:
        return self.n_gpus > 0

    def get_gpu_props(self) -> tuple[int, str]:
        """How many devices there are, and compiler flags about them, of which there are none."""
        return self.n_gpus, ""


class OpenMPConfig:
    """The engine has threads of its own."""

    def get_use_OpenMP(self) -> bool:
        return True


config = Config()
platform_detector = PlatformDetector()
cuda_config = CUDAConfig()
openmp_config = OpenMPConfig()


def get_config() -> Config:
    return config


def get_platform_config() -> PlatformDetector:
    return platform_detector


def get_cuda_config() -> CUDAConfig:
    return cuda_config


def get_openmp_config() -> OpenMPConfig:
    return openmp_config
