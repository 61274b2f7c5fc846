// What people compute with sums: spreads, norms and soft maxima.

extension Tensor where Element: TensorScalar {
    /// The variance of the numbers along axes; left out, of all. NaN where there are too few.
    ///
    /// - Parameter correction: what the count is lessened by: 0 for a whole population, 1 for an unbiased estimate from a sample.
    /// - Throws: ``TensorError`` where there is no such axis; so for all functions here.
    public func variance(axes: [Int]? = nil, correction: Int = 0, keepsAxes: Bool = false) throws(TensorError) -> Tensor {
        let axes = try Shape.axes(axes ?? Array(shape.indices), of: shape)
        let count = axes.reduce(1) { $0 * shape[$1] } - correction
        let squares = (try self - mean(axes: axes, keepsAxes: true)).squared()
        return try squares.sum(axes: axes, keepsAxes: keepsAxes) / Element(Swift.max(0, count))
    }

    /// The square root of ``variance(axes:correction:keepsAxes:)``.
    public func standardDeviation(axes: [Int]? = nil, correction: Int = 0, keepsAxes: Bool = false) throws(TensorError) -> Tensor
    {
        try variance(axes: axes, correction: correction, keepsAxes: keepsAxes).squareRoot()
    }

    /// The square root of the sum of squares along axes; left out, of all. Derivatives at 0 are 0, as those of `Norm2` are.
    public func norm(axes: [Int]? = nil, keepsAxes: Bool = false) throws(TensorError) -> Tensor {
        let axes = try Shape.axes(axes ?? Array(shape.indices), of: shape)
        let squares = try squared().sum(axes: axes, keepsAxes: keepsAxes)
        let zero = try Self.applying(.equal, squares, Tensor(0))
        return try (squares + zero).squareRoot() * (1 - zero)
    }

    /// log Σ exp of the numbers along axes; left out, of all. Exact for large numbers; -∞ where there are none.
    public func logSumExp(axes: [Int]? = nil, keepsAxes: Bool = false) throws(TensorError) -> Tensor {
        let axes = try Shape.axes(axes ?? Array(shape.indices), of: shape)
        let largest = try detached().max(axes: axes, keepsAxes: true)
        // Infinite ones would give ∞ - ∞; the exponentials are as they should be without a shift.
        let shift = largest.applying(.finite)
        let sum = try (self - shift).exp().sum(axes: axes, keepsAxes: true).log() + shift
        return keepsAxes ? sum : try sum.squeezed(axes: axes)
    }

    /// The exponentials along axes, divided by their sum.
    public func softmax(axes: [Int]) throws(TensorError) -> Tensor {
        (try self - logSumExp(axes: axes, keepsAxes: true)).exp()
    }
}
