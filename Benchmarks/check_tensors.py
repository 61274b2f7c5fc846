"""Part of check.py: tensors in the device's memory, PyTorch's streams and graphs, memory that is given back. Prints a line for each check.

With OpenCL, of which PyTorch has no tensors, arrays on the host are computed with, and what needs tensors there is left out.
"""

import gc
import sys
import traceback

try:
    import torch
except ImportError:
    print("missing: torch is not installed")
    sys.exit(0)

import khufu
from khufu.torch import Genred, KernelSolve, LazyTensor

DEVICE = sys.argv[1]
IS_CUDA = DEVICE == "cuda"
if IS_CUDA and not torch.cuda.is_available():
    print("missing: torch has no CUDA here")
    sys.exit(0)
PLACE = "cuda" if IS_CUDA else "cpu"
BACKEND = "auto" if IS_CUDA else DEVICE
NAMES = ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)", "p = Pm(1)"]
GAUSSIAN = "Exp(-p*SqDist(x, y)) * b"
CHECKS = []


def check(*devices):
    def added(function):
        if DEVICE in (devices or (DEVICE,)):
            CHECKS.append(function)
        return function

    return added


def data(m=3_000, n=2_000, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = ((m, 3), (n, 3), (n, 2), (1,))
    return [(torch.rand(shape, generator=generator, dtype=dtype) + 0.1).to(PLACE).requires_grad_() for shape in shapes]


def dense(x, y, b, p):
    return (-p * ((x[:, None] - y[None]) ** 2).sum(-1)).exp() @ b


def close(found, expected, tolerance=2e-5):
    found, expected = found.detach().double().cpu(), expected.detach().double().cpu()
    error = ((found - expected).abs().max() / expected.abs().max()).item()
    assert error <= tolerance, f"an error of {error:.1e}, where {tolerance:.1e} is allowed"


@check()
def values_and_derivatives():
    for dtype, tolerance in ((torch.float32, 2e-5), (torch.float64, 1e-12)):
        found = data(dtype=dtype)
        exact = [array.detach().double().requires_grad_() for array in found]
        a, expected = Genred(GAUSSIAN, NAMES, axis=1)(*found, backend=BACKEND), dense(*exact)
        close(a, expected, tolerance)
        first = torch.autograd.grad(a.square().sum(), found, create_graph=True)
        other = torch.autograd.grad(expected.square().sum(), exact, create_graph=True)
        for one, true in zip(first, other):
            close(one, true, 5 * tolerance)
        second = torch.autograd.grad(first[0].square().sum(), found[1:])
        for one, true in zip(second, torch.autograd.grad(other[0].square().sum(), exact[1:])):
            close(one, true, 20 * tolerance)


@check()
def winners():
    x, y, _, _ = data()
    distances = LazyTensor(x[:, None]).sqdist(LazyTensor(y[None]))
    exact = ((x.double()[:, None] - y.double()[None]) ** 2).sum(-1)
    smallest, places = exact.topk(4, dim=1, largest=False)
    close(distances.Kmin(4, axis=1, backend=BACKEND), smallest, 1e-4)
    found = distances.argKmin(4, axis=1, backend=BACKEND)
    assert (found == places).double().mean() > 0.999, "other neighbours were found"
    gradient = torch.autograd.grad(distances.min(axis=1, backend=BACKEND).sum(), y)[0]
    close(gradient, torch.autograd.grad(exact.min(dim=1).values.sum(), y)[0], 1e-4)


@check()
def systems():
    x, _, _, _ = data(m=500, dtype=torch.float64)
    x = x.detach()
    b = torch.ones(500, 1, dtype=torch.float64, device=PLACE)
    solve = KernelSolve("Exp(-SqDist(x, y)) * b", ["x = Vi(3)", "y = Vj(3)", "b = Vj(1)"], "b", axis=1)
    found = solve(x, x, b, alpha=0.1, eps=1e-9, backend=BACKEND)
    matrix = (-((x[:, None] - x[None]) ** 2).sum(-1)).exp() + 0.1 * torch.eye(500, dtype=torch.float64, device=PLACE)
    close(matrix @ found, b, 1e-6)


@check("cuda")
def streams_are_respected():
    genred, stream = Genred(GAUSSIAN, NAMES, axis=1), torch.cuda.Stream()
    arrays = [array.detach() for array in data(m=20_000, n=20_000)]
    expected = genred(*arrays)
    torch.cuda.synchronize()
    for _ in range(5):
        late = [torch.zeros_like(array) for array in arrays]
        torch.cuda.synchronize()
        with torch.cuda.stream(stream):
            # The inputs become right on this stream only, some time after the call has returned.
            torch.cuda._sleep(50_000_000)
            for array, right in zip(late, arrays):
                array.copy_(right)
            found = genred(*late)
            assert not stream.query(), "the call waited for the stream"
            doubled = found * 2
        stream.synchronize()
        assert torch.equal(doubled, expected * 2), "the result is of the inputs as they were before"


@check("cuda")
def graphs_are_captured():
    genred = Genred(GAUSSIAN, NAMES, axis=1)
    arrays = [array.detach() for array in data()]
    genred(*arrays)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = genred(*arrays)
    for seed in (1, 2):
        for array, other in zip(arrays, data(seed=seed)):
            array.copy_(other.detach())
        graph.replay()
        torch.cuda.synchronize()
        assert torch.equal(captured, genred(*arrays)), "a graph's result differs from a call's"


@check("cuda")
def memory_is_given_back():
    genred = Genred(GAUSSIAN, NAMES, axis=1)

    def work():
        arrays = data(m=200_000, n=50)
        torch.autograd.grad(genred(*arrays).sum(), arrays)

    def taken():
        gc.collect()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        free, total = torch.cuda.mem_get_info()
        return total - free

    for _ in range(3):
        work()
    before = taken()
    for _ in range(100):
        work()
    grown = taken() - before
    assert grown <= 64 << 20, f"100 calls took {grown >> 20} MB that they did not give back"


@check("cuda")
def memory_is_told_beforehand():
    arrays = [array.detach() for array in data(m=10, n=3_000_000)]
    genred = Genred(GAUSSIAN, NAMES, axis=1)
    told = genred.device_memory(*arrays)
    assert list(told) == [f"cuda:{arrays[0].device.index}"] and 0 <= told[list(told)[0]] < 1 << 30, told


@check()
def arrays_on_the_host_pass_through_in_pieces():
    arrays = [array.detach().cpu() for array in data(m=200_000, n=500)]
    genred, backend = Genred(GAUSSIAN, NAMES, axis=1), DEVICE
    whole = genred(*arrays, backend=backend)
    khufu.set_device_memory_limit(2_000_000)
    try:
        assert max(genred.device_memory(*arrays, backend=backend).values()) <= 2_000_000
        close(genred(*arrays, backend=backend), whole, 1e-6)
    finally:
        khufu.set_device_memory_limit(None)


@check()
def several_devices_share_a_call():
    found = [device.id for device in khufu.devices() if device.id.startswith(DEVICE)]
    if len(found) < 2:
        return
    arrays = [array.detach().cpu() for array in data()]
    genred = Genred(GAUSSIAN, NAMES, axis=1)
    close(genred(*arrays, backend={"opencl": "OpenCL", "cuda": "GPU"}[DEVICE], device_id=[0, 1]), genred(*arrays, backend=DEVICE), 1e-6)


failed = False
for function in CHECKS:
    name = function.__name__.replace("_", " ")
    try:
        function()
        print(f"passed: {name}", flush=True)
    except Exception as error:
        failed = True
        traceback.print_exc()
        print(f"failed: {name}: {type(error).__name__}: {error}".replace("\n", " "), flush=True)
sys.exit(failed)
