import Formulas
import Kernels
import RandomNumbers
import RealModule
import Testing

@testable import Engines

/// Random sums of Gaussians, and of their derivatives, by way of a lattice: attempts to break the error that it promises. What is right is added
/// up here, in double precision, for some of the rows.
@Suite struct LatticeRandomTests {
    @Test(arguments: 0..<400) func staysWithinTheTolerance(_ seed: Int) throws {
        var random = RandomSource(seed: 10_000 + seed)
        let call = LatticeCall(&random)
        guard let found = try call.run() else { return }
        for row in call.sampledRows(&random) {
            let exact = call.exact(row)
            for (k, sum) in exact.enumerated() {
                let value = found[row * exact.count + k]
                let error = abs(value - sum.value)
                #expect(
                    error <= sum.magnitude * (call.tolerance + call.rounding) + call.smallest,
                    "seed \(seed): \(call), row \(row), number \(k): \(value), not \(sum.value), of magnitude \(sum.magnitude)")
                if !(error <= sum.magnitude * (call.tolerance + call.rounding) + call.smallest) { return }
            }
        }
    }

    /// Most of the cases do go by way of a lattice.
    @Test func latticesAreUsed() throws {
        let count = try (0..<120).count { seed in
            var random = RandomSource(seed: 10_000 + seed)
            return try LatticeCall(&random).run() != nil
        }
        #expect(count > 60, "\(count)")
    }
}

/// Points, a formula and a tolerance.
private struct LatticeCall: CustomStringConvertible {
    enum Cloud: CaseIterable { case uniform, clusters, line, duplicates, onePoint, cells, outliers, apart }
    enum Weights: CaseIterable { case positive, signed, someZero, huge, tiny }
    /// The sum, and that of its derivatives.
    enum Form: CaseIterable { case sum, exponents, derivative, product }

    let dimension: Int
    let type: ScalarType
    let form: Form
    let cloud: Cloud
    let weights: Weights
    let tolerance: Double
    /// One for each axis where distances are weighted, else one.
    private let g: [Double]
    private let rows: Int
    private let columns: Int
    private let over: ReducedIndex
    /// Of points that lie apart: where the lattice's windows end, and before and behind.
    private let gap: Double
    private var x: [Double] = []
    private var y: [Double] = []
    private var a: [Double] = []
    private var b: [Double] = []

    init(_ random: inout RandomSource) {
        dimension = random.int(1...3)
        type = random.pick([.float32, .float64])
        form = random.pick(Form.allCases)
        cloud = random.pick(Cloud.allCases)
        weights = random.pick(Weights.allCases)
        tolerance = .pow(10, random.uniform(type == .float32 ? -4 : -9, -0.7))
        (rows, columns) = (random.int(2_200...6_000), random.int(2_200...6_000))
        over = random.pick([.j, .j, .i])
        // From far wider than the points' cube to far narrower than their distances.
        let width = Double.pow(10, random.chance(0.2) ? random.uniform(-5, 4) : random.uniform(-1.5, 0.7))
        gap = width * random.uniform(1, 14)
        let isWeighted = random.chance(0.3)
        let shape = type
        func stored(_ value: Double) -> Double { shape == .float32 ? Double(Float(value)) : value }
        g = (0..<(isWeighted ? dimension : 1)).map { _ in
            stored(1 / (2 * width * width) * (isWeighted ? .pow(4, random.uniform(-1, 1)) : 1))
        }
        let shift = random.chance(0.2) ? random.uniform(-300, 300) : 0
        let cells = cellPoints(tolerance: tolerance, &random)
        func points(_ count: Int, isRows: Bool) -> [Double] {
            (0..<count).flatMap { k -> [Double] in
                if cloud == .cells, let cells { return (0..<dimension).map { cells[$0][random.below(cells[$0].count)] } }
                return point(isRows: isRows, width, &random).map { $0 + shift }
            }.map(stored)
        }
        x = points(rows, isRows: true)
        y = points(columns, isRows: false)
        a = (0..<rows).map { _ in stored(number(&random)) }
        b = (0..<columns).map { _ in stored(number(&random)) }
    }

    /// Coordinates at nodes of the lattice that such points have, halfway between them, and as near as numbers go.
    private func cellPoints(tolerance: Double, _ random: inout RandomSource) -> [[Double]]? {
        let box = [ClosedRange<Double>](repeating: 0...1, count: dimension)
        let all = (0..<dimension).map { g.count == 1 ? g[0] : g[$0] }
        guard
            let plan = LatticePlan(
                weights: all, rows: box, columns: box, tolerance: tolerance, reach: 1, limit: 1 << 20, lanes: 8)
        else { return nil }
        return plan.axes.map { axis in
            let nodes = (0...max(1, Int(1 / axis.step))).map { axis.zero + Double($0) * axis.step }
            let near = nodes.flatMap { [$0, $0.nextUp, $0.nextDown, $0 + axis.step / 2] }
            return near.filter { (0...1).contains($0) } + [0, 1]
        }
    }

