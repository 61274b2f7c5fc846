extension LinearOperator {
    /// The solution x of (K + alpha I) x = b, for a symmetric operator K: kernel ridge regression, kriging, spline interpolation.
    ///
    ///     let weights = try kernel.solve(values, alpha: 0.1)
    ///
    /// All right-hand sides share one product per iteration, each with its own step lengths; one that has converged rests. The
    /// solution is recorded with respect to b, alpha and the operator's variables. Its derivatives, of any order, solve systems of
    /// the same kind with the same settings; they do not go back through the iterations, and do not depend on how accurate those
    /// were beyond the tolerance.
    ///
    /// - Parameters:
    ///   - b: one right-hand side (rows) or several (rows, k).
    ///   - alpha: what is added to the diagonal: one number.
    ///   - method: conjugate gradients for positive definite K + alpha I, minimum residuals for indefinite ones.
    ///   - tolerance: how large |b - (K + alpha I) x| / |b| may be, for each right-hand side; left out, 1e-5 in Float and 1e-8 in
    ///     Double. It is checked with the true residual.
    ///   - maximumIterations: products with K, about; left out, 10 rows + 50, but 10 000 at most.
    ///   - preconditioner: see ``pivotedCholeskyPreconditioner(rank:)`` and ``nystromPreconditioner(rank:seed:)``.
    ///   - progress: called before each iteration, by the solves of derivatives too. What it throws ends the solve.
    /// - Returns: a tensor of b's shape.
    /// - Throws: ``SolverError`` where the operator is not square, b or alpha does not fit, the operator is found not to be positive
    ///   definite, or the residual does not fall below the tolerance; what products throw.
    public func solve(
        _ b: Tensor<Scalar>, alpha: Tensor<Scalar>, method: SolverMethod = .conjugateGradients, tolerance: Double? = nil,
        maximumIterations: Int? = nil, preconditioner: (any Preconditioner)? = nil, progress: SolverProgress.Handler? = nil
    ) throws -> Tensor<Scalar> {
        let settings = try SolverSettings(
            for: self, method: method, tolerance: tolerance, maximumIterations: maximumIterations,
            preconditioner: preconditioner, progress: progress)
        return try RecordedSolve(self, settings)(b, alpha, variables)
    }

    /// The same for alpha that is a constant; see ``solve(_:alpha:method:tolerance:maximumIterations:preconditioner:progress:)``.
    public func solve(
        _ b: Tensor<Scalar>, alpha: Scalar = 0, method: SolverMethod = .conjugateGradients, tolerance: Double? = nil,
        maximumIterations: Int? = nil, preconditioner: (any Preconditioner)? = nil, progress: SolverProgress.Handler? = nil
    ) throws -> Tensor<Scalar> {
        try solve(
            b, alpha: Tensor(alpha), method: method, tolerance: tolerance, maximumIterations: maximumIterations,
            preconditioner: preconditioner, progress: progress)
    }
}
