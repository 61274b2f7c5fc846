extension Formula {
    /// The B-spline basis functions of an order at x: de Boor's recursion (C. de Boor, "A Practical Guide to Splines",
    /// 1978, chapter IX), written in vector operations, so that derivatives of any order in x and in the knots follow.
    ///
    ///     B_{i,0}(x) = 1 for t_i ≤ x < t_{i+1}
    ///     B_{i,k}(x) = (x - t_i) / (t_{i+k} - t_i) B_{i,k-1}(x) + (t_{i+k+1} - x) / (t_{i+k+1} - t_{i+1}) B_{i+1,k-1}(x)
    ///
    /// A quotient over an empty interval is 0.
    /// - Parameters:
    ///   - knots: K knots in increasing order.
    ///   - x: a number.
    /// - Returns: K - order - 1 values.
    static func bSpline(knots: Formula, at x: Formula, order: Int) throws(FormulaError) -> Formula {
        guard order >= 0 else { throw FormulaError("The order of BSpline is at least 0; this is \(order).") }
        guard x.dimension == 1 else {
            throw FormulaError("BSpline takes a point of dimension 1; this has dimension \(x.dimension).")
        }
        guard knots.dimension >= 2, order <= knots.dimension - 2 else {
            throw FormulaError("BSpline of order \(order) takes at least \(order) + 2 knots; these are \(knots.dimension).")
        }
        guard order <= 64 else { throw FormulaError("BSpline takes an order of at most 64; this is \(order).") }
        let isPast = (x - knots).step
        var basis = isPast.extracted(0, knots.dimension - 1) - isPast.extracted(1, knots.dimension - 1)
        for k in stride(from: 1, through: order, by: 1) {
            let count = knots.dimension - 1 - k
            let start = knots.extracted(0, count + 1)
            let width = knots.extracted(k, count + 1) - start
            // IfElse tests ≥ 0, and -width² ≥ 0 only for an empty interval.
            let inverseWidth = width.isZero ? .zero(1) : (-width.squared).ifNonNegative(.zero(1), else: width.inverse)
            let rising = (x - start) * inverseWidth * basis
            let falling = (knots.extracted(k, count + 1) - x) * inverseWidth * basis
            basis = rising.extracted(0, count) + falling.extracted(1, count)
        }
        return basis
    }
}
