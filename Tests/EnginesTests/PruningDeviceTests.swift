import Engines
import Formulas
import Kernels
import RandomNumbers
import Testing

/// Pruned calls whose pairs an accelerator evaluates, against all pairs on the same device.
@Suite(.enabled(if: OpenCL.deviceCount > 0)) struct PruningDeviceTests {
    typealias Cloud = PruningData.Cloud

    private func run(
        _ data: PruningData, _ compiled: CompiledReduction, _ pruning: Pruning, tolerance: Double? = nil,
        sparsity: BlockSparsity? = nil, limit: Int? = nil
    ) throws -> PruningData.Result {
        try data.run(compiled) {
            $0.device = .openCL(0)
            ($0.pruning, $0.tolerance, $0.sparsity, $0.deviceMemoryLimit) = (pruning, tolerance, sparsity, limit)
        }
    }

    /// One compiled reduction for all clouds: compiling for a device takes the time.
    @Test(arguments: [
        ("SqDist(x, y)", Reduction.Kind.kMinArgKMin, 5), ("Sum(Abs(x - y)) + b", .minArgMin, 1),
        ("-Norm2(x - y) * a * b", .argMax, 1),
        ("SqDist(x, y) / ((4 - SqNorm2(x)) * (4 - SqNorm2(y)))", .minArgMin, 1),
    ]) func selections(_ formula: String, _ kind: Reduction.Kind, _ k: Int) throws {
        let declared = PruningData.declarations
        let compiled = try CompiledReduction(Reduction(kind, of: formula, k: k, declarations: declared), declarations: declared)
        for (number, cloud) in Cloud.allCases.enumerated() {
            var random = RandomSource(seed: 300 + number)
            let data = PruningData(cloud, rows: 900, columns: 1_300, &random)
            expectSame(try run(data, compiled, .always), try run(data, compiled, .never), "\(kind) of \(formula), \(cloud)")
            guard number.isMultiple(of: 3) else { continue }
            let sparsity = BlockSparsity(patterns: [PruningSparsityTests.pattern(rows: 900, columns: 1_300, &random)])
            expectSame(
                try run(data, compiled, .always, sparsity: sparsity), try run(data, compiled, .never, sparsity: sparsity),
                "\(kind) of \(formula), \(cloud), \(sparsity)")
        }
    }

    @Test(
        arguments: [
            (Reduction.Kind.sum, "Exp(-30 * SqDist(x, y)) * (b - 0.75)", nil), (.sum, "IfElse(a - b, 1, 0) * b", nil),
            (.logSumExp, "-300 * Norm2(x - y)", "b"), (.sumSoftMax, "-300 * Norm2(x - y)", "a * [b, b * b]"),
        ] as [(Reduction.Kind, String, String?)]) func sums(_ kind: Reduction.Kind, _ formula: String, _ weight: String?) throws
    {
        let declared = PruningData.declarations
        func compile(_ formula: String) throws -> CompiledReduction {
            try CompiledReduction(Reduction(kind, of: formula, weight: weight, declarations: declared), declarations: declared)
        }
        let compiled = try compile(formula), magnitude = kind == .sum ? try compile("Abs(\(formula))") : compiled
        for cloud in [Cloud.uniform, .clusters, .duplicates, .line, .someNaN, .someInfinities, .manyNaN] {
            var random = RandomSource(seed: 400 + Cloud.allCases.firstIndex(of: cloud)!)
            let data = PruningData(cloud, rows: 900, columns: 1_300, &random)
            let whole = try run(data, compiled, .never).values, magnitudes = try run(data, magnitude, .never).values
            for tolerance in [0, 1e-3] {
                let found = try run(data, compiled, .always, tolerance: tolerance).values
                let wrong = whole.indices.first {
                    if whole[$0].isNaN || found[$0].isNaN { return whole[$0].isNaN != found[$0].isNaN }
                    if whole[$0].isInfinite { return whole[$0] != found[$0] }
                    let scale = kind == .logSumExp ? max(1, abs(whole[$0]) * 1e-2) : abs(magnitudes[$0])
                    return abs(found[$0] - whole[$0]) > Float(tolerance + 2e-5) * scale
                }
                #expect(wrong == nil, "\(kind) of \(formula), \(cloud), \(tolerance)")
            }
        }
    }

    /// Most pairs are left out, by itself where it pays.
    @Test func fewPairsAreLeft() throws {
        var random = RandomSource(seed: 500)
        let data = PruningData(.uniform, rows: 40_000, columns: 40_000, &random)
        let small = PruningData(.uniform, rows: 1_000, columns: 1_000, &random)
        let compiled = try data.compile(.argKMin, "SqDist(x, y)", k: 3)
        let whole = try run(data, compiled, .never)
        #expect(whole.report.evaluatedPairs == whole.report.pairs)
        for pruning in [Pruning.always, .automatic] {
            let found = try run(data, compiled, pruning)
            expectSame(found, whole, "\(pruning)")
            #expect(found.report.evaluatedPairs < found.report.pairs / 4, "\(pruning): \(found.report)")
        }
        // What does not fit the device passes through it, all pairs.
        let limited = try run(data, compiled, .always, limit: 1 << 20)
        expectSame(limited, whole, "in pieces")
        #expect(limited.report.evaluatedPairs == limited.report.pairs)
        let few = try run(small, compiled, .automatic)
        #expect(few.report.evaluatedPairs == few.report.pairs)
        // Sums take all pairs without a tolerance, by themselves.
        let sum = try data.compile(.sum, "Exp(-200 * Norm2(x - y))")
        #expect(try run(data, sum, .automatic).report.evaluatedPairs == whole.report.pairs)
        #expect(try run(data, sum, .automatic, tolerance: 1e-3).report.evaluatedPairs < whole.report.pairs / 4)
    }
}
