"""Genred for PyTorch: values and derivatives of every kind of reduction, against dense tensors in float64 and finite differences."""

import pytest
import torch
from khufu.errors import ArgumentError, ArrayTypeError, EngineError
from khufu.torch import Genred, generic_argkmin, generic_argmin, generic_logsumexp, generic_sum
from torch.autograd import gradcheck, gradgradcheck

torch.manual_seed(0)
M, N, D = 5, 6, 2
ALIASES = ["x = Vi(2)", "y = Vj(2)", "b = Vj(2)", "a = Vi(2)", "p = Pm(1)"]
SCALAR = "-p * SqDist(x, y) + Sum(a * b)"
VECTOR = "Sin(x * y) * p + a * b"


def inputs(*batches, dtype=torch.float64):
    batches = batches or ((),) * 5
    shapes = [(M, D), (N, D), (N, 2), (M, 2), (1,)]
    return [torch.randn(*batch, *shape, dtype=dtype).requires_grad_() for batch, shape in zip(batches, shapes)]


def pairs(x, y, b, a, p):
    return x[..., :, None, :], y[..., None, :, :], b[..., None, :, :], a[..., :, None, :], p[..., None, None, :]


def scalar(*arrays):
    x, y, b, a, p = pairs(*arrays)
    return -p * ((x - y) ** 2).sum(-1, keepdim=True) + (a * b).sum(-1, keepdim=True)


def vector(*arrays):
    x, y, b, a, p = pairs(*arrays)
    return torch.sin(x * y) * p + a * b


def weight(*arrays):
    return 2 + torch.sin(pairs(*arrays)[2])


def shifted_pair(arrays, dim):
    largest = scalar(*arrays).amax(dim, keepdim=True)
    return torch.cat([largest.squeeze(dim), (torch.exp(scalar(*arrays) - largest) * weight(*arrays)).sum(dim)], -1)


def smallest(arrays, dim):
    # (batch…, points, K, D)
    return vector(*arrays).sort(dim).values.narrow(dim, 0, 3).movedim(dim, -2)


#: name: (formula, keywords, the same on dense tensors)
KINDS = {
    "Sum": (VECTOR, {}, lambda arrays, dim: vector(*arrays).sum(dim)),
    "LogSumExp": (SCALAR, {}, lambda arrays, dim: scalar(*arrays).logsumexp(dim)),
    "LogSumExpWeight": (
        SCALAR, {"formula2": "IntCst(2) + Sin(b)"},
        lambda arrays, dim: (scalar(*arrays) + weight(*arrays).log()).logsumexp(dim),
    ),
    "SumSoftMaxWeight": (
        SCALAR, {"formula2": "IntCst(2) + Sin(b)"},
        lambda arrays, dim: (scalar(*arrays).softmax(dim) * weight(*arrays)).sum(dim),
    ),
    "Max_SumShiftExpWeight": (SCALAR, {"formula2": "IntCst(2) + Sin(b)"}, shifted_pair),
    "Min": (VECTOR, {}, lambda arrays, dim: vector(*arrays).amin(dim)),
    "Max": (VECTOR, {}, lambda arrays, dim: vector(*arrays).amax(dim)),
    "KMin": (VECTOR, {"opt_arg": 3}, smallest),
}  # fmt: skip
BATCHES = {
    "none": ((),) * 5,
    "all": ((3,),) * 5,
    "broadcast": ((2, 1), (3,), (), (2, 3), (1, 1)),
    "parameter": ((), (), (), (), (4,)),
}


#: Second derivatives are large programs. Most are interpreted here; compiling them is tested with the engine.
INTERPRETED = {"backend": "interpreter"}


def close(found, expected):
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


def gradients(result, arrays, cotangent, **keywords):
    return torch.autograd.grad(result, arrays, cotangent, allow_unused=True, materialize_grads=True, **keywords)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("batches", BATCHES)
