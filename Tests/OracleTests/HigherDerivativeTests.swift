import Engines
import Formulas
import Kernels
import OracleSupport
import RandomNumbers
import Testing

/// Derivatives of reductions in forward mode and beyond the first order, against differences of the brute-force result.
@Suite struct HigherDerivativeTests {
    static let kinds = ReductionGradientTests.kinds.filter { $0 != "Zero" } + ["Max_SumShiftExp", "Max_SumShiftExpWeight"]

    @Test(arguments: kinds) func tangents(_ name: String) throws {
        for seed in 0..<6 {
            let setting = try Setting(name, seed: seed)
            for k in setting.data.indices {
                let direction = setting.random(like: k, seed: seed + k)
                let found = try setting.run(try setting.expression.tangent(withRespectTo: k), [direction])
                let expected = OracleDifferences.derivative { t in setting.result { $0[k].move(along: direction, by: t) } }
                try #require(found.count == expected.count)
                for (found, expected) in zip(found, expected) {
                    #expect(expected.admits(found), "\(setting), direction in input \(k): \(found), not \(expected)")
                }
            }
        }
    }

    /// v · (∂²/∂a∂b Σ result · cotangent) u, for every pair of inputs.
    @Test(arguments: kinds) func secondGradients(_ name: String) throws {
        var checked = 0
        for seed in 0..<6 {
            let setting = try Setting(name, seed: seed)
            let cotangent = setting.cotangent(seed: seed)
            for a in setting.data.indices {
                let first = try setting.expression.gradient(withRespectTo: a)
                let u = setting.random(like: a, seed: seed + 1)
                for b in setting.data.indices {
                    let v = setting.random(like: b, seed: seed + 2 + b)
                    let reverse = try setting.run(try first.gradient(withRespectTo: b), [cotangent, u])
                    let forward = try setting.run(try first.tangent(withRespectTo: b), [cotangent, v])
                    let expected = OracleDifferences.mixed { s, t in
                        let result = setting.result {
                            $0[a].move(along: u, by: s)
                            $0[b].move(along: v, by: t)
                        }
                        return inner(result.map { $0.isFinite ? $0 : 0 }, cotangent)
                    }
                    #expect(expected.admits(inner(reverse, v)), "\(setting), inputs \(a) and \(b), reverse: \(expected)")
                    #expect(expected.admits(inner(forward, u)), "\(setting), inputs \(a) and \(b), forward: \(expected)")
                    if expected.error < 1e-3 { checked += 1 }
                }
            }
        }
        // Steps and kinks are left out, and are few.
        #expect(checked >= 18, "\(checked)")
    }

