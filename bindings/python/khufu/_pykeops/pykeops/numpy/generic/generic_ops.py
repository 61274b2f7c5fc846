"""Reductions by their declarations."""

from khufu.numpy import generic_argkmin, generic_argmin, generic_logsumexp, generic_sum  # noqa: F401
