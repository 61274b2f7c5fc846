"""Complex lazy tensors against NumPy's complex arrays."""

import numpy as np
import pytest

from khufu.errors import ArgumentError, ArrayTypeError
from khufu.numpy import ComplexLazyTensor, LazyTensor, Pm, Vi, Vj

random = np.random.default_rng(6)
M, N, D = 5, 6, 3


def complex_normal(*shape):
    return random.normal(size=shape) + 1j * random.normal(size=shape)


x, y, p, r, s = (
    complex_normal(M, D),
    complex_normal(N, D),
    complex_normal(D),
    random.normal(size=(N, D)),
    random.normal(size=(M, 1)),
)
X, Y, P, R, S = x[:, None], y[None], p[None, None], r[None], s[:, None]

EXPRESSIONS = {
    "z + w": lambda z, w, r, s: z + w,
    "z - w": lambda z, w, r, s: z - w,
    "z * w": lambda z, w, r, s: z * w,
    "z / w": lambda z, w, r, s: z / w,
    "z + r": lambda z, w, r, s: z + r,
    "r + z": lambda z, w, r, s: r + z,
    "z - r": lambda z, w, r, s: z - r,
    "r - z": lambda z, w, r, s: r - z,
    "z * r": lambda z, w, r, s: z * r,
    "r * z": lambda z, w, r, s: r * z,
    "z / r": lambda z, w, r, s: z / r,
    "r / z": lambda z, w, r, s: r / z,
    "s * w": lambda z, w, r, s: s * w,
    "w * s": lambda z, w, r, s: w * s,
    "w / s": lambda z, w, r, s: w / s,
    "-z": lambda z, w, r, s: -z * w,
    "z * 2": lambda z, w, r, s: z * 2,
    "2.5 * z": lambda z, w, r, s: 2.5 * z,
    "z + 1": lambda z, w, r, s: z + 1,
    "1 - z": lambda z, w, r, s: 1 - z,
    "1 / z": lambda z, w, r, s: 1 / z,
    "z / 2": lambda z, w, r, s: z / 2,
    "2 / z": lambda z, w, r, s: 2 / z,
    "1j * r": lambda z, w, r, s: 1j * r,
    "r * 1j": lambda z, w, r, s: r * 1j + z,
    "z * 1j": lambda z, w, r, s: z * (0.5 + 1j),
    "1j - z": lambda z, w, r, s: 1j - z,
    "z * vector": lambda z, w, r, s: z * p,
    "list": lambda z, w, r, s: z * [1j, 2.0, 3 - 1j],
    "numpy scalar": lambda z, w, r, s: z * np.complex128(2 - 1j),
    "z * 0": lambda z, w, r, s: z * 0,
    "z ** 2": lambda z, w, r, s: (z * w) ** 2,
    "z ** 5": lambda z, w, r, s: (z * w) ** 5,
    "z ** -3": lambda z, w, r, s: (z * w) ** -3,
    "z ** 0": lambda z, w, r, s: z**0,
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_arithmetic(name):
    f = EXPRESSIONS[name]
    lazy = f(LazyTensor(X), LazyTensor(Y), LazyTensor(R), LazyTensor(S))
    expected = np.asarray(f(X, Y, R, S))
    assert lazy.is_complex and isinstance(lazy, ComplexLazyTensor)
    assert lazy.shape == expected.shape and lazy._shape == (*expected.shape[:-1], 2 * expected.shape[-1])
    np.testing.assert_allclose(lazy.dense(), expected, rtol=1e-11, atol=1e-12)


def test_functions():
    z, Z = LazyTensor(X) * LazyTensor(Y), X * Y
    close = np.testing.assert_allclose
    for lazy, expected in (
        (z.real, Z.real), (z.imag, Z.imag), (z.angle(), np.angle(Z)), (abs(z), abs(Z)), (z.abs(), abs(Z)),
    ):  # fmt: skip
        assert not lazy.is_complex and type(lazy) is LazyTensor
        close(lazy.dense(), expected, atol=1e-13)
    close(z.conj().dense(), Z.conj())
    close(z.exp().dense(), np.exp(Z))
    close(z.square().dense(), Z**2)
    close(z.sum(-1).dense()[..., 0], Z.sum(-1))
    close(z.sum(dim=2).dense()[..., 0], Z.sum(-1))
    close(z.sqnorm2().dense()[..., 0], (abs(Z) ** 2).sum(-1))
    close(z.norm2().dense()[..., 0], np.sqrt((abs(Z) ** 2).sum(-1)))
    close(z.normalize().dense(), Z / np.sqrt((abs(Z) ** 2).sum(-1, keepdims=True)))
    close(LazyTensor(R).real2complex().dense(), R + 0j)
    close(LazyTensor(R).imag2complex().dense(), 1j * R)
    close(LazyTensor(R).exp1j().dense(), np.exp(1j * R))
    for key in (1, -1, slice(0, 2), slice(None, -1)):
        expected = Z[..., key] if isinstance(key, slice) else Z[..., key, None]
        close(z[key].dense(), expected)
    close(z.concat(LazyTensor(R)).dense(), np.concatenate([Z, np.broadcast_to(R, Z.shape)], axis=-1))
    close(z[1:3, [0, 4]].dense(), Z[1:3][:, [0, 4]])


def test_reductions_and_products():
    z, Z = LazyTensor(X) * LazyTensor(Y) * LazyTensor(R), X * Y * R
    for axis in (0, 1):
        result = z.sum(axis)
        assert result.dtype == np.complex128
        np.testing.assert_allclose(result, Z.sum(axis), atol=1e-12)
        np.testing.assert_allclose(z.sum_reduction(axis=axis), Z.sum(axis), atol=1e-12)
        np.testing.assert_allclose(z.T.sum(1 - axis), Z.sum(axis), atol=1e-12)
    k, K = (LazyTensor(X) * LazyTensor(Y)).sum(-1), (X * Y).sum(-1)
    v, w = complex_normal(N, 2), random.normal(size=(N, 2))
    np.testing.assert_allclose(k @ v, K @ v)
    np.testing.assert_allclose(k @ w, K @ w)
    np.testing.assert_allclose(k @ v[:, 0], K @ v[:, 0])
    np.testing.assert_allclose(k.real @ v, K.real @ v)
    out = np.empty((M, 2), complex)
    assert k.__matmul__(v, out=out) is out
    np.testing.assert_allclose(out, K @ v)


def test_batches_and_single_precision():
    a, b = complex_normal(2, M, 1, D).astype("complex64"), complex_normal(1, 1, N, D).astype("complex64")
    lazy = LazyTensor(a) * LazyTensor(b)
    assert lazy.dtype == "complex64" and lazy._dtype == "float32" and lazy.shape == (2, M, N, D)
    result = lazy.sum(2)
    assert result.dtype == np.complex64
    np.testing.assert_allclose(result, (a * b).sum(2), rtol=1e-4, atol=1e-4)


def test_fourier_transform_at_any_points():
    t, f, c = random.uniform(size=(M, 1)), random.uniform(size=(N, 1)), complex_normal(N, 1)
    lazy = (Vi(t) * Vj(f) * (2 * np.pi)).exp1j() * Vj(c)
    np.testing.assert_allclose(lazy.sum(axis=1), np.exp(2j * np.pi * t * f.T) @ c)


def test_construction():
    assert isinstance(LazyTensor(x, axis=0), ComplexLazyTensor)
    assert isinstance(LazyTensor(1j), ComplexLazyTensor) and isinstance(LazyTensor([1.0, 2j]), ComplexLazyTensor)
    assert LazyTensor(1j).dtype is None and Vi(x).dtype == "complex128"
    assert Vi(x).ndim == 2 * D and Vi(x).dim() == 3
    np.testing.assert_allclose(LazyTensor([1.0 + 2j, 3j, -1.0]).dense(), [[[1 + 2j, 3j, -1]]])
    np.testing.assert_allclose(Pm(p).dense(), P)
    np.testing.assert_allclose(LazyTensor(r, axis=1, is_complex=True).dense(), R + 0j)
    np.testing.assert_allclose(ComplexLazyTensor(r, axis=1).dense(), R + 0j)
    np.testing.assert_allclose(ComplexLazyTensor(x, axis=0).dense(), X)
    np.testing.assert_allclose((ComplexLazyTensor(x[:, None]) * LazyTensor(Y).real).dense(), X * Y.real)
    assert LazyTensor(complex_normal(4)[:, None, None]).shape == (4, 1)


def test_what_complex_numbers_do_not_have():
    z = LazyTensor(X)
    for mistake in (
        lambda: z.cos(), lambda: z.log(), lambda: z**0.5, lambda: z < 1, lambda: z | z, lambda: z.real2complex(), lambda: z.exp1j(),
        lambda: z.imag2complex(), lambda: z.keops_tensordot(z, [3], [3], [0], [0]), lambda: z.keops_kron(z, [3], [3]),
        lambda: z.min(axis=1), lambda: z.logsumexp(axis=1), lambda: z.argKmin(2, axis=1), lambda: z.max(-1), lambda: z.sqdist(z),
        lambda: z.elem(0), lambda: z.solve(x), lambda: LazyTensor(R).sqdist(z), lambda: z.clamp(0, 1),
    ):  # fmt: skip
        with pytest.raises(ArrayTypeError):
            mistake()
    with pytest.raises(ArgumentError, match="one number"):
        z @ np.ones(1)
    with pytest.raises(ArgumentError, match="from 0 to 2"):
        z[3]
