"""The drop-in: each case in a process of its own, where an impostor named pykeops is on the path as an installed one would be."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import khufu

PACKAGE = Path(khufu.__file__).parents[1]

try:
    import torch
except ImportError:
    torch = None
needs_torch = pytest.mark.skipif(torch is None, reason="needs PyTorch")


@pytest.fixture
def impostor(tmp_path):
    """A folder with packages that are not to be found: importing them says so."""
    for name in ("pykeops", "keopscore"):
        (tmp_path / "site" / name).mkdir(parents=True)
        (tmp_path / "site" / name / "__init__.py").write_text("impostor = True\n")
        (tmp_path / "site" / name / "only_there.py").write_text("")
    return tmp_path / "site"


@pytest.fixture
def python(impostor, tmp_path):
    """Runs Python with arguments; its output."""

    def run(*arguments, fails=False, **settings):
        path = os.pathsep.join([str(impostor), str(PACKAGE), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path, **settings}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    return run


def test_importing_khufu_is_cheap_and_silent(python):
    code = "import sys, khufu; print(sorted({'numpy', 'torch', 'ctypes', 'pykeops'} & set(sys.modules)), khufu.__version__)"
    assert python("-c", code) == f"[] {__import__('khufu').__version__}\n"


def test_the_impostor_is_there_without_the_call(python):
    assert python("-c", "import pykeops; print(pykeops.impostor)") == "True\n"


NAMES = """
keopscore auto_factorize verbose __version__ clean_keops check_health set_build_folder build_folder show_cuda_status
keopscore.config config cuda_config openmp_config platform_detector get_config
keopscore.formulas Exp Var Sum_Reduction Grad
keopscore.formulas.maths Exp SqDist
keopscore.formulas.GetReduction GetReduction
keopscore.utils.misc_utils KeOps_Error KeOps_Print KeOps_Message KeOps_Warning
pykeops __version__ verbose set_verbose default_device_id clean_pykeops check_health set_build_folder get_build_folder
pykeops test_numpy_bindings test_torch_bindings numpy_found torch_found pykeopsconfig show_cuda_status
pykeops.config gpu_available numpy_found torch_found get_build_folder pykeops_base pykeops_cuda pykeops_openmp
pykeops.common.utils axis2cat cat2axis get_tools WarmUpGpu max_tuple check_broadcasting pyKeOps_Print
pykeops.common.parse_type get_type get_sizes complete_aliases get_optional_flags categories
pykeops.common.get_options SetBackend get_tag_backend
pykeops.common.gpu_utils get_gpu_number
pykeops.common.keops_io keops_binder
pykeops.common.lazy_tensor GenericLazyTensor ComplexGenericLazyTensor
pykeops.common.operations ConjugateGradientSolver preprocess
pykeops.numpy Genred KernelSolve generic_sum generic_logsumexp generic_argmin generic_argkmin LazyTensor ComplexLazyTensor Vi Vj Pm
pykeops.numpy.cluster grid_cluster from_matrix sort_clusters cluster_ranges cluster_centroids cluster_ranges_centroids swap_axes
pykeops.numpy.generic.generic_red Genred
pykeops.numpy.lazytensor.LazyTensor LazyTensor Var Vi Vj Pm
pykeops.numpy.operations KernelSolve
pykeops.numpy.utils numpytools np_kernel log_np_kernel grad_np_kernel np_kernel_sphere differences squared_distances chain_rules log_sum_exp
pykeops.torch Genred KernelSolve generic_sum generic_logsumexp generic_argmin generic_argkmin LazyTensor ComplexLazyTensor Vi Vj Pm
pykeops.torch.cluster grid_cluster from_matrix sort_clusters cluster_ranges cluster_centroids cluster_ranges_centroids swap_axes
pykeops.torch.generic.generic_red Genred GenredAutograd_fun Genred_parameters
pykeops.torch.lazytensor.LazyTensor LazyTensor Var
pykeops.torch.operations KernelSolve
pykeops.torch.utils torchtools torch_kernel squared_distances is_on_device
"""


def imports(with_torch):
    lines = [line.split() for line in NAMES.strip().splitlines()]
    return "\n".join(
        f"from {module} import {', '.join(names)}" for module, *names in lines if ("torch" in module) == with_torch
    )


def test_names_that_programs_import(python):
    code = f"import khufu; khufu.as_pykeops(); import sys\n{imports(False)}\n"
    assert (
        python("-c", code + "assert 'torch' not in sys.modules; print(sys.modules['pykeops'].__version__)") == "2.3\n"
    )


@needs_torch
def test_names_that_programs_import_with_torch(python):
    assert (
        python(
            "-c", f"import khufu; khufu.as_pykeops()\n{imports(True)}\nimport pykeops; print(pykeops.torch.Vi.__name__)"
        )
        == "Vi\n"
    )


def test_it_computes_in_place_of_pykeops(python):
    code = """
