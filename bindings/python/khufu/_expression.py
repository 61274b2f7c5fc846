"""Formulas as they grow from operators: a graph of names and operands. What a node means, its dimension included, the engine knows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from operator import index
from typing import NamedTuple

from ._library import Accumulation, Formula, Reduction

VI, VJ, PM = 0, 1, 2


class Skeleton:
    """A formula without its data: nodes that are written alike share one, so that it is by its identity that a formula is known again."""

    __slots__ = ("dimension",)

    def __init__(self, dimension: int):
        self.dimension = dimension


class Node:
    """An operation on other nodes, or a variable."""

    __slots__ = ("attributes", "inputs", "name", "operands", "skeleton")

    def __init__(self, name: str, operands: tuple[Node, ...], attributes: tuple, skeleton: Skeleton, inputs: dict):
        self.name = name
        self.operands = operands
        #: Whole numbers and tuples of such.
        self.attributes = attributes
        self.skeleton = skeleton
        #: The variables under it, each once, in the order in which they are met.
        self.inputs: dict[tuple, VariableNode] = inputs

    @property
    def dimension(self) -> int:
        return self.skeleton.dimension

    def __reduce__(self):
        # As a list, for formulas may be deeper than recursion goes.
        order = in_order([self])
        places = {id(node): place for place, node in enumerate(order)}
        return _from_list, ([node._written(places) for node in order],)

    def _written(self, places: dict[int, int]):
        return self.name, self.attributes, [places[id(operand)] for operand in self.operands]


def _from_list(written: list) -> Node:
    nodes: list[Node] = []
    for item in written:
        if isinstance(item, Node):
            nodes.append(item)
        else:
            name, attributes, places = item
            nodes.append(apply(name, *[nodes[place] for place in places], attributes=attributes))
    return nodes[-1]


class VariableNode(Node):
    """An input: what holds its data, or a symbol that data is given for later."""

    __slots__ = ("category", "source")

    def __init__(self, category: int, dimension: int, source):
        if is_tracing():
            # Lengths of a traced array may be symbols; a dimension is a number of the formula.
            dimension = index(dimension)
            kind, skeleton = None, Skeleton(dimension)
        else:
            kind = (category, dimension, type(source) is Bound)
            skeleton = _leaves.get(kind)
        if skeleton is None:
            skeleton = _leaves[kind] = Skeleton(dimension)
        self.name = "Var"
        self.operands = self.attributes = ()
        self.skeleton = skeleton
        self.category = category
        #: Nodes of one source and category are one input.
        self.source = source

    @property
    def inputs(self) -> dict[tuple, VariableNode]:
        # Made when asked for: a node that holds itself would hold its data until the garbage collector comes by.
        return {(self.category, self.skeleton.dimension, id(self.source)): self}

    def __reduce__(self):
        return VariableNode, (self.category, self.dimension, self.source)

    def _written(self, places: dict[int, int]):
        return self


class Bound:
    """The source of a variable that is part of a formula's text and no input, such as that of a trace."""

    __slots__ = ()


#: Operations of which the dimension, or whether they exist, depends on more than their operands' dimensions.
_STRUCTURAL = frozenset(
    ["Grad", "Diff", "GradMatrix", "Divergence", "Laplacian", "TraceOperator", "AdjointOperator", "SumLinOperator"]
)

_leaves: dict[tuple, Skeleton] = {}
_skeletons: dict[tuple, Skeleton] = {}
_dimensions: dict[tuple, int] = {}
#: Formulas with ever new whole numbers would fill a table without end.
_MOST_SKELETONS = 1 << 16


def constant(number: int) -> Node:
    """A whole number that is part of the formula."""
    return apply("IntCst", attributes=(number,))