@pytest.mark.parametrize("kind", KINDS)
def test_first_and_second_derivatives(kind, batches, axis):
    formula, keywords, dense = KINDS[kind]
    arrays = inputs(*BATCHES[batches])
    how = {} if (batches, axis) == ("broadcast", 1) and kind in ("Sum", "LogSumExp", "Min") else INTERPRETED
    found = Genred(formula, ALIASES, kind, axis=axis, **keywords)(*arrays, **how)
    expected = dense(arrays, -2 if axis else -3)
    # Dense tensors have the batch axes of what is reduced only; here all inputs count.
    expected = expected.expand(found.shape)
    close(found, expected)

    cotangent = torch.randn_like(found).requires_grad_()
    directions = [torch.randn_like(array) for array in arrays]
    first = gradients(found, arrays, cotangent, create_graph=True)
    first_expected = gradients(expected, arrays, cotangent, create_graph=True)
    for one, other in zip(first, first_expected):
        close(one, other)
    slope = sum((gradient * direction).sum() for gradient, direction in zip(first, directions))
    slope_expected = sum((gradient * direction).sum() for gradient, direction in zip(first_expected, directions))
    if slope_expected.requires_grad:
        for one, other in zip(
            gradients(slope, (*arrays, cotangent), None), gradients(slope_expected, (*arrays, cotangent), None)
        ):
            close(one, other)


@pytest.mark.parametrize("kind", ["Sum", "LogSumExp", "KMin"])
def test_finite_differences(kind):
    formula, keywords, _ = KINDS[kind]
    genred = Genred(formula, ALIASES, kind, axis=1, **keywords)
    arrays = [array.detach()[..., :3, :].clone().requires_grad_() for array in inputs()[:4]] + [inputs()[4]]

    def function(*arrays):
        return genred(*arrays, **INTERPRETED)

    assert gradcheck(function, arrays, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(function, arrays, check_fwd_over_rev=True, check_batched_grad=True)


def test_third_derivative():
    x = torch.randn(4, 1, dtype=torch.float64, requires_grad=True)
    y = torch.randn(3, 1, dtype=torch.float64)
    found, expected = Genred("Exp(x * y)", ["x = Vi(1)", "y = Vj(1)"], axis=1)(x, y), torch.exp(x @ y.T).sum(1)
    for _ in range(3):
        (found,) = torch.autograd.grad(found.sum(), x, create_graph=True)
        (expected,) = torch.autograd.grad(expected.sum(), x, create_graph=True)
        close(found, expected)


def test_values_beside_indices():
    arrays = inputs()
    for name, function in (("Min", torch.min), ("Max", torch.max)):
        values, indices = Genred(VECTOR, ALIASES, f"{name}_Arg{name}", axis=1)(*arrays)
        expected, where = function(vector(*arrays), 1)
        close(values, expected)
        assert torch.equal(indices, where) and not indices.requires_grad
        for one, other in zip(
            gradients(values.sin().sum(), arrays, None), gradients(expected.sin().sum(), arrays, None)
        ):
            close(one, other)
        assert torch.equal(Genred(VECTOR, ALIASES, f"Arg{name}", axis=1)(*arrays), where)
    values, indices = Genred(VECTOR, ALIASES, "KMin_ArgKMin", axis=1, opt_arg=3)(*arrays)
    close(gradients(values.sum(), arrays, None)[0], gradients(smallest(arrays, 1).sum(), arrays, None)[0])
    assert indices.dtype == torch.int64


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("kind", ["Sum", "LogSumExp", "Min"])
def test_block_sparsity(kind, axis):
    formula, keywords, _ = KINDS[kind]
    pattern = [[[0, 3], [3, M]], [1, 3], [[0, 4], [0, 2], [5, N]]], [[[0, 2], [2, N]], [1, 2], [[0, 3], [2, M]]]
    ranges = tuple(torch.tensor(part, dtype=torch.int32) for half in pattern for part in half)
    kept = torch.zeros(M, N, 1, dtype=torch.bool)
    if axis:
        kept[0:3, 0:4] = kept[3:, 0:2] = kept[3:, 5:] = True
    else:
        kept[0:3, 0:2] = kept[2:, 2:] = True
    left_out = {"Sum": 0.0, "LogSumExp": -torch.inf, "Min": torch.inf}[kind]
    dense = {"Sum": vector, "LogSumExp": scalar, "Min": vector}[kind]
    arrays = inputs()
    found = Genred(formula, ALIASES, kind, axis=axis, **keywords)(*arrays, ranges=ranges, **INTERPRETED)
    full = torch.where(kept, dense(*arrays), torch.tensor(left_out, dtype=torch.float64))
    expected = {"Sum": full.sum, "LogSumExp": full.logsumexp, "Min": full.amin}[kind](axis)
    close(found, expected)
    cotangent = torch.randn_like(found)
    first = gradients(found, arrays, cotangent, create_graph=True)
    first_expected = gradients(expected, arrays, cotangent, create_graph=True)
    for one, other in zip(first, first_expected):
        close(one, other)
    for one, other in zip(
        gradients(sum(g.sin().sum() for g in first), arrays, None),
        gradients(sum(g.sin().sum() for g in first_expected), arrays, None),
    ):
        close(one, other)


def test_block_sparsity_of_batch_items():
    arrays = inputs(*((2,),) * 5)
    everything = [torch.tensor(part) for part in ([[0, M]], [1], [[0, N]], [[0, N]], [1], [[0, M]])]
    corner = [torch.tensor(part) for part in ([[0, 2]], [1], [[0, 3]], [[0, 3]], [1], [[0, 2]])]
    found = Genred(VECTOR, ALIASES, axis=1)(*arrays, ranges=[tuple(corner), tuple(everything)])
    kept = torch.ones(2, M, N, 1)
    kept[0] = 0
    kept[0, :2, :3] = 1
    expected = (vector(*arrays) * kept).sum(-2)
    close(found, expected)
    for one, other in zip(gradients(found.sin().sum(), arrays, None), gradients(expected.sin().sum(), arrays, None)):
        close(one, other)


def test_memory_layouts():
    x, y, b, a, p = (array.detach() for array in inputs(*((2,),) * 5))
    genred = Genred(VECTOR, ALIASES, axis=1)
    expected = genred(x, y, b, a, p)
    strided = x.transpose(-1, -2).contiguous().transpose(-1, -2)
    close(genred(strided, y, b, a, p), expected)
    assert not strided.is_contiguous()
    close(genred(x, y[:1].expand(2, N, D), b, a, p), genred(x, y[:1], b, a, p))
    conjugated = torch.complex(y, -y).conj().imag
    assert conjugated.is_neg()
    close(genred(x, conjugated, b, a, p), expected)
    sliced = torch.cat([a, a], -1)[..., :2].requires_grad_()
    close(gradients(genred(x, y, b, sliced, p).sum(), [sliced], None)[0], b.sum(-2, keepdim=True).expand(2, M, 2))


def test_no_copies():
    from khufu.torch._arrays import TORCH

    x = torch.randn(M, D)
    assert TORCH.contiguous(x) is x and TORCH.address(x) == x.data_ptr()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    arrays = [array.detach().to(dtype) for array in inputs()]
    found = Genred(VECTOR, ALIASES, axis=1)(*arrays)
    assert found.dtype == dtype
    expected = vector(*[array.double() for array in arrays]).sum(1)
    torch.testing.assert_close(found.double(), expected, rtol=1e-2, atol=2e-2)
    arrays[0].requires_grad_()
    Genred(VECTOR, ALIASES, axis=1)(*arrays).sum().backward()
    assert arrays[0].grad.dtype == dtype


def test_single_precision():
    arrays = inputs(dtype=torch.float32)
    found = Genred(SCALAR, ALIASES, "LogSumExp", axis=1)(*arrays)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, scalar(*arrays).logsumexp(1), rtol=1e-5, atol=1e-5)


