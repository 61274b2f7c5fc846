#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

// Soft dynamic time warping as what it stands for: -γ log Σ over warping paths of exp(-cost/γ), and its derivatives as
// averages over paths. Complex numbers. Names that add nothing.

extension OracleOperation {
    static let series: [OracleOperation] = [
        OracleOperation(
            name: "SoftDTW_SqDist", dimension: { _, _ in 1 }, value: { x, _, _ in [Warping(x).value] }, samples: seriesSamples),
        OracleOperation(
            name: "GradSoftDTW_SqDist", dimension: { d, _ in d[0] + d[1] + 1 }, value: { x, _, _ in Warping(x).gradient },
            samples: seriesSamples, roundings: 64),
    ]

    @Sendable private static func seriesSamples(_ d: Int) -> [Sample] {
        let d = min(d, 17)
        return [Sample(dimensions: [d, max(1, d - 1), 1], domains: [.real, .real, .positive])]
            + (d > 1 ? [Sample(dimensions: [2, d, 1], domains: [.real, .real, .positive])] : [])
    }

    private struct Warping {
        let (x, y, gamma): ([Double], [Double], Double)
        /// Logarithms of the path sums from the start to a cell, and from a cell to the end, both with the cell's own factor.
        private var forward: [[Double]]
        private var backward: [[Double]]

        init(_ arguments: [[Double]]) {
            (x, y, gamma) = (arguments[0], arguments[1], arguments[2][0])
            let empty = Array(repeating: Array(repeating: -Double.infinity, count: y.count), count: x.count)
            (forward, backward) = (empty, empty)
            for i in x.indices {
                for j in y.indices {
                    let before =
                        i == 0 && j == 0
                        ? 0 : Self.logSum([at(forward, i - 1, j), at(forward, i, j - 1), at(forward, i - 1, j - 1)])
                    forward[i][j] = before - cost(i, j) / gamma
                }
            }
            for i in x.indices.reversed() {
                for j in y.indices.reversed() {
                    let isLast = i == x.count - 1 && j == y.count - 1
                    let after =
                        isLast ? 0 : Self.logSum([at(backward, i + 1, j), at(backward, i, j + 1), at(backward, i + 1, j + 1)])
                    backward[i][j] = after - cost(i, j) / gamma
                }
            }
        }

        private func cost(_ i: Int, _ j: Int) -> Double { (x[i] - y[j]) * (x[i] - y[j]) }

        private func at(_ table: [[Double]], _ i: Int, _ j: Int) -> Double {
            x.indices.contains(i) && y.indices.contains(j) ? table[i][j] : -.infinity
        }

        private static func logSum(_ a: [Double]) -> Double {
            let most = a.max()!
            return most == -.infinity ? most : most + log(a.map { exp($0 - most) }.total)
        }

        private var logTotal: Double { forward[x.count - 1][y.count - 1] }
        var value: Double { -gamma * logTotal }

        var gradient: [Double] {
            var (inX, inY) = (Array(repeating: 0.0, count: x.count), Array(repeating: 0.0, count: y.count))
            var meanCost = 0.0
            for i in x.indices {
                for j in y.indices {
                    // The share of paths that pass the cell.
                    let share = exp(forward[i][j] + backward[i][j] + cost(i, j) / gamma - logTotal)
                    inX[i] += share * 2 * (x[i] - y[j])
                    inY[j] -= share * 2 * (x[i] - y[j])
                    meanCost += share * cost(i, j)
                }
            }
            return inX + inY + [(value - meanCost) / gamma]
        }
    }

    // MARK: - Complex numbers: interleaved

    private struct ComplexNumber {
        var (re, im): (Double, Double)
    }

    private static func numbers(_ x: [Double]) -> [ComplexNumber] {
        stride(from: 0, to: x.count, by: 2).map { ComplexNumber(re: x[$0], im: x[$0 + 1]) }
    }

    private static func slots(_ z: [ComplexNumber]) -> [Double] { z.flatMap { [$0.re, $0.im] } }

    private static func mapping(
        _ name: String, input: Int, output: Int, _ f: @escaping @Sendable ([Double]) -> [Double]
    ) -> OracleOperation {
        OracleOperation(
            name: name, dimension: { d, _ in d[0] / input * output },
            value: { x, _, _ in stride(from: 0, to: x[0].count, by: input).flatMap { f(Array(x[0][$0..<$0 + input])) } },
            samples: { [Sample(dimensions: [$0 * input], domains: [.nonzero])] })
    }

