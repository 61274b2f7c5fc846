"""Khufu: reductions over huge symbolic matrices, a_i = Reduce_j F(p, x_i, y_j), and all their derivatives, in linear memory.

    khufu.numpy      for NumPy's arrays
    khufu.torch      for PyTorch's tensors, with derivatives of any order
    as_pykeops()     makes `import pykeops` give this package
    diagnosis()      what the engine found on this machine
    devices()        the GPUs, and other devices of OpenCL's, that were found
    set_default_device("opencl:0")
                     where arrays on the host are computed with, in place of the processor
    set_device_memory_limit(2 << 30)
                     how many bytes of a device's memory a call with arrays on the host may take

This package imports neither until it is asked to, and the engine is loaded at first use.
"""

from ._devices import Device, default_device, device_memory_limit, devices, set_default_device, set_device_memory_limit
from .errors import ArgumentError, ArrayTypeError, DropInError, EngineError, FormulaError, KhufuError, SolverError

__version__ = "0.1.0"

__all__ = [
    "ArgumentError",
    "ArrayTypeError",
    "Device",
    "DropInError",
    "EngineError",
    "FormulaError",
    "KhufuError",
    "SolverError",
    "as_pykeops",
    "default_device",
    "device_memory_limit",
    "devices",
    "diagnosis",
    "set_default_device",
    "set_device_memory_limit",
]


def diagnosis() -> str:
    """Which processor, instructions and compilers were found, and why others were refused; a text for people."""
    from ._library import diagnosis

    return diagnosis()


def __getattr__(name: str):
    if name == "as_pykeops":
        from importlib import import_module

        return import_module(".as_pykeops", __name__)
    raise AttributeError(f"module 'khufu' has no attribute {name!r}")
