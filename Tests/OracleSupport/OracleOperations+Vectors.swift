#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

// Vectors: sums, extrema, slices, norms, matrices, tensors.

extension OracleOperation {
    private static func plain(
        _ name: String, dimension: @escaping @Sendable ([Int], [Attribute]) -> Int,
        samples: @escaping @Sendable (Int) -> [Sample],
        _ value: @escaping @Sendable ([[Double]], [Attribute], Int) -> [Double]
    ) -> OracleOperation {
        OracleOperation(name: name, dimension: dimension, value: value, samples: samples)
    }

    /// A number from a vector.
    private static func functional(
        _ name: String, ties: Bool = false, _ f: @escaping @Sendable ([Double]) -> Double
    ) -> OracleOperation {
        plain(
            name, dimension: { _, _ in 1 },
            samples: { d in
                [Sample(dimensions: [d], domains: [.real])]
                    + (ties ? [Sample(dimensions: [d], domains: [.lattice], isExact: true)] : [])
            }
        ) { x, _, _ in [f(x[0])] }
    }

    /// A number from two vectors of the same dimension, the first possibly a number.
    private static func pairing(
        _ name: String, _ samples: @escaping @Sendable (Int) -> [[Int]], _ f: @escaping @Sendable ([Double], [Double]) -> Double
    ) -> OracleOperation {
        plain(
            name, dimension: { _, _ in 1 },
            samples: { d in
                samples(d).map { Sample(dimensions: $0, domains: $0.map { _ in .real }) }
            }
        ) { x, _, _ in [f(x[0], x[1])] }
    }

    private static func sample(_ dimensions: [Int], _ attributes: [Attribute] = [], _ domains: [OracleDomain]? = nil) -> Sample {
        Sample(dimensions: dimensions, domains: domains ?? dimensions.map { _ in .real }, attributes: attributes)
    }

    static let vectors: [OracleOperation] = [
        functional("Sum") { $0.total },
        plain("SumT", dimension: { _, a in a[0].integer }, samples: { [sample([1], [.integer($0)])] }) { x, _, n in
            Array(repeating: x[0][0], count: n)
        },
        pairing("Scalprod", { $0 == 1 ? [[1, 1]] : [[$0, $0], [1, $0], [$0, 1]] }) { f, g in
            (0..<max(f.count, g.count)).map { f.broadcast($0) * g.broadcast($0) }.total
        },
        functional("Max", ties: true) { $0.reduce(-.infinity) { $1 > $0 ? $1 : $0 } },
        functional("Min", ties: true) { $0.reduce(.infinity) { $1 < $0 ? $1 : $0 } },
        functional("ArgMax", ties: true) { x in Double(x.firstIndex(of: x.max()!) ?? 0) },
        functional("ArgMin", ties: true) { x in Double(x.firstIndex(of: x.min()!) ?? 0) },
        plain("Elem", dimension: { _, _ in 1 }, samples: { [sample([$0], [.integer($0 / 2)])] }) { x, a, _ in [x[0][a[0].integer]]
        },
        plain("ElemT", dimension: { _, a in a[0].integer }, samples: { [sample([1], [.integer($0), .integer($0 / 3)])] }) {
            x, a, n in
            (0..<n).map { $0 == a[1].integer ? x[0][0] : 0 }
        },
        plain(
            "Extract", dimension: { _, a in a[1].integer },
            samples: {
                [sample([$0 + 2], [.integer(1), .integer($0)]), sample([$0], [.integer($0 / 2), .integer($0 - $0 / 2)])]
            }
        ) { x, a, n in (0..<n).map { x[0][$0 + a[0].integer] } },
        plain("ExtractT", dimension: { _, a in a[1].integer }, samples: { [sample([$0], [.integer(1), .integer($0 + 3)])] }) {
            x, a, n in
            (0..<n).map { x[0].indices.contains($0 - a[0].integer) ? x[0][$0 - a[0].integer] : 0 }
        },
        plain("Concat", dimension: { d, _ in d[0] + d[1] }, samples: { [sample([$0, 2]), sample([1, $0])] }) { x, _, _ in
            x[0] + x[1]
        },
        plain(
            "OneHot", dimension: { _, a in a[0].integer }, samples: { [sample([1], [.integer($0)], [.index($0)])] }
        ) { x, a, n in (0..<n).map { Double($0) == floor(x[0][0] + 0.5) ? 1 : 0 } },
        // de Boor's table by the Cox-de Boor recursion on functions, one basis function at a time.
        plain(
            "BSpline", dimension: { d, a in d[0] - a[0].integer - 1 },
            samples: { d in
                let order = d % 4
                return [sample([d + order + 1, 1], [.integer(order)], [.knots, .between(d + order)])]
            }
        ) { x, a, n in (0..<n).map { coxDeBoor(x[0], $0, a[0].integer, x[1][0]) } },
    ]

