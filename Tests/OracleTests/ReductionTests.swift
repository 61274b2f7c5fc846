import Engines
import Formulas
import Kernels
import OracleSupport
import RandomNumbers
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Conventions of reductions at the edges: ties, NaN, infinities, nothing to reduce, more neighbours than points.
@Suite struct ReductionTests {
    static let engines = OracleEngine.all
    private static let x = OracleExpression.variable(0, 1, 0)
    private static let y = OracleExpression.variable(1, 1, 1)

    /// Whole numbers: distances tie all the time, and every index must be the first.
    @Test(arguments: ["Min", "Max", "ArgMin", "ArgMax", "Min_ArgMin", "Max_ArgMax", "KMin", "ArgKMin", "KMin_ArgKMin"])
    func tiesGoToTheFirst(_ name: String) throws {
        let (u, v) = (OracleExpression.variable(0, 2, 0), OracleExpression.variable(1, 2, 1))
        let square = OracleExpression("Square", [OracleExpression("Subtract", [u, v])])
        for (k, over) in [(1, ReducedIndex.j), (5, .i), (12, .j)] {
            guard name.contains("KM") || k != 12 else { continue }
            let subject = try OracleSubject(
                name, of: square, k: name.contains("KM") ? k : 1, over: over, domains: [0: .lattice, 1: .lattice], isExact: true)
            for engine in Self.engines {
                for (m, n, threads) in [(3, 3, 1), (65, 33, 2), (33, 300, 1), (2, 3000, 4), (1000, 2, 4), (6, 12_000, 4)] {
                    if engine == .interpreter, m * n > 3000 { continue }
                    for type in [ScalarType.float32, .float64] {
                        expect(
                            subject.check(
                                .init(
                                    m: m, n: n, type: type, engine: engine, threads: threads, seed: m,
                                    checkedRows: n > 1000 ? 1 : 4)))
                    }
                }
            }
        }
    }

    /// Few rows and many columns: the columns are split among threads, and their states merged.
    @Test(arguments: RandomFormulaTests.reductions) func splitColumns(_ name: String) throws {
        let isExponential = name.contains("Exp") || name.contains("Soft")
        let isWeighted = name.contains("Soft") || name.hasSuffix("Weight")
        let weight = isWeighted ? OracleExpression("Add", [OracleExpression("Square", [.variable(2, 2, 1)]), .number(0.5)]) : nil
        let f =
            isExponential
            ? OracleExpression("Mult", [.integer(3), OracleExpression("Sin", [OracleExpression("Mult", [Self.x, Self.y])])])
            : OracleExpression("Sin", [OracleExpression("Mult", [.variable(0, 2, 0), .variable(1, 2, 1)])])
        for double in [false, true] where !double || isExponential || name == "Sum" {
            for scheme in double ? [Accumulation.Scheme.direct] : [.automatic, .kahan]
            where scheme == .automatic || isExponential || name == "Sum" {
                let subject = try OracleSubject(
                    name, of: f, weight: weight, k: name.contains("KM") ? 5 : 1,
                    accumulation: Accumulation(scheme: scheme, usesDoubleAccumulator: double))
                for (m, n) in [(5, 14_000), (65, 1100)] {
                    expect(subject.check(.init(m: m, n: n, threads: 4, seed: n, checkedRows: 1)))
                }
            }
        }
    }

    /// Columns that do not fit in a core's cache pass in panels, between which the totals wait.
    @Test(arguments: RandomFormulaTests.reductions) func columnPanels(_ name: String) throws {
        let (u, v) = (OracleExpression.variable(0, 50, 0), OracleExpression.variable(1, 50, 1))
        let f = OracleExpression("Sin", [OracleExpression("SqDist", [u, v])])
        let isWeighted = name.contains("Soft") || name.hasSuffix("Weight")
        let weight = isWeighted ? OracleExpression("Add", [OracleExpression("Square", [.variable(2, 2, 1)]), .number(0.5)]) : nil
        let subject = try OracleSubject(
            name, of: name == "Sum" ? OracleExpression("Mult", [f, .variable(2, 3, 1)]) : f, weight: weight,
            k: name.contains("KM") ? 5 : 1)
        for (m, n) in [(50, 24_000), (33, 12_345)] {
            expect(subject.check(.init(m: m, n: n, threads: 1, seed: n, checkedRows: 1)))
            expect(subject.check(.init(m: m, n: n, type: .float64, threads: 1, seed: n, checkedRows: 1)))
        }
    }

    @Test(arguments: engines) func noColumns(_ engine: OracleEngine) throws {
        for name in RandomFormulaTests.reductions {
            let weight = name.hasSuffix("Weight") || name == "SoftMax" ? OracleExpression.variable(2, 2, 1) : nil
            let subject = try OracleSubject(
                name, of: OracleExpression("Mult", [Self.x, Self.y]), weight: weight, k: name.contains("KM") ? 3 : 1)
            for (m, n) in [(3, 0), (40, 0), (0, 3), (0, 0)] {
                // A soft mean of nothing is 0/0.
                if name.contains("Soft"), n == 0, m > 0 { continue }
                expect(subject.check(.init(m: m, n: n, engine: engine)))
            }
        }
    }

