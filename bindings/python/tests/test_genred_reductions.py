"""Genred for NumPy: every reduction over both axes, with batches, options and block-sparsity, against dense arrays in float64."""

import numpy as np
import pytest
from khufu.errors import ArgumentError, ArrayTypeError, EngineError, FormulaError
from khufu.numpy import Genred, generic_argkmin, generic_argmin, generic_logsumexp, generic_sum
from scipy.special import logsumexp

random = np.random.default_rng(0)
M, N, D = 7, 9, 3
ALIASES = ["x = Vi(3)", "y = Vj(3)", "b = Vj(2)", "a = Vi(2)", "p = Pm(1)"]


def inputs(*batches, dtype="float64"):
    """x, y, b, a and p, each with batch axes of its own."""
    batches = batches or ((),) * 5
    shapes = [(M, D), (N, D), (N, 2), (M, 2), (1,)]
    return [random.normal(size=(*batch, *shape)).astype(dtype) for batch, shape in zip(batches, shapes)]


def pairs(x, y, b, a, p):
    """x, y, b, a and p with axes (batch…, M, N, D)."""
    i, j = (..., slice(None), None, slice(None)), (..., None, slice(None), slice(None))
    return x[i], y[j], b[j], a[i], p[..., None, None, :]


def scalar(x, y, b, a, p):
    x, y, b, a, p = pairs(x, y, b, a, p)
    return -p * ((x - y) ** 2).sum(-1, keepdims=True)


def vector(x, y, b, a, p):
    x, y, b, a, p = pairs(x, y, b, a, p)
    return np.sin(x * y) * p + (a * b).sum(-1, keepdims=True)


SCALAR = "-p * SqDist(x, y)"
VECTOR = "Sin(x * y) * p + (a | b)"
BATCHES = pytest.mark.parametrize(
    "batches",
    [
        ((),) * 5,
        ((4,),) * 5,
        ((4,), (1,), (4,), (1,), (4,)),
        ((2, 1), (3,), (), (2, 3), (1, 1)),
        ((), (), (), (), (5,)),
    ],
)
AXES = pytest.mark.parametrize("axis", [0, 1])


def reduced(function, full, axis):
    return function(full, axis=-2 if axis else -3)


def close(found, expected):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@AXES
@BATCHES
def test_values(axis, batches):
    arrays = inputs(*batches)
    S, V = scalar(*arrays), vector(*arrays)
    S, V = np.broadcast_arrays(S + 0 * V[..., :1], V)[0][..., :1], V + 0 * S
    weight = pairs(*arrays)[2]

    def run(formula, op="Sum", **keywords):
        return Genred(formula, ALIASES, op, axis=axis, **keywords)(*arrays)

    close(run(VECTOR), reduced(np.sum, V, axis))
    close(run(VECTOR, "Min"), reduced(np.min, V, axis))
    close(run(VECTOR, "Max"), reduced(np.max, V, axis))
    close(run(SCALAR, "LogSumExp"), reduced(logsumexp, S, axis))
    total = reduced(np.sum, np.exp(S), axis)
    weighted = reduced(np.sum, np.exp(S) * weight, axis)
    for name in ("SumSoftMaxWeight", "SoftMax"):
        close(run(SCALAR, name, formula2="b"), weighted / total)
    squares = reduced(np.sum, np.exp(S) * weight**2, axis)
    for name in ("LogSumExp", "LogSumExpWeight"):
        close(run(SCALAR, name, formula2="b * b"), np.log(squares))
    largest = reduced(np.max, S, axis)
    close(run(SCALAR, "Max_SumShiftExp"), np.concatenate([largest, total / np.exp(largest)], -1))
    close(run(SCALAR, "Max_SumShiftExpWeight", formula2="b"), np.concatenate([largest, weighted / np.exp(largest)], -1))


