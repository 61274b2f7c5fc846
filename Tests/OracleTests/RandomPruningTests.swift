import Engines
import FormulaGeneration
import Formulas
import Kernels
import OracleSupport
import RandomNumbers
import Testing

/// Random formulas on data of all sorts, with pruning and without.
@Suite struct RandomPruningTests {
    enum Cloud: CaseIterable { case uniform, clusters, line, grid, infinities, someNaN, wide }

    @Test(arguments: 0..<30) func selections(_ seed: Int) throws {
        var random = RandomSource(seed: 500 + seed)
        let formula = try #require(Self.formula(seed, for: .kMin))
        for (kind, k): (Reduction.Kind, Int) in [
            (.kMinArgKMin, 1 + random.below(6)), (random.pick([.minArgMin, .maxArgMax]), 1),
        ] {
            let reduction = try Reduction(kind, of: formula, k: k, over: random.pick([.i, .j]))
            let compiled = try CompiledReduction(reduction)
            for cloud in Cloud.allCases {
                let arrays = Self.arrays(formula, cloud, .float32, &random)
                let sparsity = random.chance(0.3) ? Self.sparsity(reduction, &random) : nil
                let whole = try Self.run(compiled, arrays, .float32, .never, sparsity: sparsity)
                let found = try Self.run(compiled, arrays, .float32, .always, sparsity: sparsity)
                #expect(
                    Self.isSame(found, whole, formula),
                    "\(kind) over \(reduction.over), k = \(k), of \(formula), \(cloud), seed \(seed)")
            }
        }
    }

    /// Bit for bit; but the sine of large numbers, and with it that of the rows in the same vector, is computed another way, and rows change
    /// places.
    private static func isSame(
        _ found: (values: [Double], indices: [Int64]), _ whole: (values: [Double], indices: [Int64]), _ formula: Formula
    ) -> Bool {
        let isExact = !["Sin", "Cos", "Tan"].contains { "\(formula)".contains($0) }
        let agree = zip(found.values, whole.values).allSatisfy { found, whole in
            found == whole || found.isNaN && whole.isNaN || !isExact && abs(found - whole) <= 1e-5 * max(1, abs(whole))
        }
        return agree && (!isExact || found.indices == whole.indices)
    }

    /// What is left out is at most the tolerance times the sum of magnitudes; a NaN stays one.
    @Test(arguments: 0..<30) func sums(_ seed: Int) throws {
        var random = RandomSource(seed: 700 + seed)
        let formula = try #require(Self.formula(1_000 + seed, for: .sum))
        let over = random.pick([ReducedIndex.i, .j])
        let reduction = try Reduction(.sum, of: formula, over: over)
        let compiled = try CompiledReduction(reduction)
        let magnitude = try CompiledReduction(
            Reduction(.sum, of: Catalogue.formula("Abs", [.formula(formula)]), over: over), declarations: compiled.declarations)
        for cloud in Cloud.allCases {
            let arrays = Self.arrays(formula, cloud, .float64, &random)
            let sparsity = random.chance(0.3) ? Self.sparsity(reduction, &random) : nil
            let whole = try Self.run(compiled, arrays, .float64, .never, sparsity: sparsity).values
            let magnitudes = try Self.run(magnitude, arrays, .float64, .never, sparsity: sparsity).values
            for tolerance in [0, 1e-3] {
                let found = try Self.run(compiled, arrays, .float64, .always, tolerance: tolerance, sparsity: sparsity).values
                let wrong = whole.indices.first {
                    if whole[$0].isNaN { return !found[$0].isNaN }
                    if !magnitudes[$0].isFinite { return false }
                    return !(abs(found[$0] - whole[$0]) <= (tolerance + 1e-11) * magnitudes[$0])
                }
                #expect(
                    wrong == nil,
                    "over \(over) of \(formula), \(cloud), \(tolerance), seed \(seed): \(found[wrong!]), not \(whole[wrong!])")
            }
        }
    }

    /// A formula that bounds say something of: alone, times a decreasing function of a distance, or beside a distance.
    private static func formula(_ seed: Int, for kind: Reduction.Kind) -> Formula? {
        for attempt in 0..<200 {
            let style = [FormulaGenerator.Style.tame, .anything, .smooth][seed % 3]
            var generator = FormulaGenerator(seed: 40_000 + 200 * seed + attempt, style: style)
            let variables = generator.variables(count: 5, largest: 3)
            let text = generator.text(dimension: 1, depth: 1 + seed % 3, variables: variables)
            let distance = "SqDist(Var(7,2,0), Var(8,2,1))"
            let whole = [
                text, "Exp(-9 * \(distance)) * (\(text))", "\(distance) + 0.1 * (\(text))", "\(distance) * Abs(\(text))",
            ][
                attempt == 0 ? seed % 4 : attempt % 4]
            guard let formula = try? Formula(parsing: whole),
                let reduction = try? Reduction(kind, of: formula), reduction.pruningOutlook(.float32) != .none
            else { continue }
            return formula
        }
        return nil
    }

    private static let counts = (rows: 300, columns: 350)

    private static func sparsity(_ reduction: Reduction, _ random: inout RandomSource) -> BlockSparsity {
        let (rows, columns) = reduction.over == .j ? (counts.rows, counts.columns) : (counts.columns, counts.rows)
        return BlockSparsity(patterns: [RandomFormulaTests.pattern(rows, columns, &random)])
    }

    private static func arrays(
        _ formula: Formula, _ cloud: Cloud, _ type: ScalarType, _ random: inout RandomSource
    ) -> [OracleArray] {
        formula.variables.sorted { $0.index < $1.index }.map { variable in
            let count = variable.category == .i ? counts.rows : variable.category == .j ? counts.columns : 1
            // Parameters are the same for all points: a NaN there is one everywhere.
            let own = variable.category == .parameter ? Cloud.uniform : cloud
            let numbers = (0..<count).flatMap { _ in point(variable.dimension, own, &random) }
            return OracleArray(
                numbers, type: type, shape: (variable.category == .parameter ? [] : [count]) + [variable.dimension])
        }
    }

    private static func point(_ dimension: Int, _ cloud: Cloud, _ random: inout RandomSource) -> [Double] {
        let shared = random.uniform(-1, 1), centre = Double(random.below(4))
        return (0..<dimension).map { _ in
            switch cloud {
            case .uniform: random.uniform(-1, 1)
            case .clusters: centre + random.uniform(0, 0.02)
            case .line: shared
            case .grid: Double(random.below(3)) - 1
            case .infinities: random.chance(0.02) ? random.pick([.infinity, -.infinity]) : random.uniform(-1, 1)
            case .someNaN: random.chance(0.01) ? .nan : random.uniform(-1, 1)
            case .wide: random.uniform(-1, 1) * .init(sign: .plus, exponent: random.int(-40...40), significand: 1)
            }
        }
    }

    private static func run(
        _ compiled: CompiledReduction, _ arrays: [OracleArray], _ type: ScalarType, _ pruning: Pruning, tolerance: Double? = nil,
        sparsity: BlockSparsity?
    ) throws -> (values: [Double], indices: [Int64]) {
        let inputs = arrays.map(\.input)
        let shape = try compiled.resultShape(for: inputs)
        let values = UnsafeMutableRawBufferPointer.allocate(byteCount: shape.valueTotal * type.byteCount + 8, alignment: 64)
        var indices = [Int64](repeating: -77, count: shape.indexTotal)
        defer { values.deallocate() }
        try indices.withUnsafeMutableBufferPointer { indices in
            _ = try compiled.run(
                inputs,
                options: ExecutionOptions(engine: .cpu, sparsity: sparsity, pruning: pruning, tolerance: tolerance),
                values: values, indices: indices)
        }
        withExtendedLifetime(arrays) {}
        return ((0..<shape.valueTotal).map { type.read(UnsafeRawPointer(values.baseAddress!), $0) }, indices)
    }
}
