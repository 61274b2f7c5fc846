"""Where reductions run: the processor, or devices of CUDA's and OpenCL's; how backends name them.

An engine is written as a word, with the numbers of its devices behind it: "auto", "processor", "cuda:1", "cuda:0,1", "opencl:0". So it can
be a part of options, pickled objects and compiled graphs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import index
from typing import NamedTuple

from .errors import ArgumentError, ArrayTypeError


class Device(NamedTuple):
    """A device that reductions can run on."""

    #: "cuda:0", "opencl:1": what `set_default_device` and `backend` take.
    id: str
    #: Such as "NVIDIA H200".
    name: str


def devices() -> list[Device]:
    """The devices that were found, those of CUDA's first; `khufu.diagnosis()` says why there are none."""
    from ._library import device_names

    return [
        Device(f"{library}:{number}", name)
        for library in ("cuda", "opencl")
        for number, name in enumerate(device_names(library))
    ]


#: The engine for arrays on the host whose backend is "auto".
_default = "processor"


def set_default_device(device: str | None) -> None:
    """Says where arrays on the host are computed with, unless a call names its backend: "cpu", which is where they are unless said
    otherwise, or a device, to which they are copied for each call: "cuda", "opencl:1", "cuda:0,1". None: "cpu".

    Tensors on a GPU are computed with there whatever is said here.

    Raises:
        ArgumentError: where the word is none of these.
        EngineError: where there is no such device.
    """
    global _default
    if device is None or isinstance(device, str) and device.lower() == "cpu":
        _default = "processor"
        return
    word = device.lower() if isinstance(device, str) else ""
    if not _DEVICE.fullmatch(word):
        raise ArgumentError(f"A device is 'cpu', or one such as 'cuda', 'cuda:1' or 'opencl:0'; {device!r} came.")
    from ._library import require_device

    name, numbers = parsed(word)
    for number in numbers or (0,):
        require_device(name, number)
    _default = word


def default_device() -> str:
    """What `set_default_device` was told: "cpu" or such as "opencl:0"."""
    return "cpu" if _default == "processor" else _default


#: Bytes; 0 where nothing was said.
_memory_limit = 0


def set_device_memory_limit(limit: int | None) -> None:
    """Says how many bytes of each device's memory a call with arrays on the host may take: where its arrays are larger, they pass through
    in pieces. None: most of what is free on the device.

    Tensors on a GPU are there already; what a call takes beside them is not limited, and `device_memory` of a Genred or a LazyTensor
    tells it beforehand.

    Raises:
        ArgumentError: where it is no number of bytes.
    """
    global _memory_limit
    if limit is None:
        _memory_limit = 0
        return
    try:
        number = 0 if isinstance(limit, bool) else index(limit)
    except TypeError:
        number = 0
    if not 0 < number < 1 << 63:
        raise ArgumentError(f"A limit of a device's memory is a whole number of bytes, 1 or more, or None; {limit!r} came.")
    _memory_limit = number


def device_memory_limit() -> int | None:
    """What `set_device_memory_limit` was told: bytes, or None."""
    return _memory_limit or None


def on_host(engine: str) -> str:
    """The engine for arrays on the host."""
    return _default if engine == "auto" or engine.startswith("auto:") else engine


_DEVICE = re.compile(r"(cuda|opencl)(?::(\d{1,9}(?:,\d{1,9})*))?", re.ASCII)
_WORDS = frozenset(["auto", "processor", "cpu", "interpreter", "cuda", "opencl"])


@lru_cache(maxsize=256)
def parsed(engine: str) -> tuple[str, tuple[int, ...]]:
    """An engine's name, and the numbers of its devices.

    Raises:
        ArgumentError: where there is no such engine.
    """
    name, _, numbers = engine.partition(":")
    if name not in _WORDS:
        raise ArgumentError(f"An engine is one of {', '.join(sorted(_WORDS))}; {engine!r} came.")
    return name, tuple(int(number) for number in numbers.split(",")) if numbers else ()


_BACKENDS = {
    None: "auto", "auto": "auto", "CPU": "processor", "interpreter": "interpreter", "CUDA": "cuda", "OpenCL": "opencl",
    # KeOps' schemes; here the engine chooses.
    **dict.fromkeys(["GPU", "GPU_1D", "GPU_1D_device", "GPU_1D_host", "GPU_2D", "GPU_2D_device", "GPU_2D_host"], "cuda"),
}  # fmt: skip


def engine_of(backend: str | None, device_id: int | Sequence[int] | None = -1) -> str:
    """The engine for a backend and the number of a device.

    Args:
        backend: "auto", "CPU", one of KeOps' names for GPUs, "OpenCL", or a device such as "opencl:1".
        device_id: the device's number, or a list of numbers; -1: that of the arrays, or the first.

    Raises:
        ArgumentError: where there is no such backend.
        ArrayTypeError: where a number is none.
    """
    engine = _BACKENDS.get(backend) if backend is None or isinstance(backend, str) else None
    if engine is None:
        if not isinstance(backend, str) or not _DEVICE.fullmatch(backend):
            names = ", ".join(repr(name) for name in list(_BACKENDS)[1:])
            raise ArgumentError(f"A backend is one of {names}, or a device such as 'opencl:1'; {backend!r} came.")
        engine = backend
    if device_id is None or type(device_id) is int and device_id < 0 or engine in ("processor", "interpreter"):
        return engine
    try:
        numbers = [index(number) for number in (device_id if hasattr(device_id, "__iter__") else (device_id,))]
    except TypeError:
        raise ArrayTypeError(f"device_id is the number of a device, or a list of such; {device_id!r} came.") from None
    if not numbers or min(numbers) < 0:
        if len(numbers) == 1:
            return engine
        raise ArgumentError(f"Devices are numbered from 0; device_id is {device_id!r}.")
    if ":" in engine and parsed(engine)[1] != tuple(numbers):
        raise ArgumentError(f"The backend {engine!r} names its device, and device_id another: {device_id!r}.")
    return f"{engine.partition(':')[0]}:{','.join(map(str, numbers))}"


def beside(engine: str, number: int) -> str:
    """The engine for tensors on a CUDA device.

    Raises:
        ArgumentError: where another one was asked for.
    """
    name, numbers = parsed(engine)
    if name not in ("auto", "cuda"):
        asked = "the processor" if name in ("processor", "cpu", "interpreter") else engine
        raise ArgumentError(
            f"Tensors on a GPU are computed with there; these are on cuda:{number}, and the backend asks for {asked}. "
            "Tensors are copied to the host by .cpu()."
        )
    if numbers and numbers != (number,):
        asked = ", ".join(map(str, numbers))
        raise ArgumentError(f"Tensors on a GPU are computed with there; these are on cuda:{number}, and device_id is {asked}.")
    return f"cuda:{number}"
