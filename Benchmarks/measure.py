"""Times engines in turns, each in a process of its own, and tells how much memory one takes."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

import numpy as np

from rivals import ENGINES, THREADS, NotNatural, khufu_commands
from workloads import error, exact, make_data, tolerance

CHECKED_ROWS = 200
TURN = 0.5  # seconds that an engine's turn takes, or one call
ENOUGH = 3.0  # seconds after which a slow engine has no more turns
PATIENCE = 600.0  # seconds for any answer


def limit_threads():
    """For this process's children; before they load a library."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"):
        os.environ[name] = str(THREADS)


class fresh_caches:
    """Compiled kernels of earlier runs are out of sight, so that first calls are first."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        for name in ("KHUFU_CACHE_DIR", "KEOPS_CACHE_FOLDER", "TORCHINDUCTOR_CACHE_DIR"):
            os.environ[name] = f"{self.folder.name}/{name}"
            os.mkdir(os.environ[name], 0o700)

    def __exit__(self, *_):
        self.folder.cleanup()


@dataclass
class Measurement:
    first: float = float("nan")
    times: list = field(default_factory=list)
    error: float = float("nan")
    wrong: bool = False
    missing: str = ""  # why there are no times

    @property
    def best(self):
        return min(self.times, default=float("nan"))


def measure(workload, names, rounds, check=True):
    """The engines one after another, round by round: A B A B … Returns a Measurement by name; none where one isn't natural."""
    measurements, workers = {}, {}
    try:
        for name in names:
            worker = Worker(name, workload)
            measurement = Measurement()
            try:
                answer = worker.answer()
                if answer is None:
                    worker.stop()
                    continue
                measurement.first = answer
                workers[name] = worker
            except Failure as failure:
                measurement.missing = str(failure)
                worker.stop()
            measurements[name] = measurement

        results = {}
        for _ in range(rounds):
            for name in list(workers):
                measurement = measurements[name]
                if sum(measurement.times) > ENOUGH:
                    continue
                # One call tells how many make a turn.
                repetitions = 1 if not measurement.times else int(np.clip(TURN / measurement.best, 1, 200))
                try:
                    times, results[name] = workers[name].run(repetitions)
                    if repetitions == 1 and times[0] < TURN / 2:
                        times += workers[name].run(int(np.clip(TURN / times[0], 1, 200)))[0]
                    measurement.times += times
                except Failure as failure:
                    measurement.missing = str(failure)
                    workers.pop(name).stop()
    finally:
        for worker in workers.values():
            worker.stop()

    if check:
        truth = exact(workload, make_data(workload), CHECKED_ROWS)
        for name, result in results.items():
            measurements[name].error = error(result.reshape(truth.shape), truth)
            # Also of NaN.
            measurements[name].wrong = not measurements[name].error <= tolerance(workload)
    return measurements


# An engine in its own process -----------------------------------------------------------------------------------------------------


class Failure(Exception):
    pass


class Worker:
    """A library that crashes, hangs, or quarrels with another about threads does so alone."""

    def __init__(self, name, workload):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, name, workload), daemon=True)
        self.process.start()
        theirs.close()

    def run(self, repetitions):
        self.pipe.send(repetitions)
        return self.answer()

    def answer(self):
        if not self.pipe.poll(PATIENCE):
            raise Failure(f"no answer within {PATIENCE:.0f} s")
        try:
            answer = self.pipe.recv()
        except EOFError:
            self.process.join()
            raise Failure(f"its process ended with {self.process.exitcode}") from None
        if isinstance(answer, Failure):
            raise answer
        return answer

    def stop(self):
        self.process.kill()
        self.process.join()


def work(pipe, name, workload):
    """Sends the seconds of the first call, None where the workload isn't natural; then answers numbers of repetitions."""
    try:
        engine = ENGINES[name]()
        data = make_data(workload)
        start = time.perf_counter()
        engine.prepare(workload, data)
        pipe.send(time.perf_counter() - start)
        while True:
            times, result = engine.run(pipe.recv())
            pipe.send((times, result[:CHECKED_ROWS]))
    except NotNatural:
        pipe.send(None)
    except EOFError:
        pass
    except Exception as exception:
        pipe.send(Failure(f"{type(exception).__name__}: {str(exception).strip().splitlines()[-1:]}"))


# Memory ---------------------------------------------------------------------------------------------------------------------------

FOLDER = os.path.dirname(__file__)
PYKEOPS_ONCE = """
import sys
sys.path.insert(0, sys.argv[1])
from rivals import PyKeOps
from workloads import Workload, make_data
workload = Workload("", "gaussian", int(sys.argv[2]))
PyKeOps().prepare(workload, make_data(workload))
"""


def peak_memory(name, workload):
    """Peak of resident bytes of one process that computes the workload once."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "khufu":
            ((command, _),) = khufu_commands(workload, make_data(workload), folder)
        else:
            command = [sys.executable, "-c", PYKEOPS_ONCE, FOLDER, str(workload.points)]
        # The first run compiles, and a compiler's memory would count.
        for _ in range(2):
            output = subprocess.run(
                [sys.executable, "-I", "-S", f"{FOLDER}/peak_memory.py", *command], check=True, stdout=subprocess.PIPE, text=True
            ).stdout
        return int(output.split()[-1])
