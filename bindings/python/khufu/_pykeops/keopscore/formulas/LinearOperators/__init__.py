"""See keopscore.formulas."""

from .. import LINEAR as __all__  # noqa: F401
from .. import __getattr__  # noqa: F401
