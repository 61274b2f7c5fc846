"""Khufu and its rivals behind one interface, each used as its documentation has it.

    prepare(workload, data)   everything up to and including the first call; raises NotNatural where the engine isn't made for it
    run(repetitions)          the seconds of so many warm calls, and the result as a NumPy array

Libraries are imported when an engine is made: one that is missing concerns nobody else.
"""

import json
import os
import re
import subprocess
import tempfile
import time

import numpy as np

THREADS = len(os.sched_getaffinity(0))
TOOL = os.environ.get("KHUFU", ".build/release/khufu")


class NotNatural(Exception):
    pass


class Khufu:
    """The tool, on files. The seconds it tells leave out the start of its process and the reading of files."""

    def prepare(self, workload, data):
        self.folder = tempfile.TemporaryDirectory()
        self.commands = khufu_commands(workload, data, self.folder.name)
        self.run(0)

    def run(self, repetitions):
        seconds, results = np.zeros(max(repetitions, 1)), []
        for command, output in self.commands:
            timings = f"{self.folder.name}/timings.json"
            # One more, for the first in a new process isn't warm.
            subprocess.run(
                [*command, "--repeat", str(repetitions + 1), "--timings", timings], check=True, stdout=subprocess.DEVNULL
            )
            with open(timings) as file:
                seconds += json.load(file)["times"][-len(seconds) :]
            results.append(np.load(output))
        return list(seconds), np.hstack(results)


def khufu_commands(workload, data, folder):
    """Saves the data; the commands and where each leaves its result: the reduction, then its gradient if that is wanted."""
    for name, array in data.items():
        np.save(f"{folder}/{name}.npy", array)
    command = [TOOL, "reduce", workload.formula] + [f"{n}={index}:{folder}/{n}.npy" for n, index, _ in workload.inputs]
    command += ["--dtype", workload.dtype, *reduction(workload)]
    commands = [([*command, "-o", f"{folder}/a.npy"], f"{folder}/a.npy")]
    if workload.gradient:
        np.save(f"{folder}/e.npy", np.ones((workload.points, workload.columns), workload.dtype))
        gradient = ["--gradient", "x", "--cotangent", f"{folder}/e.npy", "-o", f"{folder}/dx.npy"]
        commands.append(([*command, *gradient], f"{folder}/dx.npy"))
    return commands


def reduction(workload):
    options = ["--reduction", workload.reduction, "--device", "cpu", "--threads", str(THREADS)]
    if workload.k > 1:
        options += ["--k", str(workload.k)]
    if workload.weight:
        options += ["--weight", workload.weight]
    return options


def share_of_limit(workload):
    """What `khufu bench` tells of the workload, "93 %"; of a gradient's formula alone where one is wanted."""
    formula, inputs = workload.formula, [f"{name}={index}:{dim}" for name, index, dim in workload.inputs]
    if workload.gradient:
        formula, inputs = f"Grad({formula},x,e)", [*inputs, f"e=i:{workload.columns}"]
    command = [TOOL, "bench", formula, *inputs, "--points", str(workload.points), "--dtype", workload.dtype, *reduction(workload)]
    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    share = re.search(r"\d+ %$", line.strip())
    return share[0] if share else "–"


class InProcess:
    """Rivals that are called from Python. They say what a call is; its result is an array, or several to stand side by side."""

    def prepare(self, workload, data):
        self.call = self.make_call(workload, data)
        self.call()

    def run(self, repetitions):
        seconds = []
        for _ in range(repetitions):
            start = time.perf_counter()
            result = self.call()
            seconds.append(time.perf_counter() - start)
        parts = [np.asarray(part) for part in (result if isinstance(result, tuple) else (result,))]
        return seconds, np.hstack([part.reshape(len(part), -1) for part in parts])


