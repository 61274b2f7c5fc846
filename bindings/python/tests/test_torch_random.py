"""Random expressions of lazy tensors and random formulas, with random shapes, against dense tensors: values, first and second derivatives."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from khufu.torch import Genred, LazyTensor

lengths = st.integers(2, 4)

#: For a lazy tensor, in a formula, and for a dense tensor. All are smooth where they are used.
UNARY = [
    (lambda a: a.exp(), "Exp({})", torch.exp),
    (lambda a: a.sin(), "Sin({})", torch.sin),
    (lambda a: a**2, "Square({})", torch.square),
    (lambda a: -a, "Minus({})", torch.neg),
    (lambda a: a.sum(-1), "Sum({})", lambda a: a.sum(-1, keepdim=True)),
    (lambda a: (1 + a.square()).log(), "Log(IntCst(1) + Square({}))", lambda a: torch.log(1 + a**2)),
    (lambda a: a / (1 + a * a), "({0} / (IntCst(1) + {0} * {0}))", lambda a: a / (1 + a * a)),
    (lambda a: (2 + a.cos()).sqrt(), "Sqrt(IntCst(2) + Cos({}))", lambda a: torch.sqrt(2 + torch.cos(a))),
    (lambda a: a.sqnorm2(), "SqNorm2({})", lambda a: (a**2).sum(-1, keepdim=True)),
    (lambda a: a[0], "Elem({}, 0)", lambda a: a[..., :1]),
    (lambda a: a.atan(), "Atan({})", torch.atan),
    (lambda a: a.relu() * a, "(ReLU({0}) * {0})", lambda a: torch.relu(a) * a),
]
BINARY = [
    (lambda a, b: a + b, "({} + {})", torch.add),
    (lambda a, b: a - b, "({} - {})", torch.sub),
    (lambda a, b: a * b, "({} * {})", torch.mul),
    (lambda a, b: a / (1 + b * b), "({0} / (IntCst(1) + {1} * {1}))", lambda a, b: a / (1 + b * b)),
    (
        lambda a, b: (a * b).sum(-1), "Sum({} * {})", lambda a, b: (a * b).sum(-1, keepdim=True),
    ),
    (
        lambda a, b: ((a - b) ** 2).sum(-1), "SqNorm2({} - {})", lambda a, b: ((a - b) ** 2).sum(-1, keepdim=True),
    ),
    (lambda a, b: a.concat(b), "Concat({}, {})", lambda a, b: torch.cat(_aligned(a, b), -1)),
]  # fmt: skip


def _aligned(a, b):
    """Equal shapes but for the last axis."""
    shape = torch.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    return a.expand(*shape, a.shape[-1]), b.expand(*shape, b.shape[-1])


@st.composite
def cases(draw):
    """Tensors (batch…, rows, columns, components), and an expression of them three times: lazy, as text, dense."""
    torch.manual_seed(draw(st.integers(0, 10**6)))
    rank = draw(st.integers(0, 2))
    batch = [draw(lengths) for _ in range(rank)]
    rows, columns, components = draw(lengths), draw(lengths), draw(lengths)
    arrays, categories = [], []
    for k in range(4):
        own = [length if draw(st.booleans()) else 1 for length in batch][draw(st.integers(0, rank)) if rank else 0 :]
        # Rows and columns are there; the rest is any.
        category = k if k < 2 else draw(st.integers(0, 2))
        shape = (
            *own,
            rows if category == 0 else 1,
            columns if category == 1 else 1,
            draw(st.sampled_from([1, components])),
        )
        arrays.append(torch.randn(shape, dtype=torch.float64).requires_grad_())
        categories.append(category)
    stack = [(LazyTensor(array), f"x{k}", array) for k, array in enumerate(arrays)]
    for _ in range(draw(st.integers(1, 6))):
        a, a_text, a_dense = draw(st.sampled_from(stack))
        if draw(st.booleans()):
            f, text, f_dense = draw(st.sampled_from(UNARY))
            operands, made = (a,), (text.format(a_text), f_dense(a_dense))
        else:
            f, text, f_dense = draw(st.sampled_from(BINARY))
            b, b_text, b_dense = draw(st.sampled_from(stack))
            if a_dense.shape[-1] != b_dense.shape[-1] and 1 not in (a_dense.shape[-1], b_dense.shape[-1]):
                continue
            if "Concat" in text and a_dense.shape[-1] + b_dense.shape[-1] > 6:
                continue
            operands, made = (a, b), (text.format(a_text, b_text), f_dense(a_dense, b_dense))
        if made[1].detach().abs().max() < 30:
            stack.append((f(*operands), *made))
    # Everything at once, so that nothing is left out.
    lazy, text, dense = stack[-1]
    for other, other_text, other_dense in stack[:4]:
        lazy, text, dense = (
            lazy + other.sum(-1),
            f"({text} + Sum({other_text}))",
            dense + other_dense.sum(-1, keepdim=True),
        )
    return arrays, categories, lazy, text, dense


def close(found, expected):
    assert found.shape == expected.shape
    scale = max(1.0, float(expected.detach().abs().max()))
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-9 * scale)


def derivatives_agree(found, expected, arrays):
    """Compares values, gradients and Hessians times a vector."""
    close(found, expected)
    cotangent = torch.randn_like(expected)
    first = torch.autograd.grad(found, arrays, cotangent, create_graph=True)
    first_expected = torch.autograd.grad(expected, arrays, cotangent, create_graph=True, materialize_grads=True)
    for one, other in zip(first, first_expected):
        close(one, other)
    directions = [torch.randn_like(array) for array in arrays]
    slopes = [
        sum((gradient * direction).sum() for gradient, direction in zip(gradients, directions))
        for gradients in (first, first_expected)
    ]
    if slopes[1].requires_grad:
        keywords = {"allow_unused": True, "materialize_grads": True}
        for one, other in zip(*(torch.autograd.grad(slope, arrays, **keywords) for slope in slopes)):
            close(one, other)


KINDS = {
    "Sum": (lambda lazy, axis, **keywords: lazy.sum(axis, **keywords), lambda full, axis: full.sum(axis)),
    "LogSumExp": (
        lambda lazy, axis, **keywords: lazy.sum(-1).logsumexp(axis, **keywords),
        lambda full, axis: full.sum(-1, keepdim=True).logsumexp(axis),
    ),
    "Max": (lambda lazy, axis, **keywords: lazy.max(axis, **keywords), lambda full, axis: full.amax(axis)),
}


@settings(max_examples=150, deadline=None)
@given(cases(), st.sampled_from(list(KINDS)), st.integers(0, 1))
def test_lazy_tensors(case, kind, over):
    arrays, _, lazy, _, dense = case
    full = dense.reshape((1,) * (3 - dense.dim()) + tuple(dense.shape))
    reduce, reduce_dense = KINDS[kind]
    found = reduce(lazy, lazy.nbatchdims + over, backend="interpreter")
    derivatives_agree(found, reduce_dense(full, full.dim() - 3 + over), arrays)


@settings(max_examples=100, deadline=None)
@given(cases(), st.sampled_from(["Sum", "Min"]), st.integers(0, 1))
def test_formulas(case, kind, axis):
    arrays, categories, _, text, dense = case
    names = ("Vi", "Vj", "Pm")
    aliases = [
        f"x{k} = {names[category]}({array.shape[-1]})" for k, (array, category) in enumerate(zip(arrays, categories))
    ]
    data = [
        array.squeeze(-2 if category == 0 else -3) if category < 2 else array[..., 0, 0, :]
        for array, category in zip(arrays, categories)
    ]
    found = Genred(text, aliases, kind, axis=axis)(*data, backend="interpreter")
    full = dense.reshape((1,) * (3 - dense.dim()) + tuple(dense.shape))
    dim = full.dim() - 3 + axis
    derivatives_agree(found, full.sum(dim) if kind == "Sum" else full.amin(dim), arrays)


@settings(max_examples=4, deadline=None)
@given(cases(), st.integers(0, 1))
def test_usual_engine(case, over):
    arrays, _, lazy, _, dense = case
    full = dense.reshape((1,) * (3 - dense.dim()) + tuple(dense.shape))
    found = lazy.sum(lazy.nbatchdims + over)
    derivatives_agree(found, full.sum(full.dim() - 3 + over), arrays)
