"""Loaders of compiled formulas. Khufu's engine loads its kernels itself, so that this is empty."""

keops_binder: dict = {}
