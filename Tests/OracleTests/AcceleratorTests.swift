import Engines
import Formulas
import Kernels
import OracleSupport
import RandomNumbers
import Testing

/// What is particular to devices with memory of their own: pieces that pass through, several devices, their limits. The other tests of
/// this folder run on them too.
@Suite struct AcceleratorTests {
    static let engines = OracleEngine.accelerators

    /// Several shapes of every operation side by side in one formula.
    @Test(arguments: Array(OperationTests.operations.enumerated())) func operations(_ number: Int, _ name: String) throws {
        for engine in Self.engines {
            let type = [ScalarType.float64, .float16, .bfloat16, .float32, .float32][number % 5]
            let subject = try OperationTests.together(number, name)
            for (m, n) in [(19, 4), (130, 1)] {
                expect(subject.check(.init(m: m, n: n, type: type, engine: engine, seed: number, checkedRows: 5)))
            }
        }
    }

    @Test(arguments: 0..<34) func randomFormulas(_ seed: Int) throws {
        for engine in Self.engines {
            var random = RandomSource(seed: 9000 + seed)
            let subject = try RandomFormulaTests.subject(seed + 7, &random)
            let type: ScalarType = seed % 4 == 0 ? .float64 : seed % 11 == 1 ? .float16 : .float32
            for number in 0..<4 {
                expect(
                    subject.check(
                        RandomFormulaTests.call(subject, type, engine, seed * 10 + number, pairs: 20_000, number, &random)))
            }
        }
    }

    // MARK: More than fits registers

    /// States of which a chunk is computed at a time, rows in a table, several columns in flight; with few rows, states of parts.
    @Test(arguments: [13, 70]) func wideResults(_ width: Int) throws {
        let (x, y) = (OracleExpression.variable(0, 3, 0), OracleExpression.variable(1, 3, 1))
        let (u, v) = (OracleExpression.variable(2, width, 0), OracleExpression.variable(3, width, 1))
        let exponent = OracleExpression("Minus", [OracleExpression("SqDist", [x, y])])
        let mass = OracleExpression("Exp", [exponent])
        let difference = OracleExpression("Subtract", [u, v])
        let attraction = OracleExpression(
            "Mult",
            [OracleExpression("Exp", [OracleExpression("Minus", [OracleExpression("SqNorm2", [difference])])]), difference])
        let matrix = OracleExpression.variable(4, 7 * width, 0)
        var subjects = [
            try OracleSubject(of: attraction),
            try OracleSubject(of: OracleExpression("MatVecMult", [matrix, OracleExpression.variable(5, 7, 1)])),
            try OracleSubject("Max_ArgMax", of: OracleExpression("Mult", [u, v])),
            try OracleSubject("Min", of: OracleExpression("Mult", [u, v])),
            try OracleSubject("SumSoftMaxWeight", of: exponent, weight: v),
            try OracleSubject("Max_SumShiftExpWeight", of: exponent, weight: v),
            try OracleSubject(
                "LogSumExpWeight", of: exponent, weight: OracleExpression("Square", [v]),
                accumulation: Accumulation(scheme: .kahan)),
        ]
        for (scheme, isDouble) in [(Accumulation.Scheme.blocks, false), (.kahan, true), (.kahan, false), (.direct, true)] {
            subjects.append(
                try OracleSubject(
                    of: OracleExpression("Mult", [mass, v]),
                    accumulation: Accumulation(scheme: scheme, usesDoubleAccumulator: isDouble)))
        }
        for engine in Self.engines {
            for (number, subject) in subjects.enumerated() {
                let type = [ScalarType.float32, .float32, .float64, .bfloat16][(number + width) % 4]
                for (m, n) in [(5, 2_000), (150, 40)] {
                    var call = OracleSubject.Call(m: m, n: n, type: type, engine: engine, seed: number, checkedRows: 2)
                    expect(subject.check(call))
                    guard number.isMultiple(of: 3) else { continue }
                    var random = RandomSource(seed: number)
                    call.sparsity = BlockSparsity(patterns: [RandomFormulaTests.pattern(m, n, &random)])
                    expect(subject.check(call))
                }
            }
        }
    }

    /// Rows in a table, and lists that enter it column by column while several are in flight.
    @Test(arguments: [30, 100]) func longRows(_ dimension: Int) throws {
        let (u, v) = (OracleExpression.variable(0, dimension, 0), OracleExpression.variable(1, dimension, 1))
        let manhattan = OracleExpression("Sum", [OracleExpression("Abs", [OracleExpression("Subtract", [u, v])])])
        for (name, k) in [("KMin_ArgKMin", 9), ("Min_ArgMin", 1), ("Max_ArgMax", 1), ("KMin_ArgKMin", 110)] {
            let subject = try OracleSubject(name, of: manhattan, k: k, domains: [0: .lattice, 1: .lattice], isExact: true)
            for engine in Self.engines {
                for (m, n) in [(520, 75), (3, 1_500)] {
                    expect(subject.check(.init(m: m, n: n, engine: engine, seed: k, checkedRows: 3)))
                }
            }
        }
    }

