"""A small reduction, to see whether all works."""

import torch

from khufu import KhufuError
from khufu.torch import Genred
from pykeops.common.utils import pyKeOps_Message


def test_torch_bindings() -> None:
    """Computes a small reduction and checks its values.

    Raises:
        KhufuError: where they are wrong.
    """
    x = torch.arange(1, 10, dtype=torch.float32).reshape(-1, 3)
    y = torch.arange(3, 9, dtype=torch.float32).reshape(-1, 3)
    values = Genred("SqNorm2(x - y)", ["x = Vi(3)", "y = Vj(3)"])(x, y).reshape(-1)
    if not torch.allclose(values, torch.tensor([63.0, 90.0])):
        raise KhufuError(f"A reduction with PyTorch is wrong: [63, 90] was expected, {values} came.")
    pyKeOps_Message("pyKeOps with torch bindings is working!", use_tag=False)
