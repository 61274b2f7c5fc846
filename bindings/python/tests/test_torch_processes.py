"""Genred for PyTorch in other places: pickles, threads, forked workers; and many calls in constant memory."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading

import pytest
import torch
from khufu.torch import Genred, KernelSolve

torch.manual_seed(4)
ALIASES = ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)"]
genred = Genred("Exp(-SqDist(x, y)) * b", ALIASES, axis=1)
x, y, b = (torch.randn(*shape, dtype=torch.float64) for shape in ((60, 3), (50, 3), (50, 2)))


def check(k: int = 0) -> bool:
    """Values and gradients, of a formula met before and of a new one."""
    for formula, factor in (("Exp(-SqDist(x, y)) * b", 1), (f"Exp(-SqDist(x, y)) * b * IntCst({k + 2})", k + 2)):
        point = x.clone().requires_grad_()
        found = Genred(formula, ALIASES, axis=1)(point, y, b)
        expected = factor * torch.exp(-((point[:, None] - y) ** 2).sum(-1)) @ b
        gradients = [torch.autograd.grad(result.sin().sum(), point)[0] for result in (found, expected)]
        if not (torch.allclose(found, expected) and torch.allclose(*gradients)):
            return False
    return True


@pytest.mark.parametrize("object_", [genred, KernelSolve("Exp(-SqDist(x, y)) * b", ALIASES, "b", axis=1)])
def test_pickles(object_):
    other = pickle.loads(pickle.dumps(object_))
    assert type(other) is type(object_) and other.formula == object_.formula
    assert torch.equal(other(y, y, b), object_(y, y, b))


def test_threads():
    results = []
    threads = [threading.Thread(target=lambda: results.append(all(check(k) for k in range(5)))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 6


class Points(torch.utils.data.Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, k):
        return genred(x + k, y, b)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.forks
def test_workers_of_a_data_loader():
    expected = torch.stack([genred(x + k, y, b) for k in range(6)])
    stop = threading.Event()

    def work():
        while not stop.is_set():
            genred(x, y, b)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        loader = torch.utils.data.DataLoader(Points(), batch_size=3, num_workers=2, multiprocessing_context="fork")
        found = torch.cat(list(loader))
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(forward, range(4)) == [True] * 4
    finally:
        stop.set()
        thread.join()
    torch.testing.assert_close(found, expected)


def forward(k: int) -> bool:
    # Autograd's own threads do not survive a fork; values are what workers compute.
    torch.set_num_threads(1)
    return torch.allclose(genred(x * k, y, b), torch.exp(-((x[:, None] * k - y) ** 2).sum(-1)) @ b)


MEMORY = """
import gc, resource
import torch
from khufu.torch import Genred, LazyTensor

def memory():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

x, y, b = (torch.ones(10, d, requires_grad=True) for d in (3, 3, 2))
genred = Genred("Exp(-SqDist(x, y)) * b", ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)"], axis=1)

def calls(count):
    for k in range(count):
        (gradient,) = torch.autograd.grad(genred(x[: 1 + k % 10], y, b).sum(), y, create_graph=True)
        torch.autograd.grad(gradient.sum(), b)
        squares = ((LazyTensor(x[:, None]) - LazyTensor(y[None])) ** 2).sum(-1)
        torch.autograd.grad(squares.logsumexp(1).sum(), x)

calls(1000)
growths = []
for _ in range(3):
    before = memory()
    calls(600)
    growths.append(memory() - before)
print(min(growths))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from Linux' /proc")
def test_memory_stays():
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    # Less than 100 bytes for each of these: tables grow now and then, a leak always.
    assert int(done.stdout) < 60_000
