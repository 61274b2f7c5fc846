/// An iteration that solves for right-hand sides of length 1, each until its residual is as small as its target.
///
/// Reports of progress multiply the residuals by scales.
protocol CorrectionSolver {
    mutating func callAsFunction(
        _ residuals: Columns, targets: [Double], scales: [Double], _ monitor: inout IterationMonitor
    ) throws -> Columns
}

extension SolverSettings {
    /// Solutions of Ax = b for each column of b, whose true residuals are no larger than the tolerance; or, where that is accepted, as small
    /// as they get.
    ///
    /// A recurrence for the residual parts from the true one by rounding. Where it has converged, the true residual is computed, and
    /// solved for in turn while that helps (iterative refinement).
    func solutions(_ b: Columns, product: @escaping ColumnMap, alpha: Double) throws -> (x: Columns, residual: Double) {
        let norms = b.norms()
        guard norms.allSatisfy(\.isFinite) else { throw SolverError.notFinite("the right-hand side") }
        var monitor = self.monitor
        var solver = solver(product, alpha: alpha)
        var x = Columns(length: b.length, count: b.count)
        var r = b
        var relative = norms.map { $0 > 0 ? 1.0 : 0 }
        var best = (x: x, relative: relative)
        var failures = 0
        // Somewhat below the tolerance at first, that the true residual be so, and well below thereafter.
        var goal = 0.9 * tolerance
        while true {
            let pending = relative.indices.filter { relative[$0] > tolerance }
            guard !pending.isEmpty else { return (x, relative.max() ?? 0) }
            // Of length 1, so that numbers of any size are far from the bounds of the operator's type.
            var unit = r.selecting(pending)
            let lengths = unit.norms()
            unit.scale(lengths.map { 1 / $0 })
            let scales = pending.map { relative[$0] }
            let corrections = try solver(unit, targets: scales.map { min(goal / $0, 0.9) }, scales: scales, &monitor)

            var refined = x.selecting(pending)
            refined.add(lengths, times: corrections, at: Array(pending.indices))
            x.replace(pending, with: refined)
            var residuals = b.selecting(pending)
            residuals.add(-1, times: try product(refined))
            r.replace(pending, with: residuals)
            var hasImproved = true
            for (k, norm) in zip(pending, residuals.norms()) {
                guard norm.isFinite else { throw SolverError.notFinite("the operator's product") }
                let current = norm / norms[k]
                if current > tolerance, current > 0.5 * relative[k] { hasImproved = false }
                relative[k] = current
            }
            let better = relative.indices.filter { relative[$0] < best.relative[$0] }
            best.x.replace(better, with: x.selecting(better))
            for k in better { best.relative[k] = relative[k] }
            failures = hasImproved ? 0 : failures + 1
            if acceptsStagnation, failures == 2 || monitor.isExhausted { return (best.x, best.relative.max() ?? 0) }
            if failures == 2 {
                throw SolverError.stagnated(
                    residual: relative.max()!, tolerance: tolerance, iterations: monitor.iteration)
            }
            goal = 0.1 * tolerance
        }
    }

    private func solver(_ product: @escaping ColumnMap, alpha: Double) -> any CorrectionSolver {
        let preconditioning = preconditioning(-1, alpha: alpha)
        switch method {
        case .conjugateGradients:
            return ConjugateGradients(
                product: product, preconditioning: preconditioning, roundingEndsIt: acceptsStagnation ? precision : nil)
        case .minimumResiduals:
            return MinimumResiduals(product: product, preconditioning: preconditioning, precision: precision)
        }
    }
}
