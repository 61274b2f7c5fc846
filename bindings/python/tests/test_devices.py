"""Devices: their names, arrays on the host that are computed with on one, and tensors on a GPU.

No GPU is needed. OpenCL runs on processors too, with PoCL. For CUDA, tensors pretend to be on a GPU: once their calls are told apart and
run on the processor, so that numbers can be compared; once they go on to a driver that notes what it is asked to do and computes nothing.
"""

import ctypes
import os
import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest
import torch

import khufu
from khufu import ArgumentError, ArrayTypeError, EngineError
from khufu import numpy as kn
from khufu import torch as kt
from khufu._devices import beside, engine_of
from khufu._library import Reduction
from khufu.torch._arrays import TORCH

HAS_OPENCL = any(device.id == "opencl:0" for device in khufu.devices())
needs_opencl = pytest.mark.skipif(not HAS_OPENCL, reason="there is no OpenCL device")
ALIASES = ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)", "p = Pm(1)"]
GAUSSIAN = "Exp(-p*SqDist(x, y)) * b"


def arrays(dtype=torch.float64):
    generator = torch.Generator().manual_seed(5)
    shapes = ((2, 30, 3), (20, 3), (2, 20, 2), (1,))
    return [torch.rand(shape, dtype=dtype, generator=generator) + 0.1 for shape in shapes]


# Words


@pytest.mark.parametrize(
    ("backend", "device_id", "engine"),
    [
        (None, -1, "auto"),
        ("auto", -1, "auto"),
        ("auto", 0, "auto:0"),
        ("CPU", 3, "processor"),
        ("GPU", -1, "cuda"),
        ("GPU_2D_host", np.int64(1), "cuda:1"),
        ("GPU", [0, 1], "cuda:0,1"),
        ("OpenCL", None, "opencl"),
        ("opencl:2", -1, "opencl:2"),
        ("cuda:1", 1, "cuda:1"),
    ],
)
def test_backends(backend, device_id, engine):
    assert engine_of(backend, device_id) == engine


@pytest.mark.parametrize(
    ("backend", "device_id", "error", "message"),
    [
        ("TPU", -1, ArgumentError, "A backend is one of 'auto', 'CPU', .*'TPU' came"),
        (7, -1, ArgumentError, "7 came"),
        ("cuda:-1", -1, ArgumentError, "came"),
        ("GPU", "0", ArrayTypeError, "device_id is the number"),
        ("GPU", [0, -1], ArgumentError, "numbered from 0"),
        ("GPU", [], ArgumentError, "numbered from 0"),
        ("cuda:1", 0, ArgumentError, "device_id another: 0"),
    ],
)
def test_words_that_are_none(backend, device_id, error, message):
    with pytest.raises(error, match=message):
        engine_of(backend, device_id)


def test_tensors_on_a_gpu_are_computed_with_there():
    assert beside("auto", 1) == beside("cuda", 1) == beside("cuda:1", 1) == beside("auto:1", 1) == "cuda:1"
    for engine, message in (
        ("processor", "asks for the processor"),
        ("opencl:0", "asks for opencl:0"),
        ("cuda:0", "device_id is 0"),
        ("cuda:0,1", "device_id is 0, 1"),
    ):
        with pytest.raises(ArgumentError, match=f"these are on cuda:1, .*{message}"):
            beside(engine, 1)


def test_devices_that_are_not_there():
    for device in ("cuda:99", "opencl:99"):
        with pytest.raises(EngineError, match="There is no "):
            khufu.set_default_device(device)
    for device in ("gpu", "cuda:", "cuda:x", 0, "mps"):
        with pytest.raises(ArgumentError, match="A device is 'cpu', or one such as"):
            khufu.set_default_device(device)
    assert khufu.default_device() in ("cpu", "opencl:0")
    report = khufu.diagnosis()
    for device in khufu.devices():
        assert f"{device.id}: {device.name}" in report


# Arrays on the host


@needs_opencl
def test_opencl():
    x, y, b, p = data = [array.requires_grad_() for array in arrays()]
    genred = kt.Genred(GAUSSIAN, ALIASES, axis=1)
    found, expected = (genred(*data, backend=backend) for backend in ("OpenCL", "CPU"))
    torch.testing.assert_close(found, expected)
    derivatives = []
    for values in (found, expected):
        first = torch.autograd.grad(values.square().sum(), data, create_graph=True)
        derivatives.append((*first, *torch.autograd.grad(first[0].square().sum(), [y, p])))
    for one, other in zip(*derivatives):
        torch.testing.assert_close(one, other)


