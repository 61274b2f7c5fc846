import RealModule

/// Why a solver has no result, with the numbers it had reached.
public enum SolverError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Only square operators can be solved with.
    case notSquare(rows: Int, columns: Int)
    /// Right-hand sides have shape (rows) or (rows, k).
    case rightHandSide(shape: [Int], rows: Int)
    /// An argument is outside of its range, in a sentence.
    case invalidArgument(String)
    /// A direction p was found along which pᵀAp is 0 or less, for A = K + alpha I.
    ///
    /// - Parameters:
    ///   - curvature: pᵀAp / pᵀp there, or an estimated eigenvalue.
    ///   - largest: the largest such quotient met; a curvature that is tiny beside it may be rounding.
    case notPositiveDefinite(curvature: Double, largest: Double, iteration: Int)
    /// The cap on iterations was reached.
    ///
    /// - Parameter residual: the largest |b - Ax| / |b| of a right-hand side.
    case notConverged(residual: Double, tolerance: Double, iterations: Int)
    /// The true residual |b - Ax| / |b| stays above the tolerance, however the iteration goes on.
    case stagnated(residual: Double, tolerance: Double, iterations: Int)
    /// Something is infinite or not a number: the right-hand side, say, or the operator's products.
    case notFinite(String)

    public var description: String {
        switch self {
        case .notSquare(let rows, let columns):
            "A square operator can be solved with; this one has \(rows) rows and \(columns) columns."
        case .rightHandSide(let shape, let rows):
            "A right-hand side of this operator has shape [\(rows)] or [\(rows), k]; this one has \(shape)."
        case .invalidArgument(let sentence):
            sentence
        case .notPositiveDefinite(let curvature, let largest, let iteration):
            "A positive definite operator is expected, but in iteration \(iteration) pᵀAp / pᵀp = \(brief(curvature)) was found, where "
                + "the largest was \(brief(largest)); a larger alpha, Double or the method of minimum residuals may help."
        case .notConverged(let residual, let tolerance, let iterations):
            "A relative residual of \(brief(tolerance)) was asked for; after \(iterations) iterations, the maximum, it is "
                + "\(brief(residual))."
        case .stagnated(let residual, let tolerance, let iterations):
            "A relative residual of \(brief(tolerance)) was asked for; it stays at \(brief(residual)) after \(iterations) iterations, "
                + "by rounding or because the system has no solution; a larger tolerance, a larger alpha or Double may help."
        case .notFinite(let what):
            "Finite numbers are expected; \(what) contains infinity or NaN."
        }
    }
}

/// Three digits of a number.
private func brief(_ number: Double) -> String {
    guard number.isFinite, number != 0 else { return "\(number)" }
    var exponent = Int(Double.log10(abs(number)).rounded(.down))
    var digits = Int((abs(number) / Double.exp10(Double(exponent)) * 100).rounded())
    if digits >= 1000 { (digits, exponent) = (100, exponent + 1) }
    let tail = digits % 100
    return "\(number < 0 ? "-" : "")\(digits / 100).\(tail < 10 ? "0" : "")\(tail)" + (exponent == 0 ? "" : "e\(exponent)")
}
