import Engines
import Formulas
import Kernels
import OracleSupport
import RandomNumbers
import Testing

/// Inner products of long vectors for a tile of rows and columns at a time, as tensor cores compute them: here by ordinary instructions, of
/// the same parts, in the same places.
@Suite(.enabled(if: !OracleEngine.accelerators.isEmpty)) struct ContractionTests {
    private static let caches = Dictionary(
        uniqueKeysWithValues: [true, false].map { isOn in
            var environment = ProcessEnvironment.current
            environment["KHUFU_TENSOR_CORES"] = isOn ? "on" : "off"
            environment["KHUFU_SQUARED_DISTANCES"] = "inner"
            return (isOn, KernelCache(environment: environment))
        })

    static let target = AcceleratorTarget(
        .openCL, sharedByteCount: 48 << 10, largestSharedByteCount: 163 << 10, hasTensorCores: true)

    /// One part of the components or several, filled up with zeros or not; rows that are kept as a whole or fetched part by part.
    static let dimensions = [50, 100, 129]

    private static func subject(
        _ name: String, of expression: OracleExpression, weight: OracleExpression? = nil, k: Int = 1, over: ReducedIndex = .j,
        domains: [Int: OracleDomain] = [:], isExact: Bool = false, isOn: Bool = true, weighs: Bool = false
    ) throws -> OracleSubject {
        let subject = try OracleSubject(
            name, of: expression, weight: weight, k: k, over: over, domains: domains, isExact: isExact, cache: caches[isOn]!)
        let source = try AcceleratorSource(
            subject.compiled.reduction, precision: Precision(storage: .float32), squaredDistances: .inner, for: target)
        #expect(
            (source.kernel.contraction != nil || weighs) && (source.kernel.weighting != nil) == weighs,
            "\(name) of \(subject.text)")
        return subject
    }

    private static func product(_ dimension: Int) -> OracleExpression {
        OracleExpression("Scalprod", [.variable(0, dimension, 0), .variable(1, dimension, 1)])
    }

    private static func distance(_ dimension: Int) -> OracleExpression {
        OracleExpression("SqDist", [.variable(0, dimension, 0), .variable(1, dimension, 1)])
    }

    // MARK: Against the oracle

    @Test(arguments: dimensions) func results(_ dimension: Int) throws {
        let scale = OracleExpression.number(1 / Double(dimension))
        let scores = OracleExpression("Mult", [scale, Self.product(dimension)])
        let kernel = OracleExpression(
            "Exp", [OracleExpression("Minus", [OracleExpression("Mult", [scale, Self.distance(dimension)])])])
        let subjects = [
            try Self.subject("SumSoftMaxWeight", of: scores, weight: .variable(2, 5, 1)),
            try Self.subject("LogSumExp", of: scores),
            try Self.subject("Max_ArgMax", of: scores, over: .i),
            try Self.subject("Sum", of: OracleExpression("Mult", [kernel, .variable(2, 2, 1)])),
            try Self.subject("KMin_ArgKMin", of: Self.distance(dimension), k: 4),
            // Twenty components of the result at a time, or so: all tiles are computed for each.
            try Self.subject("Max_ArgMax", of: OracleExpression("Mult", [scores, .variable(2, 40, 1)])),
        ]
        for (number, subject) in subjects.enumerated() {
            let type = [ScalarType.float32, .float32, .float16, .bfloat16][(number + dimension) % 4]
            for (m, n) in [(150, 77), (5, 1_100)] {
                var call = OracleSubject.Call(m: m, n: n, type: type, engine: .openCL, seed: number, checkedRows: 3)
                if number == 1 { call.batches = [0: [2], 1: [2]] }
                expect(subject.check(call))
                guard number == 3 else { continue }
                var random = RandomSource(seed: dimension)
                call.sparsity = BlockSparsity(patterns: [RandomFormulaTests.pattern(m, n, &random)])
                expect(subject.check(call))
            }
        }
    }

    /// Weighted sums of vectors: in blocks of 32 components, filled up with zeros or not, or in chunks of the result; with batches and
    /// ranges.
    @Test(arguments: [40, 90]) func weightedSums(_ width: Int) throws {
        let (x, y, b) = (
            OracleExpression.variable(0, 3, 0), OracleExpression.variable(1, 3, 1), OracleExpression.variable(2, width, 1)
        )
        let exponent = OracleExpression("Minus", [OracleExpression("SqDist", [x, y])])
        let mass = OracleExpression("Exp", [exponent])
        let scores = OracleExpression("Mult", [.number(0.2), Self.product(64)])
        let columns = OracleExpression("Square", [b])
        let subjects = [
            try Self.subject("Sum", of: OracleExpression("Mult", [mass, b]), weighs: true),
            try Self.subject("SumSoftMaxWeight", of: scores, weight: b, weighs: true),
            try Self.subject("LogSumExpWeight", of: exponent, weight: columns, weighs: true),
            try Self.subject("Max_SumShiftExpWeight", of: scores, weight: columns, weighs: true),
        ]
        for (number, subject) in subjects.enumerated() where number != 3 || width == 40 {
            let type = [ScalarType.float32, .float32, .float16, .bfloat16][(number + width / 16) % 4]
            for (m, n) in [(150, 77), (5, 1_100)] {
                var call = OracleSubject.Call(m: m, n: n, type: type, engine: .openCL, seed: number, checkedRows: 3)
                if number == 1 { call.batches = [0: [2], 1: [2], 2: [2]] }
                expect(subject.check(call))
                guard number == 0 else { continue }
                var random = RandomSource(seed: width)
                call.sparsity = BlockSparsity(patterns: [RandomFormulaTests.pattern(m, n, &random)])
                expect(subject.check(call))
            }
        }
    }

    /// Whole numbers, whose products are exact in any order: every winner is the first of its equals.
    @Test(arguments: [129]) func winners(_ dimension: Int) throws {
        for (name, expression) in [("ArgMin", Self.distance(dimension)), ("ArgMax", Self.product(dimension))] {
            let subject = try Self.subject(name, of: expression, domains: [0: .lattice, 1: .lattice], isExact: true)
            expect(subject.check(.init(m: 131, n: 300, engine: .openCL, checkedRows: 131)))
        }
    }

    // MARK: Accuracy

    /// Errors of scalar products in units of roundoff × Σ |u_k v_k|.
    private static func error(_ dimension: Int, _ type: ScalarType, isOn: Bool, _ accuracy: InnerProducts) throws -> Double {
        let subject = try subject("Max", of: product(dimension), isOn: isOn)
        var call = OracleSubject.Call(m: 150, n: 1, type: type, engine: .openCL, seed: dimension)
        call.adjust = { $0.innerProducts = accuracy }
        let arrays = subject.arrays(call)
        let values = try subject.run(arrays, call).values
        return values.indices.map { i in
            let terms = (0..<dimension).map { arrays[0].values[i * dimension + $0] * arrays[1].values[$0] }
            return abs(values[i] - terms.reduce(0, +)) / terms.reduce(0) { $0 + abs($1) } / 0x1p-24
        }.max()!
    }

    @Test(arguments: [64, 200]) func accurateOnesAreAsAccurate(_ dimension: Int) throws {
        let own = try Self.error(dimension, .float32, isOn: true, .accurate)
        let other = try Self.error(dimension, .float32, isOn: false, .accurate)
        // Splitting loses up to eight roundoffs of each term, seldom in one direction.
        #expect(own <= max(other, 4), "D=\(dimension): \(own) roundoffs of Σ|uv|, in float32 \(other)")
    }

    @Test(arguments: [50, 200]) func fastOnesHaveThreeDigits(_ dimension: Int) throws {
        let error = try Self.error(dimension, .float32, isOn: true, .fast)
        // A rounded factor is off by 2⁻¹¹ at most.
        #expect(error <= 0x1.1p-10 / 0x1p-24)
        #expect(error > 32, "nothing was rounded: \(error)")
    }

    // MARK: Edges

    /// What does not fit two numbers of 11 bits: infinities, NaN, numbers next to the largest.
    @Test(arguments: [50, 129]) func specialNumbers(_ dimension: Int) throws {
        var random = RandomSource(seed: dimension)
        let (m, n) = (40, 35)
        func points(_ count: Int, _ special: [Int: Double]) -> [Double] {
            (0..<count).flatMap { point in
                (0..<dimension).map { k in k == point % dimension ? special[point] ?? 1 : random.uniform(0.5, 1) }
            }
        }
        let largest = Double(Float.greatestFiniteMagnitude)
        let x = points(m, [0: .infinity, 3: -.infinity, 7: .nan, 20: largest, 33: -largest])
        let y = points(n, [1: .infinity, 5: -.infinity, 9: .nan, 30: largest / 2])
        for expression in [Self.product(dimension), Self.distance(dimension)] {
            let results = try [true, false].map { isOn in
                let subject = try Self.subject("KMin", of: expression, k: n, isOn: isOn)
                let arrays = [(x, m), (y, n)].map { OracleArray($0, type: .float32, shape: [$1, dimension]) }
                return try subject.run(arrays, .init(m: m, n: n, engine: .openCL)).values
            }
            #expect(results[1].contains(.infinity))
            for (own, other) in zip(results[0], results[1]) {
                #expect(own == other || abs(own - other) <= 1e-5 * abs(other), "\(own), by ordinary sums \(other)")
            }
        }
    }

    @Test func emptyAndSmall() throws {
        let subject = try Self.subject("Max_ArgMax", of: Self.product(50))
        for (m, n) in [(0, 5), (5, 0), (1, 1), (128, 32), (129, 33)] {
            expect(subject.check(.init(m: m, n: n, engine: .openCL)))
        }
    }
}
