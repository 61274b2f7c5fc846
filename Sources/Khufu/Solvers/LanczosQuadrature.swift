import RealModule

/// Quadratic forms zᵀ log(A) z by Lanczos: the eigenvalues of the tridiagonal matrix are the nodes of a Gauss quadrature, the squares
/// of the first entries of its eigenvectors the weights (Golub and Meurant, 1994; Ubaru, Chen and Saad, 2017, algorithm 1).
///
/// Lanczos vectors are not orthogonalised again: the nodes that rounding doubles share one weight (Greenbaum, 1989), and three vectors
/// are kept for each z rather than one per step.
struct LanczosQuadrature {
    let product: ColumnMap
    let steps: Int
    let tolerance: Double
    /// How many steps lie between two looks at the result.
    private let stride = 5

    /// Results for each z, and how much each changed at last.
    func logarithms(_ vectors: Columns, progress: SolverProgress.Handler?) throws -> (values: [Double], changes: [Double]) {
        var monitor = IterationMonitor(tolerance: tolerance, maximumIterations: max(1, steps), progress: progress)
        let squares = vectors.dots(vectors)
        let all = Array(0..<vectors.count)
        var v = vectors
        v.scale(squares.map { $0 > 0 ? 1 / $0.squareRoot() : 0 })
        var old = Columns(length: v.length, count: v.count)
        var matrices = Array(repeating: TridiagonalMatrix(), count: v.count)
        var values = [Double](repeating: 0, count: v.count)
        var changes = values
        var open = all.filter { squares[$0] > 0 }
        for step in 1...max(1, steps) where !open.isEmpty {
            let change = open.map { changes[$0] / squares[$0] }.max()!
            try monitor.begin(residual: step == 1 ? 1 : change, remaining: open.count)
            var next = try product(v)
            next.add(matrices.map { -($0.offDiagonal.last ?? 0) }, times: old, at: open)
            let alphas = v.dots(next)
            next.add(alphas.map { -$0 }, times: v, at: open)
            let betas = next.norms()
            for k in open {
                guard alphas[k].isFinite, betas[k].isFinite else { throw SolverError.notFinite("the operator's product") }
                matrices[k].append(alphas[k], betas[k])
                let isExhausted = betas[k] <= 0x1p-45 * matrices[k].scale || step == vectors.length
                guard isExhausted || step % stride == 0 || step == steps else { continue }
                let value = squares[k] * (try matrices[k].logarithm(iteration: step))
                changes[k] = isExhausted ? 0 : abs(value - values[k])
                values[k] = value
                if changes[k] <= tolerance * squares[k] { matrices[k].isDone = true }
            }
            open = open.filter { !matrices[$0].isDone }
            (old, v) = (v, next)
            var factors = [Double](repeating: 0, count: v.count)
            for k in open { factors[k] = 1 / betas[k] }
            v.scale(factors)
        }
        return (values, changes)
    }
}

/// What Lanczos has found from one vector.
private struct TridiagonalMatrix {
    var diagonal: [Double] = []
    /// The last entry leads to the row to come.
    var offDiagonal: [Double] = []
    var scale = 0.0
    var isDone = false

    mutating func append(_ alpha: Double, _ beta: Double) {
        diagonal.append(alpha)
        offDiagonal.append(beta)
        scale = max(scale, abs(alpha), beta)
    }

    /// The first entry of the matrix's logarithm.
    func logarithm(iteration: Int) throws -> Double {
        var (nodes, betas) = (diagonal, Array(offDiagonal.dropLast()))
        var firstRow = Columns(length: 1, count: nodes.count)
        firstRow[0, 0] = 1
        diagonalize(&nodes, &betas, rotating: &firstRow)
        if let smallest = nodes.min(), smallest <= 0 {
            throw SolverError.notPositiveDefinite(curvature: smallest, largest: nodes.max()!, iteration: iteration)
        }
        return zip(nodes, firstRow.values).reduce(0) { $0 + $1.1 * $1.1 * Double.log($1.0) }
    }
}