    private func point(isRows: Bool, _ width: Double, _ random: inout RandomSource) -> [Double] {
        switch cloud {
        case .uniform, .cells: return (0..<dimension).map { _ in random.uniform(0, 1) }
        case .clusters:
            let centre = Double(random.below(3))
            return (0..<dimension).map { _ in centre + random.uniform(0, 0.05) }
        case .line:
            let t = random.uniform(0, 1)
            return (0..<dimension).map { _ in t }
        case .duplicates: return (0..<dimension).map { $0 == 0 ? Double(random.below(4)) / 3 : 0.25 }
        case .onePoint: return (0..<dimension).map { Double($0) }
        case .outliers:
            let isFar = random.chance(0.004)
            return (0..<dimension).map { _ in random.uniform(0, 1) + (isFar ? width * random.uniform(-9, 9) : 0) }
        case .apart: return (0..<dimension).map { _ in random.uniform(0, 1) + (isRows ? gap : 0) }
        }
    }

    private func number(_ random: inout RandomSource) -> Double {
        switch weights {
        case .positive: random.uniform(0.5, 1)
        case .signed: random.uniform(-1, 1)
        case .someZero: random.chance(0.7) ? 0 : random.uniform(-1, 1)
        case .huge: random.uniform(-1, 1) * .pow(10, random.uniform(0, 9))
        case .tiny: random.uniform(0.5, 1) * 1e-9
        }
    }

    // MARK: The formula

    var description: String {
        "\(text), \(type.rawValue), over \(over), \(cloud), \(weights), g = \(g), \(rows) × \(columns), tolerance \(tolerance)"
    }

    private var text: String {
        let distance = g.count == 1 ? "g * SqDist(x, y)" : "WeightedSqDist(g, x, y)"
        return switch form {
        case .sum: "Exp(-\(distance)) * \(over == .j ? "b" : "a")"
        case .exponents: "Exp(b / (1 + Abs(b)) - \(distance) - a / (1 + Abs(a)))"
        case .derivative: "(x - y) * Exp(-\(distance)) * \(over == .j ? "b" : "a")"
        case .product: "a * b * Exp(-\(distance)) * (y - x) * 2"
        }
    }

    var smallest: Double { type == .float32 ? 1e-30 : 1e-280 }
    /// What rows that are summed as ever may be off, beside.
    var rounding: Double { type == .float32 ? 3e-5 : 1e-11 }

    /// The numbers of a row and the sums of their magnitudes.
    func exact(_ row: Int) -> [(value: Double, magnitude: Double)] {
        let isDerivative = form == .derivative || form == .product
        var sums = [(value: Double, magnitude: Double)](repeating: (0, 0), count: isDerivative ? dimension : 1)
        for other in 0..<(over == .j ? columns : rows) {
            let (i, j) = over == .j ? (row, other) : (other, row)
            var exponent = 0.0
            for axis in 0..<dimension {
                let difference = x[i * dimension + axis] - y[j * dimension + axis]
                exponent -= (g.count == 1 ? g[0] : g[axis]) * difference * difference
            }
            if form == .exponents { exponent += b[j] / (1 + abs(b[j])) - a[i] / (1 + abs(a[i])) }
            var term = Double.exp(exponent)
            switch form {
            case .exponents: break
            case .product: term *= -2 * a[i] * b[j]
            case .sum, .derivative: term *= over == .j ? b[j] : a[i]
            }
            for k in sums.indices {
                let value = isDerivative ? term * (x[i * dimension + k] - y[j * dimension + k]) : term
                sums[k].value += value
                sums[k].magnitude += abs(value)
            }
        }
        return sums
    }

    /// Random ones, and those farthest out.
    func sampledRows(_ random: inout RandomSource) -> [Int] {
        let (count, points) = over == .j ? (rows, x) : (columns, y)
        let order = (0..<count).sorted { points[$0 * dimension] < points[$1 * dimension] }
        return (0..<60).map { _ in random.below(count) } + order.prefix(8) + order.suffix(8)
    }

    // MARK: Running

    /// Nil where no lattice is used.
    func run() throws -> [Double]? { type == .float32 ? try run(Float.self)?.map { Double($0) } : try run(Double.self) }

    private func run<Scalar: BinaryFloatingPoint>(_: Scalar.Type) throws -> [Scalar]? {
        let declarations = try Declaration.list(
            parsing: ["x = Vi(\(dimension))", "y = Vj(\(dimension))", "a = Vi(1)", "b = Vj(1)", "g = Pm(\(g.count))"])
        let compiled = try CompiledReduction(
            Reduction(.sum, of: text, over: over, declarations: declarations), declarations: declarations)
        let memory = [x, y, a, b, g].map { array in
            let memory = UnsafeMutableBufferPointer<Scalar>.allocate(capacity: array.count)
            _ = memory.initialize(fromContentsOf: array.map { Scalar($0) })
            return memory
        }
        defer { memory.forEach { $0.deallocate() } }
        let shapes = [[rows, dimension], [columns, dimension], [rows, 1], [columns, 1], [g.count]]
        let bound = try compiled.bound(
            to: zip(memory, shapes).map { InputArray(UnsafeRawPointer($0.baseAddress!), type: type, shape: $1) })
        let options = ExecutionOptions(engine: .cpu, pruning: .always, tolerance: tolerance)
        let kernel = try #require(try compiled.kernel(for: bound.binding, options))
        var values = [Scalar](repeating: .nan, count: bound.shape.valueTotal)
        let isUsed = values.withUnsafeMutableBytes { values in
            bound.runOnLattice(
                kernel,
                Run(
                    reduction: compiled.reduction, binding: bound.binding,
                    sparsity: .dense(rows: bound.binding.rowCount, columns: bound.binding.columnCount), threads: 2, progress: nil,
                    output: Output(values: values.baseAddress, indices: nil)), options) != nil
        }
        return isUsed ? values : nil
    }
}
