import Engines
import Formulas
import Kernels
import OracleSupport
import RandomNumbers
import Testing

/// `CompiledReduction.gradient`, against differences of the brute-force result.
@Suite struct ReductionGradientTests {
    static let kinds = [
        "Sum", "LogSumExp", "LogSumExpWeight", "SumSoftMaxWeight", "Min", "Max", "Min_ArgMin", "Max_ArgMax", "KMin",
        "KMin_ArgKMin", "Zero",
    ]

    @Test(arguments: kinds) func gradients(_ name: String) throws {
        for seed in 0..<6 {
            var random = RandomSource(seed: seed)
            let (subject, call) = try Self.subject(name, seed: seed)
            try check(subject, call, &random)
        }
    }

    /// A reduction with inputs of every category, engines, batches and block-sparsity changing with the seed.
    static func subject(_ name: String, seed: Int) throws -> (OracleSubject, OracleSubject.Call) {
        let isExponential = name.contains("Exp") || name.contains("Soft")
        let d = 1 + seed % 2
        let (x, y, p) = (
            OracleExpression.variable(0, d, 0), OracleExpression.variable(1, d, 1), OracleExpression.variable(2, 1, 2)
        )
        let argument = OracleExpression("Subtract", [x, OracleExpression("Mult", [.number(1.375), y])])
        let difference = OracleExpression("Mult", [p, OracleExpression("Sin", [argument])])
        let f = isExponential ? OracleExpression("Sum", [difference]) : difference
        let weight =
            name.hasSuffix("Weight")
            ? OracleExpression("Add", [.number(0.5), OracleExpression("Square", [.variable(3, 1 + seed % 2, 1)])]) : nil
        let subject = try OracleSubject(
            name, of: f, weight: weight, k: name.contains("KM") ? 2 : 1, over: seed.isMultiple(of: 2) ? .j : .i)
        var call = OracleSubject.Call(m: 4, n: 4, type: .float64, engine: seed < 4 ? .interpreter : .compiled, seed: seed)
        if seed == 2 || seed == 5 { call.batches = [0: [2], 1: [2, 1]] }
        if seed == 3 || seed == 5 {
            let (rows, columns) = subject.pointCounts(call)
            call.sparsity = BlockSparsity(
                rowRanges: [0..<2, 3..<rows], ends: [2, 3], columnRanges: [0..<1, 2..<columns, 1..<4])
        }
        return (subject, call)
    }

    private func check(_ subject: OracleSubject, _ call: OracleSubject.Call, _ random: inout RandomSource) throws {
        let arrays = subject.arrays(call)
        let data = arrays.map(\.values)
        let shape = try subject.compiled.resultShape(for: arrays.map(\.input))
        let cotangent = OracleArray(
            (0..<shape.valueTotal).map { _ in random.uniform(-1, 1) }, type: .float64,
            shape: shape.batch + [shape.rows, shape.values])
        for k in arrays.indices {
            var gradient = [Double](repeating: .nan, count: data[k].count)
            try gradient.withUnsafeMutableBytes { bytes in
                try subject.compiled.gradient(
                    withRespectTo: k, arrays.map(\.input), cotangent: cotangent.input,
                    options: call.engine.options(threads: 2, sparsity: call.sparsity), into: bytes)
            }
            withExtendedLifetime((arrays, cotangent)) {}
            for place in data[k].indices {
                let expected = OracleDifferences.derivative { t in
                    var moved = data
                    moved[k][place] += t
                    // Rows that meet no column stay infinite.
                    return [zip(subject.values(moved, call), cotangent.values).map { $0.isFinite ? $0 * $1 : 0 }.reduce(0, +)]
                }[0]
                let distance = abs(gradient[place] - expected.value)
                guard distance <= expected.error + 1e-9 * (1 + abs(expected.value)) else {
                    let found = "gradient in input \(k), number \(place) is \(gradient[place])"
                    Issue.record("\(subject.describe(call)): \(found), not \(expected.value) ± \(expected.error)")
                    return
                }
            }
        }
    }
}
