"""keopscore as programs know it. Khufu's engine has neither its settings nor its build folder's ways; what can be asked is answered."""

from khufu import diagnosis
from khufu._pykeops import VERSION as __version__  # noqa: F401

from .config import config

verbose = True
#: Taken and without effect: the engine finds common parts of a formula by itself.
auto_factorize = False
debug_ops = False
debug_ops_at_exec = False
cuda_block_size = 192

CHECK_MARK, CROSS_MARK = "\u2705", "\u274c"


def check_health(config_type="all") -> None:
    """Prints what the engine found on this machine."""
    print(diagnosis())


def show_cuda_status() -> None:
    """Prints which GPUs there are, or why there are none."""
    print("\n".join(line for line in diagnosis().splitlines() if line.lower().startswith("cuda")))


show_gpu_config = show_cuda_status


def clean_keops(recompile_jit_binary=True, verbose=True) -> None:
    """Does nothing: a kernel is kept under a digest of its source, compiler and flags, so that none is ever out of date."""


def set_build_folder(path=None, read_save_file=False, write_save_file=True, reset_all=True) -> None:
    """Where compiled kernels are kept from now on, `KHUFU_CACHE_DIR`; None: the usual folder.

    Warns that it is too late where the engine runs already.
    """
    config.set_build_folder(path)


def get_build_folder() -> str:
    """Where compiled kernels are kept."""
    return config.get_build_folder()


def __getattr__(name: str):
    if name == "build_folder":
        return get_build_folder()
    raise AttributeError(f"module 'keopscore' has no attribute {name!r}")
