import RealModule

// Soft dynamic time warping between two series of numbers (Cuturi and Blondel, "Soft-DTW: a differentiable loss function
// for time-series", ICML 2017). With costs d_ij = (x_i - y_j)²,
//     R_ij = d_ij + softmin_γ(R_{i-1,j-1}, R_{i-1,j}, R_{i,j-1}),   softmin_γ(a) = min a - γ log Σ_k exp((min a - a_k)/γ),
// cumulative along the first row and column; the value is the last R.

struct SoftDTW: PlainOperation {
    static let name = "SoftDTW_SqDist"
    static let summary = "Soft dynamic time warping of the series x and y with squared differences and temperature gamma."
    static let parameters: [Parameter] = [.formula("x"), .formula("y"), .formula("gamma")]

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        guard arguments[2].dimension == 1 else {
            throw FormulaError("\(Self.name) takes a temperature of dimension 1; this has dimension \(arguments[2].dimension).")
        }
        _ = try product(Self.name, arguments.map(\.dimension))
        guard arguments[0].dimension + arguments[1].dimension < Formula.maximumDimension else {
            throw FormulaError("\(Self.name) takes series of fewer than \(Formula.maximumDimension) numbers in all.")
        }
        return 1
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        let (n, m) = (arguments[0].dimension, arguments[1].dimension)
        let gradient = gradient(arguments)
        return [
            cotangent * gradient.extracted(0, n), cotangent * gradient.extracted(n, m), cotangent * gradient.component(n + m),
        ]
    }

    func pushforward(of tangents: [Formula?], _ arguments: [Formula], result: Formula) -> Formula {
        let gradient = gradient(arguments)
        var (total, start) = (Formula.zero(1), 0)
        for (argument, tangent) in zip(arguments, tangents) {
            if let tangent { total = total + gradient.extracted(start, argument.dimension).dot(tangent) }
            start += argument.dimension
        }
        return total
    }

    private func gradient(_ arguments: [Formula]) -> Formula {
        .trusted(GradSoftDTW(), arguments[0], arguments[1], arguments[2])
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        let (x, y, gamma) = (arguments[0], arguments[1], arguments[2][0])
        var table = [[Double]](repeating: Array(repeating: 0, count: y.count), count: x.count)
        for i in x.indices {
            for j in y.indices {
                var before: [Double] = []
                if i > 0 { before.append(table[i - 1][j]) }
                if j > 0 { before.append(table[i][j - 1]) }
                if i > 0, j > 0 { before.append(table[i - 1][j - 1]) }
                let cost = (x[i] - y[j]) * (x[i] - y[j])
                let least = before.min() ?? 0
                let excess = before.count < 3 ? 0 : gamma * .log(before.reduce(0) { $0 + .exp((least - $1) / gamma) })
                table[i][j] = cost + least - excess
            }
        }
        return [table[x.count - 1][y.count - 1]]
    }

    /// One row of the table is kept.
    func lowering(_ dimensions: [Int]) -> Lowering {
        .scalar { arguments, emitter in
            let (n, m) = (dimensions[0], dimensions[1])
            let steps = SoftDTWSteps(arguments: arguments, emitter: emitter)
            let row = emitter.array(m)
            let corner = steps.cost(0, 0)
            emitter.store(corner, in: row, at: 0)
            let first = emitter.fold(m - 1, from: [corner]) { j, left in
                let value = left[0] + steps.cost(0, j + 1)
                emitter.store(value, in: row, at: j + 1)
                return [value]
            }
            // A cell is tens of instructions: its loops stay loops.
            return emitter.withoutUnrolling {
                emitter.fold(n - 1, from: first) { i, _ in
                    let above = emitter.load(row, at: 0)
                    let start = above + steps.cost(i + 1, 0)
                    emitter.store(start, in: row, at: 0)
                    return [
                        emitter.fold(m - 1, from: [above, start]) { j, carried in
                            let up = emitter.load(row, at: j + 1)
                            let value = steps.cost(i + 1, j + 1) + steps.softMinimum([carried[0], up, carried[1]]).value
                            emitter.store(value, in: row, at: j + 1)
                            return [up, value]
                        }[1]
                    ]
                }[0]
            }
        }
    }

    /// The value as elementary formulas, one small group per cell: what second derivatives are taken of.
    static func expansion(_ x: Formula, _ y: Formula, _ gamma: Formula) -> Formula {
        var above: [Formula] = []
        for i in 0..<x.dimension {
            var row: [Formula] = []
            for j in 0..<y.dimension {
                let cost = (x.component(i) - y.component(j)).squared
                switch (i, j) {
                case (0, 0): row.append(cost)
                case (0, _): row.append(row[j - 1] + cost)
                case (_, 0): row.append(above[0] + cost)
                default:
                    let before = above[j - 1].concatenated(above[j]).concatenated(row[j - 1])
                    let least = Formula.trusted(Min(), before)
                    row.append(cost + least - gamma * ((least - before) / gamma).exp.sum.log)
                }
            }
            above = row
        }
        return above[y.dimension - 1]
    }
}

