import Engines
import Formulas
import Kernels
import RandomNumbers
import Testing

/// Sums of Gaussians by way of a lattice, held to the error that they promise; all pairs in float64 say what is right.
@Suite struct LatticeTests {
    enum Cloud: String, CaseIterable {
        case uniform, clusters, line, duplicates, onePoint, apart, outliers
    }

    /// Forms that a Gaussian is written in, in three dimensions, two and one.
    static let formulas = [
        "Exp(-g * SqDist(x, y))", "Exp(-g * SqDist(x, y)) * b", "a * Exp(-SqNorm2((x - y) / h)) * (b - 0.75)",
        "Exp(-WeightedSqDist(w, x, y)) * b", "Exp(-SqDist(x[0:2], y[1:3]) * g + a - b)",
        "Exp(-Square(x[0:1] + y[0:1]) / h) * c / a",
        "-c * Exp(a * b - a * b - g * SqDist(2 * x, y))", "Exp(-SqDist(x[0:1], y[0:1]) * g * 40) * b",
        "a * (b - 0.75) * (x[0:2] - y[0:2]) * Exp(-SqDist(x[0:2], y[0:2]) / h)",
        "c * (a + b) * Exp(-Square(x[0:1] - y[0:1]) * g)",
    ]

    @Test(arguments: Cloud.allCases, formulas) func sums(_ cloud: Cloud, _ formula: String) throws {
        var random = RandomSource(seed: Self.formulas.firstIndex(of: formula)! * 100 + Cloud.allCases.firstIndex(of: cloud)!)
        let points = Points(cloud, rows: 2_200, columns: 2_000, &random)
        for over in [ReducedIndex.j, .i] {
            let exact = try points.exact(.sum, formula, over), magnitudes = try points.exact(.sum, "Abs(\(formula))", over)
            for tolerance in over == .j ? [1e-1, 1e-3, 1e-6] : [1e-4] {
                let found = try points.run(.sum, formula, over, Double.self, tolerance: tolerance).values
                let wrong = found.indices.first { abs(found[$0] - exact[$0]) > (tolerance + 1e-12) * magnitudes[$0] + 1e-290 }
                #expect(wrong == nil, "\(formula), \(cloud), over \(over), \(tolerance)")
            }
        }
    }

    @Test(arguments: Cloud.allCases) func logarithmsAndSoftMaxima(_ cloud: Cloud) throws {
        var random = RandomSource(seed: 50 + Cloud.allCases.firstIndex(of: cloud)!)
        let points = Points(cloud, rows: 2_200, columns: 2_000, &random)
        for formula in ["-g * SqDist(x, y)", "3 * b - SqDist(x, y) * g - a", "40 * b - SqDist(x[0:1], y[0:1]) / h"] {
            for weight in [nil, "b", "c * c"] {
                let exact = try points.exact(.logSumExp, formula, weight: weight, .j)
                for tolerance in [1e-2, 1e-5] {
                    let found = try points.run(.logSumExp, formula, weight: weight, .j, Double.self, tolerance: tolerance).values
                    let wrong = found.indices.first { abs(found[$0] - exact[$0]) > 1.02 * tolerance + 1e-11 * abs(exact[$0]) }
                    #expect(wrong == nil, "\(formula), \(weight ?? "1"), \(cloud), \(tolerance)")
                }
            }
            let exact = try points.exact(.sumSoftMax, formula, weight: "a * c", .j)
            let magnitudes = try points.exact(.sumSoftMax, formula, weight: "Abs(a * c)", .j)
            for tolerance in [1e-2, 1e-5] {
                let found = try points.run(.sumSoftMax, formula, weight: "a * c", .j, Double.self, tolerance: tolerance).values
                let wrong = found.indices.first { abs(found[$0] - exact[$0]) > (tolerance + 1e-11) * magnitudes[$0] }
                #expect(wrong == nil, "soft maximum, \(formula), \(cloud), \(tolerance)")
            }
        }
    }

    /// Derivatives of a sum are sums of the same kind.
    @Test(arguments: [0, 1, 3]) func gradients(_ position: Int) throws {
        var random = RandomSource(seed: 60 + position)
        let points = Points(.uniform, rows: 12_000, columns: 12_000, &random)
        let formula = "Exp(-g * SqDist(x, y)) * b"
        let exact = try points.gradient(of: formula, position, tolerance: nil, .never)
        let found = try points.gradient(of: formula, position, tolerance: 1e-4, .automatic)
        // What cancels is less than it all.
        let size = exact.reduce(0) { max($0, abs($1)) }
        #expect(size > 1)
        #expect(zip(found, exact).allSatisfy { abs($0 - $1) <= 1e-4 * 8 * size })
        #expect(found != exact)
    }

