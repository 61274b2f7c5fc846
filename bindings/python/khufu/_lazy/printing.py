"""Lazy tensors as text."""

from __future__ import annotations

from .. import _expression as expression
from .._expression import Node
from .sources import Symbol, symbols


def formula_text(root: Node, beside: Node | None = None) -> str:
    """A formula in which symbolic variables have their indices as positions and data the positions behind them.

    Args:
        beside: another formula, of which the variables are counted too.
    """
    roots = [root] if beside is None else [root, beside]
    found = expression.variables(roots)
    named = symbols(found)
    positions = {expression.identity(node): node.source.index for node in named}
    next_position = named[-1].source.index + 1 if named else 0
    for node in found:
        if type(node.source) is not Symbol:
            positions[expression.identity(node)] = next_position
            next_position += 1
    return str(expression.formula(root, positions))


def printed(tensor) -> str:
    """A few lines: the formula, its symbolic variables, its shape and how it is reduced."""
    lines = ["KeOps LazyTensor", f"    formula: {tensor.formula}"]
    if tensor.symbolic_variables:
        lines.append("    symbolic variables: " + ", ".join(f"Var{variable}" for variable in tensor.symbolic_variables))
    lines.append(f"    shape: {tensor.shape}")
    if "reduction_op" in tensor.__dict__:
        lines.append(f"    reduction: {tensor.reduction_op} (axis={tensor.axis})")
        if tensor.formula2 is not None:
            lines.append(f"        formula2: {tensor.formula2}")
        if tensor.opt_arg is not None:
            lines.append(f"        opt_arg: {tensor.opt_arg}")
    return "\n".join(lines)
