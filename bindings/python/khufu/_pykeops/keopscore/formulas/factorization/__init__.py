"""See keopscore.formulas."""

from .. import FACTORIZATION as __all__  # noqa: F401
from .. import __getattr__  # noqa: F401