    /// Where bounds leave all pairs over, far fewer nodes are met; in float32, too, and whatever the number of threads.
    @Test func fewNodesAreMet() throws {
        var random = RandomSource(seed: 7)
        let points = Points(.uniform, rows: 12_000, columns: 12_000, &random)
        for formula in ["Exp(-g * SqDist(x, y)) * (b - 0.75)", "Exp(-SqDist(x[0:1], y[0:1]) * g)"] {
            let found = try points.run(.sum, formula, .j, Float.self, tolerance: 1e-3, pruning: .automatic)
            #expect(Double(found.report.evaluatedPairs) < 0.6 * Double(found.report.pairs), "\(formula): \(found.report)")
            let alone = try points.run(.sum, formula, .j, Float.self, tolerance: 1e-3, pruning: .automatic, threads: 1)
            #expect(alone.values == found.values)
            let exact = try points.exact(.sum, formula, .j), magnitudes = try points.exact(.sum, "Abs(\(formula))", .j)
            #expect(exact.indices.allSatisfy { abs(Double(found.values[$0]) - exact[$0]) <= 1.01e-3 * magnitudes[$0] })
        }
        // Without a tolerance, and where it is forbidden, all pairs are met.
        let formula = Self.formulas[0]
        for (tolerance, pruning) in [(nil, Pruning.always), (1e-3, .never), (0, .never)] as [(Double?, Pruning)] {
            let whole = try points.run(.sum, formula, .j, Float.self, tolerance: tolerance, pruning: pruning)
            #expect(whole.report.evaluatedPairs == whole.report.pairs)
        }
    }

    /// What is no Gaussian, and numbers that no lattice holds, are as without a tolerance.
    @Test func othersAreLeftAlone() throws {
        var random = RandomSource(seed: 8)
        for bad in [Double.infinity, .nan, -.infinity, 1e300] {
            var points = Points(.uniform, rows: 2_200, columns: 2_000, &random)
            for spot in [0, 1, 3] {
                points.arrays[spot][5] = bad
                for formula in [
                    "Exp(-g * SqDist(x, y)) * b", "Exp(-(0 - g) * SqDist(x, y) / 1000) * b", "Exp(-g * SqDist(x, a * y))",
                ] {
                    let found = try points.run(.sum, formula, .j, Double.self, tolerance: 1e-9).values
                    let whole = try points.run(.sum, formula, .j, Double.self, tolerance: nil, pruning: .never).values
                    #expect(
                        zip(found, whole).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) || abs($0 - $1) <= 1.1e-9 * abs($1) },
                        "\(bad) at \(spot), \(formula)")
                }
            }
        }
    }

    /// Items of a batch have points and parameters of their own.
    @Test func batches() throws {
        var random = RandomSource(seed: 9)
        let x = (0..<2 * 3_000).map { _ in Double.random(in: 0...1, using: &random) }
        let g = [3.0, 40]
        let declarations = try Declaration.list(parsing: ["x = Vi(1)", "y = Vj(1)", "g = Pm(1)"])
        let compiled = try CompiledReduction(
            Reduction(.sum, of: "Exp(-g * SqDist(x, y))", declarations: declarations), declarations: declarations)
        func run(_ pruning: Pruning) throws -> (values: [Double], report: RunReport) {
            var values = [Double](repeating: .nan, count: x.count)
            let report = try x.withUnsafeBufferPointer { x in
                try g.withUnsafeBufferPointer { g in
                    try values.withUnsafeMutableBytes { values in
                        let points = InputArray(x.baseAddress!, type: .float64, shape: [2, 3_000, 1])
                        return try compiled.run(
                            [points, points, InputArray(g.baseAddress!, type: .float64, shape: [2, 1])],
                            options: ExecutionOptions(engine: .cpu, pruning: pruning, tolerance: 1e-6), values: values,
                            indices: .init(start: nil, count: 0))
                    }
                }
            }
            return (values, report)
        }
        let found = try run(.always), whole = try run(.never)
        #expect(found.report.evaluatedPairs < whole.report.evaluatedPairs / 10)
        #expect(zip(found.values, whole.values).allSatisfy { abs($0 - $1) <= 1.01e-6 * $1 })
    }
}

/// Points in three dimensions, numbers beside them, and parameters.
private struct Points {
    static let declarations = try! Declaration.list(
        parsing: ["x = Vi(3)", "y = Vj(3)", "a = Vi(1)", "b = Vj(1)", "c = Vj(2)", "g = Pm(1)", "h = Pm(1)", "w = Pm(3)"])

    var arrays: [[Double]]
    private let rows: Int
    private let columns: Int

