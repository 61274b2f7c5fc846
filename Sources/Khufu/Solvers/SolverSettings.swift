/// How linear systems are solved.
public enum SolverMethod: Hashable, Sendable {
    /// Conjugate gradients (Hestenes and Stiefel, 1952), for symmetric positive definite operators.
    case conjugateGradients
    /// MINRES (Paige and Saunders, 1975), for symmetric operators that may be indefinite.
    case minimumResiduals
}

/// What a solve and the solves of its derivatives have in common.
struct SolverSettings: Sendable {
    let method: SolverMethod
    let tolerance: Double
    /// The relative accuracy of products.
    let precision: Double
    let maximumIterations: Int
    let preconditioner: (any Preconditioner)?
    let progress: SolverProgress.Handler?
    /// Whether what rounding or the maximum of iterations lets through is a result.
    let acceptsStagnation: Bool

    init<Operator: LinearOperator>(
        for matrix: Operator, method: SolverMethod = .conjugateGradients, tolerance: Double?, maximumIterations: Int?,
        preconditioner: (any Preconditioner)? = nil, progress: SolverProgress.Handler?, acceptsStagnation: Bool = false
    ) throws {
        let n = matrix.rowCount
        try matrix.requireSquare()
        self.method = method
        precision = Double(Operator.Scalar.ulpOfOne)
        self.tolerance = tolerance ?? Operator.Scalar.defaultTolerance
        guard self.tolerance > 0, self.tolerance < 1 else {
            throw SolverError.invalidArgument("A tolerance lies between 0 and 1; this one is \(self.tolerance).")
        }
        // In exact arithmetic n suffice; rounding delays convergence.
        self.maximumIterations = maximumIterations ?? min(10_000, 10 * n + 50)
        guard self.maximumIterations > 0 else {
            throw SolverError.invalidArgument("A maximum of iterations is 1 or more; this one is \(self.maximumIterations).")
        }
        if let preconditioner, preconditioner.rowCount != n {
            throw SolverError.invalidArgument(
                "A preconditioner has as many rows as its operator, \(n); this one has \(preconditioner.rowCount).")
        }
        self.preconditioner = preconditioner
        self.progress = progress
        self.acceptsStagnation = acceptsStagnation
    }

    var monitor: IterationMonitor {
        IterationMonitor(tolerance: tolerance, maximumIterations: maximumIterations, progress: progress)
    }

    /// A power of the preconditioner, as it acts on columns.
    func preconditioning(_ exponent: Double, alpha: Double) -> ColumnMap? {
        preconditioner.map { preconditioner in
            { Columns(try preconditioner.power(exponent, alpha: alpha, times: $0.tensor())) }
        }
    }
}

/// A linear map of columns.
typealias ColumnMap = (Columns) throws -> Columns

extension TensorScalar {
    /// What products in this type can reach for matrices that are not too ill-conditioned.
    static var defaultTolerance: Double { ulpOfOne < 1e-10 ? 1e-8 : 1e-5 }
}

extension LinearOperator {
    func requireSquare() throws {
        guard rowCount == columnCount else { throw SolverError.notSquare(rows: rowCount, columns: columnCount) }
    }

    /// The same operator, whose products are not recorded.
    func detached() throws -> Self {
        guard variables.contains(where: \.isTracked) else { return self }
        return try replacingVariables(variables.map { $0.detached() })
    }

    /// Products with K + alpha I, not recorded. On a device, the operator's own arrays are copied there once for all.
    ///
    /// The vectors that iterations calculate with are the host's, in Double whatever the operator's type: see ``Columns``. For a product
    /// one of them goes to the device and one comes back, beside work that grows with the square of their length.
    func shiftedMap(alpha: Double) throws -> ColumnMap {
        let detached = try detached()
        let matrix = (detached as? any KeepsArraysOnDevices)?.keepingArraysOnDevices() as? Self ?? detached
        return { vectors in
            var result = Columns(try matrix.product(vectors.tensor()))
            if alpha != 0 { result.add(alpha, times: vectors) }
            return result
        }
    }
}

extension Tensor where Element: TensorScalar {
    /// The only number of alpha, where it is one.
    var shift: Double {
        get throws {
            guard count == 1 else {
                throw SolverError.invalidArgument("alpha is one number; this one has shape \(shape).")
            }
            guard scalar.isFinite else { throw SolverError.notFinite("alpha") }
            return Double(scalar)
        }
    }
}
