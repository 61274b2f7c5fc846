"""See keopscore.formulas."""

from .. import AUTODIFF as __all__  # noqa: F401
from .. import __getattr__  # noqa: F401
