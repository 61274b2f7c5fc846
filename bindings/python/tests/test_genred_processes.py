"""Objects in other places: copies, other threads, forked and spawned processes; and many calls in constant memory."""

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from khufu.numpy import Genred, KernelSolve

random = np.random.default_rng(3)
ALIASES = ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)"]
x, y, b = (random.normal(size=shape) for shape in ((300, 3), (200, 3), (200, 2)))
genred = Genred("Exp(-SqDist(x, y)) * b", ALIASES, axis=1)
expected = np.exp(-((x[:, None] - y) ** 2).sum(-1)) @ b


def check(_=None):
    found = genred(x, y, b)
    fresh = Genred("Exp(-SqDist(x, y)) * (b + b)", ALIASES, axis=1)(x, y, b)
    return bool(np.allclose(found, expected) and np.allclose(fresh, 2 * expected))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(copied):
    other = copied(genred)
    assert (other.formula, other.aliases, other.axis) == (genred.formula, genred.aliases, genred.axis)
    np.testing.assert_array_equal(other(x, y, b), genred(x, y, b))
    solve = KernelSolve("Exp(-SqDist(x, y)) * b", ALIASES, "b", axis=1)
    np.testing.assert_array_equal(copied(solve)(y, y, b, alpha=1), solve(y, y, b, alpha=1))


def test_another_process_reads_a_pickle():
    program = "import pickle, sys; g, arrays = pickle.load(sys.stdin.buffer); sys.stdout.buffer.write(pickle.dumps(g(*arrays)))"
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps((genred, (x, y, b))), capture_output=True, check=True
    )
    np.testing.assert_allclose(pickle.loads(done.stdout), expected)


def test_threads():
    results = []
    threads = [threading.Thread(target=lambda: results.append(all(check() for _ in range(20)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8


@pytest.fixture
def thread_at_work():
    """A thread that reduces all the time, so that a fork finds locks held and memory half written."""
    stop = threading.Event()

    def work():
        k = 0
        while not stop.is_set():
            k += 1
            Genred(f"Exp(-SqDist(x, y)) * b + {k % 50}", ALIASES, axis=1)(x, y, b)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.usefixtures("thread_at_work")
@pytest.mark.forks
class TestForks:
    def test_fork(self):
        assert check()
        for _ in range(10):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    status = 0 if check() else 2
                finally:
                    os._exit(status)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert check()

    def test_pool(self):
        assert check()
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(check, range(6)) == [True] * 6


MEMORY = """
import gc
import resource
import numpy as np
from khufu.numpy import Genred

def memory():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

x, y, b = np.ones((10, 3)), np.ones((10, 3)), np.ones((10, 2))
genred = Genred("Exp(-SqDist(x, y)) * b", ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)"], axis=1)

def calls(count):
    for k in range(count):
        genred(x[: 1 + k % 10], y, b)
        Genred("Exp(-SqDist(x, y)) * b", ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)"], axis=k % 2)
        try:
            genred(x, y[:5], b)
        except ValueError:
            pass

calls(1000)
growths = []
for _ in range(4):
    before = memory()
    calls(2500)
    growths.append(memory() - before)
print(min(growths))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from Linux' /proc")
def test_memory_stays():
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    # Less than 30 bytes a call: tables grow now and then, a leak always.
    assert int(done.stdout) < 75_000
