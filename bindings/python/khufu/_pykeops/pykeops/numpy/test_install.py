"""A small reduction, to see whether all works."""

import numpy

from khufu import KhufuError
from khufu.numpy import Genred
from pykeops.common.utils import pyKeOps_Message


def test_numpy_bindings() -> None:
    """Computes a small reduction and checks its values.

    Raises:
        KhufuError: where they are wrong.
    """
    x = numpy.arange(1, 10).reshape(-1, 3).astype("float32")
    y = numpy.arange(3, 9).reshape(-1, 3).astype("float32")
    values = Genred("SqNorm2(x - y)", ["x = Vi(3)", "y = Vj(3)"])(x, y).ravel()
    if not numpy.allclose(values, [63.0, 90.0]):
        raise KhufuError(f"A reduction with NumPy is wrong: [63, 90] was expected, {values} came.")
    pyKeOps_Message("pyKeOps with numpy bindings is working!", use_tag=False)
