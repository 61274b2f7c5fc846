"""What variables of a formula stand for, other than arrays: numbers without a type of their own, and symbols."""

from __future__ import annotations

from .._expression import VariableNode
from ..errors import ArgumentError


class Numbers:
    """Numbers that take the type of what they meet: a list of Python's, or an array's single number."""

    __slots__ = ("values",)

    def __init__(self, values):
        self.values = values

    def array(self, arrays, dtype: str, like):
        """A vector of some type, on the device of another array."""
        if type(self.values) is list:
            return arrays.array(self.values, dtype, like)
        return arrays.beside(arrays.cast(self.values, dtype).reshape(-1), like)


class Symbol:
    """A variable that data is given for when a reduction is called. There is one of each index."""

    __slots__ = ("index",)
    _known: dict[int, Symbol] = {}

    def __new__(cls, index: int):
        found = cls._known.get(index)
        if found is None:
            found = object.__new__(cls)
            found.index = index
            # Of two threads that are here at once, one wins.
            found = cls._known.setdefault(index, found)
        return found

    def __reduce__(self):
        return Symbol, (self.index,)


def symbols(variables: list[VariableNode]) -> list[VariableNode]:
    """Those that are symbols, in the order of their indices.

    Raises:
        ArgumentError: where an index stands for two.
    """
    found: dict[int, VariableNode] = {}
    for node in variables:
        if type(node.source) is Symbol:
            other = found.setdefault(node.source.index, node)
            if (other.category, other.dimension) != (node.category, node.dimension):
                raise ArgumentError(
                    f"Symbolic variable {node.source.index} is used as {_declared(other)} and as {_declared(node)}; "
                    "each has an index of its own."
                )
    return [found[index] for index in sorted(found)]


def _declared(node: VariableNode) -> str:
    return f"{('Vi', 'Vj', 'Pm')[node.category]}({node.source.index}, {node.dimension})"
