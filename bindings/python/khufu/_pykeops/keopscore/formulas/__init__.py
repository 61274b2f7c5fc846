"""Operations and reductions by name, as objects of Python: `Exp(-SqDist(x, y)) * b`, where x is `Var(0, 3, 0)`.

They build the engine's formulas and print as their text. KeOps' attributes of classes (`Derivative`, `torch_op`, `test_argdims` and the like)
and its methods for code generation are not here.
"""

from ._nodes import Formula, Reduction, operation, reduction  # noqa: F401

#: Operations of vectors of real numbers.
MATHS = """
Abs Acos Add ArgMax ArgMin Asin Atan Atan2 BSpline Clamp ClampInt Concat Cos DiffClampInt Divide Elem ElemT Equal Exp Extract ExtractT
Floor GradMatrix IfElse IntInv Inv Kron LessOrEqual LessThan Log MatVecMult Max Min Minus Mod Mult Norm2 Normalize NotEqual OneHot Pow
Powf ReLU Round Rsqrt Scalprod Sign Sin SinXDivX SoftDTW_SqDist SqDist SqNorm2 SqNormDiag SqNormIso Sqrt Square Step Subtract Sum SumT
SymSqNorm TensorDot TensorProd VecMatMult WeightedSqDist WeightedSqNorm XLogX
""".split()

COMPLEX = """
ComplexAbs ComplexAdd ComplexAngle ComplexDivide ComplexExp ComplexExp1j ComplexImag ComplexMult ComplexReal ComplexRealScal
ComplexSquareAbs ComplexSubtract ComplexSum ComplexSumT Conj Imag2Complex Real2Complex
""".split()

VARIABLES = ["IntCst", "RatCst", "Var", "Zero"]

AUTODIFF = ["Diff", "Divergence", "Grad", "Laplacian"]
FACTORIZATION = ["AutoFactorize", "Factorize"]
LINEAR = ["AdjointOperator", "SumLinOperator", "TraceOperator"]

#: Each is called as Name_Reduction(formula, [K,] tag [, weight]): tag 0 for a result that follows i, 1 for j.
REDUCTIONS = [
    f"{name}_Reduction"
    for name in (
        "ArgKMin ArgMax ArgMin KMin KMin_ArgKMin Max Max_ArgMax Max_SumShiftExp Max_SumShiftExpWeight Min Min_ArgMin Sum"
    ).split()
]

__all__ = [*MATHS, *COMPLEX, *VARIABLES, *AUTODIFF, *FACTORIZATION, *LINEAR, *REDUCTIONS]


def __getattr__(name: str):
    if name in REDUCTIONS:
        return reduction(name)
    if name in __all__:
        return operation(name)
    raise AttributeError(f"module 'keopscore.formulas' has no attribute {name!r}")
