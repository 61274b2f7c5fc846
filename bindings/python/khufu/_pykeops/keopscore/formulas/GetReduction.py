"""A reduction from its text."""

from ._nodes import Reduction


def GetReduction(red_formula_string: str, aliases=()) -> Reduction:
    """Reads a text such as "Sum_Reduction(Exp(-SqDist(x, y)), 0)" with declarations such as "x = Vi(3)"."""
    return Reduction(red_formula_string, aliases)
