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

/// Squared distances in many dimensions by inner products: as accurate as direct ones, and the same at the edges.
@Suite struct LongDistanceTests {
    static let dimensions = [16, 17, 50, 300]
    private static let caches = Dictionary(
        uniqueKeysWithValues: SquaredDistances.allCases.map { form in
            var environment = ProcessEnvironment.current
            environment["KHUFU_SQUARED_DISTANCES"] = form.rawValue
            return (form, KernelCache(environment: environment))
        })

    /// Points on which inner products lose digits in different ways, or none.
    enum Points: String, CaseIterable {
        case uniform
        /// Far from the origin.
        case far
        /// Two tight clusters far apart: nearly every distance within one cancels.
        case clusters
        /// Along a line: distances of all sizes.
        case line
        /// Whole numbers, and few different ones.
        case duplicates

        func array(_ count: Int, _ dimension: Int, _ type: ScalarType, _ random: inout RandomSource) -> OracleArray {
            var numbers: [Double] = []
            for _ in 0..<count {
                let (side, place) = (random.chance(0.5) ? 1000.0 : -1000, random.uniform(-1, 1))
                let seed = random.below(5)
                for k in 0..<dimension {
                    let noise = random.uniform(0, 1)
                    switch self {
                    case .uniform: numbers.append(noise)
                    case .far: numbers.append(1e4 + noise)
                    case .clusters: numbers.append(side + 0.01 * noise)
                    case .line: numbers.append(place * Double(k % 5 - 2) + 0.01 * noise)
                    case .duplicates: numbers.append(Double((k * (seed + 1)) % 7))
                    }
                }
            }
            return OracleArray(numbers, type: type, shape: [count, dimension])
        }
    }

    private static func subject(
        _ name: String, _ dimension: Int, _ form: SquaredDistances, scale: Double? = nil, k: Int = 1
    ) throws -> OracleSubject {
        let distance = OracleExpression("SqDist", [.variable(0, dimension, 0), .variable(1, dimension, 1)])
        let scaled = scale.map { OracleExpression("Mult", [.number(-$0), distance]) } ?? distance
        return try OracleSubject(
            name, of: name == "Sum" && scale != nil ? OracleExpression("Exp", [scaled]) : scaled, k: k, cache: caches[form]!)
    }

    /// Both types on the processor, and on accelerators one of them, where vectors are short enough for inner products.
    private static func cases(_ dimension: Int) -> [(OracleEngine, ScalarType)] {
        let accelerated = dimension == 17 || dimension == 50 ? OracleEngine.accelerators : []
        return [(.compiled, .float32), (.compiled, .float64)] + accelerated.map { ($0, dimension == 17 ? .float64 : .float32) }
    }

    // MARK: Accuracy

    /// The largest errors, in units of the type's roundoff, of distances and of what is made of them.
    struct Errors {
        var distances = 0.0
        var sums = 0.0
        var logarithms = 0.0
    }

