"""The engines on a GPU, each in a process of its own: what one does to a device does not end the others."""

import multiprocessing
import os
import time

import numpy as np
from workloads import make_data

PATIENCE = 180.0  # seconds for any answer
MOST_CALLS = 20


class NotNatural(Exception):
    pass


class Engine:
    """An engine says how a call is made of a workload's arrays; a call returns what is then brought to the host as columns."""

    devices = ("cuda",)

    def __init__(self, device):
        import torch

        if not torch.cuda.is_available():
            raise RuntimeError("torch finds no CUDA device")
        self.torch = torch

    def version(self):
        return self.torch.__version__

    def place(self, data):
        return {name: self.torch.from_numpy(array).cuda() for name, array in data.items()}

    def synchronise(self):
        self.torch.cuda.synchronize()

    def rows(self, result, places):
        parts = result if isinstance(result, tuple) else (result,)
        return np.hstack([part[places].detach().cpu().numpy().reshape(len(places), -1) for part in parts])

    def tidy(self):
        self.torch.cuda.empty_cache()


class Genred(Engine):
    """khufu and pykeops, which share an interface."""

    def make_call(self, workload, arrays):
        kinds = {"i": "Vi", "j": "Vj", "p": "Pm"}
        aliases = [f"{name} = {kinds[index]}({dim})" for name, index, dim in workload.inputs]
        options = {"reduction_op": workload.reduction, "axis": 1}
        if workload.k > 1:
            options["opt_arg"] = workload.k
        if workload.weight:
            options["formula2"] = workload.weight
        function = self.genred(workload.formula, aliases, **options)
        inputs = list(arrays.values())
        if not workload.gradient:
            return lambda: function(*inputs, backend=self.backend)
        x = arrays["x"].requires_grad_()

        def with_gradient():
            value = function(*inputs, backend=self.backend)
            return value, self.torch.autograd.grad(value.sum(), x)[0]

        return with_gradient


class Khufu(Genred):
    devices = ("cuda", "opencl")

    def __init__(self, device):
        import khufu

        self.module = khufu
        self.on_host = device == "opencl"
        if self.on_host:
            from khufu.numpy import Genred

            self.backend = "OpenCL"
        else:
            super().__init__(device)
            from khufu.torch import Genred

            self.backend = "auto"
        self.genred = Genred

    def version(self):
        return self.module.__version__

    def make_call(self, workload, arrays):
        if self.on_host and workload.gradient:
            raise NotNatural("arrays of NumPy have no gradients")
        return super().make_call(workload, arrays)

    def place(self, data):
        return data if self.on_host else super().place(data)

    def synchronise(self):
        if not self.on_host:
            super().synchronise()

    def rows(self, result, places):
        return np.asarray(result)[places].reshape(len(places), -1) if self.on_host else super().rows(result, places)

    def tidy(self):
        if not self.on_host:
            super().tidy()


class KhufuTF32(Khufu):
    """Factors of inner products in 11 bits."""

    devices = ("cuda",)

    def __init__(self, device):
        super().__init__(device)
        self.module.set_inner_products("fast")


class KhufuPlain(Khufu):
    """Without tensor cores."""

    devices = ("cuda",)

    def __init__(self, device):
        os.environ["KHUFU_TENSOR_CORES"] = "off"
        super().__init__(device)


class PyKeOps(Genred):
    backend = "GPU"

    def __init__(self, device):
        super().__init__(device)
        os.environ["PYKEOPS_VERBOSE"] = os.environ["KEOPS_VERBOSE"] = "0"
        import pykeops
        from pykeops.torch import Genred

        self.module, self.genred = pykeops, Genred

    def version(self):
        return self.module.__version__


