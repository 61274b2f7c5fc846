"""Kernel linear systems."""

from khufu.numpy import Genred, KernelSolve  # noqa: F401