    @Test(arguments: Points.allCases, dimensions) func innerProductsAreAsAccurate(_ points: Points, _ dimension: Int) throws {
        for (engine, type) in Self.cases(dimension) {
            let direct = try Self.errors(points, dimension, type, .direct, engine)
            let inner = try Self.errors(points, dimension, type, .inner, engine)
            // See `LongDistance.leastShare`.
            let factor = 4.0
            for (what, own, other) in [
                ("distance", inner.distances, direct.distances), ("sum", inner.sums, direct.sums),
                ("logarithm", inner.logarithms, direct.logarithms),
            ] {
                #expect(
                    own <= factor * max(other, 1),
                    "\(points) D=\(dimension) \(type) \(engine): a \(what) errs by \(own) roundoffs, directly by \(other)")
            }
        }
    }

    private static func errors(
        _ points: Points, _ dimension: Int, _ type: ScalarType, _ form: SquaredDistances, _ engine: OracleEngine
    ) throws -> Errors {
        var random = RandomSource(seed: dimension)
        let (m, n) = (53, 45)
        let (x, y) = (points.array(m, dimension, type, &random), points.array(n, dimension, type, &random))
        func vector(_ array: OracleArray, _ k: Int) -> ArraySlice<Double> {
            array.values[k * dimension..<(k + 1) * dimension]
        }
        let exact = (0..<m).map { i in (0..<n).map { j in exactSquaredDistance(vector(x, i), vector(y, j)) } }
        let typical = exact.joined().reduce(0, +) / Double(m * n)
        let scale = 1 / max(typical, 1e-3)
        let call = OracleSubject.Call(m: m, n: n, type: type, engine: engine)
        func run(_ name: String, scale: Double? = nil, k: Int = 1) throws -> [Double] {
            try subject(name, dimension, form, scale: scale, k: k).run([x, y], call).values
        }
        func error(_ value: Double, _ exact: Double, of size: Double) -> Double {
            value == exact ? 0 : abs(value - exact) / size / type.unitRoundoff
        }
        var errors = Errors()
        let distances = try run("KMin", k: n)
        let sums = try run("Sum", scale: scale)
        let logarithms = try run("LogSumExp", scale: scale)
        for i in 0..<m {
            for (k, distance) in exact[i].sorted().enumerated() {
                errors.distances = max(errors.distances, error(distances[i * n + k], distance, of: distance))
            }
            let sum = exact[i].reduce(0) { $0 + exp(-scale * $1) }
            errors.sums = max(errors.sums, error(sums[i], sum, of: sum))
            errors.logarithms = max(errors.logarithms, error(logarithms[i], log(sum), of: max(1, abs(log(sum)))))
        }
        return errors
    }

    /// Σ (u - v)² by differences and products without error.
    private static func exactSquaredDistance(_ u: ArraySlice<Double>, _ v: ArraySlice<Double>) -> Double {
        var (sum, rest) = (0.0, 0.0)
        for (a, b) in zip(u, v) {
            let difference = a - b
            let part = difference - a
            let error = (a - (difference - part)) - (b + part)
            let square = difference * difference
            let total = sum + square
            rest += (square - (total - sum)) + (-square).addingProduct(difference, difference) + 2 * difference * error
            sum = total
        }
        return sum + rest
    }

    // MARK: Winners

    /// Among points of a line, rounding decides; among whole numbers there is none, and the first of equals wins.
    @Test(arguments: [Points.uniform, .duplicates], dimensions)
    func winnersAreTheSame(_ points: Points, _ dimension: Int) throws {
        for (engine, type) in Self.cases(dimension) {
            var random = RandomSource(seed: dimension)
            let (x, y) = (points.array(101, dimension, type, &random), points.array(203, dimension, type, &random))
            for (name, k) in [("ArgMin", 1), ("ArgKMin", 7)] {
                let call = OracleSubject.Call(m: 101, n: 203, type: type, engine: engine)
                let results = try SquaredDistances.allCases.map { form in
                    try Self.subject(name, dimension, form, k: k).run([x, y], call).indices
                }
                #expect(results[0] == results[1], "\(name) \(points) D=\(dimension) \(type) \(engine)")
            }
        }
    }

    /// Every y twice: the first wins, at distance 0.
    @Test func copiesOfThePointItself() throws {
        for (points, dimension) in [(Points.uniform, 50), (.far, 17), (.line, 300)] {
            var random = RandomSource(seed: 3)
            let x = points.array(64, dimension, .float32, &random)
            let y = OracleArray(x.values + x.values, type: .float32, shape: [128, dimension])
            let result = try Self.subject("Min_ArgMin", dimension, .inner)
                .run([x, y], .init(m: 64, n: 128, type: .float32))
            #expect(result.values.allSatisfy { $0 == 0 })
            #expect(result.indices == Array(0..<64))
        }
    }

    // MARK: Edges

    /// NaN, infinities, and numbers whose squares overflow or vanish: the class of every pair's distance is that of the direct
    /// one, and no pair spoils another.
    @Test(arguments: [ScalarType.float32, .float64], [16, 50]) func specialNumbers(_ type: ScalarType, _ dimension: Int) throws {
        let (huge, tiny) = type == .float32 ? (1.3e19, 1e-23) : (1e154, 1e-170)
        let special = [.nan, .infinity, -.infinity, huge, -huge, 0.6 * huge, tiny, 0, type.largest, -type.largest]
        var random = RandomSource(seed: 11)
        let count = 24
        func points() -> [Double] {
            (0..<count).flatMap { point in
                var vector = (0..<dimension).map { _ in random.uniform(-1, 1) }
                if point < 18 { vector[point % dimension] = special[point % special.count] }
                if point.isMultiple(of: 3), point < 18 { vector[random.below(dimension)] = random.pick(special) }
                if point >= 22 { vector = vector.map { $0 * tiny } }
                return vector
            }
        }
        let y = OracleArray(points(), type: type, shape: [count, dimension])
        // Every x meets every y, one at a time; some are copies.
        let own = points().prefix(12 * dimension) + y.values.suffix(12 * dimension)
        let x = OracleArray(
            (0..<count).flatMap { k in Array(repeating: own[(k * dimension)..<((k + 1) * dimension)], count: count).joined() },
            type: type, shape: [count * count, dimension])
        var call = OracleSubject.Call(m: count * count, n: count, type: type)
        call.sparsity = BlockSparsity(
            rowRanges: (0..<count * count).map { $0..<$0 + 1 }, ends: Array(1...count * count),
            columnRanges: (0..<count * count).map { $0 % count..<$0 % count + 1 })
        let direct = try Self.subject("Sum", dimension, .direct).run([x, y], call).values
        let inner = try Self.subject("Sum", dimension, .inner).run([x, y], call).values
        #expect(Set(direct.map { $0.isNaN ? 0 : $0.isInfinite ? 1 : 2 }).count == 3)
        for (pair, (a, b)) in zip(direct, inner).enumerated() {
            let isSame = a == b || (a.isNaN && b.isNaN) || abs(a - b) <= 300 * type.unitRoundoff * a + 100 * type.smallestStep
            #expect(isSame, "\(type) D=\(dimension): x \(pair / count) and y \(pair % count) are \(b) apart, directly \(a)")
        }
        // Dense, many columns at a time.
        call.sparsity = nil
        for name in ["ArgMin", "Min", "Sum", "LogSumExp"] {
            let results = try SquaredDistances.allCases.map { try Self.subject(name, dimension, $0).run([x, y], call) }
            #expect(results[0].indices == results[1].indices)
            for (a, b) in zip(results[0].values, results[1].values) {
                #expect(a.isNaN == b.isNaN && a.isInfinite == b.isInfinite, "\(name) is \(b), directly \(a)")
            }
        }
    }

    // MARK: Everything else that a call may be

    @Test(arguments: 0..<12) func batchesAndBlockSparsity(_ seed: Int) throws {
        var random = RandomSource(seed: seed)
        let (x, y) = (OracleExpression.variable(0, 19, 0), OracleExpression.variable(1, 19, 1))
        let scaled = OracleExpression("Mult", [.variable(2, 19, 2), y])
        let distance = OracleExpression("SqDist", random.pick([[x, y], [y, x], [x, scaled], [scaled, x]]))
        let f = random.pick([
            OracleExpression("Exp", [OracleExpression("Mult", [.number(-0.1), distance])]),
            OracleExpression("Mult", [OracleExpression("Sqrt", [distance]), .variable(3, 3, 1)]),
            OracleExpression("Subtract", [distance, OracleExpression("SqNorm2", [OracleExpression("Subtract", [x, y])])]),
        ])
        let subject = try OracleSubject(of: f, over: random.pick(ReducedIndex.allCases), cache: Self.caches[.inner]!)
        for number in 0..<4 {
            for type in ScalarType.allCases {
                let call = RandomFormulaTests.call(subject, type, .compiled, seed, pairs: 10_000, number, &random)
                if let failure = subject.check(call) { Issue.record("\(failure)") }
            }
        }
    }
}