import khufu
khufu.as_pykeops()
import numpy as np, pykeops, pykeops.numpy as pk
x, y, b = np.random.rand(30, 3), np.random.rand(20, 3), np.random.rand(20, 2)
K = (-((pk.LazyTensor(x[:, None]) - pk.LazyTensor(y[None])) ** 2).sum(-1)).exp()
assert np.allclose(K @ b, np.exp(-((x[:, None] - y[None]) ** 2).sum(-1)) @ b)
pykeops.test_numpy_bindings()
pykeops.set_verbose(False)
pykeops.test_numpy_bindings()
"""
    assert python("-c", code) == "pyKeOps with numpy bindings is working!\n"


def test_nothing_of_an_installed_pykeops_is_mixed_in(python):
    code = "import khufu; khufu.as_pykeops(); import pykeops.only_there"
    assert "ModuleNotFoundError: 'pykeops.only_there'" in python("-c", code, fails=True)


def test_modules_can_be_reloaded(python):
    code = """
import khufu, importlib
khufu.as_pykeops()
khufu.as_pykeops()
import pykeops, pykeops.config, importlib.util
assert importlib.reload(pykeops) is pykeops and importlib.reload(pykeops.config) is pykeops.config
assert not hasattr(pykeops, "impostor")
assert importlib.util.find_spec("pykeops.torch").name == "pykeops.torch"
import importlib.metadata
print(importlib.metadata.version("pykeops"))
"""
    assert python("-c", code) == "2.3\n"


@pytest.mark.parametrize("name", ["pykeops", "keopscore"])
def test_too_late(python, name):
    output = python("-c", f"import {name}, khufu; khufu.as_pykeops()", fails=True)
    assert f"DropInError: khufu.as_pykeops() comes before the first import of {name}" in output and "site" in output


def test_module_and_function_are_one(python):
    code = "import khufu.as_pykeops; from khufu import as_pykeops; as_pykeops(); khufu.as_pykeops(); import pykeops; print(pykeops.__name__)"
    assert python("-c", code) == "pykeops\n"


SCRIPT = """
import sys, os
import helper, pykeops
print(__name__, sys.argv[1:], os.path.basename(sys.argv[0]), pykeops.config.gpu_available, helper.where)
sys.exit(int(sys.argv[-1]))
"""


def test_running_a_script(python, tmp_path):
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "script.py").write_text(SCRIPT)
    (tmp_path / "programs" / "helper.py").write_text("where = 'beside'")
    output = python("-m", "khufu.as_pykeops", "programs/script.py", "-m", "--x", "0")
    assert output == "__main__ ['-m', '--x', '0'] script.py False beside\n"
    python("-m", "khufu.as_pykeops", "programs/script.py", "3", fails=True)


def test_running_a_module(python, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "helper.py").write_text("where = 'beside'")
    assert python("-m", "khufu.as_pykeops", "-m", "script", "a", "0") == "__main__ ['a', '0'] script.py False beside\n"


def test_running_nothing(python):
    assert python("-m", "khufu.as_pykeops", fails=True).startswith("usage:")
    assert python("-m", "khufu.as_pykeops", "--help").startswith("usage:")


def test_pytest_plugin(python, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import pykeops\ndef test_it():\n    assert not hasattr(pykeops, 'impostor')\n"
    )
    assert "1 passed" in python("-m", "pytest", "-q", "-p", "khufu.pytest_plugin", "test_it.py")
    assert "1 failed" in python("-m", "pytest", "-q", "test_it.py", fails=True)


def test_build_folder(python, tmp_path):
    code = """
import khufu, warnings
khufu.as_pykeops()
import pykeops
print(pykeops.get_build_folder())
pykeops.set_build_folder("elsewhere")
print(pykeops.get_build_folder())
"""
    output = python("-c", code, KHUFU_CACHE_DIR="", XDG_CACHE_HOME="/caches")
    assert output == "/caches/khufu\nelsewhere\n"


def test_health_and_verbosity(python):
    code = "import khufu; khufu.as_pykeops(); import pykeops; pykeops.check_health(); pykeops.clean_pykeops(); print(pykeops.verbose)"
    output = python("-c", code, PYKEOPS_VERBOSE="0")
    assert len(output) > 100 and output.endswith("False\n")


def test_formulas_of_keopscore(python):
    code = """