    @Test(arguments: engines) func moreNeighboursThanPoints(_ engine: OracleEngine) throws {
        for name in ["KMin", "ArgKMin", "KMin_ArgKMin"] {
            let subject = try OracleSubject(
                name, of: OracleExpression("SqDist", [.variable(0, 3, 0), .variable(1, 3, 1)]), k: 12,
                domains: [0: .lattice, 1: .lattice],
                isExact: true)
            for n in [1, 5, 11, 12, 13] { expect(subject.check(.init(m: 19, n: n, engine: engine, seed: n))) }
        }
    }

    // MARK: NaN and infinities

    private static func plainData(_ name: String, weight: Bool = false, k: Int = 1) throws -> OracleSubject {
        try OracleSubject(
            name, of: OracleExpression("Add", [x, y]), weight: weight ? OracleExpression.variable(2, 1, 1) : nil, k: k)
    }

    private static let inf = Double.infinity

    @Test(arguments: engines) func logSumExpOfInfinities(_ engine: OracleEngine) throws {
        for name in ["LogSumExp", "Max_SumShiftExp"] {
            let subject = try Self.plainData(name)
            for type in [ScalarType.float32, .float64] {
                let call = OracleSubject.Call(type: type, engine: engine)
                let cases: [[Double]] = [
                    [-Self.inf], [-Self.inf, -Self.inf, -Self.inf], [-Self.inf, 1, 2], [1, -Self.inf, 2], [0, -1000, -Self.inf],
                    [-Self.inf] + Array(repeating: 0.5, count: 300), Array(repeating: -Self.inf, count: 600) + [-3],
                    [1e4, -1e4, 1e4], [-1e4, -1e4],
                ]
                for columns in cases { expect(subject.check(call, data: [[0, 1, -2], columns])) }
            }
        }
        let subject = try Self.plainData("LogSumExp")
        for columns in [[Self.inf], [1, Self.inf, 2], [Self.inf, -Self.inf]] {
            let result = try subject.run(
                [
                    OracleArray([0, 1], type: .float32, shape: [2, 1]),
                    OracleArray(columns, type: .float32, shape: [columns.count, 1]),
                ],
                .init(engine: engine))
            #expect(result.values == [Self.inf, Self.inf], "LogSumExp over \(columns) on \(engine)")
        }
    }

    @Test(arguments: engines) func notANumberComesOut(_ engine: OracleEngine) throws {
        for columns in [[Double.nan], [1, .nan, 2], [.nan, 1], [1, 2, .nan]] {
            for name in ["Sum", "Min", "Max", "LogSumExp", "Max_SumShiftExp"] {
                let result = try Self.plainData(name).run(
                    [
                        OracleArray([0, 1], type: .float32, shape: [2, 1]),
                        OracleArray(columns, type: .float32, shape: [columns.count, 1]),
                    ],
                    .init(engine: engine))
                #expect(
                    result.values.last!.isNaN && result.values.contains { $0.isNaN },
                    "\(name) over \(columns) on \(engine) is \(result.values)")
            }
        }
    }

    @Test(arguments: engines) func notANumberIsNoNeighbour(_ engine: OracleEngine) throws {
        let subject = try OracleSubject("KMin_ArgKMin", of: OracleExpression("Add", [Self.x, Self.y]), k: 3, isExact: true)
        for columns in [[Double.nan], [4, .nan, 2], [.nan, 1], [Self.inf, 3, -Self.inf, 2], [Self.inf, Self.inf]] {
            expect(subject.check(.init(engine: engine), data: [[0, 1, 2], columns]))
        }
        for name in ["Min_ArgMin", "Max_ArgMax", "ArgMin"] {
            let subject = try OracleSubject(name, of: OracleExpression("Add", [Self.x, Self.y]), isExact: true)
            for columns in [[Self.inf, 3, -Self.inf, 2], [Self.inf, Self.inf], [-Self.inf, -Self.inf], [1, 1, 1]] {
                expect(subject.check(.init(engine: engine), data: [[0, 1, 2], columns]))
            }
        }
    }

    // MARK: Accumulation

    /// How much each scheme loses over many terms of one sign, in float32.
    @Test func summationSchemes() throws {
        let count = 300_000
        var random = RandomSource(seed: 4)
        let data = OracleArray((0..<count).map { _ in random.uniform(0.5, 1) }, type: .float32, shape: [count, 1])
        let exact = data.values.reduce(0, +)
        let limits: [(Accumulation, Double)] = [
            (Accumulation(scheme: .kahan), 1.3e-7), (Accumulation(scheme: .direct, usesDoubleAccumulator: true), 1.2e-7),
            (Accumulation(scheme: .blocks, usesDoubleAccumulator: true), 1e-6), (Accumulation(scheme: .blocks), 3e-6),
            (Accumulation(), 3e-6), (Accumulation(scheme: .direct), 1e-3),
        ]
        for (accumulation, limit) in limits {
            for threads in [1, 4] {
                let sum = try OracleSubject(of: Self.y1, accumulation: accumulation).run([data], .init(threads: threads)).values[
                    0]
                #expect(abs(sum / exact - 1) < limit, "\(accumulation) threads=\(threads)")
                let logarithm = try OracleSubject("LogSumExp", of: OracleExpression("Log", [Self.y1]), accumulation: accumulation)
                    .run([data], .init(threads: threads)).values[0]
                #expect(abs(logarithm - log(exact)) < limit * 2 + 1.5e-6, "LogSumExp \(accumulation) threads=\(threads)")
            }
        }
    }
    private static let y1 = OracleExpression.variable(0, 1, 1)
}