def apply(name: str, *operands: Node, attributes: tuple = ()) -> Node:
    """An operation of the engine's catalogue.

    Raises:
        FormulaError: where it does not take such operands.
    """
    if len(operands) == 1:
        first = operands[0]
        inputs = first.inputs
        key = (name, attributes, first.skeleton)
    elif len(operands) == 2:
        first, second = operands
        inputs, places = _merged(first.inputs, second.inputs)
        key = (name, attributes, first.skeleton, second.skeleton, places)
    else:
        inputs, parts = {}, [name, attributes]
        for operand in operands:
            inputs, places = _merged(inputs, operand.inputs)
            parts += (operand.skeleton, places)
        key = tuple(parts)
    if is_tracing():
        return Node(name, operands, attributes, Skeleton(_dimension(name, operands, attributes, inputs)), inputs)
    skeleton = _skeletons.get(key)
    if skeleton is None:
        if len(_skeletons) >= _MOST_SKELETONS:
            _skeletons.clear()
        skeleton = _skeletons[key] = Skeleton(_dimension(name, operands, attributes, inputs))
    return Node(name, operands, attributes, skeleton, inputs)


def _merged(a: dict, b: dict) -> tuple[dict, tuple | None]:
    """The inputs of two operands, and where those of the second are among them; None for behind those of the first."""
    if not b:
        return a, None
    if not a:
        return b, None
    merged = {**a, **b}
    if len(merged) == len(a) + len(b):
        return merged, None
    positions = {identity: position for position, identity in enumerate(merged)}
    return merged, tuple([positions[identity] for identity in b])


def _dimension(name: str, operands: tuple, attributes: tuple, inputs: dict) -> int:
    if name in _STRUCTURAL:
        node = Node(name, operands, attributes, Skeleton(0), inputs)
        return formula(node, _positions(inputs)).dimension
    key = (name, attributes, *[operand.dimension for operand in operands])
    if is_tracing():
        return asked_dimension(*key)
    dimension = _dimensions.get(key)
    if dimension is None:
        if len(_dimensions) >= _MOST_SKELETONS:
            _dimensions.clear()
        dimension = _dimensions[key] = asked_dimension(*key)
    return dimension


def asked_dimension(name: str, attributes: tuple, *dimensions: int) -> int:
    """The dimension of an operation on variables of some dimensions, of the engine."""
    variables = tuple([VariableNode(VI, dimension, k) for k, dimension in enumerate(dimensions)])
    inputs = {identity(variable): variable for variable in variables}
    example = Node(name, variables, attributes, Skeleton(0), inputs)
    return formula(example, _positions(inputs)).dimension


def _positions(inputs: dict) -> dict[tuple, int]:
    return {identity: position for position, identity in enumerate(inputs)}


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
    inputs: dict = {}
    for root in roots:
        inputs = {**inputs, **root.inputs}
    return [node for node in inputs.values() if type(node.source) is not Bound]


def identity(node: VariableNode) -> tuple:
    """What variables of one input share."""
    return (node.category, node.dimension, id(node.source))


def formula(root: Node, positions: dict[tuple, int]) -> Formula:
    """The engine's formula of a node, with inputs at some positions; those without one, of traces, come behind."""
    made: dict[int, Formula] = {}
    positions = dict(positions)
    for node in in_order([root]):
        if type(node) is VariableNode:
            position = positions.setdefault(identity(node), max(positions.values(), default=-1) + 1)
            made[id(node)] = Formula(f"Var({position},{node.dimension},{node.category})")
            continue
        arguments = [f"a{k}" for k in range(len(node.operands))] + [_written(item) for item in node.attributes]
        operands = {f"a{k}": made[id(operand)] for k, operand in enumerate(node.operands)}
        made[id(node)] = Formula(f"{node.name}({','.join(arguments)})", operands)
    return made[id(root)]


def _written(attribute) -> str:
    return str(list(attribute)) if isinstance(attribute, (tuple, list)) else str(int(attribute))


def substituted(root: Node, replace) -> Node:
    """The same formula with other variables; `replace` maps an input to another, or to itself."""
    made: dict[int, Node] = {}
    for node in in_order([root]):
        if type(node) is VariableNode:
            made[id(node)] = node if type(node.source) is Bound else replace(node)
            continue
        operands = tuple(made[id(operand)] for operand in node.operands)
        is_same = all(a is b for a, b in zip(operands, node.operands))
        made[id(node)] = node if is_same else apply(node.name, *operands, attributes=node.attributes)
    return made[id(root)]