    /// Against differences of second order, which the test above checks.
    @Test(arguments: ["Sum", "LogSumExpWeight", "SumSoftMaxWeight"]) func thirdOrder(_ name: String) throws {
        for seed in [0, 5] {
            let setting = try Setting(name, seed: seed)
            let cotangent = setting.cotangent(seed: seed)
            let (u, v) = (setting.random(like: 0, seed: 1), setting.random(like: 1, seed: 2))
            let second = try setting.expression.gradient(withRespectTo: 0).gradient(withRespectTo: 1)
            let found = try setting.run(try second.tangent(withRespectTo: 1), [cotangent, u, v])
            let expected = OracleDifferences.derivative { t in
                var moved = setting.data
                moved[1].move(along: v, by: t)
                return (try? setting.run(second, [cotangent, u], on: moved)) ?? []
            }
            try #require(found.count == expected.count)
            for (found, expected) in zip(found, expected) { #expect(expected.admits(found, tolerance: 1e-7), "\(setting)") }
        }
    }

    /// Without inputs there is nothing to differentiate by, and still a result.
    @Test func noInputs() throws {
        let constant = try CompiledExpression(
            of: try CompiledReduction(try Reduction(.sum, of: try Formula(parsing: "IntCst(3)"))))
        var result = [0.0]
        try result.withUnsafeMutableBytes { try constant.run([], values: $0) }
        #expect(result == [3])
        #expect(throws: BindingError.self) { try constant.gradient(withRespectTo: 0) }
    }

    /// A declared input that the formula does not use must not be mistaken for one that the gradient brings along.
    @Test func unusedInputs() throws {
        let (x, y) = (Variable(index: 0, dimension: 1, category: .i), Variable(index: 1, dimension: 1, category: .j))
        let unused = Variable(index: 2, dimension: 1, category: .i)
        let declarations = [x, y, unused].map { Declaration(variable: $0) }
        let product = try Formula(parsing: "Var(0,1,0) * Var(1,1,1)")
        let gradient = try CompiledExpression(
            of: try CompiledReduction(try Reduction(.sum, of: product), declarations: declarations)
        ).gradient(withRespectTo: 0)
        let arrays = [[1.0, 2], [3, 5], [100, 100], [1, -1]].map { OracleArray($0, type: .float64, shape: [2, 1]) }
        var result = [0.0, 0]
        try result.withUnsafeMutableBytes { try gradient.run(arrays.map(\.input), values: $0) }
        withExtendedLifetime(arrays) {}
        #expect(result == [8, -8])
    }
}

/// A reduction with its data, its result and its derivatives.
fileprivate struct Setting: CustomStringConvertible {
    let subject: OracleSubject
    let call: OracleSubject.Call
    let expression: CompiledExpression
    let data: [[Double]]
    private let shapes: [[Int]]
    private let resultShape: [Int]

    init(_ name: String, seed: Int) throws {
        (subject, call) = try ReductionGradientTests.subject(name, seed: seed)
        let arrays = subject.arrays(call)
        data = arrays.map(\.values)
        shapes = arrays.map(\.input.shape)
        expression = try CompiledExpression(of: subject.compiled)
        resultShape = try expression.resultShape(for: arrays.map(\.input))
    }

    var description: String { subject.describe(call) }

    /// Numbers in the shape of an input, or of the result.
    struct Direction {
        var numbers: [Double]
        var shape: [Int]
    }

    func random(like k: Int, seed: Int) -> Direction { random(shape: shapes[k], seed: seed) }
    func cotangent(seed: Int) -> Direction { random(shape: resultShape, seed: seed) }

    private func random(shape: [Int], seed: Int) -> Direction {
        var random = RandomSource(seed: 1000 + seed)
        return Direction(numbers: (0..<shape.reduce(1, *)).map { _ in random.uniform(-1, 1) }, shape: shape)
    }

    /// The brute-force result for data that was moved.
    func result(_ move: (inout [[Double]]) -> Void) -> [Double] {
        var moved = data
        move(&moved)
        return subject.values(moved, call)
    }

    /// What the engine makes of an expression, with more inputs than the reduction has.
    func run(_ expression: CompiledExpression, _ more: [Direction], on data: [[Double]]? = nil) throws -> [Double] {
        var arrays = zip(data ?? self.data, shapes).map { OracleArray($0, type: .float64, shape: $1) }
        arrays += more.map { OracleArray($0.numbers, type: .float64, shape: $0.shape) }
        let inputs = arrays.map(\.input)
        var result = [Double](repeating: .nan, count: try expression.resultShape(for: inputs).reduce(1, *))
        try result.withUnsafeMutableBytes { bytes in
            try expression.run(
                inputs, options: call.engine.options(threads: 2, sparsity: call.sparsity), values: bytes)
        }
        withExtendedLifetime(arrays) {}
        return result
    }
}

extension OracleDifferences.Estimate {
    fileprivate func admits(_ found: Double, tolerance: Double = 1e-8) -> Bool {
        abs(found - value) <= error + tolerance * (1 + abs(value)) || (found.isFinite && error == .infinity)
    }
}

extension [Double] {
    fileprivate mutating func move(along direction: Setting.Direction, by t: Double) {
        for k in indices { self[k] += t * direction.numbers[k] }
    }
}

private func inner(_ a: [Double], _ b: Setting.Direction) -> Double { zip(a, b.numbers).reduce(0) { $0 + $1.0 * $1.1 } }