@needs_opencl
def test_opencl_by_default():
    x, y, b, _ = (array.numpy() for array in arrays())
    D = kn.Vi(x[0]).sqdist(kn.Vj(y))
    K = (-D).exp()
    expected = K @ b[0], D.argKmin(3, axis=1), D.min(axis=0)
    before = khufu.default_device()
    khufu.set_default_device("opencl")
    try:
        assert khufu.default_device() == "opencl"
        for one, other in zip((K @ b[0], D.argKmin(3, axis=1), D.min(axis=0)), expected):
            np.testing.assert_allclose(one, other)
        np.testing.assert_array_equal(K.sum(1, backend="CPU"), K.sum(1, backend="CPU", device_id=7))
        compiled = torch.compile(lambda *data: kt.Genred(GAUSSIAN, ALIASES, axis=1)(*data), backend="aot_eager")
        torch.testing.assert_close(compiled(*arrays()), kt.Genred(GAUSSIAN, ALIASES, axis=1)(*arrays(), backend="CPU"))
    finally:
        khufu.set_default_device(before)


@needs_opencl
def test_systems_on_opencl():
    x, y, b, _ = (array.numpy() for array in arrays())
    K = (-kn.Vi(y).sqdist(kn.Vj(y))).exp()
    b = np.ascontiguousarray(b[0])
    np.testing.assert_allclose(K.solve(b, alpha=0.1, backend="opencl:0"), K.solve(b, alpha=0.1), atol=1e-4)


