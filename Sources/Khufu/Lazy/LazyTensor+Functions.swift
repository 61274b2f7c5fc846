import Formulas

// Functions of each number, and of the vector of each pair, by their names in the field.

extension LazyTensor {
    // MARK: Number by number

    /// e^x.
    public func exp() throws -> LazyTensor { try applying("Exp") }

    /// The natural logarithm.
    public func log() throws -> LazyTensor { try applying("Log") }

    /// x log x, and 0 at 0.
    public func xLogX() throws -> LazyTensor { try applying("XLogX") }

    public func sin() throws -> LazyTensor { try applying("Sin") }

    public func cos() throws -> LazyTensor { try applying("Cos") }

    public func arcsin() throws -> LazyTensor { try applying("Asin") }

    public func arccos() throws -> LazyTensor { try applying("Acos") }

    public func arctan() throws -> LazyTensor { try applying("Atan") }

    /// √x, with derivative 0 at 0.
    public func squareRoot() throws -> LazyTensor { try applying("Sqrt") }

    /// 1/√x, and 0 at 0.
    public func reciprocalSquareRoot() throws -> LazyTensor { try applying("Rsqrt") }

    /// 1/x.
    public func reciprocal() throws -> LazyTensor { try applying("Inv") }

    /// x².
    public func squared() throws -> LazyTensor { try applying("Square") }

    /// |x|, with derivative 0 at 0.
    public func abs() throws -> LazyTensor { try applying("Abs") }

    /// -1, 0 or 1.
    public func sign() throws -> LazyTensor { try applying("Sign") }

    /// 0 below 0, else 1.
    public func step() throws -> LazyTensor { try applying("Step") }

    /// max(x, 0).
    public func relu() throws -> LazyTensor { try applying("ReLU") }

    public func floor() throws -> LazyTensor { try applying("Floor") }

    /// sin(x)/x, and 1 at 0.
    public func sinXOverX() throws -> LazyTensor { try applying("SinXDivX") }

    /// sin(πx)/(πx), and 1 at 0.
    public func sinc() throws -> LazyTensor { try (self * .pi).sinXOverX() }

    /// The whole number nearest to x at so many decimals; halves go to the even one.
    public func rounded(decimals: Int = 0) throws -> LazyTensor { try applying("Round", .integer(decimals)) }

    /// x to a whole power.
    public func power(_ exponent: Int) throws -> LazyTensor { try applying("Pow", .integer(exponent)) }

    /// x to any power, for x ≥ 0.
    public func power(_ exponent: LazyTensor) throws -> LazyTensor { try applying("Powf", exponent) }

    /// The angle of the point (x, this), in [-π, π].
    public func arctan2(_ x: LazyTensor) throws -> LazyTensor { try applying("Atan2", x) }

    /// x - m ⌊(x - offset)/m⌋, in [offset, offset + m).
    public func modulo(_ modulus: LazyTensor, offset: LazyTensor? = nil) throws -> LazyTensor {
        try Self.operation("Mod", [self, modulus, offset ?? LazyTensor(number: 0)])
    }

    /// Between two bounds.
    public func clamped(from lower: LazyTensor, to upper: LazyTensor) throws -> LazyTensor {
        try Self.operation("Clamp", [self, lower, upper])
    }

    /// Between two numbers.
    public func clamped(to range: ClosedRange<Scalar>) throws -> LazyTensor {
        try clamped(from: LazyTensor(number: range.lowerBound), to: LazyTensor(number: range.upperBound))
    }

    /// The first where this is 0 or more, else the second.
    public func whereNonNegative(_ first: LazyTensor, else second: LazyTensor) throws -> LazyTensor {
        try Self.operation("IfElse", [self, first, second])
    }

    // MARK: Vectors

    /// The sum of the components of each pair's vector, of dimension 1. For sums over rows or columns see ``sum(over:)``.
    public func sum() throws -> LazyTensor { try applying("Sum") }

    /// The largest component, of dimension 1. For maxima over rows or columns see ``max(over:)``.
    public func max() throws -> LazyTensor { try applying("Max") }

    /// The smallest component, of dimension 1.
    public func min() throws -> LazyTensor { try applying("Min") }

    /// The position of the largest component.
    public func argMax() throws -> LazyTensor { try applying("ArgMax") }

    /// The position of the smallest component.
    public func argMin() throws -> LazyTensor { try applying("ArgMin") }

    /// |x|², of dimension 1.
    public func squaredNorm() throws -> LazyTensor { try applying("SqNorm2") }

