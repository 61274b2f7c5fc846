"""See keopscore.formulas."""

from .. import MATHS as __all__  # noqa: F401
from .. import __getattr__  # noqa: F401