import khufu
khufu.as_pykeops()
from keopscore.formulas import *
from keopscore.formulas.maths import __all__ as maths
from keopscore.formulas.GetReduction import GetReduction
import keopscore.formulas
x, y, b = Var(0, 3, 0), Var(1, 3, 1), Var(2, 1, 1)
f = Exp(-SqDist(x, y) / 2) * b
print(f.dim, Grad(f, x, Var(3, 1, 0)).dim, (x | y).dim, (2 * x ** 2 + 1 - y).dim, Extract(x, 1, 2).dim)
print(x == Var(0, 3, 0), x == y, all(callable(getattr(keopscore.formulas.maths, name)) for name in maths))
print(Sum_Reduction(f, 0).dim, GetReduction("ArgKMin_Reduction(SqDist(x,y),4,0)", ["x=Vi(3)", "y=Vj(3)"]).dim)
try:
    Exp(0.5)
except ValueError as error:
    print(error)
"""
    assert python("-c", code) == "1 3 1 3 2\nTrue False True\n1 4\nExp is of formulas and whole numbers; float came.\n"


def test_declarations(python):
    code = """
import khufu
khufu.as_pykeops()
from pykeops.common.parse_type import *
import numpy as np
for text in ("x = Vi(3)", "x=Vj( 2 , 4)", "Pm(5)", "Vj(0,3)", "Var(1,2,0)", "z=Vx(2)"):
    print(get_type(text, 7))
for text in ("x = Var(0,3,0)", "x = Vi(-1)", "1x = Vi(2)", "Vk(2)"):
    try:
        print(get_type(text))
    except ValueError:
        print("refused")
given = ["x = Vi(3)"]
print(complete_aliases("Exp(Var(2, 1, 1)) * x * Var(1,3,0)", given), given)
print(get_sizes(["x = Vi(3)", "p = Pm(1)"], np.zeros((4, 7, 3)), np.zeros((4, 1))))
print(get_optional_flags("Sum", "auto", True, "auto", True, False))
"""
    assert python("-c", code).splitlines() == [
        "('x', 0, 3, 7)",
        "('x', 1, 4, 2)",
        "(None, 2, 5, 7)",
        "(None, 1, 3, 0)",
        "(None, 0, 2, 1)",
        "('z', 0, 2, 7)",
        *["refused"] * 4,
        "['x = Vi(3)', 'Var(1,3,0)', 'Var(2,1,1)'] ['x = Vi(3)']",
        "(7, 1)",
        "{'dtype_acc': 'float64', 'sum_scheme': 'block_sum', 'use_fast_math': 0, 'enable_chunks': 1}",
    ]


def test_kernels_in_plain_numpy(python):
    code = """
import khufu
khufu.as_pykeops()
from pykeops.numpy.utils import *
import numpy as np
rng = np.random.default_rng(0)
x, y, q, p, s = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.normal(size=(5, 2)), rng.normal(size=(4, 2)), 0.7
squares = np.array([[((a - b) ** 2).sum() for b in y] for a in x])
assert np.allclose(squared_distances(x, y), squares)
assert np.allclose(differences(x, y), np.moveaxis(x[:, None] - y[None], 2, 0))
radial = {"gaussian": lambda d: np.exp(-d / s**2), "laplacian": lambda d: np.exp(-np.sqrt(d) / s),
          "cauchy": lambda d: 1 / (1 + d / s**2), "inverse_multiquadric": lambda d: 1 / np.sqrt(1 + d / s**2)}
h = 1e-6
for name, k in radial.items():
    assert np.allclose(np_kernel(x, y, s, name), k(squares))
    assert np.allclose(log_np_kernel(x, y, s, name), np.log(k(squares)))
    assert np.allclose(grad_np_kernel(x, y, s, name), (k(squares + h) - k(squares - h)) / (2 * h), rtol=1e-6)
    energy = lambda x: (q * (np_kernel(x, y, s, name) @ p)).sum()
    gradient = np.array([[(energy(x + d) - energy(x - d)) / (2 * h) for d in h * np.eye(15)[3 * i:3 * i + 3].reshape(3, 5, 3)] for i in range(5)])
    assert np.allclose(chain_rules(q, x, y, grad_np_kernel(x, y, s, name), p), gradient, atol=1e-4)