/// The gradient of soft-DTW with respect to x, y and gamma, one after the other, by the backward recursion of the paper's
/// algorithm 2. With p_ij the soft-min's weights of cell (i, j) and E_ij = ∂R/∂R_ij: ∂/∂γ = -Σ E_ij entropy(p_ij).
struct GradSoftDTW: PlainOperation {
    static let name = "GradSoftDTW_SqDist"
    static let summary = "The gradient of SoftDTW_SqDist with respect to x, then y, then gamma."
    static let parameters: [Parameter] = SoftDTW.parameters

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        _ = try SoftDTW().dimension(arguments)
        return arguments[0].dimension + arguments[1].dimension + 1
    }

    /// The largest n·m for which second derivatives are formed: their formula has a group of nodes per cell.
    private static let maximumCells = 2_500

    /// Derivatives of the elementary formulas, taken at place holders which the arguments then replace.
    private func throughExpansion(
        _ arguments: [Formula], _ derive: ([Formula], Formula) throws(FormulaError) -> [Formula]
    ) throws(FormulaError) -> [Formula] {
        guard arguments[0].dimension * arguments[1].dimension <= Self.maximumCells else {
            throw FormulaError(
                "Second derivatives of SoftDTW_SqDist are formed for tables of at most \(Self.maximumCells) cells; this has \(arguments[0].dimension)·\(arguments[1].dimension)."
            )
        }
        var holders: [Formula] = []
        for (k, argument) in arguments.enumerated() {
            // Number 0 is the direction of a divergence, which the tangents may contain.
            holders.append(.placeHolder(1 + k, of: argument.dimension))
        }
        let value = SoftDTW.expansion(holders[0], holders[1], holders[2])
        let parts = try value.gradients(withRespectTo: holders, cotangent: .one)
        let gradient = parts[0].concatenated(parts[1]).concatenated(parts[2])
        var results: [Formula] = []
        for derivative in try derive(holders, gradient) {
            results.append(try derivative.substituting(Dictionary(zip(holders, arguments)) { first, _ in first }))
        }
        return results
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) throws(FormulaError)
        -> [Formula?]
    {
        try throughExpansion(arguments) { (holders, gradient) throws(FormulaError) in
            try gradient.gradients(withRespectTo: holders, cotangent: cotangent)
        }
    }

    func pushforward(
        of tangents: [Formula?], _ arguments: [Formula], result: Formula
    ) throws(FormulaError) -> Formula {
        try throughExpansion(arguments) { (holders, gradient) throws(FormulaError) in
            var directions: [Formula: Formula] = [:]
            for (holder, tangent) in zip(holders, tangents) { directions[holder] = tangent }
            return [try gradient.differential(along: directions)]
        }[0]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        let (x, y, gamma) = (arguments[0], arguments[1], arguments[2][0])
        let (n, m) = (x.count, y.count)
        var table = [[Double]](repeating: Array(repeating: 0, count: m), count: n)
        // weights[i][j]: the cells before (i, j) and how much of its soft-min each carries.
        var weights = [[[(i: Int, j: Int, weight: Double)]]](repeating: Array(repeating: [], count: m), count: n)
        for i in 0..<n {
            for j in 0..<m {
                let cost = (x[i] - y[j]) * (x[i] - y[j])
                let before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)].filter { $0.0 >= 0 && $0.1 >= 0 }
                let values = before.map { table[$0.0][$0.1] }
                let least = values.min() ?? 0
                let masses = values.map { Double.exp((least - $0) / gamma) }
                let mass = masses.reduce(0, +)
                table[i][j] = cost + least - (before.count == 3 ? gamma * .log(mass) : 0)
                weights[i][j] = zip(before, masses).map { ($0.0, $0.1, $1 / mass) }
            }
        }
        var sensitivity = [[Double]](repeating: Array(repeating: 0, count: m), count: n)
        sensitivity[n - 1][m - 1] = 1
        var result = Array(repeating: 0.0, count: dimension)
        for i in (0..<n).reversed() {
            for j in (0..<m).reversed() {
                let e = sensitivity[i][j]
                for (k, l, weight) in weights[i][j] {
                    sensitivity[k][l] += e * weight
                    if weight > 0 { result[n + m] += e * weight * .log(weight) }
                }
                result[i] += e * 2 * (x[i] - y[j])
                result[n + j] -= e * 2 * (x[i] - y[j])
            }
        }
        return result
    }

    /// Forward, keeping the soft-min's three weights and their entropy for every cell; then backward, scattering sensitivities.
    func lowering(_ dimensions: [Int]) -> Lowering {
        .whole { result, arguments, emitter in
            // A cell is tens of instructions: its loops stay loops.
            emitter.withoutUnrolling { fill(result, dimensions, arguments, emitter) }
        }
    }

    private func fill(
        _ result: ArrayReference, _ dimensions: [Int], _ arguments: [Operand], _ emitter: any Emitter
    ) {
        let (n, m) = (dimensions[0], dimensions[1])
        let steps = SoftDTWSteps(arguments: arguments, emitter: emitter)
        let zero = emitter.constant(0)
        let one = emitter.constant(1)
        // Weights of the cells before: diagonal, up, left. The table of sensitivities has a spare first row and
        // column, which receive what the first row and column of cells scatter outside.
        let weights = (0..<3).map { _ in emitter.array(n * m) }
        let entropies = emitter.array(n * m)
        let sensitivity = emitter.array((n + 1) * (m + 1))
        let row = emitter.array(m)

        func set(_ cell: Index, _ values: [Value], entropy: Value? = nil) {
            for (array, value) in zip(weights, values) { emitter.store(value, in: array, at: cell) }
            emitter.store(entropy ?? zero, in: entropies, at: cell)
        }
        let corner = steps.cost(0, 0)
        emitter.store(corner, in: row, at: 0)
        set(0, [zero, zero, zero])
        _ = emitter.fold(m - 1, from: [corner]) { j, left in
            let value = left[0] + steps.cost(0, j + 1)
            emitter.store(value, in: row, at: j + 1)
            set(j + 1, [zero, zero, one])
            return [value]
        }
        emitter.loop(n - 1) { i in
            let above = emitter.load(row, at: 0)
            let start = above + steps.cost(i + 1, 0)
            emitter.store(start, in: row, at: 0)
            set((i + 1) * m, [zero, one, zero])
            _ = emitter.fold(m - 1, from: [above, start]) { j, carried in
                let up = emitter.load(row, at: j + 1)
                let minimum = steps.softMinimum([carried[0], up, carried[1]])
                let value = steps.cost(i + 1, j + 1) + minimum.value
                emitter.store(value, in: row, at: j + 1)
                set((i + 1) * m + j + 1, minimum.weights, entropy: minimum.entropy)
                return [up, value]
            }
        }

        emitter.fill(result, from: 0, n + m + 1) { _ in zero }
        emitter.fill(sensitivity, from: 0, (n + 1) * (m + 1)) { _ in zero }
        emitter.store(one, in: sensitivity, at: Index((n + 1) * (m + 1) - 1))
        func add(_ value: Value, to array: ArrayReference, at index: Index) {
            emitter.store(emitter.load(array, at: index) + value, in: array, at: index)
        }
        emitter.loop(n) { reversedI in
            let i = reversedI * -1 + (n - 1)
            emitter.loop(m) { reversedJ in
                let j = reversedJ * -1 + (m - 1)
                let spare = m + 1
                let e = emitter.load(sensitivity, at: (i + 1) * spare + j + 1)
                let p = weights.map { emitter.load($0, at: i * m + j) }
                for (weight, target) in zip(p, [i * spare + j, i * spare + j + 1, (i + 1) * spare + j]) {
                    add(e * weight, to: sensitivity, at: target)
                }
                add(-(e * emitter.load(entropies, at: i * m + j)), to: result, at: Index(n + m))
                let slope = e * (steps.difference(i, j) + steps.difference(i, j))
                add(slope, to: result, at: i)
                add(-slope, to: result, at: j + n)
            }
        }
    }
}

