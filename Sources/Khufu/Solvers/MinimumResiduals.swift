/// MINRES for many right-hand sides: Lanczos vectors and a QR decomposition of their tridiagonal matrix for each, one product per
/// iteration for all (Paige and Saunders, 1975; with a preconditioner as in Choi, Paige and Saunders, 2011, table 3.4).
struct MinimumResiduals: CorrectionSolver {
    let product: ColumnMap
    let preconditioning: ColumnMap?
    /// The relative accuracy of products.
    let precision: Double
    /// An estimate of the operator's norm, over all right-hand sides and calls: what is below its rounding is nothing.
    private var norm = 0.0

    init(product: @escaping ColumnMap, preconditioning: ColumnMap?, precision: Double) {
        (self.product, self.preconditioning, self.precision) = (product, preconditioning, precision)
    }

    /// One right-hand side's tridiagonal matrix and its rotations.
    fileprivate struct Recurrence {
        var beta: Double
        var lastBeta = 0.0
        var deltaBar = 0.0
        var epsilon = 0.0
        var residual: Double
        var cosine = -1.0
        var sine = 0.0
        var squaredNorm = 0.0
        /// Whether there is nothing to gain any more: the Krylov space is exhausted or the residual is that of least squares.
        var isAtEnd = false
    }

    /// With a preconditioner, residuals are measured in the norm of its inverse.
    mutating func callAsFunction(
        _ residuals: Columns, targets: [Double], scales: [Double], _ monitor: inout IterationMonitor
    ) throws -> Columns {
        var x = Columns(length: residuals.length, count: residuals.count)
        let all = Array(0..<x.count)
        var (older, old) = (x, residuals)
        var y = try preconditioning?(old) ?? old
        var (oldDirection, direction) = (x, x)
        var states = old.dots(y).map { Recurrence(beta: $0.squareRoot(), residual: $0.squareRoot()) }
        let starts = states.map(\.residual)
        while true {
            let open = all.filter { states[$0].residual > targets[$0] * starts[$0] && !states[$0].isAtEnd }
            guard !open.isEmpty else { return x }
            let residual = all.map { states[$0].residual / starts[$0] * scales[$0] }.max()!
            try monitor.begin(residual: residual, remaining: open.count)

            // Columns that have ended are zero from here on.
            var v = y
            v.scale(Array(repeating: 0, count: v.count).replacing(at: open) { 1 / states[$0].beta })
            y = try product(v)
            y.add(states.map { $0.lastBeta > 0 ? -$0.beta / $0.lastBeta : 0 }, times: older, at: open)
            let alphas = v.dots(y)
            y.add(all.map { -alphas[$0] / states[$0].beta }, times: old, at: open)
            (older, old) = (old, y)
            y = try preconditioning?(old) ?? old
            let squares = old.dots(y)

            var (onOlder, onOld, onNew, steps) = (starts, starts, starts, starts)
            for k in open {
                guard alphas[k].isFinite, squares[k].isFinite else { throw SolverError.notFinite("the operator's product") }
                guard squares[k] >= 0 else {
                    throw SolverError.invalidArgument(
                        "A preconditioner is positive definite; for this one rᵀP⁻¹r = \(squares[k]) was found.")
                }
                (onOlder[k], onOld[k], onNew[k], steps[k]) = states[k].advance(
                    alpha: alphas[k], beta: squares[k].squareRoot(), precision: precision, norm: &norm)
            }
            // w = (v - epsilon w₋₂ - delta w₋₁) / gamma.
            v.add(onOlder.map { -$0 }, times: oldDirection, at: open)
            v.add(onOld.map { -$0 }, times: direction, at: open)
            v.scale(onNew, at: open)
            (oldDirection, direction) = (direction, v)
            x.add(steps, times: direction, at: open)
        }
    }
}

extension [Double] {
    fileprivate func replacing(at places: [Int], with value: (Int) -> Double) -> [Double] {
        var result = self
        for place in places { result[place] = value(place) }
        return result
    }
}

extension MinimumResiduals.Recurrence {
    /// Enters a row of the tridiagonal matrix; the factors of the direction's update and the step along it.
    fileprivate mutating func advance(
        alpha: Double, beta next: Double, precision: Double, norm: inout Double
    ) -> (Double, Double, Double, Double) {
        squaredNorm += alpha * alpha + beta * beta * (lastBeta > 0 ? 1 : 0) + next * next
        let oldEpsilon = epsilon
        let delta = cosine * deltaBar + sine * alpha
        let gammaBar = sine * deltaBar - cosine * alpha
        epsilon = sine * next
        deltaBar = -cosine * next
        norm = max(norm, squaredNorm.squareRoot())
        // |Ar| / (|A| |r|) before this step: 0 at a least-squares solution.
        let slope = (gammaBar * gammaBar + deltaBar * deltaBar).squareRoot()
        let gamma = max((gammaBar * gammaBar + next * next).squareRoot(), precision * norm, .leastNormalMagnitude)
        (cosine, sine) = (gammaBar / gamma, next / gamma)
        let isOptimal = slope <= 4 * precision * norm
        let step = isOptimal ? 0 : cosine * residual
        if !isOptimal { residual *= abs(sine) }
        isAtEnd = isOptimal || next <= 4 * precision * norm
        (lastBeta, beta) = (beta, next)
        return (oldEpsilon, delta, 1 / gamma, step)
    }
}