@AXES
@BATCHES
def test_indices(axis, batches):
    arrays = inputs(*batches)
    V = np.broadcast_arrays(vector(*arrays), vector(*arrays) + 0 * scalar(*arrays))[0]
    where = -2 if axis else -3
    for name, function, argument in (("Min", np.min, np.argmin), ("Max", np.max, np.argmax)):
        values, indices = Genred(VECTOR, ALIASES, f"{name}_Arg{name}", axis=axis)(*arrays)
        close(values, function(V, axis=where))
        assert indices.dtype == np.int64
        np.testing.assert_array_equal(indices, argument(V, axis=where))
        np.testing.assert_array_equal(Genred(VECTOR, ALIASES, f"Arg{name}", axis=axis)(*arrays), indices)


@AXES
@BATCHES
@pytest.mark.parametrize("formula", [VECTOR, f"Sum({VECTOR})"])
def test_smallest(axis, batches, formula):
    arrays = inputs(*batches)
    V = vector(*arrays) + 0 * scalar(*arrays)
    if formula != VECTOR:
        V = V.sum(-1, keepdims=True)
    V = np.moveaxis(V, -2 if axis else -3, -2)
    order = np.argsort(V, axis=-2, kind="stable")[..., :4, :]
    smallest = np.take_along_axis(V, order, -2)
    if formula != VECTOR:
        order, smallest = order[..., 0], smallest[..., 0]
    close(Genred(formula, ALIASES, "KMin", axis=axis, opt_arg=4)(*arrays), smallest)
    indices = Genred(formula, ALIASES, "ArgKMin", axis=axis, opt_arg=4)(*arrays)
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(indices, order)
    values, indices = Genred(formula, ALIASES, "KMin_ArgKMin", axis=axis, opt_arg=4)(*arrays)
    close(values, smallest)
    np.testing.assert_array_equal(indices, order)


def test_default_axis_is_0():
    x, y = random.normal(size=(M, D)), random.normal(size=(N, D))
    close(Genred("x - y", ALIASES[:2])(x, y), (x[:, None] - y).sum(0))


def test_sum_options():
    arrays = inputs(dtype="float32")
    expected = scalar(*[array.astype("float64") for array in arrays]).sum(-2)
    for options in (
        {"sum_scheme": "direct_sum"}, {"sum_scheme": "block_sum"}, {"sum_scheme": "kahan_scheme"},
        {"dtype_acc": "float64"}, {"use_double_acc": True}, {"dtype_acc": "float32"},
    ):  # fmt: skip
        found = Genred(SCALAR, ALIASES, axis=1, **options)(*arrays)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    # What a total in float32 loses is there in float64.
    x = np.full((1, 1), 2.0**24, "float32")
    y = np.concatenate([x, np.ones((2**10, 1), "float32"), -x])
    total = Genred("x * 0 + y", ["x = Vi(1)", "y = Vj(1)"], axis=1, use_double_acc=True, sum_scheme="direct_sum")
    assert total(x, y) == 2**10


def test_memory_layouts():
    x, y, b, a, p = inputs((2,), (2,), (2,), (2,), (2,))
    genred = Genred(VECTOR, ALIASES, axis=1)
    expected = genred(x, y, b, a, p)
    swapped = np.swapaxes(np.ascontiguousarray(np.swapaxes(y, 0, 1)), 0, 1)
    strided = np.repeat(x, 2, axis=-2)[:, ::2]
    readonly = b.copy()
    readonly.flags.writeable = False
    other_order = a.astype(a.dtype.newbyteorder())
    repeated = np.broadcast_to(p[:1], p.shape)
    close(genred(strided, swapped, readonly, other_order, p), expected)
    close(genred(x, y, b, a, repeated), genred(x, y, b, a, p[:1]))
    assert not strided.flags.c_contiguous and not swapped.flags.c_contiguous


def test_half_precision():
    arrays = inputs(dtype="float16")
    found = Genred("Exp(-SqDist(x, y)) * b", ALIASES[:3], axis=1)(*arrays[:3])
    x, y, b = [array.astype("float64") for array in arrays[:3]]
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, np.exp(-((x[:, None] - y) ** 2).sum(-1)) @ b, rtol=2e-2, atol=2e-2)