/// The steps of the recursion as instructions.
private struct SoftDTWSteps {
    let arguments: [Operand]
    let emitter: any Emitter

    func difference(_ i: Index, _ j: Index) -> Value { arguments[0][i] - arguments[1][j] }

    func cost(_ i: Index, _ j: Index) -> Value {
        let difference = difference(i, j)
        return difference * difference
    }

    /// The soft-min of three numbers, its weights p and their entropy, -Σ p log p.
    ///
    /// The least number has mass 1. The others' masses are added up apart, and log(1 + them) is taken with the correction
    /// of what 1 + them rounds away, so that a nearly certain choice keeps its small entropy.
    func softMinimum(_ values: [Value]) -> (value: Value, weights: [Value], entropy: Value) {
        let one = emitter.constant(1)
        let gamma = arguments[2][0]
        let least = values.dropFirst().reduce(values[0]) { ($1 < $0).select($1, $0) }
        let distances = values.map { ($0 - least) / gamma }
        let masses = distances.map { (-$0).apply(.exp) }
        let isFirstLarger = masses[0] > masses[1]
        let (larger, smaller) = (isFirstLarger.select(masses[0], masses[1]), isFirstLarger.select(masses[1], masses[0]))
        let others = smaller + (masses[2] < larger).select(masses[2], larger)
        let mass = one + others
        let logMass = (mass == one).select(others, mass.apply(.log) * (others / (mass - one)))
        let weights = masses.map { $0 / mass }
        // An infinite distance has weight 0, and 0 · inf would be NaN.
        let spread = zip(weights, distances).map { weight, distance in
            (weight > emitter.constant(0)).select(weight * distance, emitter.constant(0))
        }
        return (least - gamma * logMass, weights, logMass + (spread[0] + spread[1] + spread[2]))
    }
}
