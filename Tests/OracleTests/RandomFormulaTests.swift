import Engines
import Formulas
import Kernels
import OracleSupport
import RandomNumbers
import Testing

/// Random formulas under every reduction, on random sizes, types, engines, threads, batches and block-sparsity patterns.
@Suite struct RandomFormulaTests {
    static let reductions = [
        "Sum", "LogSumExp", "LogSumExpWeight", "SumSoftMaxWeight", "SoftMax", "Max_SumShiftExp", "Max_SumShiftExpWeight", "Min",
        "Max",
        "ArgMin", "ArgMax", "Min_ArgMin", "Max_ArgMax", "KMin", "ArgKMin", "KMin_ArgKMin", "Zero",
    ]
    private static let sizes = [1, 2, 3, 7, 16, 31, 32, 33, 64, 65, 127, 257, 1000]

    @Test func everyReductionIsTried() {
        #expect(Set(Self.reductions) == Set(Reduction.Kind.names))
    }

    /// Each compiled once or twice, and run on several sizes.
    @Test(arguments: 0..<119) func compiled(_ seed: Int) throws {
        var random = RandomSource(seed: 1000 + seed)
        let subject = try Self.subject(seed, &random)
        let type: ScalarType = seed % 4 == 0 ? .float64 : seed % 11 == 1 ? .float16 : seed % 11 == 2 ? .bfloat16 : .float32
        for number in 0..<4 {
            expect(subject.check(Self.call(subject, type, .compiled, seed * 10 + number, pairs: 20_000, number, &random)))
        }
    }

    @Test(arguments: 0..<170) func interpreted(_ seed: Int) throws {
        var random = RandomSource(seed: 5000 + seed)
        let subject = try Self.subject(500 + seed, &random)
        let type = random.pick(ScalarType.allCases)
        for number in 0..<3 {
            expect(subject.check(Self.call(subject, type, .interpreter, seed * 10 + number, pairs: 300, number, &random)))
        }
    }

    /// A random formula under the reduction whose turn it is.
    static func subject(_ seed: Int, _ random: inout RandomSource, cache: KernelCache = .shared) throws -> OracleSubject {
        let name = reductions[seed % reductions.count]
        var generator = OracleGenerator(seed: seed)
        let isExponential = name.contains("Exp") || name.contains("Soft")
        let isWeighted = isExponential && (name.contains("Soft") || random.chance(0.7))
        let dimension = isExponential ? 1 : random.pick([1, 1, 2, 3, 4, 6])
        let formula = generator.formula(dimension, depth: 1 + random.below(5))
        var weight: OracleExpression?
        if isWeighted {
            let w = generator.formula(random.pick([1, 2, 3, 5]), depth: 1 + random.below(3))
            // Logarithms are taken of sums of weights.
            weight = name.contains("Log") ? OracleExpression("Add", [.number(0.125), OracleExpression("Square", [w])]) : w
        }
        let k = name.contains("KM") ? random.pick([1, 2, 5, 12]) : 1
        var accumulation = Accumulation()
        if name == "Sum" || isExponential {
            accumulation.scheme = random.pick(Accumulation.Scheme.allCases)
            accumulation.usesDoubleAccumulator = random.chance(0.3)
        }
        return try OracleSubject(
            name, of: formula, weight: weight, k: k, over: random.pick(ReducedIndex.allCases), accumulation: accumulation,
            domains: generator.domains, infix: random.chance(0.5), cache: cache)
    }

    /// - Parameter number: 0 is dense, 1 has a batch, 2 has block-sparsity, 3 has both.
    static func call(
        _ subject: OracleSubject, _ type: ScalarType, _ engine: OracleEngine, _ seed: Int, pairs: Int, _ number: Int,
        _ random: inout RandomSource
    ) -> OracleSubject.Call {
        var call = OracleSubject.Call(type: type, engine: engine, threads: random.pick([1, 2, 4]), seed: seed)
        repeat {
            (call.m, call.n) = (random.pick(sizes), random.pick(sizes))
        } while call.m * call.n > pairs * (number == 0 ? 5 : 1)
        var batchShape: [Int] = []
        if number == 1 || number == 3 {
            batchShape = random.pick([[2], [3, 2], [2, 1, 3]])
            for (k, variable) in subject.inputs.enumerated() {
                var own = Array(batchShape.dropFirst(random.below(batchShape.count + 1)))
                for axis in own.indices where random.chance(0.3) { own[axis] = 1 }
                // Someone must have the whole shape.
                call.batches[variable.index] = k == 0 ? batchShape : own
            }
        }
        if number >= 2 {
            let (rows, columns) = subject.pointCounts(call)
            let items = subject.inputs.isEmpty ? 1 : batchShape.reduce(1, *)
            let patterns = random.chance(0.5) ? items : 1
            call.sparsity = BlockSparsity(patterns: (0..<patterns).map { _ in pattern(rows, columns, &random) })
        }
        let columns = subject.pointCounts(call).columns
        call.checkedRows = max(2, min(16, 6_000 / (columns * subject.nodeCount)))
        return call
    }

    /// Row ranges with gaps, some of them empty, each with some column ranges, often none.
    static func pattern(_ rows: Int, _ columns: Int, _ random: inout RandomSource) -> BlockSparsity.Pattern {
        func cuts(_ length: Int, _ count: Int) -> [Range<Int>] {
            let ends = ((0..<count).map { _ in random.below(length + 1) } + [0, length]).sorted()
            return zip(ends, ends.dropFirst()).map { $0..<$1 }
        }
        var pattern = BlockSparsity.Pattern(rowRanges: [], ends: [], columnRanges: [])
        for range in cuts(rows, random.below(5)) where random.chance(0.8) {
            pattern.rowRanges.append(range)
            for slice in cuts(columns, random.below(4)) where random.chance(0.5) { pattern.columnRanges.append(slice) }
            pattern.ends.append(pattern.columnRanges.count)
        }
        if random.chance(0.3) {
            // Row ranges in any order.
            let order = pattern.rowRanges.indices.shuffled(using: &random)
            let slices = pattern.rowRanges.indices.map {
                Array(pattern.columnRanges[($0 == 0 ? 0 : pattern.ends[$0 - 1])..<pattern.ends[$0]])
            }
            var (ends, ranges) = ([Int](), [Range<Int>]())
            for k in order {
                ranges += slices[k]
                ends.append(ranges.count)
            }
            pattern = BlockSparsity.Pattern(rowRanges: order.map { pattern.rowRanges[$0] }, ends: ends, columnRanges: ranges)
        }
        return pattern
    }
}