def test_out():
    arrays = inputs()
    genred = Genred(VECTOR, ALIASES, axis=1)
    out = np.full((M, D), np.nan)
    assert genred(*arrays, out=out) is out
    close(out, genred(*arrays))
    smallest = Genred(VECTOR, ALIASES, "KMin_ArgKMin", axis=1, opt_arg=2)
    out = np.empty((M, 2, D))
    values, _ = smallest(*arrays, out=out)
    assert np.shares_memory(values, out)
    close(out, smallest(*arrays)[0])


def test_ranges():
    arrays = inputs()
    rows, ends, columns = np.array([[0, 3], [3, 6]]), np.array([1, 3]), np.array([[0, 4], [2, 5], [6, 9]])
    swapped = np.array([[0, 5], [5, 9]]), np.array([1, 2]), np.array([[0, 2], [4, 7]])
    ranges = (rows, ends, columns, *swapped)
    kept = np.zeros((M, N, 1))
    kept[0:3, 0:4] = kept[3:6, 2:5] = kept[3:6, 6:9] = 1
    close(Genred(VECTOR, ALIASES, axis=1)(*arrays, ranges=ranges), (vector(*arrays) * kept).sum(1))
    kept[:] = 0
    kept[0:2, 0:5] = kept[4:7, 5:9] = 1
    close(Genred(VECTOR, ALIASES, axis=0)(*arrays, ranges=ranges), (vector(*arrays) * kept).sum(0))
    # Types and layouts of integers do not matter; items of a batch can have patterns of their own.
    narrow = tuple(np.asfortranarray(part.astype("int32")) for part in ranges)
    close(Genred(VECTOR, ALIASES, axis=0)(*arrays, ranges=narrow), (vector(*arrays) * kept).sum(0))
    batch = inputs((2,), (2,), (2,), (2,), (2,))
    everything = (
        (np.array([[0, M]]), np.array([1]), np.array([[0, N]])),
        (np.array([[0, N]]), np.array([1]), np.array([[0, M]])),
    )
    found = Genred(VECTOR, ALIASES, axis=0)(*batch, ranges=[ranges, (*everything[0], *everything[1])])
    close(found, np.stack([(vector(*batch)[0] * kept).sum(0), vector(*batch)[1].sum(0)]))


def test_inputs_that_only_the_formula_names():
    x, y, b = inputs()[:3]
    aliases = ["x = Vi(3)"]
    genred = Genred("Exp(-SqDist(x, Var(1,3,1))) * Var(2,2,1)", aliases, axis=1)
    close(genred(x, y, b), np.exp(-((x[:, None] - y) ** 2).sum(-1)) @ b)
    assert aliases == ["x = Vi(3)"]
    assert genred.aliases == ["x = Vi(3)", "Var(1,3,1)", "Var(2,2,1)"] and genred.nargs == 3
    close(Genred("Var(0,3,0) - y", ("x = Vi(3)", "y = Vj(3)"), axis=1)(x, y), (x[:, None] - y).sum(1))


def test_attributes():
    genred = Genred("x | y", ALIASES[:2], "KMin", axis=1, opt_arg=3, sum_scheme="auto")
    assert genred.formula == "KMin_Reduction(x | y,3,0)"
    assert (genred.axis, genred.opt_arg, genred.reduction_op, genred.nargs) == (1, 3, "KMin", 2)
    assert genred.optional_flags == {
        "dtype_acc": "auto", "sum_scheme": "auto", "use_fast_math": True, "enable_chunks": True, "multVar_highdim": False,
    }  # fmt: skip
    assert Genred("x | y", ALIASES[:2], "LogSumExp").formula == "Max_SumShiftExp_Reduction(x | y,1)"
    weighted = Genred("x | y", ALIASES[:3], "SumSoftMaxWeight", axis=1, formula2="b")
    assert weighted.formula == "Max_SumShiftExpWeight_Reduction(x | y,0,Concat(IntCst(1),b))"


