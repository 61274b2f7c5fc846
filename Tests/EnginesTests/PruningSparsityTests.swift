import Engines
import Formulas
import Kernels
import RandomNumbers
import Testing

/// Block-sparse calls with pruning: the same as all pairs of the caller's ranges.
@Suite struct PruningSparsityTests {
    typealias Cloud = PruningData.Cloud

    /// Ranges of rows with gaps between them, of columns that overlap, come back and stand in any order.
    static func pattern(rows: Int, columns: Int, _ random: inout RandomSource) -> BlockSparsity.Pattern {
        var pattern = BlockSparsity.Pattern(rowRanges: [], ends: [], columnRanges: [])
        var first = random.below(40)
        while first < rows {
            let last = min(rows, first + (random.chance(0.3) ? random.below(50) : 70 + random.below(300)))
            pattern.rowRanges.append(first..<last)
            for _ in 0..<random.below(5) {
                let start = random.below(columns)
                pattern.columnRanges.append(start..<min(columns, start + random.below(columns)))
            }
            pattern.ends.append(pattern.columnRanges.count)
            first = last + (random.chance(0.5) ? 0 : random.below(30))
        }
        return pattern
    }

    @Test(arguments: Cloud.allCases, ["SqDist(x, y)", "Sum(Abs(x - y)) * a + b", "Exp(-SqDist(x, y)) * b"])
    func selections(_ cloud: Cloud, _ formula: String) throws {
        var random = RandomSource(seed: 70 + Cloud.allCases.firstIndex(of: cloud)!)
        let data = PruningData(cloud, rows: 700, columns: 900, &random)
        for kind: Reduction.Kind in [.kMinArgKMin, .minArgMin, .argMax] {
            for over: ReducedIndex in [.j, .i] {
                let compiled = try data.compile(kind, formula, k: kind == .kMinArgKMin ? 5 : 1, over: over)
                let sizes = over == .j ? (700, 900) : (900, 700)
                let sparsity = BlockSparsity(patterns: [Self.pattern(rows: sizes.0, columns: sizes.1, &random)])
                func run(_ pruning: Pruning) throws -> PruningData.Result {
                    try data.run(compiled) {
                        $0.sparsity = sparsity
                        $0.pruning = pruning
                    }
                }
                expectSame(try run(.always), try run(.never), "\(kind) of \(formula) over \(over), \(cloud), \(sparsity)")
            }
        }
    }

    @Test(arguments: Cloud.allCases) func sums(_ cloud: Cloud) throws {
        var random = RandomSource(seed: 80 + Cloud.allCases.firstIndex(of: cloud)!)
        let data = PruningData(cloud, rows: 700, columns: 900, &random)
        for formula in ["Exp(-30 * Norm2(x - y)) * (b - 0.75)", "IfElse(a - b, 1, 0) * b"] {
            let sparsity = BlockSparsity(patterns: [Self.pattern(rows: 700, columns: 900, &random)])
            try data.checkSums(formula, tolerances: [0, 1e-3], "\(cloud), \(sparsity)") { $0.sparsity = sparsity }
        }
    }

    /// Large blocks are searched, small ones and those that bounds are no help for are not.
    @Test func automaticChoice() throws {
        var random = RandomSource(seed: 90)
        let data = PruningData(.uniform, rows: 20_000, columns: 20_000, &random)
        let sparsity = BlockSparsity(
            rowRanges: [0..<9_000, 9_500..<9_600, 10_000..<20_000], ends: [2, 3, 5],
            columnRanges: [10_000..<20_000, 0..<5_000, 0..<20_000, 5_000..<15_000, 0..<7_000])
        let pairs = 9_000 * 15_000 + 100 * 20_000 + 10_000 * 17_000
        func run(_ compiled: CompiledReduction, _ pruning: Pruning) throws -> PruningData.Result {
            try data.run(compiled) {
                $0.sparsity = sparsity
                $0.pruning = pruning
            }
        }
        for (formula, isPruned) in [("SqDist(x, y)", true), ("Cos(1000 * SqDist(x, y))", false)] {
            let compiled = try data.compile(.minArgMin, formula)
            let whole = try run(compiled, .never), found = try run(compiled, .automatic)
            expectSame(found, whole, formula)
            #expect(whole.report.evaluatedPairs == pairs)
            #expect(isPruned ? found.report.evaluatedPairs < pairs / 5 : found.report.evaluatedPairs == pairs, "\(found.report)")
        }
    }

    /// Each item of a batch may have a pattern of its own.
    @Test(arguments: [1, 3]) func batches(_ patterns: Int) throws {
        var random = RandomSource(seed: 91)
        let x = (0..<3 * 600 * 2).map { _ in Double.random(in: 0...1, using: &random) }
        let y = (0..<500 * 2).map { _ in Double.random(in: 0...1, using: &random) }
        let declarations = try Declaration.list(parsing: ["x = Vi(2)", "y = Vj(2)"])
        let compiled = try CompiledReduction(
            Reduction(.kMinArgKMin, of: "SqDist(x, y)", k: 2, declarations: declarations), declarations: declarations)
        let sparsity = BlockSparsity(patterns: (0..<patterns).map { _ in Self.pattern(rows: 600, columns: 500, &random) })
        func run(_ pruning: Pruning) throws -> ([Double], [Int64]) {
            var values = [Double](repeating: .nan, count: 3 * 600 * 2), indices = [Int64](repeating: -1, count: 3 * 600 * 2)
            _ = try x.withUnsafeBufferPointer { x in
                try y.withUnsafeBufferPointer { y in
                    try values.withUnsafeMutableBytes { values in
                        try indices.withUnsafeMutableBufferPointer { indices in
                            try compiled.run(
                                [
                                    InputArray(x.baseAddress!, type: .float64, shape: [3, 600, 2]),
                                    InputArray(y.baseAddress!, type: .float64, shape: [500, 2]),
                                ], options: ExecutionOptions(sparsity: sparsity, pruning: pruning), values: values,
                                indices: indices)
                        }
                    }
                }
            }
            return (values, indices)
        }
        #expect(try run(.always) == run(.never))
    }
}
