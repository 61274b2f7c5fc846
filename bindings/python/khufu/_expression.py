"""Formulas as they grow from operators: a graph of names and operands. What a node means, its dimension included, the engine knows."""

from __future__ import annotations

import os
from typing import NamedTuple, Sequence

from ._library import Accumulation, Formula, Reduction

VI, VJ, PM = 0, 1, 2


class Node:
    """An operation on other nodes, or a variable."""

    __slots__ = ("name", "operands", "attributes", "dimension")

    def __init__(self, name: str, operands: tuple["Node", ...], attributes: tuple, dimension: int):
        self.name = name
        self.operands = operands
        #: Whole numbers and tuples of such.
        self.attributes = attributes
        self.dimension = dimension


class VariableNode(Node):
    """An input: what holds its data, or a symbol that data is given for later."""

    __slots__ = ("category", "source")

    def __init__(self, category: int, dimension: int, source):
        super().__init__("Var", (), (), dimension)
        self.category = category
        #: Nodes of one source and category are one input.
        self.source = source


#: Operations of which the dimension, or whether they exist, depends on more than their operands' dimensions.
_STRUCTURAL = frozenset(
    ["Grad", "Diff", "GradMatrix", "Divergence", "Laplacian", "TraceOperator", "AdjointOperator", "SumLinOperator"]
)

_dimensions: dict[tuple, int] = {}


def constant(number: int) -> Node:
    """A whole number that is part of the formula."""
    return Node("IntCst", (), (number,), 1)


def apply(name: str, *operands: Node, attributes: tuple = ()) -> Node:
    """An operation of the engine's catalogue.

    Raises:
        FormulaError: where it does not take such operands.
    """
    if name in _STRUCTURAL:
        node = Node(name, operands, attributes, 0)
        node.dimension = formula(node, numbered([node])).dimension
        return node
    key = (name, attributes, *(operand.dimension for operand in operands))
    dimension = _dimensions.get(key)
    if dimension is None:
        # Asked of variables of these dimensions, once.
        variables = tuple(VariableNode(VI, operand.dimension, k) for k, operand in enumerate(operands))
        example = Node(name, variables, attributes, 0)
        dimension = _dimensions[key] = formula(example, numbered([example])).dimension
    return Node(name, operands, attributes, dimension)


def in_order(roots: Sequence[Node]) -> list[Node]:
    """All nodes under some, each once and after its operands."""
    order: list[Node] = []
    seen = set()
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, is_done = stack.pop()
        if is_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((operand, False) for operand in reversed(node.operands))
    return order


def variables(roots: Sequence[Node]) -> list[VariableNode]:
    """The inputs under some nodes, in the order in which they are met; one of each source and category."""
    found = {}
    for node in in_order(roots):
        if type(node) is VariableNode:
            found.setdefault((node.category, node.dimension, id(node.source)), node)
    return list(found.values())


def numbered(roots: Sequence[Node]) -> dict[tuple, int]:
    """A position for each input."""
    return {_identity(node): position for position, node in enumerate(variables(roots))}


def _identity(node: VariableNode) -> tuple:
    return (node.category, node.dimension, id(node.source))


def formula(root: Node, positions: dict[tuple, int]) -> Formula:
    """The engine's formula of a node, with inputs at some positions."""
    made: dict[int, Formula] = {}
    for node in in_order([root]):
        if type(node) is VariableNode:
            made[id(node)] = Formula(f"Var({positions[_identity(node)]},{node.dimension},{node.category})")
            continue
        arguments = [f"a{k}" for k in range(len(node.operands))] + [_written(item) for item in node.attributes]
        operands = {f"a{k}": made[id(operand)] for k, operand in enumerate(node.operands)}
        made[id(node)] = Formula(f"{node.name}({','.join(arguments)})", operands)
    return made[id(root)]


def _written(attribute) -> str:
    return str(list(attribute)) if isinstance(attribute, (tuple, list)) else str(int(attribute))


def substituted(root: Node, replace) -> Node:
    """The same formula with other variables; `replace` maps a variable to another, or to itself."""
    made: dict[int, Node] = {}
    for node in in_order([root]):
        if type(node) is VariableNode:
            made[id(node)] = replace(node)
            continue
        operands = tuple(made[id(operand)] for operand in node.operands)
        is_same = all(a is b for a, b in zip(operands, node.operands))
        made[id(node)] = node if is_same else Node(node.name, operands, node.attributes, node.dimension)
    return made[id(root)]


class Program(NamedTuple):
    """A reduction that is compiled, and the variables that it takes, in order."""

    reduction: Reduction
    variables: list[VariableNode]


_programs: dict[tuple, Reduction] = {}
_LARGEST_TABLE = 1024


def program(
    kind: str,
    root: Node,
    weight: Node | None = None,
    *,
    k: int = 1,
    over: int = VJ,
    accumulation: Accumulation = Accumulation(),
    extra: Sequence[VariableNode] = (),
) -> Program:
    """The reduction of a formula. One written again, as in a loop, is recognised, whatever its data.

    Args:
        extra: inputs that count points and batch items though the formula does not use them.
    """
    roots = (root,) if weight is None else (root, weight)
    order = in_order([*roots, *extra])
    places: dict = {}
    inputs: list[VariableNode] = []
    key: list = [kind, k, over, accumulation, weight is None]
    for place, node in enumerate(order):
        if type(node) is VariableNode:
            identity = _identity(node)
            position = places.get(identity)
            if position is None:
                position = places[identity] = len(inputs)
                inputs.append(node)
            key.append((position, node.category, node.dimension))
        else:
            key.append((node.name, node.attributes, *[places[id(operand)] for operand in node.operands]))
        places[id(node)] = place
    key += [places[id(node)] for node in roots]
    key_tuple = tuple(key)
    reduction = _programs.get(key_tuple)
    if reduction is None:
        positions = {_identity(node): position for position, node in enumerate(inputs)}
        reduction = Reduction.of(
            kind, formula(root, positions), weight and formula(weight, positions), k, over, accumulation,
            [f"Var({position},{node.dimension},{node.category})" for position, node in enumerate(inputs)],
        )  # fmt: skip
        if len(_programs) >= _LARGEST_TABLE:
            _programs.clear()
        _programs[key_tuple] = reduction
    return Program(reduction, inputs)


# A forked child makes its own objects of the engine's.
os.register_at_fork(after_in_child=_programs.clear)