def test_generic_functions():
    x, y, b = inputs()[:3]
    D2 = ((x[:, None] - y) ** 2).sum(-1)
    aliases = ("x = Vi(3)", "y = Vj(3)")
    close(generic_sum("Exp(-SqDist(x, y)) * b", "a = Vi(2)", *aliases, "b = Vj(2)")(x, y, b), np.exp(-D2) @ b)
    close(generic_sum("SqDist(x, y)", "a = Vj(1)", *aliases)(x, y), D2.sum(0)[:, None])
    close(generic_logsumexp("-SqDist(x, y)", "a = Vi(1)", *aliases)(x, y), logsumexp(-D2, axis=1)[:, None])
    np.testing.assert_array_equal(generic_argmin("SqDist(x, y)", "a=Vj(1)", *aliases)(x, y)[:, 0], D2.argmin(0))
    nearest = generic_argkmin("SqDist(x, y)", "a = Vi(3)", *aliases)(x, y)
    np.testing.assert_array_equal(nearest, D2.argsort(1)[:, :3])
    with pytest.raises(ArgumentError, match="Vi or Vj"):
        generic_sum("SqDist(x, y)", "a = Pm(1)", *aliases)
    with pytest.raises(ArgumentError, match="declared as"):
        generic_sum("SqDist(x, y)", "a", *aliases)


X, Y = np.zeros((M, D)), np.zeros((N, D))


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"axis": 2}, ArgumentError, "Axis should be 0 or 1; 2 came"),
        ({"axis": None}, ArgumentError, "Axis should be 0 or 1"),
        ({"reduction_op": "Product"}, ArgumentError, "'Product' came"),
        ({"reduction_op": "KMin"}, ArgumentError, "number K"),
        ({"reduction_op": "KMin", "opt_arg": 0}, ArgumentError, "number K"),
        ({"reduction_op": "KMin", "opt_arg": -1}, FormulaError, "at least 1"),
        ({"reduction_op": "KMin", "opt_arg": 2.5}, ArrayTypeError, "whole number"),
        ({"reduction_op": "Sum", "opt_arg": 3}, FormulaError, "no K"),
        ({"reduction_op": "SumSoftMaxWeight"}, ArgumentError, "second formula"),
        ({"reduction_op": "LogSumExp"}, FormulaError, "dimension 1"),
        ({"formula2": "x"}, FormulaError, "no weight"),
        ({"sum_scheme": "pairwise"}, ArgumentError, "'pairwise' came"),
        ({"dtype_acc": "float128"}, ArgumentError, "'float128' came"),
        ({"dtype_acc": "float64", "use_double_acc": True}, ArgumentError, "not both"),
        ({"reduction_op": "Min", "use_double_acc": True}, ArgumentError, "adds nothing up"),
        ({"reduction_op": "Max", "sum_scheme": "kahan_scheme"}, ArgumentError, "adds nothing up"),
    ],
)
def test_mistakes_when_made(keywords, error, message):
    with pytest.raises(error, match=message) as caught:
        Genred("x - y", ALIASES[:2], **keywords)
    assert isinstance(caught.value, (ValueError, TypeError))


@pytest.mark.parametrize("formula", ["x - z", "x - ", "Foo(x)", "x + b"])
def test_mistakes_in_formulas(formula):
    with pytest.raises(FormulaError):
        Genred(formula, ALIASES[:3])


def test_mistakes_in_declarations():
    with pytest.raises(FormulaError, match="Vk"):
        Genred("x", ["x = Vk(3)"])
    with pytest.raises(ArrayTypeError, match="list of declarations"):
        Genred("x", "x = Vi(3)")