    private static func coxDeBoor(_ t: [Double], _ i: Int, _ order: Int, _ x: Double) -> Double {
        if order == 0 { return t[i] <= x && x < t[i + 1] ? 1 : 0 }
        let left = t[i + order] - t[i]
        let right = t[i + order + 1] - t[i + 1]
        return (left == 0 ? 0 : (x - t[i]) / left * coxDeBoor(t, i, order - 1, x))
            + (right == 0 ? 0 : (t[i + order + 1] - x) / right * coxDeBoor(t, i + 1, order - 1, x))
    }

    // MARK: - Norms

    static let norms: [OracleOperation] = [
        functional("SqNorm2") { squaredNorm($0) },
        functional("Norm2") { sqrt(squaredNorm($0)) },
        plain("Normalize", dimension: { d, _ in d[0] }, samples: { [sample([$0])] }) { x, _, _ in
            let norm = sqrt(squaredNorm(x[0]))
            return x[0].map { norm == 0 ? 0 : $0 / norm }
        },
        pairing("SqDist", { $0 == 1 ? [[1, 1]] : [[$0, $0], [1, $0]] }) { f, g in
            (0..<max(f.count, g.count)).map { (f.broadcast($0) - g.broadcast($0)) * (f.broadcast($0) - g.broadcast($0)) }.total
        },
        pairing("SqNormIso", { [[1, $0]] }) { s, f in s[0] * squaredNorm(f) },
        pairing("SqNormDiag", { [[$0, $0]] }) { s, f in (0..<f.count).map { s[$0] * f[$0] * f[$0] }.total },
        pairing("SymSqNorm", { [[min($0, 9) * min($0, 9), min($0, 9)]] }) { quadraticForm($0, $1) },
        pairing("WeightedSqNorm", weightShapes) { weightedNorm($0, $1) },
        plain(
            "WeightedSqDist", dimension: { _, _ in 1 }, samples: { weightShapes($0).map { sample([$0[0], $0[1], $0[1]]) } }
        ) { x, _, _ in [weightedNorm(x[0], zip(x[1], x[2]).map { $0 - $1 })] },
    ]

    private static func squaredNorm(_ f: [Double]) -> Double { f.map { $0 * $0 }.total }

    private static func quadraticForm(_ a: [Double], _ f: [Double]) -> Double {
        var sum = 0.0
        for i in f.indices { for j in f.indices { sum += a[i * f.count + j] * f[i] * f[j] } }
        return sum
    }

    @Sendable private static func weightShapes(_ d: Int) -> [[Int]] {
        d == 1 ? [[1, 1]] : [[1, d], [d, d]] + (d <= 9 ? [[d * d, d]] : [])
    }

    @Sendable private static func weightedNorm(_ s: [Double], _ f: [Double]) -> Double {
        if s.count == 1 { return s[0] * squaredNorm(f) }
        if s.count == f.count { return (0..<f.count).map { s[$0] * f[$0] * f[$0] }.total }
        return quadraticForm(s, f)
    }

    // MARK: - Matrices and tensors, row-major

