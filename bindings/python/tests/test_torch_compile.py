"""torch.compile, fake tensors and exported programs: reductions are operators in a graph."""

import subprocess
import sys

import pytest
import torch
from khufu.torch import Genred, KernelSolve, LazyTensor, Vi, Vj
from torch._subclasses.fake_tensor import FakeTensorMode

if not hasattr(torch.library, "custom_op"):
    pytest.skip("operators came with PyTorch 2.4", allow_module_level=True)

torch.manual_seed(2)
ALIASES = ["x = Vi(2)", "y = Vj(2)", "b = Vj(1)", "p = Pm(1)"]
GAUSSIAN = Genred("Exp(-p * SqDist(x, y)) * b", ALIASES, axis=1)
LOGARITHM = Genred("-p * SqDist(x, y) + b", ALIASES, "LogSumExp", axis=1)
NEAREST = Genred("SqDist(x, y)", ALIASES[:2], "KMin_ArgKMin", axis=1, opt_arg=2)


def inputs(*shapes):
    return [torch.rand(*shape, dtype=torch.float64).requires_grad_() for shape in shapes]


def genreds(x, y, b, p):
    distances, indices = NEAREST(x, y)
    return (GAUSSIAN(x * 2, y, b, p).sin() * LOGARITHM(x, y, b, p)).sum() + (distances * (1 + indices)).sum()


def lazy_tensors(x, y, b, p):
    x_i, y_j, b_j = LazyTensor(x[..., :, None, :]), Vj(y), Vj(b)
    squares = ((x_i - y_j) ** 2).sum(-1)
    kernel = (-squares / 0.5 + 1).exp()
    axis = squares.nbatchdims + 1
    return (kernel * b_j).sum(axis).sin().sum() + (-squares * 2.5).logsumexp(axis).sum() + squares.Kmin(2, axis).sum()


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("function", [genreds, lazy_tensors])
def test_whole_graphs(function, dynamic):
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager", dynamic=dynamic)
    for shapes in (((5, 2), (4, 2), (4, 1), (1,)), ((7, 2), (6, 2), (6, 1), (1,)), ((3, 7, 2), (6, 2), (6, 1), (1,))):
        arrays = inputs(*shapes)
        found, expected = compiled(*arrays), function(*arrays)
        torch.testing.assert_close(found, expected)
        keywords = {"allow_unused": True, "materialize_grads": True}
        for one, other in zip(
            torch.autograd.grad(found, arrays, **keywords), torch.autograd.grad(expected, arrays, **keywords)
        ):
            torch.testing.assert_close(one, other)


def test_graphs_hold_operators():
    graphs = []

    def keep(graph, _):
        graphs.append(graph)
        return graph

    torch.compile(genreds, fullgraph=True, backend=keep)(*inputs((5, 2), (4, 2), (4, 1), (1,)))
    (graph,) = graphs
    assert [str(node.target) for node in graph.graph.nodes].count("khufu.reduce") == 3


def test_breaks_are_harmless():
    """What a tracer does not follow, a lazy tensor beside a tensor in an operator, runs as it is."""

    def function(x, y, b):
        return (-((Vi(x) - Vj(y)) ** 2).sum(-1)).exp() @ b.sin()

    arrays = inputs((5, 2), (4, 2), (4, 1))
    found, expected = torch.compile(function, backend="aot_eager")(*arrays), function(*arrays)
    torch.testing.assert_close(found, expected)
    for one, other in zip(torch.autograd.grad(found.sum(), arrays), torch.autograd.grad(expected.sum(), arrays)):
        torch.testing.assert_close(one, other)


def test_block_sparsity():
    ranges = tuple(torch.tensor(part) for part in ([[0, 3]], [1], [[1, 4]], [[1, 4]], [1], [[0, 3]]))

    def function(x, y, b, p):
        return GAUSSIAN(x, y, b, p, ranges=ranges)

    arrays = inputs((5, 2), (4, 2), (4, 1), (1,))
    found, expected = torch.compile(function, fullgraph=True, backend="aot_eager")(*arrays), function(*arrays)
    torch.testing.assert_close(found, expected)
    for one, other in zip(torch.autograd.grad(found.sum(), arrays), torch.autograd.grad(expected.sum(), arrays)):
        torch.testing.assert_close(one, other)


def test_fake_tensors():
    with FakeTensorMode():
        x, y, b, p = (
            torch.empty(*shape, dtype=torch.float32, requires_grad=True)
            for shape in ((3, 5, 2), (4, 2), (1, 4, 1), (1,))
        )
        found = GAUSSIAN(x, y, b, p)
        assert (found.shape, found.dtype) == ((3, 5, 1), torch.float32)
        values, indices = NEAREST(x, y)
        assert (values.shape, indices.shape, indices.dtype) == ((3, 5, 2), (3, 5, 2), torch.int64)
        gradients = torch.autograd.grad(found.sum(), (x, y, b, p), create_graph=True)
        assert [gradient.shape for gradient in gradients] == [array.shape for array in (x, y, b, p)]
        (second,) = torch.autograd.grad(gradients[0].sum(), p)
        assert second.shape == p.shape
        assert (Vi(x[0]) - Vj(y)).sqnorm2().logsumexp(1).shape == (5, 1)


def test_the_operator_is_sound():
    arrays = inputs((5, 2), (4, 2), (4, 1), (1,))
    from khufu._recipes import recipe_of, reduction_of

    recipe = recipe_of(reduction_of(LOGARITHM._recipe))
    torch.library.opcheck(torch.ops.khufu.reduce, (arrays, [], [], False, recipe, "auto", 0, False))


def test_systems():
    system = KernelSolve("Exp(-p * SqDist(x, y)) * b", ALIASES, "b", axis=1)

    def function(x, b, p, alpha):
        first = system(x, x, b, p, alpha=alpha, eps=1e-12)
        return (first * (-Vi(x).sqdist(Vj(x))).exp().solve(b.sin(), alpha=0.5, eps=1e-12)).sum()

    arrays = [*inputs((5, 2), (5, 1), (1,)), torch.tensor(0.4, dtype=torch.float64, requires_grad=True)]
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    found, expected = compiled(*arrays), function(*arrays)
    torch.testing.assert_close(found, expected)
    for one, other in zip(torch.autograd.grad(found, arrays), torch.autograd.grad(expected, arrays)):
        torch.testing.assert_close(one, other)
    with FakeTensorMode():
        x, b, p = (torch.empty(*shape) for shape in ((5, 2), (5, 1), (1,)))
        assert system(x, x, b, p).shape == (5, 1)


def test_imports():
    program = "import sys, khufu.torch; assert 'torch._dynamo' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_export():
    class Module(torch.nn.Module):
        def forward(self, x, y, b, p):
            return GAUSSIAN(x, y, b, p).sin()

    arrays = tuple(array.detach() for array in inputs((5, 2), (4, 2), (4, 1), (1,)))
    program = torch.export.export(Module(), arrays)
    torch.testing.assert_close(program.module()(*arrays), Module()(*arrays))


def test_transforms_in_graphs():
    def function(x, y, b, p):
        return torch.func.grad(lambda x: GAUSSIAN(x, y, b, p).sum())(x)

    arrays = [array.detach() for array in inputs((5, 2), (4, 2), (4, 1), (1,))]
    found = torch.compile(function, backend="aot_eager")(*arrays)
    torch.testing.assert_close(found, function(*arrays))
