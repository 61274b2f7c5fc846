import Engines
import Formulas
import Kernels
import RandomNumbers
import Testing

/// Pruned selections against all pairs: the same numbers and indices, bit for bit.
@Suite struct PruningTests {
    typealias Cloud = PruningData.Cloud
    typealias Data = PruningData

    /// Distances that no rule was written for, values that columns shift, formulas that parameters and other inputs enter.
    static let formulas = [
        "SqDist(x, y)", "Sum(Abs(x - y))", "Max(Abs(x - y))", "SqDist(x, y) / ((4 - SqNorm2(x)) * (4 - SqNorm2(y)))", "-(x | y)",
        "SqDist(x, y) + b", "Norm2(x - y) * a * b", "Log(1 + SqDist(p * x, p * y))", "WeightedSqNorm(p, x - y)",
        "Exp(-SqDist(x, y)) * b",
        "IfElse(a - b, SqDist(x, y), 3 - b)",
    ]

    @Test(arguments: Cloud.allCases, formulas) func sameAsAllPairs(_ cloud: Cloud, _ formula: String) throws {
        var random = RandomSource(seed: Self.formulas.firstIndex(of: formula)! * 100 + Cloud.allCases.firstIndex(of: cloud)!)
        let data = Data(cloud, rows: 700, columns: 900, &random)
        for kind: Reduction.Kind in [.kMinArgKMin, .minArgMin, .maxArgMax, .argKMin, .max, .argMin] {
            for over: ReducedIndex in [.j, .i] where over == .j || kind == .kMinArgKMin {
                let reduction = try Reduction(
                    kind, of: formula, k: kind == .kMinArgKMin || kind == .argKMin ? 5 : 1, over: over,
                    declarations: Data.declarations)
                let compiled = try CompiledReduction(reduction, declarations: Data.declarations)
                let pruned = try data.run(compiled, .always), whole = try data.run(compiled, .never)
                expectSame(pruned, whole, "\(kind) of \(formula) over \(over), \(cloud)")
            }
        }
    }

    @Test func fewPairsAreLeft() throws {
        var random = RandomSource(seed: 1)
        let data = Data(.uniform, rows: 20_000, columns: 20_000, &random)
        for (formula, share) in [("SqDist(x, y)", 0.1), ("Sum(Abs(x - y))", 0.1), ("Norm2(x - y) + 0 * b", 0.1)] {
            let reduction = try Reduction(.argKMin, of: formula, k: 3, over: .j, declarations: Data.declarations)
            let compiled = try CompiledReduction(reduction, declarations: Data.declarations)
            let report = try data.run(compiled, .always).report
            #expect(Double(report.evaluatedPairs) < share * Double(report.pairs), "\(formula): \(report)")
        }
    }

    /// By itself it prunes where that pays, and only there.
    @Test func automaticChoice() throws {
        var random = RandomSource(seed: 2)
        let large = Data(.uniform, rows: 10_000, columns: 10_000, &random),
            small = Data(.uniform, rows: 500, columns: 500, &random)
        let near = try CompiledReduction(
            Reduction(.argMin, of: "SqDist(x, y)", over: .j, declarations: Data.declarations), declarations: Data.declarations)
        let blind = try CompiledReduction(
            Reduction(.argMin, of: "Cos(1000 * SqDist(x, y))", over: .j, declarations: Data.declarations),
            declarations: Data.declarations)
        #expect(try large.run(near, .automatic).report.evaluatedPairs < 100_000_000 / 4)
        #expect(try small.run(near, .automatic).report.evaluatedPairs == 250_000)
        #expect(try large.run(blind, .automatic).report.evaluatedPairs == 100_000_000)
    }

    /// What is left out of a sum is at most the tolerance times the sum of magnitudes.
    @Test(
        arguments: Cloud.allCases,
        [
            "Exp(-30 * SqDist(x, y))", "Exp(-30 * SqDist(x, y)) * (b - a)", "(x - y) * Exp(-9 * SqDist(x, y)) * b",
            "1 / (0.01 + SqDist(x, y))",
            "Exp(-Norm2(x - y) * 20)", "IfElse(a - b, 1, 0) * b",
        ])
    func tolerances(_ cloud: Cloud, _ formula: String) throws {
        var random = RandomSource(seed: Cloud.allCases.firstIndex(of: cloud)!)
        let data = Data(cloud, rows: 700, columns: 900, &random)
        for over: ReducedIndex in [.j, .i] { try data.checkSums(formula, over: over, "\(cloud)") }
    }

    @Test func logarithmsOfSums() throws {
        var random = RandomSource(seed: 4)
        let data = Data(.uniform, rows: 20_000, columns: 20_000, &random)
        for weight in [nil, "b", "[b, a * b]"] {
            let compiled = try CompiledReduction(
                Reduction(.logSumExp, of: "-900 * SqDist(x, y)", weight: weight, declarations: Data.declarations),
                declarations: Data.declarations)
            let whole = try data.run(compiled, .never).values
            let pruned = try data.run(compiled, .always, tolerance: 1e-4)
            #expect(zip(pruned.values, whole).allSatisfy { abs($0 - $1) <= 1.1e-4 })
            #expect(pruned.report.evaluatedPairs < pruned.report.pairs / 2)
        }
    }