class Program(NamedTuple):
    """A reduction that is compiled, and the variables that it takes, in order."""

    reduction: Reduction
    variables: list[VariableNode]


_programs: dict[tuple, tuple[Reduction, bool]] = {}
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
    inputs = root.inputs
    if is_tracing():
        for node in extra if weight is None else (weight, *extra):
            inputs, _ = _merged(inputs, node.inputs)
        return _described(kind, root, weight, k, over, accumulation, inputs)
    key = (kind, k, over, accumulation, root.skeleton)
    for node in extra if weight is None else (weight, *extra):
        inputs, places = _merged(inputs, node.inputs)
        key += (node is weight, node.skeleton, places)
    known = _programs.get(key)
    if known is None:
        known = _compiled(kind, root, weight, k, over, accumulation, inputs)
        if len(_programs) >= _LARGEST_TABLE:
            _programs.clear()
        _programs[key] = known
    reduction, has_bound = known
    variables = list(inputs.values())
    if has_bound:
        variables = [node for node in variables if type(node.source) is not Bound]
    return Program(reduction, variables)


def _compiled(kind: str, root: Node, weight: Node | None, k: int, over: int, accumulation: Accumulation, inputs: dict):
    """A reduction, and whether some of the inputs are bound."""
    variables = [node for node in inputs.values() if type(node.source) is not Bound]
    positions = {identity(node): position for position, node in enumerate(variables)}
    reduction = Reduction.of(
        kind, formula(root, positions), weight and formula(weight, positions), k, over, accumulation,
        [f"Var({position},{node.dimension},{node.category})" for position, node in enumerate(variables)],
    )  # fmt: skip
    return reduction, len(variables) < len(inputs)


# While a library traces a program, as torch.compile does, nothing that is found out may stay, and the engine's objects cannot be looked
# into: a reduction is then a text.


def _never() -> bool:
    return False


#: Replaced by a library that traces.
is_tracing = _never


class Described(NamedTuple):
    """What stands for a reduction: its recipe and the numbers of its result, per point."""

    recipe: str
    value_count: int
    index_count: int


def _described(
    kind: str, root: Node, weight: Node | None, k: int, over: int, accumulation: Accumulation, inputs: dict
) -> Program:
    variables = [node for node in inputs.values() if type(node.source) is not Bound]
    bound = [node for node in inputs.values() if type(node.source) is Bound]
    names = {
        identity(node): f"Var({k},{node.dimension},{node.category})" for k, node in enumerate([*variables, *bound])
    }
    texts = [None if node is None else _text(node, names, {}) for node in (root, weight)]
    declarations = [names[identity(node)] for node in variables]
    return Program(Described(*described(kind, *texts, k, over, *accumulation, *declarations)), variables)


def described(
    kind: str, formula: str, weight: str | None, k: int, over: int, scheme: str, double: bool, *declarations: str
) -> tuple:
    """The recipe of a reduction, and the numbers of its result, of the engine."""
    from ._recipes import reduction_of, written

    recipe = written(kind, formula, weight, k, over, Accumulation(scheme, double), declarations)
    reduction = reduction_of(recipe)
    return recipe, reduction.value_count, reduction.index_count


def _text(node: Node, names: dict[tuple, str], made: dict[int, str]) -> str:
    """A formula's text; `made` has those of nodes that were met before."""
    if type(node) is VariableNode:
        return names[identity(node)]
    found = made.get(id(node))
    if found is None:
        parts = [_text(operand, names, made) for operand in node.operands] + [
            _written(item) for item in node.attributes
        ]
        found = made[id(node)] = f"{node.name}({','.join(parts)})"
    return found


# A forked child makes its own objects of the engine's.
os.register_at_fork(after_in_child=_programs.clear)
