/// An estimate of a log-determinant.
public struct LogDeterminant<Scalar: TensorScalar>: Sendable {
    /// Of shape [], recorded with respect to alpha and the operator's variables.
    public let value: Tensor<Scalar>
    /// The standard deviation of the value over the choice of probes, estimated from these; 0 where the trace is exact.
    public let standardError: Double
    /// How much the value changed in the last steps: what more of them might change.
    public let quadratureError: Double
}

extension LinearOperator {
    /// log det(K + alpha I) for a symmetric positive definite K + alpha I, by stochastic Lanczos quadrature (Ubaru, Chen and Saad,
    /// 2017, algorithm 1): the mean of zᵀ log(K + alpha I) z over random z of signs.
    ///
    /// Its derivatives are those of the determinant, tr((K + alpha I)⁻¹ dK), estimated with the same probes (Hutchinson, 1990), one
    /// solve with all of them; not the derivatives of the estimate. They are recorded in turn.
    ///
    /// A preconditioner P makes both faster and much more accurate: log det P is known, and the rest is estimated from
    /// P^-½ (K + alpha I) P^-½, whose logarithm is small (Wenger, Pleiss, Hennig, Cunningham and Gardner, 2022).
    ///
    /// - Parameters:
    ///   - alpha: what is added to the diagonal: one number.
    ///   - probes: how many; the standard error falls with their square root. As many as there are rows, or more, stand for the unit
    ///     vectors, whose trace is exact.
    ///   - steps: of Lanczos, at most.
    ///   - tolerance: of the quadrature, whose steps end when it changes by less than that times the number of rows, and of the solves
    ///     of derivatives, as for ``solve(_:alpha:method:tolerance:maximumIterations:preconditioner:progress:)``, whose other
    ///     arguments these are, too.
    ///   - seed: of the probes.
    /// - Throws: ``SolverError`` where the operator is not square or found not to be positive definite; what products throw.
    public func logDeterminant(
        alpha: Tensor<Scalar>, probes: Int = 16, steps: Int = 100, seed: UInt64 = 0, tolerance: Double? = nil,
        maximumIterations: Int? = nil, preconditioner: (any Preconditioner)? = nil, progress: SolverProgress.Handler? = nil
    ) throws -> LogDeterminant<Scalar> {
        guard probes > 0, steps > 0 else {
            throw SolverError.invalidArgument(
                "A log-determinant takes 1 or more probes and steps; \(probes) probes and \(steps) steps came.")
        }
        let settings = try SolverSettings(
            for: self, tolerance: tolerance, maximumIterations: maximumIterations, preconditioner: preconditioner,
            progress: progress)
        let shift = try alpha.shift
        guard rowCount > 0 else { return LogDeterminant(value: Tensor(0), standardError: 0, quadratureError: 0) }
        let trace = TraceProbes(rowCount, probes, seed: seed)

        // With P = 1, or z of mean square P for the derivatives: tr(A⁻¹ dA) is the mean of (A⁻¹P^½z)ᵀ dA (P^-½z).
        let inverseRoot = settings.preconditioning(-0.5, alpha: shift)
        let left: Tensor<Scalar> = try (settings.preconditioning(0.5, alpha: shift)?(trace.vectors) ?? trace.vectors).tensor()
        let right: Tensor<Scalar> = try (inverseRoot?(trace.vectors) ?? trace.vectors).tensor()
        let map = try shiftedMap(alpha: shift)
        let quadrature = LanczosQuadrature(
            product: { columns in try inverseRoot.map { try $0(try map(try $0(columns))) } ?? map(columns) },
            steps: min(steps, rowCount), tolerance: settings.tolerance)
        let (values, changes) = try quadrature.logarithms(trace.vectors, progress: progress)

        let known = try preconditioner?.logDeterminant(alpha: shift) ?? 0
        let value = Tensor(Scalar(known + trace.weight * values.reduce(0, +)))
        return LogDeterminant(
            value: try recordedLogDeterminant(value, alpha, left, right, Scalar(trace.weight), settings),
            standardError: trace.standardError(values), quadratureError: trace.weight * changes.reduce(0, +))
    }

    /// The same for alpha that is a constant.
    public func logDeterminant(
        alpha: Scalar = 0, probes: Int = 16, steps: Int = 100, seed: UInt64 = 0, tolerance: Double? = nil,
        maximumIterations: Int? = nil, preconditioner: (any Preconditioner)? = nil, progress: SolverProgress.Handler? = nil
    ) throws -> LogDeterminant<Scalar> {
        try logDeterminant(
            alpha: Tensor(alpha), probes: probes, steps: steps, seed: seed, tolerance: tolerance,
            maximumIterations: maximumIterations, preconditioner: preconditioner, progress: progress)
    }

    private func recordedLogDeterminant(
        _ value: Tensor<Scalar>, _ alpha: Tensor<Scalar>, _ left: Tensor<Scalar>, _ right: Tensor<Scalar>, _ weight: Scalar,
        _ settings: SolverSettings
    ) throws -> Tensor<Scalar> {
        let operands = [alpha] + variables
        guard let last = operands.lastIndex(where: \.isTracked) else { return value }
        let matrix = try detached()
        // wᵀ dA v with Aᵀw = z, as the transpose has other derivatives than the operator.
        let solve = try RecordedSolve(matrix, settings, isTransposed: true)
        let memo = AdjointMemo<Scalar>()
        return value.recorded(operands) { k, operands, _, cotangent in
            let isDifferentiable = operands.contains(where: \.isTracked) || cotangent.isTracked
            let variables = Array(operands.dropFirst())
            let solution = try memo.solution(for: nil, isDifferentiable: isDifferentiable, isLast: k == last) {
                try solve(left, operands[0], variables)
            }
            let adjoint = try solution * (cotangent * weight)
            if k == 0 { return try (adjoint * right).sum().reshaped(operands[0].shape) }
            return try matrix.cotangent(
                ofVariable: k - 1, variables, times: right, for: adjoint, differentiable: isDifferentiable)
        }
    }
}

/// Vectors whose quadratic forms, times a weight, add up to a trace.
private struct TraceProbes {
    let vectors: Columns
    let weight: Double
    private let isExact: Bool

    init(_ rowCount: Int, _ count: Int, seed: UInt64) {
        isExact = count >= rowCount
        var random = SolverRandom(seed: seed)
        vectors = isExact ? .identity(rowCount) : random.signColumns(length: rowCount, count: count)
        weight = isExact ? 1 : 1 / Double(count)
    }

    /// The standard error of the mean; infinite for a single probe.
    func standardError(_ values: [Double]) -> Double {
        guard !isExact else { return 0 }
        guard values.count > 1 else { return .infinity }
        let mean = weight * values.reduce(0, +)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares * weight / Double(values.count - 1)).squareRoot()
    }
}
