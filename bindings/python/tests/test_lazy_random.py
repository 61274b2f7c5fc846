"""Random expressions of lazy tensors, with random shapes, against the same on NumPy's arrays."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from khufu.numpy import LazyTensor

lengths = st.integers(1, 4)


@st.composite
def shapes(draw):
    """Shapes (batch…, rows, columns, components) that broadcast, of which none has both rows and columns."""
    rank = draw(st.integers(0, 2))
    batch = [draw(lengths) for _ in range(rank)]
    rows, columns, components = draw(lengths), draw(lengths), draw(lengths)
    found = []
    for _ in range(4):
        own = [length if draw(st.booleans()) else 1 for length in batch][draw(st.integers(0, rank)) if rank else 0 :]
        kind = draw(st.integers(0, 2))
        found.append(
            (*own, rows if kind == 0 else 1, columns if kind == 1 else 1, draw(st.sampled_from([1, components])))
        )
    return found


UNARY = [
    (lambda a: a.exp(), np.exp),
    (lambda a: a.sin(), np.sin),
    (lambda a: a**2, lambda a: a**2),
    (lambda a: abs(a), np.abs),
    (lambda a: -a, np.negative),
    (lambda a: a.sum(-1), lambda a: a.sum(-1, keepdims=True)),
    (lambda a: a.max(-1), lambda a: a.max(-1, keepdims=True)),
    (lambda a: a.relu(), lambda a: np.maximum(a, 0)),
    (lambda a: 2 * a - 1.5, lambda a: 2 * a - 1.5),
    (lambda a: a / (1 + a * a), lambda a: a / (1 + a * a)),
    (lambda a: (1 + a.square()).log(), lambda a: np.log(1 + a**2)),
    (lambda a: a[0], lambda a: a[..., :1]),
    (lambda a: a.clamp(-1, 0.5), lambda a: np.clip(a, -1, 0.5)),
]
BINARY = [
    (lambda a, b: a + b, np.add),
    (lambda a, b: a - b, np.subtract),
    (lambda a, b: a * b, np.multiply),
    (lambda a, b: a.atan2(1 + b * b), lambda a, b: np.arctan2(a, 1 + b * b)),
    (lambda a, b: a < b, lambda a, b: (a < b) * 1.0),
    (lambda a, b: a.ifelse(b, 0.5), lambda a, b: np.where(a >= 0, b, 0.5)),
    (lambda a, b: a.sqdist(b), lambda a, b: ((a - b) ** 2).sum(-1, keepdims=True)),
    (
        lambda a, b: a.concat(b).norm2(),
        lambda a, b: np.sqrt((a**2).sum(-1, keepdims=True) + (b**2).sum(-1, keepdims=True)),
    ),
]


@st.composite
def expressions(draw):
    """An expression as a lazy tensor and as an array."""
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    stack = []
    for shape in draw(shapes()):
        array = random.normal(size=shape)
        stack.append((LazyTensor(array), array))
    for _ in range(draw(st.integers(1, 7))):
        a, A = draw(st.sampled_from(stack))
        if draw(st.booleans()):
            f, F = draw(st.sampled_from(UNARY))
            stack.append((f(a), F(A)))
        else:
            f, F = draw(st.sampled_from(BINARY))
            b, B = draw(st.sampled_from(stack))
            stack.append((f(a, b), F(A, B)))
        if not np.isfinite(stack[-1][1]).all() or abs(stack[-1][1]).max() > 1e6:
            stack.pop()
    # Everything at once, so that nothing is left out.
    a, A = stack[-1]
    for b, B in stack[:4]:
        a, A = a + b.sum(-1), A + B.sum(-1, keepdims=True)
    return a, A


def close(found, expected):
    scale = max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * scale)


@settings(max_examples=60, deadline=None)
@given(expressions(), st.integers(0, 1))
def test_expressions(pair, over):
    lazy, dense = pair
    full = dense.reshape((1,) * (3 - dense.ndim) + dense.shape)
    assert lazy._shape == full.shape
    close(lazy.dense(), full)
    axis = lazy.nbatchdims + over
    close(lazy.sum(axis), full.sum(axis))
    close(lazy.max(axis), full.max(axis))
    close(lazy.T.sum(lazy.nbatchdims + 1 - over), full.sum(axis))
    close(lazy.sum(-1).logsumexp(axis), logsumexp(full.sum(-1, keepdims=True), axis=axis))
