"""The memory of devices: what a call takes, told beforehand, and limits of it. On OpenCL, where there is a device; what is said of
tensors on a GPU is looked at with a driver that computes nothing, in test_devices.
"""

import numpy as np
import pytest
import torch

import khufu
from khufu import ArgumentError, ArrayTypeError, EngineError
from khufu import numpy as kn
from khufu import torch as kt

HAS_OPENCL = any(device.id == "opencl:0" for device in khufu.devices())
needs_opencl = pytest.mark.skipif(not HAS_OPENCL, reason="there is no OpenCL device")
ALIASES = ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)"]
GAUSSIAN = "Exp(-SqDist(x, y)) * b"
M, N = 5_000, 4_000

generator = np.random.default_rng(3)
x, y, b = (generator.random(shape, "float32") for shape in ((M, 3), (N, 3), (N, 2)))
genred = kn.Genred(GAUSSIAN, ALIASES, axis=1)
ARRAYS = 4 * (3 * M + 5 * N)
RESULT = 4 * 2 * M


@pytest.fixture
def limited():
    """Sets limits, of which none is left in the end."""
    yield khufu.set_device_memory_limit
    khufu.set_device_memory_limit(None)


@needs_opencl
def test_what_a_call_takes():
    taken = genred.device_memory(x, y, b, backend="opencl:0")
    assert list(taken) == ["opencl:0"] and ARRAYS + RESULT <= taken["opencl:0"] < 2 * (ARRAYS + RESULT)
    # Numbers are not looked at, only how many there are.
    few = genred.device_memory(x[:5], y, b, backend="opencl:0")["opencl:0"]
    assert few < taken["opencl:0"]
    views = [np.broadcast_to(np.float32(0), array.shape) for array in (x, y, b)]
    assert genred.device_memory(*views, backend="OpenCL", device_id=0) == taken
    wide = genred.device_memory(*[array.astype("float64") for array in (x, y, b)], backend="opencl:0")
    assert wide["opencl:0"] >= 2 * (ARRAYS + RESULT)
    # The gradient takes the cotangent more, and its own result.
    gradient = genred.device_memory(x, y, b, backend="opencl:0", gradient=1)["opencl:0"]
    assert ARRAYS + RESULT + 4 * 3 * N <= gradient


@needs_opencl
def test_between_devices():
    if not any(device.id == "opencl:1" for device in khufu.devices()):
        pytest.skip("one device is not two")
    taken = genred.device_memory(x, y, b, backend="OpenCL", device_id=[0, 1])
    assert list(taken) == ["opencl:0", "opencl:1"]
    assert all(4 * 5 * N + (4 * 3 * M + RESULT) // 2 <= bytes for bytes in taken.values())


@needs_opencl
def test_lazy_tensors():
    K = (-kn.Vi(x).sqdist(kn.Vj(y))).exp()
    product = (K * kn.Vj(b)).sum(axis=1, call=False)
    assert product.device_memory(backend="opencl:0")["opencl:0"] >= ARRAYS + RESULT
    made_for_it = (K * kn.Vj(b)).sum(axis=1, call=False, backend="opencl:0")
    assert made_for_it.device_memory() == product.device_memory(backend="opencl:0")
    assert product.device_memory(backend="opencl:0", gradient=0)["opencl:0"] >= ARRAYS + RESULT + 4 * 3 * M
    symbolic = (kn.Vi(0, 3) - kn.Vj(1, 3)).sqnorm2().sum(axis=1)
    assert symbolic.device_memory(x, y, backend="opencl:0")["opencl:0"] >= 4 * (4 * M + 3 * N)
    complex_sum = (1j * kn.Vi(x).sqdist(kn.Vj(y))).exp().sum(axis=1, call=False)
    assert complex_sum.device_memory(backend="opencl:0")["opencl:0"] >= 4 * (3 * M + 3 * N + 2 * M)
    tensors = [torch.from_numpy(array) for array in (x, y, b)]
    assert kt.Genred(GAUSSIAN, ALIASES, axis=1).device_memory(*tensors, backend="opencl:0") == genred.device_memory(
        x, y, b, backend="opencl:0"
    )


@needs_opencl
def test_limits(limited):
    assert khufu.device_memory_limit() is None
    whole = genred(x, y, b, backend="opencl:0")
    smallest = kn.Vi(x).sqdist(kn.Vj(y)).argKmin(3, axis=1, backend="CPU")
    free = genred.device_memory(x, y, b, backend="opencl:0")["opencl:0"]
    for limit in (120_000, np.int64(30_000)):
        limited(limit)
        assert khufu.device_memory_limit() == limit
        told = genred.device_memory(x, y, b, backend="opencl:0")["opencl:0"]
        assert limit // 4 < told <= limit < free
        np.testing.assert_allclose(genred(x, y, b, backend="opencl:0"), whole, rtol=1e-5)
        found = kn.Vi(x).sqdist(kn.Vj(y)).argKmin(3, axis=1, backend="opencl:0")
        # Distances are rounded as ever, so that few may change places.
        assert (found == smallest).mean() > 0.999
    limited(100)
    for run in (genred, genred.device_memory):
        with pytest.raises(EngineError, match="takes more of .*'s memory than the 100 bytes that it may"):
            run(x, y, b, backend="opencl:0")
    # It is the devices'.
    np.testing.assert_allclose(genred(x, y, b, backend="CPU"), whole, rtol=1e-4)
    limited(None)
    assert genred.device_memory(x, y, b, backend="opencl:0")["opencl:0"] == free


@pytest.mark.parametrize("limit", [0, -1, True, "1G", 1.5, 1 << 63])
def test_limits_that_are_none(limit):
    with pytest.raises(ArgumentError, match="a whole number of bytes, 1 or more, or None; .* came"):
        khufu.set_device_memory_limit(limit)
    assert khufu.device_memory_limit() is None


def test_mistakes():
    with pytest.raises(ArgumentError, match="this call runs on the processor"):
        genred.device_memory(x, y, b, backend="CPU")
    with pytest.raises(EngineError, match="There is no "):
        genred.device_memory(x, y, b, backend="opencl:99")
    with pytest.raises(ArgumentError, match="it takes 3, .* 2 came"):
        genred.device_memory(x, y, backend="opencl:0")
    with pytest.raises(ArrayTypeError, match="Inputs are arrays of numpy; list came"):
        genred.device_memory(x, y, [1.0], backend="opencl:0")
    with pytest.raises(ArgumentError, match="b has shape"):
        genred.device_memory(x, y, x, backend="opencl:0")
    with pytest.raises(ArgumentError, match="Memory is asked of a reduction that is not run yet"):
        kn.Vi(x).device_memory(backend="opencl:0")
    for position in (3, -1):
        with pytest.raises(ArgumentError, match=f"the position of an input, 0 to 2; {position} came"):
            genred.device_memory(x, y, b, backend="opencl:0", gradient=position)
    with pytest.raises(ArrayTypeError, match="gradient is a whole number"):
        genred.device_memory(x, y, b, backend="opencl:0", gradient="x")