    /// What is left out of a mean Σ e^F g / Σ e^F is at most the tolerance times that of magnitudes.
    @Test(arguments: [Cloud.uniform, .clusters, .line, .duplicates, .someNaN, .manyNaN, .infinities, .someInfinities])
    func softMaxima(_ cloud: Cloud) throws {
        var random = RandomSource(seed: 40 + Cloud.allCases.firstIndex(of: cloud)!)
        let data = Data(cloud, rows: 4_000, columns: 4_000, &random)
        for (formula, weight) in [
            ("-300 * Norm2(x - y)", "y - 0.5"), ("-Sum(Abs(x - y)) * 200", "a * (b - 0.75)"),
            ("-9000 * SqDist(x, y) - b", "[0 * b, b, 0.6 - b]"),
            ("-40 * Norm2(x - y)", "b * (x | y)"),
        ] {
            func means(_ weight: String) throws -> CompiledReduction {
                try CompiledReduction(
                    Reduction(.sumSoftMax, of: formula, weight: weight, declarations: Data.declarations),
                    declarations: Data.declarations)
            }
            let whole = try data.run(means(weight), .never).values,
                magnitudes = try data.run(means("Abs(\(weight))"), .never).values
            for tolerance in [0, 1e-4, 1e-2] {
                let pruned = try data.run(means(weight), .always, tolerance: tolerance)
                let wrong = whole.indices.first {
                    pruned.values[$0].isNaN != whole[$0].isNaN
                        || abs(pruned.values[$0] - whole[$0]) > Float(tolerance + 1e-5) * magnitudes[$0]
                }
                #expect(wrong == nil, "\(formula), \(weight), \(cloud), \(tolerance)")
                if cloud == .uniform, tolerance == 1e-2, !weight.contains("|") {
                    #expect(pruned.report.evaluatedPairs < pruned.report.pairs * 2 / 3, "\(formula), \(weight)")
                }
            }
        }
    }

    /// Tiles that a comparison masks take no time, with no tolerance at all.
    @Test(arguments: ["IfElse(a - b, 1, 0) * Exp(p[0:1] * b)", "Step(0.01 - SqDist(x, y)) * b", "(a < b) * SqNorm2(p - p * b)"])
    func masks(_ formula: String) throws {
        var random = RandomSource(seed: 5)
        let data = Data(.uniform, rows: 10_000, columns: 10_000, &random)
        let compiled = try CompiledReduction(
            Reduction(.sum, of: formula, declarations: Data.declarations), declarations: Data.declarations)
        let whole = try data.run(compiled, .never).values
        let pruned = try data.run(compiled, .always)
        #expect(zip(pruned.values, whole).allSatisfy { abs($0 - $1) <= 1e-5 * abs($1) + 1e-6 })
        #expect(pruned.report.evaluatedPairs < pruned.report.pairs * 2 / 3)
    }

    @Test func tolerancesAreChecked() throws {
        var random = RandomSource(seed: 6)
        let data = Data(.uniform, rows: 10, columns: 10, &random)
        let compiled = try CompiledReduction(
            Reduction(.sum, of: "SqDist(x, y)", declarations: Data.declarations), declarations: Data.declarations)
        for tolerance in [-1, 1, Double.nan] {
            #expect(throws: BindingError.self) { try data.run(compiled, .automatic, tolerance: tolerance) }
        }
    }

    /// Each item of a batch has points of its own.
    @Test func batches() throws {
        var random = RandomSource(seed: 3)
        let x = (0..<3 * 600 * 2).map { _ in Double.random(in: 0...1, using: &random) }
        let y = (0..<500 * 2).map { _ in Double.random(in: 0...1, using: &random) }
        let declarations = try Declaration.list(parsing: ["x = Vi(2)", "y = Vj(2)"])
        let compiled = try CompiledReduction(
            Reduction(.kMinArgKMin, of: "SqDist(x, y)", k: 2, declarations: declarations), declarations: declarations)
        func run(_ pruning: Pruning) throws -> ([Double], [Int64]) {
            var values = [Double](repeating: .nan, count: 3 * 600 * 2), indices = [Int64](repeating: -1, count: 3 * 600 * 2)
            let report = try x.withUnsafeBufferPointer { x in
                try y.withUnsafeBufferPointer { y in
                    try values.withUnsafeMutableBytes { values in
                        try indices.withUnsafeMutableBufferPointer { indices in
                            try compiled.run(
                                [
                                    InputArray(x.baseAddress!, type: .float64, shape: [3, 600, 2]),
                                    InputArray(y.baseAddress!, type: .float64, shape: [500, 2]),
                                ], options: ExecutionOptions(pruning: pruning), values: values, indices: indices)
                        }
                    }
                }
            }
            if pruning == .always { #expect(report.evaluatedPairs < report.pairs) }
            return (values, indices)
        }
        #expect(try run(.always) == run(.never))
    }
}