class PyKeOps(InProcess):
    def __init__(self):
        os.environ["PYKEOPS_VERBOSE"] = os.environ["KEOPS_VERBOSE"] = "0"
        from pykeops.numpy import Genred

        self.Genred = Genred

    def make_call(self, workload, data):
        kinds = {"i": "Vi", "j": "Vj", "p": "Pm"}
        aliases = [f"{name} = {kinds[index]}({dim})" for name, index, dim in workload.inputs]
        inputs = list(data.values())
        options = {"reduction_op": workload.reduction, "axis": 1}
        if workload.k > 1:
            options["opt_arg"] = workload.k
        if workload.weight:
            options["formula2"] = workload.weight
        function = self.Genred(workload.formula, aliases, **options)
        if not workload.gradient:
            return lambda: function(*inputs, backend="CPU")
        ones = np.ones((workload.points, workload.columns), workload.dtype)
        aliases = [*aliases, f"e = Vi({workload.columns})"]
        gradient = self.Genred(f"Grad({workload.formula}, x, e)", aliases, **options)
        return lambda: (function(*inputs, backend="CPU"), gradient(*inputs, ones, backend="CPU"))


# Rivals that hold a block of the matrix at a time ---------------------------------------------------------------------------------


def block_rows(workload, entries=2**20):
    """How many rows make a block of about so many entries; all blocks are alike, for compilers like one shape."""
    most = max(1, min(workload.points, entries // workload.points))
    return next(rows for rows in range(most, 0, -1) if workload.points % rows == 0)


def expanded_squares(x, y):
    """|x|² + |y|² - 2 x·y, by a matrix product."""
    return (x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * (x @ y.T)


def difference_squares(x, y):
    return ((x[:, None] - y[None]) ** 2).sum(-1)


def sum_of_block(workload, exp, squares, norm):
    """A block of one of the sums, from what the array library calls exp, squared distances and distances."""
    matrices = {
        "gaussian": lambda x, y, g: exp(-g * squares(x, y)),
        "laplacian": lambda x, y, g: exp(-g * norm(x, y)),
        "cauchy": lambda x, y, g: 1 / (1 + g * squares(x, y)),
        "matern": lambda x, y, g: matern(exp, g * norm(x, y)),
    }
    return matrices[workload.matrix]


def hyperbolic(squares, x, y):
    return squares(x, y) / (x[:, :1] * y[:, 0])


def matern(exp, distance):
    return (1 + distance) * exp(-distance)


class Torch(InProcess):
    """Eager, from NumPy's memory, row block by row block."""

    def __init__(self):
        import torch

        torch.set_num_threads(THREADS)
        self.torch = torch

    def make_call(self, workload, data):
        tensors = {name: self.torch.from_numpy(array) for name, array in data.items()}
        block = self.block(workload)
        x, others = tensors.pop("x"), tensors
        rows = self.rows(workload)
        if workload.gradient:
            return lambda: self.with_gradient(block, x.split(rows), others)
        return lambda: self.torch.cat([block(part, **others) for part in x.split(rows)])

    def rows(self, workload):
        # Attention is blocked by torch itself.
        return workload.points if workload.matrix == "attention" else block_rows(workload)

    def with_gradient(self, block, parts, others):
        results = []
        for part in parts:
            part = part.clone().requires_grad_()
            value = block(part, **others)
            (slope,) = self.torch.autograd.grad(value.sum(), part)
            results.append(self.torch.hstack([value.detach(), slope]))
        return self.torch.cat(results)

    def block(self, workload):
        torch = self.torch
        match workload.matrix:
            case "log gaussian":
                return lambda x, y, g: torch.logsumexp(-g * expanded_squares(x, y), 1, keepdim=True)
            case "attention":
                attend = torch.nn.functional.scaled_dot_product_attention
                return lambda x, y, v, g: attend(x[None, None], y[None, None], v[None, None], scale=float(g))[0, 0]
            case "euclidean" if workload.k == 1:
                return lambda x, y: expanded_squares(x, y).argmin(1)
            case "euclidean":
                return lambda x, y: torch.topk(torch.cdist(x, y), workload.k, largest=False).indices
            case "manhattan":
                return lambda x, y: torch.topk(torch.cdist(x, y, p=1), workload.k, largest=False).indices
            case "hyperbolic":
                return lambda x, y: torch.topk(hyperbolic(difference_squares, x, y), workload.k, largest=False).indices
        matrix = sum_of_block(workload, torch.exp, expanded_squares, torch.cdist)
        return lambda x, y, b, g: matrix(x, y, g) @ b


class TorchCompiled(Torch):
    """torch.compile. In few dimensions it is given differences, for those it fuses with the sum: no block is stored."""

    def rows(self, workload):
        return block_rows(workload, 2**24 if workload.dim <= 16 else 2**20)

    def block(self, workload):
        torch = self.torch
        squares = difference_squares if workload.dim <= 16 else expanded_squares
        match workload.matrix:
            case "log gaussian":
                block = lambda x, y, g: torch.logsumexp(-g * squares(x, y), 1, keepdim=True)
            case "euclidean" if workload.k == 1:
                block = lambda x, y: squares(x, y).argmin(1)
            case "attention" | "euclidean" | "manhattan" | "hyperbolic":
                raise NotNatural("these are single calls, which nothing is fused with")
            case _:
                matrix = sum_of_block(workload, torch.exp, squares, lambda x, y: squares(x, y).sqrt())
                if workload.columns == 1:
                    block = lambda x, y, b, g: (matrix(x, y, g) * b[:, 0]).sum(1, keepdim=True)
                else:
                    block = lambda x, y, b, g: matrix(x, y, g) @ b
        return torch.compile(block, dynamic=False)


class JAX(InProcess):
    """jit, row block by row block with lax.map."""

    def __init__(self):
        import jax

        jax.config.update("jax_platforms", "cpu")
        self.jax = jax

    def make_call(self, workload, data):
        self.jax.config.update("jax_enable_x64", workload.dtype == "float64")
        arrays = {name: self.jax.numpy.asarray(array) for name, array in data.items()}
        block, rows = self.block(workload), block_rows(workload)
        if workload.gradient:
            block = self.with_gradient(block)

        @self.jax.jit
        def all_blocks(x, **others):
            results = self.jax.lax.map(lambda part: block(part, **others), x.reshape(-1, rows, workload.dim))
            return results.reshape(workload.points, -1)

        return lambda: all_blocks(**arrays).block_until_ready()

    def with_gradient(self, block):
        def value_and_slope(x, **others):
            value, pullback = self.jax.vjp(lambda x: block(x, **others), x)
            return self.jax.numpy.hstack([value, pullback(self.jax.numpy.ones_like(value))[0]])

        return value_and_slope

    def block(self, workload):
        jax, jnp = self.jax, self.jax.numpy
        match workload.matrix:
            case "log gaussian":
                return lambda x, y, g: jax.nn.logsumexp(-g * expanded_squares(x, y), 1)
            case "attention":
                return lambda x, y, v, g: jax.nn.softmax(g * (x @ y.T), 1) @ v
            case "euclidean" if workload.k == 1:
                return lambda x, y: expanded_squares(x, y).argmin(1)
            case "euclidean":
                return lambda x, y: jax.lax.top_k(-expanded_squares(x, y), workload.k)[1]
            case "manhattan":
                return lambda x, y: jax.lax.top_k(-jnp.abs(x[:, None] - y[None]).sum(-1), workload.k)[1]
            case "hyperbolic":
                return lambda x, y: jax.lax.top_k(-hyperbolic(difference_squares, x, y), workload.k)[1]
        norm = lambda x, y: jnp.sqrt(jnp.maximum(expanded_squares(x, y), 0))
        matrix = sum_of_block(workload, jnp.exp, expanded_squares, norm)
        return lambda x, y, b, g: matrix(x, y, g) @ b


# Rivals for nearest neighbours ----------------------------------------------------------------------------------------------------


class FAISS(InProcess):
    def __init__(self):
        import faiss

        faiss.omp_set_num_threads(THREADS)
        self.faiss = faiss

    def make_call(self, workload, data):
        if workload.matrix != "euclidean":
            raise NotNatural("an index of Euclidean neighbours")
        index = self.faiss.IndexFlatL2(workload.dim)
        index.add(data["y"])
        return lambda: index.search(data["x"], workload.k)[1]


class ScikitLearn(InProcess):
    def __init__(self):
        import sklearn.neighbors

        self.NearestNeighbors = sklearn.neighbors.NearestNeighbors

    def make_call(self, workload, data):
        if workload.matrix not in ("euclidean", "manhattan"):
            raise NotNatural("its exact kernel sums are trees'")
        search = self.NearestNeighbors(n_neighbors=workload.k, algorithm="brute", metric=workload.matrix)
        search.fit(data["y"])
        return lambda: search.kneighbors(data["x"], return_distance=False)


ENGINES = {
    "khufu": Khufu,
    "pykeops": PyKeOps,
    "torch": Torch,
    "torch.compile": TorchCompiled,
    "JAX": JAX,
    "FAISS": FAISS,
    "scikit-learn": ScikitLearn,
}