class Torch(Engine):
    """A block of rows at a time; distances by products of matrices where that is faster."""

    entries = 2**28
    tf32 = False

    def __init__(self, device):
        super().__init__(device)
        self.torch.backends.cuda.matmul.allow_tf32 = self.tf32
        self.torch.backends.cudnn.allow_tf32 = self.tf32

    def make_call(self, workload, arrays):
        x, others = arrays.pop("x"), arrays
        block = self.block(workload)
        if workload.matrix == "attention":
            return lambda: block(x, **others)
        rows = max(1, min(workload.points, self.entries // workload.points))
        if not workload.gradient:
            return lambda: self.torch.cat([block(part, **others) for part in x.split(rows)])

        def with_gradient():
            results = []
            for part in x.split(rows // 4 + 1):
                part = part.clone().requires_grad_()
                value = block(part, **others)
                slope = self.torch.autograd.grad(value.sum(), part)[0]
                results.append(self.torch.hstack([value.detach(), slope]))
            return self.torch.cat(results)

        return with_gradient

    def block(self, workload):
        torch = self.torch

        def squares(x, y):
            return self.torch.addmm((x * x).sum(1)[:, None] + (y * y).sum(1), x, y.T, alpha=-2)

        match workload.matrix:
            case "gaussian":
                return lambda x, y, b, g: torch.exp(-g * squares(x, y)) @ b
            case "log gaussian":
                return lambda x, y, g: torch.logsumexp(-g * squares(x, y), 1, keepdim=True)
            case "attention":
                attend = torch.nn.functional.scaled_dot_product_attention
                return lambda x, y, v, g: attend(x[None, None], y[None, None], v[None, None], scale=workload.dim**-0.5)[0, 0]
            case "euclidean" if workload.k == 1:
                return lambda x, y: squares(x, y).argmin(1)
            case "euclidean":
                return lambda x, y: torch.topk(squares(x, y), workload.k, largest=False).indices


class TorchTF32(Torch):
    """Products of matrices in 10 bits of precision."""

    tf32 = True


class FAISS(Engine):
    def __init__(self, device):
        super().__init__(device)
        import faiss

        if not hasattr(faiss, "StandardGpuResources"):
            raise RuntimeError(f"faiss {faiss.__version__} is built without GPU support")
        self.faiss = faiss
        self.resources = faiss.StandardGpuResources()

    def version(self):
        return self.faiss.__version__

    def place(self, data):
        return data

    def make_call(self, workload, arrays):
        if workload.matrix != "euclidean":
            raise NotNatural("an index of Euclidean neighbours")
        index = self.faiss.GpuIndexFlatL2(self.resources, workload.dim)
        index.add(arrays["y"])
        return lambda: index.search(arrays["x"], workload.k)[1]

    def rows(self, result, places):
        return result[places]


ENGINES = {
    "khufu": Khufu,
    "khufu TF32": KhufuTF32,
    "khufu plain": KhufuPlain,
    "pykeops": PyKeOps,
    "torch": Torch,
    "torch TF32": TorchTF32,
    "FAISS": FAISS,
}


# In a process of its own -----------------------------------------------------------------------------------------------------------


class Remote:
    """An engine's process; a new one after it crashed or hung."""

    def __init__(self, name, device):
        self.name, self.device, self.process = name, device, None

    def start(self):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.name, self.device), daemon=True)
        self.process.start()
        theirs.close()
        return self.answer()

    def measure(self, workload, seconds, sample):
        if self.process is None:
            start = self.start()
            if "missing" in start:
                return start
        self.pipe.send((workload, seconds, sample))
        return self.answer()

    def answer(self):
        reason = f"no answer within {PATIENCE:.0f} s"
        if self.pipe.poll(PATIENCE):
            try:
                return self.pipe.recv()
            except EOFError:
                self.process.join()
                reason = f"its process ended with {self.process.exitcode}"
        self.stop()
        return {"missing": reason}

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.join()
        self.process = None


def serve(pipe, name, device):
    try:
        engine = ENGINES[name](device)
        pipe.send({"version": engine.version()})
    except Exception as exception:
        return pipe.send({"missing": told(exception)})
    while True:
        try:
            workload, seconds, sample = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(timed(engine, workload, seconds, sample))
        except NotNatural as reason:
            pipe.send({"missing": f"not made for it: {reason}"})
        except Exception as exception:
            pipe.send({"missing": told(exception)})
            if "CUDA error" in str(exception):
                # Nothing works after that.
                os._exit(1)
        engine.tidy()


def told(exception):
    lines = str(exception).strip().splitlines() or [""]
    return f"{type(exception).__name__}: {lines[0][:300]}"


def timed(engine, workload, seconds, sample):
    arrays = engine.place(make_data(workload))
    call = engine.make_call(workload, arrays)

    def once():
        engine.synchronise()
        start = time.perf_counter()
        result = call()
        engine.synchronise()
        return time.perf_counter() - start, result

    first, result = once()
    places = np.linspace(0, workload.points - 1, sample).astype(np.int64)
    rows = engine.rows(result, places)
    del result
    times = []
    end = time.perf_counter() + seconds
    if first < seconds:
        times.append(once()[0])
    # The second call warms up too, unless there is time for no other.
    while len(times) < MOST_CALLS and time.perf_counter() + (times[-1] if times else first) < end:
        times.append(once()[0])
    return {"first": first, "times": times[1:] or times or [first], "rows": places, "sample": rows}
