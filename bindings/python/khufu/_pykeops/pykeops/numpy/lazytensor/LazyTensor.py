"""The classes, and variables by number."""

from khufu.numpy import ComplexLazyTensor, LazyTensor, Pm, Vi, Vj

__all__ = ["ComplexLazyTensor", "LazyTensor", "Pm", "Var", "Vi", "Vj"]


def Var(x_or_ind, dim=None, cat=None):
    """A variable of data, which the axis 0, 1 or 2 of `cat` indexes; or a symbol (position, dimension, category)."""
    return LazyTensor(x_or_ind, axis=cat) if dim is None else LazyTensor((x_or_ind, dim, cat))
