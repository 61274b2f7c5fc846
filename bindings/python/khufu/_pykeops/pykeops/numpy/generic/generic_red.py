"""Reductions of formulas as text."""

from khufu.numpy import Genred  # noqa: F401
