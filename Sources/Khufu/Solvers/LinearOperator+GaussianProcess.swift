import RealModule

extension LinearOperator {
    /// The logarithm of the probability density of observations y of a Gaussian process whose covariance matrix is this operator
    /// (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, equation 2.30):
    ///
    ///     -½ yᵀ(K + noise I)⁻¹y - ½ log det(K + noise I) - ½ n log 2π
    ///
    /// It is recorded with respect to y, the noise and the operator's variables, so that a kernel can be fitted by its gradient. The
    /// gradient's log-determinant part is estimated by random probes; with one seed it is a smooth function all the same.
    ///
    /// - Parameters:
    ///   - y: observations (rows), of mean 0, or of several independent processes (rows, k), whose densities multiply.
    ///   - noise: the variance of the observations' error: one number.
    ///
    /// For the others see ``logDeterminant(alpha:probes:steps:seed:tolerance:maximumIterations:preconditioner:progress:)``.
    /// - Returns: one number, of shape [].
    /// - Throws: ``SolverError`` as the solve and the log-determinant.
    public func gaussianProcessLogLikelihood(
        of y: Tensor<Scalar>, noise: Tensor<Scalar>, probes: Int = 16, steps: Int = 100, seed: UInt64 = 0,
        tolerance: Double? = nil, maximumIterations: Int? = nil, preconditioner: (any Preconditioner)? = nil,
        progress: SolverProgress.Handler? = nil
    ) throws -> Tensor<Scalar> {
        let weights = try solve(
            y, alpha: noise, tolerance: tolerance, maximumIterations: maximumIterations, preconditioner: preconditioner,
            progress: progress)
        let determinant = try logDeterminant(
            alpha: noise, probes: probes, steps: steps, seed: seed, tolerance: tolerance,
            maximumIterations: maximumIterations, preconditioner: preconditioner, progress: progress)
        let processes = y.rank == 2 ? y.shape[1] : 1
        let constant = Scalar(Double(y.count) * Double.log(2 * .pi))
        return try -0.5 * (y.dot(weights) + Scalar(processes) * determinant.value + constant)
    }

    /// The same for a noise that is a constant.
    public func gaussianProcessLogLikelihood(
        of y: Tensor<Scalar>, noise: Scalar, probes: Int = 16, steps: Int = 100, seed: UInt64 = 0,
        tolerance: Double? = nil, maximumIterations: Int? = nil, preconditioner: (any Preconditioner)? = nil,
        progress: SolverProgress.Handler? = nil
    ) throws -> Tensor<Scalar> {
        try gaussianProcessLogLikelihood(
            of: y, noise: Tensor(noise), probes: probes, steps: steps, seed: seed, tolerance: tolerance,
            maximumIterations: maximumIterations, preconditioner: preconditioner, progress: progress)
    }
}
