"""What is raised, and for what. Each message is a sentence that names the thing, what was expected and what came."""


class KhufuError(Exception):
    """The parent of all of them."""


class FormulaError(KhufuError, ValueError):
    """A formula, a declaration or a reduction is wrong; for texts the message has the line with a caret under the place."""


class ArgumentError(KhufuError, ValueError):
    """Arrays do not fit what was declared or each other, or an option is out of its range. No array was read."""


class ArrayTypeError(KhufuError, TypeError):
    """An argument is of a type that cannot be used."""


class EngineError(KhufuError, RuntimeError):
    """The engine that was asked for cannot run here."""


class SolverError(KhufuError, ValueError):
    """A linear system has no solution that could be found."""


class DropInError(KhufuError, ImportError):
    """Another pykeops is in the way of Khufu's."""
