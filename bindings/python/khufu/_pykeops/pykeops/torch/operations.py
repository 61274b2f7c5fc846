"""Kernel linear systems."""

from khufu.torch import Genred, KernelSolve  # noqa: F401