    static let tensors: [OracleOperation] = [
        plain(
            "MatVecMult", dimension: { d, _ in d[0] / d[1] }, samples: { [sample([3 * $0, $0]), sample([2 * $0, 2])] }
        ) { x, _, n in
            let (a, b) = (x[0], x[1])
            return (0..<n).map { i in (0..<b.count).map { a[i * b.count + $0] * b[$0] }.total }
        },
        plain(
            "VecMatMult", dimension: { d, _ in d[1] / d[0] }, samples: { [sample([$0, 3 * $0]), sample([2, 2 * $0])] }
        ) { x, _, p in
            let (b, a) = (x[0], x[1])
            return (0..<p).map { i in (0..<b.count).map { b[$0] * a[$0 * p + i] }.total }
        },
        plain("TensorProd", dimension: { d, _ in d[0] * d[1] }, samples: { [sample([$0, 2]), sample([3, $0])] }) { x, _, _ in
            x[0].flatMap { f in x[1].map { f * $0 } }
        },
        plain(
            "TensorDot",
            dimension: { _, a in
                let lengths = a[0].integers + a[1].integers
                let contracted = a[2].integers.reduce(1) { $0 * a[0].integers[$1] }
                return lengths.reduce(1, *) / contracted / contracted
            },
            samples: { d in
                [
                    sample([2 * d, 3 * d], [.integers([2, d]), .integers([d, 3]), .integers([1]), .integers([0])]),
                    sample(
                        [6 * d, 2 * d],
                        [.integers([2, 3, d]), .integers([d, 2]), .integers([2, 0]), .integers([0, 1]), .integers([0])]),
                    sample(
                        [4 * d, 3 * d],
                        [.integers([2, d, 2]), .integers([d, 3]), .integers([1]), .integers([0]), .integers([2, 0, 1])]),
                    sample([d, 2], [.integers([d]), .integers([2, 1]), .integers([]), .integers([]), .integers([1, 0, 2])]),
                ]
            }
        ) { x, a, _ in
            tensorDot(
                x[0], x[1], a[0].integers, a[1].integers, a[2].integers, a[3].integers, a.count > 4 ? a[4].integers : nil)
        },
        plain(
            "Kron", dimension: { d, _ in d[0] * d[1] },
            samples: { d in
                [
                    sample([2 * d, 6], [.integers([2, d]), .integers([3, 2])]),
                    sample([d, 2], [.integers([d]), .integers([2])]),
                ]
            }
        ) { x, a, n in
            // out[..., i_k g_k + j_k, ...] = f[..., i_k, ...] g[..., j_k, ...]
            let (shapeF, shapeG) = (a[0].integers, a[1].integers)
            var result = Array(repeating: 0.0, count: n)
            for (p, f) in x[0].enumerated() {
                for (q, g) in x[1].enumerated() {
                    let (i, j) = (counters(p, shapeF), counters(q, shapeG))
                    var flat = 0
                    for k in shapeF.indices { flat = flat * shapeF[k] * shapeG[k] + i[k] * shapeG[k] + j[k] }
                    result[flat] = f * g
                }
            }
            return result
        },
    ]

    private static func counters(_ flat: Int, _ shape: [Int]) -> [Int] {
        var (rest, result) = (flat, shape)
        for axis in shape.indices.reversed() {
            result[axis] = rest % shape[axis]
            rest /= shape[axis]
        }
        return result
    }

    /// Every pair of entries whose contracted counters agree adds to the entry of its kept counters.
    private static func tensorDot(
        _ f: [Double], _ g: [Double], _ shapeF: [Int], _ shapeG: [Int], _ axesF: [Int], _ axesG: [Int], _ permute: [Int]?
    ) -> [Double] {
        let keptF = shapeF.indices.filter { !axesF.contains($0) }
        let keptG = shapeG.indices.filter { !axesG.contains($0) }
        let lengths = keptF.map { shapeF[$0] } + keptG.map { shapeG[$0] }
        let permute = permute ?? Array(lengths.indices)
        var shape = lengths
        for (k, place) in permute.enumerated() { shape[place] = lengths[k] }
        var result = Array(repeating: 0.0, count: shape.reduce(1, *))
        for p in f.indices {
            let i = counters(p, shapeF)
            for q in g.indices {
                let j = counters(q, shapeG)
                guard zip(axesF, axesG).allSatisfy({ i[$0] == j[$1] }) else { continue }
                let kept = keptF.map { i[$0] } + keptG.map { j[$0] }
                var place = shape
                for (k, destination) in permute.enumerated() { place[destination] = kept[k] }
                var flat = 0
                for axis in shape.indices { flat = flat * shape[axis] + place[axis] }
                result[flat] += f[p] * g[q]
            }
        }
        return result
    }
}
