/// A positive definite approximation P of K + alpha I whose powers are cheap to apply.
///
/// Iterations converge as they do for P⁻¹(K + alpha I), solutions are the same.
public protocol Preconditioner: Sendable {
    var rowCount: Int { get }

    /// The product of P to a power with vectors (rows, k).
    ///
    /// - Parameters:
    ///   - exponent: -1 for solves; -½ and ½ for log-determinants.
    ///   - alpha: what is added to the diagonal of K.
    func power(_ exponent: Double, alpha: Double, times vectors: Tensor<Double>) throws -> Tensor<Double>

    /// log det P.
    func logDeterminant(alpha: Double) throws -> Double
}

/// An approximation of K of low rank, by orthonormal vectors U and eigenvalues Λ; what they leave of K counts as a multiple of the
/// identity.
///
/// With μ = |Λ + alpha| and σ = |rest + alpha|, P = U μ Uᵀ + σ (I - UUᵀ), whose powers are those of μ and σ: the Woodbury identity for
/// orthonormal factors.
public struct LowRankPreconditioner: Preconditioner {
    private let basis: Columns
    private let eigenvalues: [Double]
    private let rest: Double

    init(basis: Columns, eigenvalues: [Double], rest: Double) {
        self.basis = basis
        self.eigenvalues = eigenvalues
        self.rest = rest
    }

    public var rowCount: Int { basis.length }
    /// How many eigenvalues are known: the rank that was asked for, or less where K has less.
    public var rank: Int { basis.count }

    public func power(_ exponent: Double, alpha: Double, times vectors: Tensor<Double>) -> Tensor<Double> {
        let (known, other) = spectrum(alpha)
        let scale = Double.pow(other, exponent)
        var vectors = Columns(vectors)
        var parts = basis.transposedTimes(vectors)
        for (row, eigenvalue) in known.enumerated() {
            for column in 0..<parts.count { parts[row, column] *= Double.pow(eigenvalue, exponent) - scale }
        }
        vectors.scale(Array(repeating: scale, count: vectors.count))
        vectors.add(1, times: basis.times(parts))
        return vectors.tensor()
    }

    public func logDeterminant(alpha: Double) -> Double {
        let (known, other) = spectrum(alpha)
        return known.reduce(Double(rowCount - rank) * .log(other)) { $0 + .log($1) }
    }

    private func spectrum(_ alpha: Double) -> (known: [Double], other: Double) {
        let largest = eigenvalues.map { abs($0 + alpha) }.max() ?? abs(rest + alpha)
        let floor = largest > 0 ? 0x1p-52 * largest : 1
        return (eigenvalues.map { max(abs($0 + alpha), floor) }, max(abs(rest + alpha), floor))
    }
}