    // MARK: Pieces

    /// Reductions whose states are numbers, positions, shifts; with column values that are tabulated.
    static func subjects() throws -> [OracleSubject] {
        let (x, y, b) = (
            OracleExpression.variable(0, 3, 0), OracleExpression.variable(1, 3, 1), OracleExpression.variable(2, 2, 1)
        )
        let distance = OracleExpression("SqDist", [x, y])
        let exponent = OracleExpression("Minus", [distance])
        let mass = OracleExpression("Exp", [OracleExpression("Mult", [.variable(3, 1, 2), exponent])])
        return [
            try OracleSubject(of: OracleExpression("Mult", [mass, OracleExpression("Cos", [b])]), domains: [3: .positive]),
            try OracleSubject("KMin_ArgKMin", of: distance, k: 3, domains: [0: .lattice, 1: .lattice], isExact: true),
            try OracleSubject("SumSoftMaxWeight", of: exponent, weight: b),
        ]
    }

    /// Memory for a tenth of the arrays: pieces of rows pass, or pieces of columns, or both.
    @Test(arguments: engines) func arraysLargerThanMemory(_ engine: OracleEngine) throws {
        for subject in try Self.subjects() {
            for (m, n, limit) in [(9_000, 700, 60_000), (600, 9_000, 110_000), (4_000, 5_000, 50_000)] {
                for batches in [[:], [0: [2], 1: [1]]] {
                    var call = OracleSubject.Call(m: m, n: n, engine: engine, seed: m, batches: batches, checkedRows: 3)
                    call.adjust = { $0.deviceMemoryLimit = limit }
                    expect(subject.check(call))
                }
            }
        }
    }

    @Test(arguments: engines) func memoryIsToldBeforehand(_ engine: OracleEngine) throws {
        let subject = try Self.subjects()[1]
        func peak(_ limit: Int?) throws -> Int {
            var options = engine.options()
            options.deviceMemoryLimit = limit
            return try subject.compiled.bound(to: subject.arrays(.init(m: 9_000, n: 5_000)).map(\.input)).deviceMemory(
                options: options)[0]
        }
        // Coordinates of both clouds; per row three distances and three indices; with few rows, states of parts.
        #expect(try peak(nil) >= (9_000 + 5_000) * 12 + 9_000 * 3 * (4 + 8))
        #expect(try peak(100_000) <= 100_000)
        #expect(try peak(100_000) > 20_000)
        var call = OracleSubject.Call(m: 9_000, n: 5_000, engine: engine)
        call.adjust = { $0.deviceMemoryLimit = 100 }
        let failure = subject.check(call) ?? ""
        #expect(failure.contains("memory than the 100 bytes that it may"), "\(failure)")
    }

    // MARK: Several devices

    /// The first two of an engine's, where there are two.
    static let severalDevices = engines.compactMap { engine -> [Device]? in
        let library = engine == .cuda ? Device.Library.cuda : .openCL
        return ((try? library.deviceNames().count) ?? 0) > 1 ? [library.device(0), library.device(1)] : nil
    }

    /// Many rows are split over devices, few rows are not: then columns are.
    @Test(arguments: severalDevices) func twoDevices(_ devices: [Device]) throws {
        for subject in try Self.subjects() {
            for (m, n) in [(3_000, 40), (20, 6_000)] {
                var call = OracleSubject.Call(m: m, n: n, seed: m, batches: [0: [2], 1: [1]], checkedRows: 5)
                call.adjust = { $0.devices = devices }
                expect(subject.check(call))
                var random = RandomSource(seed: n)
                call.sparsity = BlockSparsity(patterns: (0..<2).map { _ in RandomFormulaTests.pattern(m, n, &random) })
                expect(subject.check(call))
            }
        }
    }

    // MARK: Mistakes

    @Test func mistakesAreSentences() throws {
        let subject = try Self.subjects()[0]
        func failure(_ adjust: @escaping @Sendable (inout ExecutionOptions) -> Void) -> String {
            var call = OracleSubject.Call()
            call.adjust = adjust
            return subject.check(call) ?? "no failure"
        }
        #expect(failure { $0.devices = [.openCL(99)] }.contains("There is no OpenCL"))
        #expect(
            failure { $0.devices = [.openCL(0), .openCL(0)] }.contains("A call names each device once; opencl:0, opencl:0 came."))
        #expect(
            failure {
                $0.device = .openCL(0); $0.deviceMemoryLimit = 0
            }.contains("more than 0 bytes; 0 came."))
    }
}