def test_modules():
    class Kernel(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.p = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
            self.genred = Genred(SCALAR, ALIASES, "LogSumExp", axis=1)

        def forward(self, *arrays):
            return self.genred(*arrays, self.p)

    x, y, b, a, _ = inputs()
    kernel = Kernel()
    kernel(x, y, b, a).sum().backward()
    (expected,) = torch.autograd.grad(scalar(x, y, b, a, kernel.p).logsumexp(1).sum(), kernel.p)
    close(kernel.p.grad, expected)


def test_only_what_is_asked_for_is_differentiated():
    x, y, b, a, p = inputs()
    genred = Genred(VECTOR, ALIASES, axis=1)
    found = genred(x, y.detach(), b, a.detach(), p)
    found.sum().backward()
    assert y.grad is None and a.grad is None
    close(x.grad, gradients(vector(x, y, b, a, p).sum(), [x], None)[0])
    with torch.no_grad():
        assert not genred(x, y, b, a, p).requires_grad
    with torch.inference_mode():
        assert not genred(x, y, b, a, p).requires_grad
    assert not genred(*[array.detach() for array in (x, y, b, a, p)]).requires_grad


def test_inputs_changed_in_place_are_noticed():
    arrays = inputs()
    found = Genred(VECTOR, ALIASES, axis=1)(*arrays)
    with torch.no_grad():
        arrays[0].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        found.sum().backward()


def test_an_input_in_two_places():
    x = torch.randn(M, 2, dtype=torch.float64, requires_grad=True)
    genred = Genred("Exp(-SqDist(x, y)) * b", ALIASES[:3], axis=1)
    expected = torch.exp(-((x[:, None] - x) ** 2).sum(-1)) @ x
    close(gradients(genred(x, x, x).sum(), [x], None)[0], gradients(expected.sum(), [x], None)[0])


def test_out():
    arrays = [array.detach() for array in inputs()]
    genred = Genred(VECTOR, ALIASES, axis=1)
    out = torch.empty(M, 2, dtype=torch.float64)
    assert genred(*arrays, out=out) is out
    close(out, vector(*arrays).sum(1))
    # A result in memory of the caller's can be differentiated.
    arrays[0].requires_grad_()
    other = torch.empty(M, 2, dtype=torch.float64)
    found = genred(*arrays, out=other)
    assert found.data_ptr() == other.data_ptr()
    close(gradients(found.sum(), arrays[:1], None)[0], gradients(vector(*arrays).sum(), arrays[:1], None)[0])


def test_generic_functions():
    x, y, b, _, _ = (array.detach() for array in inputs())
    squares = ((x[:, None] - y) ** 2).sum(-1)
    close(generic_sum("Exp(-SqDist(x, y)) * b", "a = Vi(2)", *ALIASES[:3])(x, y, b), torch.exp(-squares) @ b)
    close(generic_logsumexp("-SqDist(x, y)", "a = Vj(1)", *ALIASES[:2])(x, y), (-squares).logsumexp(0)[:, None])
    assert torch.equal(generic_argmin("SqDist(x, y)", "a = Vi(1)", *ALIASES[:2])(x, y)[:, 0], squares.argmin(1))
    nearest = generic_argkmin("SqDist(x, y)", "a = Vi(3)", *ALIASES[:2])(x, y)
    assert torch.equal(nearest, squares.argsort(1)[:, :3])


@pytest.mark.parametrize(
    ("changed", "keywords", "error", "message"),
    [
        ({0: torch.zeros(M, D)}, {}, ArrayTypeError, "is float32 and|is float32\\."),
        ({0: torch.zeros(M, D, dtype=torch.bfloat16)}, {}, ArrayTypeError, "bfloat16"),
        ({0: torch.zeros(M, 3, dtype=torch.float64)}, {}, ArgumentError, "x"),
        ({0: torch.zeros(M + 1, D, dtype=torch.float64)}, {}, ArgumentError, str(M + 1)),
        ({0: [[0.0, 0.0]]}, {}, ArrayTypeError, "list"),
        ({4: 1.0}, {}, ArrayTypeError, "float"),
        ({}, {"out": torch.zeros(M, 3, dtype=torch.float64)}, ArgumentError, "shape"),
        ({}, {"out": torch.zeros(M, 2)}, ArrayTypeError, "float32"),
        ({}, {"out": torch.zeros(2, M, dtype=torch.float64).T}, ArrayTypeError, "contiguous"),
        ({}, {"backend": "GPU_1D", "device_id": 99}, EngineError, "no CUDA device"),
        ({}, {"ranges": (torch.tensor([[0, M + 1]]), torch.tensor([1]), torch.tensor([[0, N]])) * 2}, ArgumentError, "ange"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("requires_grad", [False, True])
def test_mistakes(changed, keywords, error, message, requires_grad):
    arrays = [array.detach().requires_grad_(requires_grad) for array in inputs()]
    for position, value in changed.items():
        arrays[position] = value
    with pytest.raises(error, match=message):
        Genred(VECTOR, ALIASES, axis=1)(*arrays, **keywords)


def test_other_devices():
    # Tensors without memory have results without memory.
    arrays = [array.detach().to("meta") for array in inputs()]
    found = Genred(VECTOR, ALIASES, "KMin_ArgKMin", axis=1, opt_arg=4)(*arrays)
    assert [x.device.type for x in found] == ["meta", "meta"]
    assert [x.shape for x in found] == [(M, 4, 2), (M, 4, 2)]

    class Elsewhere:
        is_cpu, is_cuda, is_meta, device = False, False, False, "mps:0"

    from khufu.torch._arrays import TORCH

    with pytest.raises(EngineError, match="mps:0 came"):
        TORCH.check_device(Elsewhere())
