/// Conjugate gradients for many right-hand sides: one product per iteration for all, step lengths and ends for each (Saad, Iterative
/// Methods for Sparse Linear Systems, 2003, algorithm 9.1).
struct ConjugateGradients: CorrectionSolver {
    let product: ColumnMap
    let preconditioning: ColumnMap?
    /// The relative accuracy of products, where an iteration that is at its end by rounding, or at the cap, keeps what it has; nil where
    /// that is an error.
    let roundingEndsIt: Double?

    func callAsFunction(
        _ residuals: Columns, targets: [Double], scales: [Double], _ monitor: inout IterationMonitor
    ) throws -> Columns {
        var solutions = Columns(length: residuals.length, count: residuals.count)
        // The columns still at work, by their places among all; those that have ended leave once they are half of them. Leaving one
        // by one would have products with ever another number of columns, each of which the engine compiles.
        var places = Array(0..<residuals.count)
        var x = solutions
        var r = residuals
        var z = try preconditioning?(r) ?? r
        var p = z
        var rho = r.dots(z)
        var norms = r.norms()
        var largest = 0.0
        var isAtEnd: Set<Int> = []
        while true {
            let open = places.indices.filter { norms[$0] > targets[places[$0]] && !isAtEnd.contains(places[$0]) }
            guard !open.isEmpty else { break }
            if 2 * open.count <= places.count {
                solutions.replace(places, with: x)
                (x, r, z, p) = (x.selecting(open), r.selecting(open), z.selecting(open), p.selecting(open))
                (rho, norms, places) = (open.map { rho[$0] }, open.map { norms[$0] }, open.map { places[$0] })
                continue
            }
            let residual = places.indices.map { norms[$0] * scales[places[$0]] }.max()!
            if roundingEndsIt != nil, monitor.isExhausted { break }
            try monitor.begin(residual: residual, remaining: open.count)

            let q = try product(p)
            let curvatures = p.dots(q)
            let squares = p.dots(p)
            var steps = [Double](repeating: 0, count: places.count)
            for k in open {
                guard curvatures[k].isFinite else { throw SolverError.notFinite("the operator's product") }
                guard rho[k] > 0 else {
                    throw SolverError.invalidArgument(
                        "A preconditioner is positive definite; for this one rᵀP⁻¹r = \(rho[k]) was found.")
                }
                let curvature = curvatures[k] / squares[k]
                largest = max(largest, curvature)
                if let precision = roundingEndsIt, abs(curvature) <= 4 * precision * largest {
                    isAtEnd.insert(places[k])
                    continue
                }
                guard curvature > 0 else {
                    throw SolverError.notPositiveDefinite(
                        curvature: curvature, largest: largest, iteration: monitor.iteration)
                }
                steps[k] = rho[k] / curvatures[k]
            }
            x.add(steps, times: p, at: open)
            r.add(steps.map { -$0 }, times: q, at: open)
            z = try preconditioning?(r) ?? r
            let next = r.dots(z)
            p.scale(places.indices.map { next[$0] / rho[$0] }, at: open)
            p.add(Array(repeating: 1, count: places.count), times: z, at: open)
            (rho, norms) = (next, preconditioning == nil ? next.map { $0.squareRoot() } : r.norms())
        }
        solutions.replace(places, with: x)
        return solutions
    }
}
