"""Reductions by their declarations."""

from khufu.torch import generic_argkmin, generic_argmin, generic_logsumexp, generic_sum  # noqa: F401