@needs_opencl
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_child_is_told():
    program = (
        "import os, numpy as np, khufu\n"
        "from khufu.numpy import Vi, Vj\n"
        "K = Vi(np.ones((3, 1))).sqdist(Vj(np.ones((4, 1))))\n"
        "K.sum(1, backend='OpenCL')\n"
        "if os.fork() == 0:\n"
        "    try: K.sum(1, backend='OpenCL')\n"
        "    except khufu.EngineError as error: print(error, flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "OpenCL was started before this process was forked" in done.stdout


# Tensors on a GPU


@pytest.fixture
def on_gpu(monkeypatch):
    """From here on, tensors are on "cuda:1", as far as the package can see."""

    def begin(stream):
        monkeypatch.setattr(torch.Tensor, "is_cpu", property(lambda x: False), raising=False)
        monkeypatch.setattr(torch.Tensor, "is_cuda", property(lambda x: True), raising=False)
        monkeypatch.setattr(torch.Tensor, "device", property(lambda x: torch.device("cuda", 1)), raising=False)
        monkeypatch.setattr(TORCH, "empty", lambda shape, dtype, like=None: torch.empty(shape, dtype=getattr(torch, dtype)))
        monkeypatch.setattr(TORCH, "array", lambda values, dtype, like=None: torch.tensor(values, dtype=getattr(torch, dtype)))
        monkeypatch.setattr(TORCH, "stream_of", lambda device: stream)

    return begin


class Redirected:
    """A call's options with the processor in place of the device, and what they were."""

    FORMAT = struct.Struct("iiiiqqqqqidqiqi")

    def __init__(self, options):
        self.kept = options
        words = list(self.FORMAT.unpack(options.packed))
        address, count = words[11:13]
        self.devices = list((ctypes.c_int32 * count).from_address(address)) if count else []
        self.engine, self.memory, self.stream = words[0], words[3], words[4]
        words[0] = words[3] = words[4] = words[11] = words[12] = 0
        self.packed = self.FORMAT.pack(*words)


@pytest.fixture
def redirected(monkeypatch):
    calls = []
    run = Reduction.run

    def redirect(self, layout, addresses, values, value_capacity, indices=None, index_capacity=0, options=None):
        if options is not None:
            calls.append(options := Redirected(options))
        run(self, layout, addresses, values, value_capacity, indices, index_capacity, options)

    monkeypatch.setattr(Reduction, "run", redirect)
    return calls


def several(data):
    """Values, derivatives of first and second order, indices, complex numbers, products, parts, block-sparsity."""
    x, y, b, p = data
    a = kt.Genred(GAUSSIAN, ALIASES, axis=1)(*data)
    yield a
    first = torch.autograd.grad(a.square().sum(), data, create_graph=True)
    yield from first
    yield from torch.autograd.grad(first[0].square().sum(), [y, b])
    distances = kt.LazyTensor(x[:, :, None]).sqdist(kt.LazyTensor(y[None, None]))
    yield distances.argKmin(3, axis=2)
    smallest, _ = distances.min_argmin(axis=2)
    yield smallest
    yield torch.autograd.grad(smallest.sum(), y)[0]
    yield ((-distances * 0.5).exp() * torch.tensor(2.0, dtype=torch.float64)) @ b
    yield distances.logsumexp(axis=1)
    yield (1j * distances).exp().sum(axis=2)
    yield distances.dense()
    ranges = [torch.tensor(part) for part in ([[0, 30]], [1], [[2, 7]], [[2, 7]], [1], [[0, 30]])]
    yield distances.sum(axis=2, ranges=tuple(ranges))
    yield torch.func.vmap(lambda x: kt.Genred("SqDist(x, y)", ALIASES[:2], axis=1)(x, y))(x)
    yield kt.Genred(GAUSSIAN, ALIASES, axis=1)(*data, out=torch.empty(2, 30, 2, dtype=torch.float64)).detach()


def test_tensors_on_a_gpu(on_gpu, redirected, monkeypatch):
    data = [array.requires_grad_() for array in arrays()]
    expected = list(several(data))
    redirected.clear()
    on_gpu(1234)
    for place, (found, other) in enumerate(zip(several(data), expected)):
        assert torch.equal(found, other), place
    assert len(redirected) > 15
    for call in redirected:
        assert (call.engine, call.memory, call.stream, call.devices) == (3, 1, 1234, [1])


def test_the_backend_of_tensors_on_a_gpu(on_gpu, redirected):
    data = arrays()
    genred = kt.Genred(GAUSSIAN, ALIASES, axis=1)
    on_gpu(0)
    for keywords in ({"backend": "GPU"}, {"backend": "GPU_1D_device", "device_id": 1}, {"device_id": 1}, {"backend": "auto"}):
        genred(*data, **keywords)
        assert (redirected[-1].engine, redirected[-1].memory, redirected[-1].devices) == (3, 1, [1])
    count = len(redirected)
    for keywords, message in (({"backend": "CPU"}, "asks for the processor"), ({"device_id": 0}, "device_id is 0")):
        with pytest.raises(ArgumentError, match=message):
            genred(*data, **keywords)
    assert len(redirected) == count


def test_one_device_for_all(on_gpu, monkeypatch):
    data = arrays()
    on_gpu(0)
    where = {id(data[0]): torch.device("cpu"), id(data[2]): torch.device("cuda", 0)}
    monkeypatch.setattr(torch.Tensor, "device", property(lambda x: where.get(id(x), torch.device("cuda", 1))))
    for position, message in ((0, "input 0 is on cpu and input 1 on cuda:1"), (1, "input 0 is on cuda:1 and input 1 on cuda:0")):
        names = ALIASES[position : position + 2]
        text = "SqDist(x, y)" if position == 0 else "y + Concat(b, Elem(b, 0))"
        with pytest.raises(ArgumentError, match=f"All inputs are on one device; {message}"):
            kt.Genred(text, names, axis=1)(*data[position : position + 2])
    with pytest.raises(ArgumentError, match="out is where the inputs are, on cuda:1; a tensor on cpu came"):
        out = data[0]
        kt.Genred("SqDist(x, y)", ALIASES[:2], axis=1)(data[1][None], data[1], out=out)


def test_systems_of_tensors_on_a_gpu(on_gpu, monkeypatch):
    """The solver is the host's, its products are asked of the device."""
    _, y, b, _ = arrays()
    solve = kt.KernelSolve("Exp(-SqDist(x, y)) * b", ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)"], "b", axis=1)
    expected = solve(y, y, b[0], alpha=0.1)
    seen = []
    run = Reduction.solve

    def redirect(self, *arguments, options=None, **keywords):
        seen.append(Redirected(options))
        return run(self, *arguments, options=seen[-1], **keywords)

    monkeypatch.setattr(Reduction, "solve", redirect)
    on_gpu(1234)
    monkeypatch.setattr(torch.Tensor, "to", lambda x, *_: x)
    torch.testing.assert_close(solve(y, y, b[0], alpha=0.1), expected)
    assert [(call.engine, call.memory, call.devices) for call in seen] == [(3, 0, [1])]


# The driver

FAKE = os.path.join(os.path.dirname(__file__), "../../../Tests/EnginesTests/FakeCUDA/FakeCUDA.c")


@pytest.fixture(scope="module")
def fake_driver(tmp_path_factory):
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None or not os.path.exists(FAKE):
        pytest.skip("the driver that computes nothing needs a C compiler and the repository")
    library = tmp_path_factory.mktemp("fake") / "fakecuda.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", FAKE, "-o", library, "-lpthread"], check=True)
    return str(library)