unit = lambda v: v / np.linalg.norm(v, axis=1, keepdims=True)
a, b = unit(x), unit(y)
c = a @ b.T
assert np.allclose(np_kernel_sphere(a, b, s, "gaussian_oriented"), np.exp(-squared_distances(a, b) / s**2))
assert np.allclose(np_kernel_sphere(a, b, s, "gaussian_unoriented"), np.exp(-np.square(np.sin(np.arccos(c))) * 2 / s**2))
assert np.allclose(np_kernel_sphere(a, b, s, "binet"), c * c) and np.allclose(np_kernel_sphere(a, b, s, "linear"), c)
m = rng.normal(size=(3, 4)) + 1000
assert np.allclose(log_sum_exp(m, 1), 1000 + np.log(np.exp(m - 1000).sum(1)))
from pykeops.common.operations import ConjugateGradientSolver
A = x @ x.T + np.eye(5)
assert np.allclose(ConjugateGradientSolver("numpy", lambda v: A @ v, q, 1e-9), np.linalg.solve(A, q))
print("all")
"""
    assert python("-c", code) == "all\n"


def test_inputs_that_only_the_formula_names():
    from khufu import FormulaError
    from khufu.numpy import Genred

    x, y = np.ones((4, 3)), np.ones((6, 3))
    declared = ["x = Vi(0,3)"]
    # The formula is 0: nothing but its text says that it has four inputs.
    zero = Genred("Grad(Grad(x + Var(1, 3, 1), x, Var(2,3,0)), x, Var(3,3,0))", declared, axis=1)
    assert zero.aliases == ["x = Vi(0,3)", "Var(1,3,1)", "Var(2,3,0)", "Var(3,3,0)"] and declared == ["x = Vi(0,3)"]
    assert np.array_equal(zero(x, y, x, x), np.zeros((4, 3)))
    with pytest.raises(FormulaError, match=r"Var\(2,3,1\) came where 1 is the next"):
        Genred("x + Var(2,3,1)", declared)


@needs_torch
def test_grids_of_pykeops_torch_begin_at_the_minimum(python):
    code = """
import khufu
khufu.as_pykeops()
import torch
from pykeops.torch.cluster import grid_cluster
import pykeops.numpy.cluster
x = torch.tensor([[0.75], [1.25], [1.70], [1.80]])
print(grid_cluster(x, 1.0).tolist(), grid_cluster(x[:0], 1.0).tolist(), pykeops.numpy.cluster.grid_cluster(x.numpy(), 1.0).tolist())
"""
    assert python("-c", code) == "[0, 0, 0, 1] [] [0, 1, 1, 1]\n"


@needs_torch
def test_reductions_as_the_engine_has_them(python):
    code = """
import khufu
khufu.as_pykeops()
import torch
from pykeops.torch.cluster import from_matrix
from pykeops.torch.generic.generic_red import GenredAutograd_fun, Genred_parameters
x, y = torch.rand(7, 3, dtype=torch.float64, requires_grad=True), torch.rand(5, 3, dtype=torch.float64)
params = Genred_parameters()
params.formula, params.aliases = "Sum_Reduction(Exp(-SqDist(x,y)),0)", ["x=Vi(3)", "y=Vj(3)"]
out = GenredAutograd_fun(params, x, y)
expected = torch.exp(-((x[:, None] - y[None]) ** 2).sum(-1)).sum(1, keepdim=True)
assert torch.allclose(out, expected)
params.formula = "ArgMin_Reduction(SqDist(x,y),1)"
assert torch.equal(GenredAutograd_fun(params, x, y)[:, 0], ((x[:, None] - y[None]) ** 2).sum(-1).argmin(0))
params.formula, params.ranges = "Sum_Reduction(SqDist(x,y),1)", from_matrix(*map(torch.tensor, ([[0, 7]], [[0, 2], [2, 5]], [[True, False]])))
assert torch.allclose(GenredAutograd_fun(params, x, y)[:, 0], torch.cat([((x[:, None] - y[None, :2]) ** 2).sum((0, 2)), torch.zeros(3)]))
assert torch.allclose(*(torch.autograd.grad(value.sin().sum(), x)[0] for value in (out, expected)))
print("all")
"""
    assert python("-c", code) == "all\n"