    init(_ cloud: LatticeTests.Cloud, rows: Int, columns: Int, _ random: inout RandomSource) {
        func points(_ count: Int, isRows: Bool) -> [Double] {
            (0..<count).flatMap { _ in Points.point(cloud, isRows: isRows, &random) }
        }
        func numbers(_ count: Int, _ range: ClosedRange<Double>) -> [Double] {
            // Numbers of float32, so that both types take the same.
            (0..<count).map { _ in Double(Float(Double.random(in: range, using: &random))) }
        }
        self.rows = rows
        self.columns = columns
        arrays = [
            points(rows, isRows: true), points(columns, isRows: false), numbers(rows, 0.5...1), numbers(columns, 0.5...1),
            numbers(2 * columns, -1...1), [4], [0.5], [2, 1, 8],
        ]
    }

    private static func point(_ cloud: LatticeTests.Cloud, isRows: Bool, _ random: inout RandomSource) -> [Double] {
        func uniform() -> Double { Double(Float.random(in: 0...1, using: &random)) }
        switch cloud {
        case .uniform: return [uniform(), uniform(), uniform()]
        case .clusters:
            let centre = Double(Int.random(in: 0..<3, using: &random))
            return (0..<3).map { _ in centre + 0.125 * uniform() }
        case .line:
            let t = uniform()
            return [t, t, t]
        case .duplicates: return [Double(Int.random(in: 0..<3, using: &random)), 0, 0]
        case .onePoint: return [1, 2, 3]
        case .apart: return (0..<3).map { _ in uniform() + (isRows ? 3 : 0) }
        case .outliers: return (0..<3).map { _ in uniform() < 0.003 ? 4 + uniform() : uniform() }
        }
    }

    /// All pairs.
    func exact(
        _ kind: Reduction.Kind, _ formula: String, weight: String? = nil, _ over: ReducedIndex
    ) throws -> [Double] {
        try run(kind, formula, weight: weight, over, Double.self, tolerance: nil, pruning: .never).values
    }

    func run<Scalar: BinaryFloatingPoint>(
        _ kind: Reduction.Kind, _ formula: String, weight: String? = nil, _ over: ReducedIndex, _: Scalar.Type,
        tolerance: Double?,
        pruning: Pruning = .always, threads: Int? = nil
    ) throws -> (values: [Scalar], report: RunReport) {
        let compiled = try CompiledReduction(
            Reduction(kind, of: formula, weight: weight, over: over, declarations: Self.declarations),
            declarations: Self.declarations)
        let type = Scalar.self == Float.self ? ScalarType.float32 : .float64
        let memory = arrays.map { array in
            let memory = UnsafeMutableBufferPointer<Scalar>.allocate(capacity: array.count)
            _ = memory.initialize(fromContentsOf: array.map { Scalar($0) })
            return memory
        }
        defer { memory.forEach { $0.deallocate() } }
        let inputs = memory.indices.map { spot in
            let variable = Self.declarations[spot].variable
            let shape = variable.category == .parameter ? [] : [arrays[spot].count / variable.dimension]
            return InputArray(UnsafeRawPointer(memory[spot].baseAddress!), type: type, shape: shape + [variable.dimension])
        }
        var values = [Scalar](repeating: -77, count: try compiled.resultShape(for: inputs).valueTotal)
        let report = try values.withUnsafeMutableBytes { values in
            try compiled.run(
                inputs, options: ExecutionOptions(engine: .cpu, threads: threads, pruning: pruning, tolerance: tolerance),
                values: values, indices: .init(start: nil, count: 0))
        }
        return (values, report)
    }

    /// That of the sum with respect to one input; the sum is multiplied by a.
    func gradient(of formula: String, _ position: Int, tolerance: Double?, _ pruning: Pruning) throws -> [Double] {
        let compiled = try CompiledReduction(
            Reduction(.sum, of: formula, declarations: Self.declarations), declarations: Self.declarations)
        let memory = arrays.map { array in
            let memory = UnsafeMutableBufferPointer<Double>.allocate(capacity: array.count)
            _ = memory.initialize(fromContentsOf: array)
            return memory
        }
        defer { memory.forEach { $0.deallocate() } }
        let inputs = memory.indices.map { spot in
            let variable = Self.declarations[spot].variable
            let shape = variable.category == .parameter ? [] : [arrays[spot].count / variable.dimension]
            return InputArray(UnsafeRawPointer(memory[spot].baseAddress!), type: .float64, shape: shape + [variable.dimension])
        }
        var gradient = [Double](repeating: .nan, count: arrays[position].count)
        try gradient.withUnsafeMutableBytes {
            try compiled.gradient(
                withRespectTo: position, inputs, cotangent: inputs[2],
                options: ExecutionOptions(engine: .cpu, pruning: pruning, tolerance: tolerance), into: $0)
        }
        return gradient
    }
}