def with_driver(library, program):
    environment = {**os.environ, "KHUFU_LIBCUDA": library, "KHUFU_NVRTC": library}
    done = subprocess.run([sys.executable, "-c", program, library], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_driver_is_asked_on_the_stream_and_not_waited_for(fake_driver):
    program = """
import ctypes, sys, torch, khufu
from khufu.torch import Genred
from khufu.torch._arrays import TORCH
fake = ctypes.CDLL(sys.argv[1])
fake.fake_log.restype = ctypes.c_char_p
fake.fake_stream.restype = ctypes.c_size_t
fake.fake_set(b"hostIsDevice", 1)
x, y, b, p = data = [torch.rand(shape, requires_grad=True) for shape in ((30, 3), (20, 3), (20, 2), (1,))]
stream = fake.fake_stream()
torch.Tensor.is_cpu, torch.Tensor.is_cuda = property(lambda x: False), property(lambda x: True)
torch.Tensor.device = property(lambda x: torch.device("cuda", 0))
TORCH.empty = lambda shape, dtype, like=None: torch.empty(shape, dtype=getattr(torch, dtype))
TORCH.stream_of = lambda device: stream
genred = Genred("Exp(-p*SqDist(x, y)) * b", ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)", "p = Pm(1)"], axis=1)
a = genred(*data)
first = torch.autograd.grad(a.sum(), data, create_graph=True)
torch.autograd.grad(first[0].sum(), [y, p])
log = fake.fake_log().decode().splitlines()
assert sum(line.startswith("launch khufu_rows") for line in log) >= 7, log
assert any(line.startswith("launch khufu_total") for line in log), log
for line in log:
    assert "synchronize" not in line and "upload" not in line and "download" not in line, log
    if line.startswith(("launch", "free", "allocate")):
        assert line.endswith("on stream 1"), log
fake.fake_run(ctypes.c_size_t(stream))
assert fake.fake_count(b"faults") == fake.fake_count(b"buffers") == fake.fake_count(b"depth") == 0
# A graph takes all of it, gradients of those that have a nearest point among it.
nearest = Genred("SqDist(x, y)", ["x = Vi(3)", "y = Vj(3)"], "Min", axis=1)
torch.autograd.grad(nearest(x, y.detach()).sum(), x)
log = fake.fake_log().decode().splitlines()
assert any(line.startswith("launch khufu_gather") for line in log), log
assert not any(line.startswith(("synchronize", "download")) for line in log), log
fake.fake_run(ctypes.c_size_t(stream))
assert fake.fake_count(b"faults") == fake.fake_count(b"buffers") == 0
fake.fake_begin_capture(ctypes.c_size_t(stream))
torch.autograd.grad(genred(*data).sum(), data)
torch.autograd.grad(nearest(x, y.detach()).sum(), x)
assert fake.fake_end_capture(ctypes.c_size_t(stream)) == 1
"""
    with_driver(fake_driver, program)


def test_arrays_on_the_host_are_copied_to_the_gpu(fake_driver):
    program = """
import ctypes, sys
import numpy as np, khufu
from khufu.numpy import Vi, Vj
khufu.as_pykeops()
import pykeops
fake = ctypes.CDLL(sys.argv[1])
fake.fake_log.restype = ctypes.c_char_p
assert khufu.devices()[0] == ("cuda:0", "Fake GPU") and "cuda:0: Fake GPU" in khufu.diagnosis()
assert pykeops.config.gpu_available and pykeops.config.pykeops_cuda.n_gpus == 1
from pykeops.common.gpu_utils import get_gpu_number
assert get_gpu_number() == 1
K = Vi(np.ones((30, 3))).sqdist(Vj(np.ones((20, 3))))
fake.fake_log()
K.sum(1)
assert fake.fake_log() == b""
K.sum(1, backend="GPU")
log = fake.fake_log().decode().splitlines()
assert sum(line.startswith("upload") for line in log) == 2 and sum(line.startswith("download") for line in log) == 1, log
khufu.set_default_device("cuda")
K.sum(1)
assert b"launch khufu_rows" in fake.fake_log()
try: K.sum(1, backend="GPU", device_id=1)
except khufu.EngineError as error: print(error)
try: khufu.set_default_device("cuda:3")
except khufu.EngineError as error: print(error)
"""
    said = with_driver(fake_driver, program).splitlines()
    assert said[0] == "There is no CUDA device 1; the only one is number 0."
    assert said[1].startswith("There is no device 3")


def test_memory_of_a_gpu(fake_driver):
    """Beside tensors that are there, next to nothing; copies of arrays on the host, within a limit."""
    program = """
import ctypes, sys
import numpy as np, torch, khufu
from khufu.numpy import Genred as NumpyGenred
from khufu.torch import Genred
from khufu.torch._arrays import TORCH
fake = ctypes.CDLL(sys.argv[1])
fake.fake_log.restype = ctypes.c_char_p
formula = "SqDist(x, y)", ["x = Vi(3)", "y = Vj(3)"]
x, y = np.ones((9000, 3), "float32"), np.ones((2000, 3), "float32")
genred = NumpyGenred(*formula, axis=1)
assert genred.device_memory(x, y, backend="GPU")["cuda:0"] >= 4 * (3 * 11000 + 9000)
genred(x, y, backend="GPU")
assert fake.fake_log().count(b"launch khufu_rows") == 1
khufu.set_device_memory_limit(40_000)
assert genred.device_memory(x, y, backend="GPU")["cuda:0"] <= 40_000
assert b"launch" not in fake.fake_log()
genred(x, y, backend="GPU")
assert fake.fake_log().count(b"launch khufu_rows") > 4
data = torch.from_numpy(x), torch.from_numpy(y)
torch.Tensor.is_cpu, torch.Tensor.is_cuda = property(lambda x: False), property(lambda x: True)
torch.Tensor.device = property(lambda x: torch.device("cuda", 0))
TORCH.stream_of = lambda device: 0
# Nothing is limited there, and nothing copied.
assert Genred(*formula, axis=1).device_memory(*data)["cuda:0"] < 4 * 3 * 11000
"""
    with_driver(fake_driver, program)


def test_addresses_of_the_host_are_refused(fake_driver):
    program = """
import torch, khufu
from khufu.torch import Genred
from khufu.torch._arrays import TORCH
data = torch.rand(30, 3), torch.rand(20, 3)
torch.Tensor.is_cpu, torch.Tensor.is_cuda = property(lambda x: False), property(lambda x: True)
torch.Tensor.device = property(lambda x: torch.device("cuda", 0))
TORCH.empty = lambda shape, dtype, like=None: torch.empty(shape, dtype=getattr(torch, dtype))
TORCH.stream_of = lambda device: 0
try: Genred("SqDist(x, y)", ["x = Vi(3)", "y = Vj(3)"], axis=1)(*data)
except khufu.ArgumentError as error: print(error)
"""
    assert "lies in the host's memory, not in the memory of Fake GPU, CUDA device 0" in with_driver(fake_driver, program)


def test_nvidias_packages_are_named_to_the_engine(tmp_path):
    (tmp_path / "nvidia").mkdir()
    program = "import os, khufu; khufu.diagnosis(); print(os.environ.get('KHUFU_SITE_PACKAGES'))"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}", "KHUFU_SITE_PACKAGES": "/elsewhere"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    folders = done.stdout.strip().split(":")
    assert folders[0] == str(tmp_path) and folders[-1] == "/elsewhere"


@needs_opencl
def test_inner_products():
    """What tensor cores would round, ordinary instructions round where they are told to stand for them."""
    with pytest.raises(ArgumentError, match="'accurate' or 'fast'; 'exact' came"):
        khufu.set_inner_products("exact")
    program = """
import numpy as np, khufu
from khufu.numpy import Vi, Vj
x, y = (np.random.default_rng(k).random((n, 64), "float32") for k, n in ((1, 600), (2, 50)))
products = (Vi(x) | Vj(y))
exact = (x.astype("float64") @ y.T.astype("float64")).max(1)
assert khufu.inner_products() == "accurate"
for accuracy in ("accurate", "fast"):
    khufu.set_inner_products(accuracy)
    print(np.abs(products.max(1, backend="opencl:0")[:, 0] / exact - 1).max())
"""
    said = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "KHUFU_TENSOR_CORES": "on"}, capture_output=True, text=True, check=True
    )
    accurate, fast = map(float, said.stdout.split())
    assert accurate < 1e-6 and 1e-6 < fast < 1e-3
