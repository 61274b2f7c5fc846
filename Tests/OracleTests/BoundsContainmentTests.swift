import Engines
import FormulaGeneration
import Formulas
import Kernels
import OracleSupport
import RandomNumbers
import Testing

/// Bounds and values as the engine computes them, in the same type: every value lies within its bounds.
@Suite struct BoundsContainmentTests {
    static let names = Catalogue.entries.map(\.name).filter { $0 != "Var" }

    /// Operations in groups, in one formula each: compiling takes the time.
    @Test(arguments: stride(from: 0, to: names.count, by: 3).map { $0 }) func operations(_ first: Int) throws {
        for seed in 0..<2 {
            var generator = FormulaGenerator(seed: 300 + seed, style: seed == 0 ? .tame : .anything)
            let variables = generator.variables(count: 5)
            let parts = Self.names[first..<min(first + 3, Self.names.count)].map {
                generator.formula(calling: $0, depth: 1, variables: variables)
            }
            try Self.check(parts, seed: first + seed)
        }
    }

    @Test(arguments: 0..<60) func randomFormulas(_ seed: Int) throws {
        let style = [FormulaGenerator.Style.tame, .anything, .smooth][seed % 3]
        var generator = FormulaGenerator(seed: 9_000 + seed, style: style)
        let formula = generator.formula(dimension: 1 + seed % 3, depth: 2 + seed % 4, variables: generator.variables(count: 5))
        try Self.check([formula], seed: seed)
    }

    /// What generated code rewrites: distances by inner products, exponentials as powers of two, factors moved out of sums.
    @Test(arguments: [
        "SqDist(Vi(0,40), Vj(1,40))", "Exp(-SqDist(Vi(0,20), Vj(1,20)) * Pm(2,1)**2)",
        "Exp(-SqDist(Vi(0,3), Vj(1,3)) / Vi(2,1)**2) * Vj(3,2)",
        "Exp(-Norm2(Vi(0,3) - Vj(1,3)) / 0.3)", "Vi(0,1) * Exp(-0.1 * SqDist(Vi(1,3), Vj(2,3))) * Vj(3,1) * (Vi(1,3) - Vj(2,3))",
        "Vi(0,30) | Vj(1,30)", "MatVecMult(Pm(0,100), Vi(1,10) - Vj(2,10))",
        "Rsqrt(0.01 + SqDist(Vi(0,3), Vj(1,3))) * Vj(2,1) / Vi(3,1)",
        "Vi(0,1) * Vj(1,1) - Vi(2,1) * Vj(3,1)", "SymSqNorm(Pm(0,9), Vi(1,3) - Vj(2,3))",
    ]) func rewrittenFormulas(_ text: String) throws {
        for seed in 0..<2 { try Self.check([Formula(parsing: text)], seed: seed) }
    }

    /// The first of the formulas, joined, that have bounds.
    static func check(_ formulas: [Formula], seed: Int) throws {
        for type in [ScalarType.float32, .float64] {
            // Without variables there are no points.
            let bounded = try formulas.filter {
                try !$0.variables.isEmpty && BoundsCase($0, roundoff: type.unitRoundoff) != nil
            }
            guard let first = bounded.first else { continue }
            let formula = try bounded.dropFirst().reduce(first) { try Catalogue.formula("Concat", [.formula($0), .formula($1)]) }
            let subject = try #require(try BoundsCase(formula, roundoff: type.unitRoundoff))
            var generator = BoxGenerator(seed: seed, isSingle: type == .float32)
            let values = try compile(formula, subject.variables.map(\.variable))
            let bounds = try compile(
                subject.bounds, subject.variables.flatMap { $0.corners.map { [$0.lower, $0.upper] } ?? [$0.variable] })
            for number in 0..<8 {
                let sorts = number < 4 ? BoxGenerator.moderate : BoxGenerator.Sort.allCases
                try check(subject, values, bounds, type, &generator, sorts, "seed=\(seed) run \(number)")
            }
        }
    }

    private static func compile(_ formula: Formula, _ variables: [Variable]) throws -> CompiledReduction {
        try CompiledReduction(Reduction(.sum, of: formula), declarations: variables.map { Declaration(variable: $0) })
    }

    /// One box and one point for each of some rows, and for one column.
    private static func check(
        _ subject: BoundsCase, _ values: CompiledReduction, _ bounds: CompiledReduction, _ type: ScalarType,
        _ generator: inout BoxGenerator, _ sorts: [BoxGenerator.Sort], _ line: String
    ) throws {
        let rows = 70
        var (points, corners, lines) = ([OracleArray](), [OracleArray](), [[String]](repeating: [], count: rows))
        for (variable, ends) in subject.variables {
            let count = variable.category == .i ? rows : 1
            var data: (point: [Double], lower: [Double], upper: [Double]) = ([], [], [])
            for row in 0..<count {
                let box = generator.box(variable.dimension, sorts: sorts)
                let point = ends == nil ? box.lower : generator.point(in: box)
                data.point += point
                data.lower += box.lower
                data.upper += box.upper
                for row in count == 1 ? 0..<rows : row..<row + 1 { lines[row].append("\(variable) = \(point) in \(box)") }
            }
            let shape = (variable.category == .parameter ? [] : [count]) + [variable.dimension]
            func array(_ numbers: [Double]) -> OracleArray { OracleArray(numbers, type: type, shape: shape) }
            points.append(array(data.point))
            corners += ends == nil ? [array(data.lower)] : [array(data.lower), array(data.upper)]
        }
        let (results, limits) = (try run(values, points, type), try run(bounds, corners, type))
        let dimension = subject.formula.dimension
        for (k, value) in results.enumerated() {
            let (row, component) = k.quotientAndRemainder(dividingBy: dimension)
            let start = row * 2 * dimension + component
            if let violation = BoundsCase.violation(value, limits[start], limits[start + dimension]) {
                Issue.record("\(subject.formula) in \(type.rawValue) \(line) \(lines[row]), component \(component): \(violation)")
                return
            }
        }
    }

    private static func run(_ compiled: CompiledReduction, _ arrays: [OracleArray], _ type: ScalarType) throws -> [Double] {
        let shape = try compiled.resultShape(for: arrays.map(\.input))
        let values = UnsafeMutableRawBufferPointer.allocate(byteCount: shape.valueTotal * type.byteCount + 8, alignment: 64)
        defer { values.deallocate() }
        try compiled.run(
            arrays.map(\.input), options: ExecutionOptions(engine: .cpu), values: values,
            indices: UnsafeMutableBufferPointer(start: nil, count: 0))
        withExtendedLifetime(arrays) {}
        return (0..<shape.valueTotal).map { type.read(UnsafeRawPointer(values.baseAddress!), $0) }
    }
}
