"""The engine's formulas and reductions with Python's operators."""

from __future__ import annotations

from functools import lru_cache

from khufu import _library
from khufu.errors import FormulaError


class Formula:
    """A formula: `dim` is its dimension, `str` its text."""

    def __init__(self, text: str, operands: dict[str, Formula] | None = None):
        """Reads a text in which names stand for other formulas."""
        self._formula = _library.Formula(text, {name: part._formula for name, part in (operands or {}).items()})

    @property
    def dim(self) -> int:
        return self._formula.dimension

    def __repr__(self) -> str:
        return str(self._formula)

    def Grad(self, variable: Formula, gradient: Formula) -> Formula:
        """The transposed derivative with respect to a variable, times a gradient."""
        return operation("Grad")(self, variable, gradient)

    DiffT = Grad

    def __eq__(self, other) -> bool:
        """Whether it is the same formula, as in KeOps; `Equal` compares values."""
        return isinstance(other, Formula) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def _with(self, symbol: str, other, is_reflected: bool = False):
        other = _formula(other)
        if other is None:
            return NotImplemented
        left, right = (other, self) if is_reflected else (self, other)
        return Formula(f"(a {symbol} b)", {"a": left, "b": right})

    def __add__(self, other):
        return self._with("+", other)

    def __radd__(self, other):
        return self._with("+", other, True)

    def __sub__(self, other):
        return self._with("-", other)

    def __rsub__(self, other):
        return self._with("-", other, True)

    def __mul__(self, other):
        return self._with("*", other)

    def __rmul__(self, other):
        return self._with("*", other, True)

    def __truediv__(self, other):
        return self._with("/", other)

    def __rtruediv__(self, other):
        return self._with("/", other, True)

    def __or__(self, other):
        return self._with("|", other)

    def __lt__(self, other):
        return self._with("<", other)

    def __le__(self, other):
        return self._with("<=", other)

    def __gt__(self, other):
        return self._with(">", other)

    def __ge__(self, other):
        return self._with(">=", other)

    def __neg__(self):
        return Formula("-a", {"a": self})

    def __pow__(self, power):
        return Formula(f"a**{power}", {"a": self}) if isinstance(power, int) else self._with("**", power)


class Reduction:
    """A reduction of a formula; `str` is the text that Genred keeps as its formula."""

    def __init__(self, text: str, aliases=()):
        self.text = text
        self._reduction = _library.Reduction.parsed(text, list(aliases))

    @property
    def dim(self) -> int:
        return self._reduction.value_count + self._reduction.index_count

    def __repr__(self) -> str:
        return self.text


def _formula(x) -> Formula | None:
    if isinstance(x, Formula):
        return x
    return Formula(f"IntCst({x})") if isinstance(x, int) else None


@lru_cache(maxsize=None)
def operation(name: str):
    """The operation of the engine's catalogue as a function of formulas, whole numbers and lists of those."""

    def build(*arguments):
        operands, written = {}, []
        for argument in arguments:
            if isinstance(argument, Formula):
                letter = f"a{len(operands)}"
                operands[letter] = argument
                written.append(letter)
            elif isinstance(argument, (int, list, tuple)):
                written.append(str(list(argument) if isinstance(argument, tuple) else argument))
            else:
                raise FormulaError(f"{name} is of formulas and whole numbers; {type(argument).__name__} came.")
        return Formula(f"{name}({', '.join(written)})", operands)

    build.__name__ = build.__qualname__ = name
    return build


@lru_cache(maxsize=None)
def reduction(name: str):
    """A reduction as a function of a formula, K where there is one, the tag and a weight where there is one."""

    def build(formula, *arguments):
        return Reduction(f"{name}({', '.join(str(part) for part in (formula, *arguments))})")

    build.__name__ = build.__qualname__ = name
    return build
