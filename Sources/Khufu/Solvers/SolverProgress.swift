/// How far an iteration is.
public struct SolverProgress: Hashable, Sendable {
    /// Counted from 1.
    public var iteration: Int
    public var maximumIterations: Int
    /// The largest relative residual: |b - Ax| / |b| of a right-hand side or |Av - λv| / |λ₁| of an eigenpair, as the recurrence
    /// has it before this iteration.
    public var residual: Double
    /// How many right-hand sides or eigenpairs have not converged.
    public var remaining: Int

    /// What an iteration calls. An error that it throws ends the iteration and passes to the caller.
    public typealias Handler = @Sendable (SolverProgress) throws -> Void
}

/// Counts iterations, reports them and ends them at the cap.
struct IterationMonitor {
    let tolerance: Double
    let maximumIterations: Int
    let progress: SolverProgress.Handler?
    private(set) var iteration = 0

    init(tolerance: Double, maximumIterations: Int, progress: SolverProgress.Handler?) {
        self.tolerance = tolerance
        self.maximumIterations = maximumIterations
        self.progress = progress
    }

    /// Whether the cap is reached.
    var isExhausted: Bool { iteration >= maximumIterations }

    /// To be called before each iteration.
    mutating func begin(residual: Double, remaining: Int) throws {
        guard iteration < maximumIterations else {
            throw SolverError.notConverged(residual: residual, tolerance: tolerance, iterations: iteration)
        }
        iteration += 1
        try progress?(
            SolverProgress(
                iteration: iteration, maximumIterations: maximumIterations, residual: residual, remaining: remaining))
    }
}