    /// |x|, of dimension 1; gradient 0 at 0.
    public func norm() throws -> LazyTensor { try applying("Norm2") }

    /// x/|x|, and 0 where x is 0.
    public func normalized() throws -> LazyTensor { try applying("Normalize") }

    /// |x - y|², of dimension 1.
    public func squaredDistance(to other: LazyTensor) throws -> LazyTensor { try applying("SqDist", other) }

    /// Σ s |x|² for one weight, Σ s_k x_k² for as many as components, xᵀSx for a symmetric matrix of weights.
    public func weightedSquaredNorm(_ weights: LazyTensor) throws -> LazyTensor { try weights.applying("WeightedSqNorm", self) }

    /// The weighted squared norm of x - y.
    public func weightedSquaredDistance(to other: LazyTensor, _ weights: LazyTensor) throws -> LazyTensor {
        try Self.operation("WeightedSqDist", [weights, self, other])
    }

    /// The components of both, one after the other.
    public func concatenated(_ other: LazyTensor) throws -> LazyTensor { try applying("Concat", other) }

    /// A vector with 1 at the position that this whole number names.
    public func oneHot(_ dimension: Int) throws -> LazyTensor { try applying("OneHot", .integer(dimension)) }

    /// The B-spline basis functions of these knots at x.
    public func bSpline(at x: LazyTensor, order: Int) throws -> LazyTensor { try applying("BSpline", x, .integer(order)) }

    /// The soft dynamic-time-warping discrepancy of two series, with squared differences (M. Cuturi and M. Blondel,
    /// "Soft-DTW: a differentiable loss function for time-series", 2017).
    public func softDTW(to other: LazyTensor, gamma: LazyTensor) throws -> LazyTensor {
        try Self.operation("SoftDTW_SqDist", [self, other, gamma])
    }

    // MARK: Matrices, row-major

    /// The product of this matrix, of dimension m·n, with a vector of dimension n.
    public func matrixTimes(_ vector: LazyTensor) throws -> LazyTensor { try applying("MatVecMult", vector) }

    /// The product of this vector, of dimension m, with a matrix of dimension m·n.
    public func timesMatrix(_ matrix: LazyTensor) throws -> LazyTensor { try applying("VecMatMult", matrix) }

    /// x yᵀ, of dimension m·n.
    public func outerProduct(_ other: LazyTensor) throws -> LazyTensor { try applying("TensorProd", other) }

    /// The Kronecker product of tensors of two shapes, as numpy.kron.
    public func kronecker(_ other: LazyTensor, shape: [Int], _ otherShape: [Int]) throws -> LazyTensor {
        try applying("Kron", other, .integers(shape), .integers(otherShape))
    }

    /// The contraction of tensors of two shapes over pairs of axes, as numpy.tensordot.
    ///
    /// - Parameter permutation: the order of the result's axes, left out for none.
    public func tensorDot(
        _ other: LazyTensor, shape: [Int], _ otherShape: [Int], contracting axes: [Int], with otherAxes: [Int],
        permutation: [Int]? = nil
    ) throws -> LazyTensor {
        try Self.operation(
            "TensorDot", [self, other],
            [shape, otherShape, axes, otherAxes].map { .integers($0) } + (permutation.map { [.integers($0)] } ?? []))
    }

    // MARK: Derivatives inside of the formula

    /// (∂F/∂v)ᵀ e: the gradient of each pair's vector with respect to an input.
    ///
    /// - Parameters:
    ///   - input: a tensor as it was made, before any operation.
    ///   - cotangent: of this dimension.
    public func gradient(withRespectTo input: LazyTensor, cotangent: LazyTensor) throws -> LazyTensor {
        try derivative("Grad", [self, input, cotangent])
    }

    /// (∂F/∂v) u: the derivative of each pair's vector along a direction of an input.
    public func differential(withRespectTo input: LazyTensor, along direction: LazyTensor) throws -> LazyTensor {
        try derivative("Diff", [self, input, direction])
    }

    /// Σ_k ∂F_k/∂v_k.
    public func divergence(withRespectTo input: LazyTensor) throws -> LazyTensor { try derivative("Divergence", [self, input]) }

    /// Σ_k ∂²F/∂v_k².
    public func laplacian(withRespectTo input: LazyTensor) throws -> LazyTensor { try derivative("Laplacian", [self, input]) }

    private func derivative(_ name: String, _ operands: [LazyTensor]) throws -> LazyTensor {
        guard operands[1].formula.variable != nil else {
            throw TensorError("Derivatives are with respect to an input as it was made; this is \(operands[1]).")
        }
        return try Self.operation(name, operands)
    }
}