    private static func arithmetic(
        _ name: String, _ f: @escaping @Sendable (ComplexNumber, ComplexNumber) -> ComplexNumber
    ) -> OracleOperation {
        OracleOperation(
            name: name, dimension: { d, _ in d.max()! },
            value: { x, _, _ in
                let (a, b) = (numbers(x[0]), numbers(x[1]))
                return slots((0..<max(a.count, b.count)).map { f(a[a.count == 1 ? 0 : $0], b[b.count == 1 ? 0 : $0]) })
            },
            samples: { d in
                (d == 1 ? [[2, 2]] : [[2 * d, 2 * d], [2, 2 * d], [2 * d, 2]])
                    .map { Sample(dimensions: $0, domains: [.real, .nonzero]) }
            })
    }

    static let complexNumbers: [OracleOperation] = [
        OracleOperation(
            name: "Complex", dimension: { d, _ in 2 * d[0] }, value: { x, _, _ in zip(x[0], x[1]).flatMap { [$0, $1] } },
            samples: { [Sample(dimensions: [$0, $0], domains: [.real, .real])] }),
        mapping("ComplexReal", input: 2, output: 1) { [$0[0]] },
        mapping("ComplexImag", input: 2, output: 1) { [$0[1]] },
        mapping("Real2Complex", input: 1, output: 2) { [$0[0], 0] },
        mapping("Imag2Complex", input: 1, output: 2) { [0, $0[0]] },
        mapping("Conj", input: 2, output: 2) { [$0[0], -$0[1]] },
        arithmetic("ComplexAdd") { ComplexNumber(re: $0.re + $1.re, im: $0.im + $1.im) },
        arithmetic("ComplexSubtract") { ComplexNumber(re: $0.re - $1.re, im: $0.im - $1.im) },
        arithmetic("ComplexMult") { ComplexNumber(re: $0.re * $1.re - $0.im * $1.im, im: $0.re * $1.im + $0.im * $1.re) },
        arithmetic("ComplexDivide") { a, b in
            let modulus = b.re * b.re + b.im * b.im
            return ComplexNumber(re: (a.re * b.re + a.im * b.im) / modulus, im: (a.im * b.re - a.re * b.im) / modulus)
        },
        OracleOperation(
            name: "ComplexRealScal", dimension: { d, _ in d.max()! },
            value: { x, _, _ in x[0].count == 1 ? x[1].map { x[0][0] * $0 } : x[0].map { x[1][0] * $0 } },
            samples: {
                [
                    Sample(dimensions: [1, 2 * $0], domains: [.real, .real]),
                    Sample(dimensions: [2 * $0, 1], domains: [.real, .real]),
                ]
            }),
        mapping("ComplexSquareAbs", input: 2, output: 1) { [$0[0] * $0[0] + $0[1] * $0[1]] },
        mapping("ComplexAbs", input: 2, output: 1) { [hypot($0[0], $0[1])] },
        mapping("ComplexAngle", input: 2, output: 1) { [atan2($0[1], $0[0])] },
        mapping("ComplexExp", input: 2, output: 2) { [exp($0[0]) * cos($0[1]), exp($0[0]) * sin($0[1])] },
        mapping("ComplexExp1j", input: 1, output: 2) { [cos($0[0]), sin($0[0])] },
        OracleOperation(
            name: "ComplexSum", dimension: { _, _ in 2 },
            value: { x, _, _ in [numbers(x[0]).map(\.re).total, numbers(x[0]).map(\.im).total] },
            samples: { [Sample(dimensions: [2 * $0], domains: [.real])] }),
        OracleOperation(
            name: "ComplexSumT", dimension: { _, a in a[0].integer }, value: { x, _, n in (0..<n).map { x[0][$0 % 2] } },
            samples: { [Sample(dimensions: [2], domains: [.real], attributes: [.integer(2 * $0)])] }),
    ]

    // MARK: - Wrappers

    static let wrappers: [OracleOperation] = [
        OracleOperation(
            name: "Factorize", dimension: { d, _ in d[0] }, value: { x, _, _ in x[0] },
            samples: { [Sample(dimensions: [$0, $0], domains: [.real, .real])] }),
        OracleOperation(
            name: "AutoFactorize", dimension: { d, _ in d[0] }, value: { x, _, _ in x[0] },
            samples: { [Sample(dimensions: [$0], domains: [.real])] }),
    ]
}
