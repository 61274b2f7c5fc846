import Engines
import Formulas
import Kernels
import RandomNumbers
import Testing

/// Points with a NaN or an infinity among their numbers: the answers are those of all pairs, and a few of them cost little.
@Suite struct PruningOddPointsTests {
    /// A spot of x, y, a or b that is spoiled.
    enum Spoiled: CaseIterable {
        case rows, columns, both, rowNumber, columnNumber
    }

    private static let count = 12_000

    private static func data(_ spoiled: Spoiled, _ number: Float) -> PruningData {
        var data = clean
        if spoiled == .rows || spoiled == .both { data.arrays[0][3 * 5_003 + 1] = number }
        if spoiled == .columns || spoiled == .both { data.arrays[1][3 * 7_001] = number }
        if spoiled == .rowNumber { data.arrays[2][17] = number }
        if spoiled == .columnNumber { data.arrays[3][11_999] = number }
        return data
    }

    private static let clean: PruningData = {
        var random = RandomSource(seed: 11)
        return PruningData(.uniform, rows: count, columns: count, &random)
    }()

    /// A spoiled row meets all columns, a spoiled column all rows, in blocks of rows.
    private static func isLittleMore(_ report: RunReport, than clean: RunReport) -> Bool {
        report.evaluatedPairs < clean.evaluatedPairs * 11 / 10 + 10 * count
    }

    @Test(arguments: Spoiled.allCases, [Float.nan, .infinity, -.infinity]) func aFewCostLittle(
        _ spoiled: Spoiled, _ number: Float
    ) throws {
        let data = Self.data(spoiled, number)
        for kind: Reduction.Kind in [.minArgMin, .argMax, .kMinArgKMin] {
            for formula in ["a * SqDist(x, y) + b", "SqDist(x, y) / ((4 - SqNorm2(x)) * (4 - SqNorm2(y)))"] {
                let formula = kind == .argMax ? "-(\(formula))" : formula
                let compiled = try data.compile(kind, formula, k: kind == .kMinArgKMin ? 4 : 1)
                let found = try data.run(compiled, .always)
                expectSame(found, try data.run(compiled, .never), "\(kind) of \(formula), \(spoiled), \(number)")
                let clean = try Self.clean.run(compiled, .always).report
                #expect(clean.evaluatedPairs < clean.pairs / 2, "\(kind)")
                #expect(
                    Self.isLittleMore(found.report, than: clean), "\(kind), \(spoiled), \(number): \(found.report), not \(clean)")
                expectSame(try data.run(compiled, .automatic), found, "by itself")
            }
        }
    }

    @Test(arguments: Spoiled.allCases, [Float.nan, .infinity]) func sums(_ spoiled: Spoiled, _ number: Float) throws {
        let data = Self.data(spoiled, number)
        for (kind, formula, weight): (Reduction.Kind, String, String?) in [
            (.sum, "Exp(-900 * Norm2(x - y)) * b / a", nil), (.logSumExp, "-900 * Norm2(x - y)", "b"),
            (.sumSoftMax, "-900 * Norm2(x - y)", "[b, b * b]"),
        ] {
            let compiled = try data.compile(kind, formula, weight: weight)
            let whole = try data.run(compiled, .never).values
            let found = try data.run(compiled, .always, tolerance: 1e-3)
            let wrong = whole.indices.first {
                let (found, whole) = (found.values[$0], whole[$0])
                // An infinity times what underflows is NaN: which of them are met first decides.
                let isOdd = number.isInfinite && !found.isFinite && !whole.isFinite
                return found != whole && !(found.isNaN && whole.isNaN) && !isOdd
                    && !(abs(found - whole) <= 1.1e-3 * max(abs(whole), 1))
            }
            let line = "\(kind), \(spoiled), \(number)"
            #expect(wrong == nil, "\(line): number \(wrong!) is \(found.values[wrong!]), not \(whole[wrong!])")
            let clean = try Self.clean.run(compiled, .always, tolerance: 1e-3).report
            #expect(clean.evaluatedPairs < clean.pairs / 2, "\(kind)")
            #expect(Self.isLittleMore(found.report, than: clean), "\(line): \(found.report), not \(clean)")
        }
    }

    /// Where most points are spoiled, all pairs are met, by itself.
    @Test func manyAreNotPruned() throws {
        var random = RandomSource(seed: 12)
        let data = PruningData(.manyNaN, rows: 9_000, columns: 9_000, &random)
        let compiled = try data.compile(.argMin, "SqDist(x, y)")
        let found = try data.run(compiled, .automatic)
        #expect(found.report.evaluatedPairs == found.report.pairs)
        expectSame(try data.run(compiled, .always), found, "forced")
    }

    /// No point is left to search for.
    @Test func nothingElse() throws {
        var random = RandomSource(seed: 13)
        for spot in [0, 1] {
            var data = PruningData(.uniform, rows: 300, columns: 400, &random)
            for k in data.arrays[spot].indices { data.arrays[spot][k] = .nan }
            for kind: Reduction.Kind in [.minArgMin, .kMinArgKMin] {
                let compiled = try data.compile(kind, "SqDist(x, y)", k: kind == .kMinArgKMin ? 3 : 1)
                expectSame(try data.run(compiled, .always), try data.run(compiled, .never), "\(kind), \(spot)")
            }
        }
    }
}
