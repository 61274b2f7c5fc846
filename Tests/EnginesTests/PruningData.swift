import Engines
import Formulas
import Kernels
import RandomNumbers
import Testing

/// Points, and numbers beside them, in float32.
struct PruningData {
    enum Cloud: String, CaseIterable {
        case uniform, clusters, line, lattice, duplicates, onePoint, huge, infinities, someInfinities, someNaN, manyNaN
    }

    typealias Result = (values: [Float], indices: [Int64], report: RunReport)

    static let declarations = try! Declaration.list(
        parsing: ["x = Vi(3)", "y = Vj(3)", "a = Vi(1)", "b = Vj(1)", "p = Pm(3)"])

    /// Those of x, y, a, b and p.
    var arrays: [[Float]]
    private let shapes: [[Int]]

    init(_ cloud: Cloud, rows: Int, columns: Int, _ random: inout RandomSource) {
        func points(_ count: Int) -> [Float] {
            (0..<count).flatMap { _ in Self.point(cloud, &random) }
        }
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: 0.5...1, using: &random) } }
        arrays = [points(rows), points(columns), numbers(rows), numbers(columns), [1, 0.5, 2]]
        shapes = [[rows, 3], [columns, 3], [rows, 1], [columns, 1], [3]]
    }

    private static func point(_ cloud: Cloud, _ random: inout RandomSource) -> [Float] {
        func uniform() -> Float { Float.random(in: 0...1, using: &random) }
        switch cloud {
        case .uniform: return [uniform(), uniform(), uniform()]
        case .clusters:
            let centre = Float(Int.random(in: 0..<5, using: &random))
            return (0..<3).map { _ in centre + 0.01 * uniform() }
        case .line:
            let t = uniform()
            return [t, t, t]
        case .lattice: return (0..<3).map { _ in Float(Int.random(in: 0..<6, using: &random)) }
        case .duplicates: return [Float(Int.random(in: 0..<3, using: &random)), 0, 0]
        case .onePoint: return [1, 2, 3]
        case .huge: return (0..<3).map { _ in Float.random(in: -1e19...1e19, using: &random) * (uniform() < 0.5 ? 1 : 1e-30) }
        case .infinities: return (0..<3).map { _ in uniform() < 0.02 ? .infinity : uniform() }
        case .someInfinities: return (0..<3).map { _ in uniform() < 0.002 ? .infinity * (uniform() - 0.5) : uniform() }
        case .someNaN: return (0..<3).map { _ in uniform() < 0.002 ? .nan : uniform() }
        case .manyNaN: return (0..<3).map { _ in uniform() < 0.1 ? .nan : uniform() < 0.05 ? -.infinity : uniform() }
        }
    }

    func run(_ compiled: CompiledReduction, _ pruning: Pruning, tolerance: Double? = nil) throws -> Result {
        try run(compiled) {
            $0.pruning = pruning
            $0.tolerance = tolerance
        }
    }

    func run(_ compiled: CompiledReduction, _ adjust: (inout ExecutionOptions) -> Void) throws -> Result {
        let pointers = arrays.map { array in
            let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: array.count)
            _ = memory.initialize(fromContentsOf: array)
            return memory
        }
        defer { pointers.forEach { $0.deallocate() } }
        let inputs = zip(pointers, shapes).map { InputArray(UnsafeRawPointer($0.baseAddress!), type: .float32, shape: $1) }
        let shape = try compiled.resultShape(for: inputs)
        var values = [Float](repeating: -77, count: shape.valueTotal), indices = [Int64](repeating: -77, count: shape.indexTotal)
        var options = ExecutionOptions(engine: .cpu)
        adjust(&options)
        let report = try values.withUnsafeMutableBytes { values in
            try indices.withUnsafeMutableBufferPointer { indices in
                try compiled.run(inputs, options: options, values: values, indices: indices)
            }
        }
        return (values, indices, report)
    }

    func compile(
        _ kind: Reduction.Kind, _ formula: String, weight: String? = nil, k: Int = 1, over: ReducedIndex = .j,
        inDouble: Bool = false
    ) throws -> CompiledReduction {
        try CompiledReduction(
            Reduction(
                kind, of: formula, weight: weight, k: k, over: over,
                accumulation: Accumulation(usesDoubleAccumulator: inDouble), declarations: Self.declarations),
            declarations: Self.declarations)
    }

    /// Checks sums with pruning against all pairs, by what the tolerance allows and by what rounding of float32 does.
    func checkSums(
        _ formula: String, over: ReducedIndex = .j, tolerances: [Double] = [0, 1e-4, 1e-2], _ line: String,
        _ adjust: (inout ExecutionOptions) -> Void = { _ in }
    ) throws {
        let sum = try compile(.sum, formula, over: over, inDouble: true)
        let magnitude = try compile(.sum, "Abs(\(formula))", over: over, inDouble: true)
        func run(_ compiled: CompiledReduction, _ pruning: Pruning, _ tolerance: Double?) throws -> [Float] {
            try self.run(compiled) {
                adjust(&$0)
                ($0.pruning, $0.tolerance) = (pruning, tolerance)
            }.values
        }
        let whole = try run(sum, .never, nil), magnitudes = try run(magnitude, .never, nil)
        for tolerance in tolerances {
            let pruned = try run(sum, .always, tolerance)
            let wrong = whole.indices.first {
                if whole[$0].isNaN { return !pruned[$0].isNaN }
                guard whole[$0].isFinite, magnitudes[$0].isFinite else { return pruned[$0].isFinite && !whole[$0].isFinite }
                return !(abs(pruned[$0] - whole[$0]) <= Float(tolerance + 1e-5) * magnitudes[$0])
            }
            #expect(
                wrong == nil,
                "\(formula) over \(over), \(tolerance), \(line): number \(wrong!) is \(pruned[wrong!]), not \(whole[wrong!])")
        }
    }
}

/// Expects the same numbers and indices.
func expectSame(_ found: PruningData.Result, _ whole: PruningData.Result, _ line: String) {
    // Long arrays are not for messages.
    let index = found.indices.indices.first { found.indices[$0] != whole.indices[$0] }
    let value = found.values.indices.first {
        found.values[$0] != whole.values[$0] && !(found.values[$0].isNaN && whole.values[$0].isNaN)
    }
    #expect(index == nil, "\(line): index \(index!) is \(found.indices[index!]), not \(whole.indices[index!])")
    #expect(value == nil, "\(line): number \(value!) is \(found.values[value!]), not \(whole.values[value!])")
}