@pytest.mark.parametrize(
    ("arrays", "keywords", "error", "message"),
    [
        ((X,), {}, ArgumentError, "it takes 2, for x = Vi.3., y = Vj.3.; 1 came"),
        ((X, Y, Y), {}, ArgumentError, "3 came"),
        ((X, Y[:, :2]), {}, ArgumentError, "y"),
        ((X[:, :1], Y), {}, ArgumentError, "x"),
        ((X[0], Y), {}, ArgumentError, "x"),
        ((np.zeros((2, M, D)), np.zeros((3, N, D))), {}, ArgumentError, "Batch"),
        ((X, Y.astype("float32")), {}, ArrayTypeError, "input 0 is float64 and input . is float32"),
        ((X.astype("int64"), Y.astype("int64")), {}, ArrayTypeError, "int64"),
        ((X.astype("complex128"), Y.astype("complex128")), {}, ArrayTypeError, "complex128"),
        ((X.tolist(), Y), {}, ArrayTypeError, "list"),
        ((X, None), {}, ArrayTypeError, "NoneType"),
        ((X, 1.0), {}, ArrayTypeError, "float"),
        ((X, Y), {"backend": "cuda:99"}, EngineError, "no CUDA device"),
        ((X, Y), {"backend": "GPU_2D_device", "device_id": 99}, EngineError, "no CUDA device"),
        ((X, Y), {"backend": "TPU"}, ArgumentError, "'TPU' came"),
        ((X, Y), {"ranges": (1, 2, 3)}, ArgumentError, "six arrays"),
        ((X, Y), {"ranges": X}, ArgumentError, "six arrays"),
        ((X, Y), {"out": np.zeros((M, D))}, ArgumentError, "shape"),
        ((X, Y), {"out": np.zeros((N, D), "float32")}, ArrayTypeError, "float32"),
        ((X, Y), {"out": np.zeros((D, N)).T}, ArrayTypeError, "contiguous"),
        ((X, Y), {"out": [0.0]}, ArrayTypeError, "list"),
        ((X, Y), {"out": Y}, ArgumentError, "shares it"),
        ((X, Y), {"out": np.broadcast_to(0.0, (N, D))}, ArgumentError, "read-only"),
    ],
)
def test_mistakes_when_called(arrays, keywords, error, message):
    with pytest.raises(error, match=message):
        Genred("x - y", ALIASES[:2])(*arrays, **keywords)


def test_points_of_one_index_are_as_many():
    with pytest.raises(ArgumentError, match="9"):
        Genred("x - y + z", ["x = Vi(3)", "y = Vj(3)", "z = Vj(3)"])(X, Y, Y[:4])


def test_ranges_outside_of_the_points():
    beyond = tuple(np.array(part) for part in ([[0, M + 1]], [1], [[0, N]], [[0, N + 1]], [1], [[0, M]]))
    for axis in (0, 1):
        with pytest.raises(ArgumentError):
            Genred("x - y", ALIASES[:2], axis=axis)(X, Y, ranges=beyond)


def test_totals_are_not_in_fewer_digits_than_the_data():
    with pytest.raises(ArgumentError, match="float64 data; float32 came"):
        Genred("x - y", ALIASES[:2], dtype_acc="float32")(X, Y)


def test_out_of_indices():
    with pytest.raises(ArgumentError, match="indices only"):
        Genred("x - y", ALIASES[:2], "ArgMin")(X, Y, out=np.zeros((N, D)))


def test_device_id_means_nothing_to_the_processor():
    genred = Genred("x + y", ALIASES[:2])
    close(genred(X + 1, Y, device_id=0, backend="CPU"), genred(X + 1, Y))


def test_no_points():
    genred = Genred("x + y", ALIASES[:2], axis=1)
    assert genred(X[:0], Y).shape == (0, D)
    assert (genred(X, Y[:0]) == np.zeros((M, D))).all()
    assert (Genred("x + y", ALIASES[:2], "Min", axis=1)(X, Y[:0]) == np.inf).all()
