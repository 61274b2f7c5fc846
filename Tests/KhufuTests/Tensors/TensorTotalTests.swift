import Khufu
import RealModule
import Testing

/// Sums, extrema, statistics and products along axes.
struct TensorTotalTests {
    typealias T = Tensor<Double>

    /// What a function of a list yields for each position of the other axes.
    private func along(_ axes: [Int], of x: T, keepsAxes: Bool, _ function: ([Double]) -> Double) -> T {
        let resolved = axes.map { ($0 + x.rank) % x.rank }
        let kept = x.shape.indices.map { resolved.contains($0) ? 1 : x.shape[$0] }
        let numbers = indices(of: kept).map { place in
            function(
                indices(of: x.shape).filter { index in
                    index.indices.allSatisfy { resolved.contains($0) || index[$0] == place[$0] }
                }.map { x.at($0) })
        }
        let shape = keepsAxes ? kept : kept.indices.filter { !resolved.contains($0) }.map { kept[$0] }
        return try! T(numbers, shape: shape)
    }

    private func mean(_ list: [Double]) -> Double { list.reduce(0, +) / Double(list.count) }
    private func variance(_ list: [Double], _ correction: Double) -> Double {
        list.reduce(0) { $0 + ($1 - mean(list)) * ($1 - mean(list)) } / (Double(list.count) - correction)
    }

    @Test(arguments: [[0], [1], [2], [-1], [0, 1], [1, 2], [2, 0], [0, 1, 2], []], [true, false])
    func alongAxes(axes: [Int], keepsAxes: Bool) throws {
        typealias Operation = (T) throws -> T
        let operations: [(String, Operation, ([Double]) -> Double)] = [
            ("sum", { try $0.sum(axes: axes, keepsAxes: keepsAxes) }, { $0.reduce(0, +) }),
            ("mean", { try $0.mean(axes: axes, keepsAxes: keepsAxes) }, mean),
            ("max", { try $0.max(axes: axes, keepsAxes: keepsAxes) }, { $0.max() ?? -.infinity }),
            ("min", { try $0.min(axes: axes, keepsAxes: keepsAxes) }, { $0.min() ?? .infinity }),
            ("variance", { try $0.variance(axes: axes, keepsAxes: keepsAxes) }, { variance($0, 0) }),
            ("norm", { try $0.norm(axes: axes, keepsAxes: keepsAxes) }, { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }),
            (
                "logSumExp", { try $0.logSumExp(axes: axes, keepsAxes: keepsAxes) },
                { .log($0.reduce(0) { $0 + .exp($1) }) }
            ),
        ]
        for shape in [[3, 4, 2], [1, 5, 1], [2, 0, 3], [3, 2, 0]] {
            let x = uniform(shape)
            for (name, operation, naive) in operations {
                expectNear(try operation(x), along(axes, of: x, keepsAxes: keepsAxes, naive), 1e-13, "\(name) \(shape)")
                // What is infinite for no numbers, or none at all, has no differences.
                if try operation(x).elements.allSatisfy(\.isFinite) {
                    try expectDerivatives(of: operation, at: x, tolerance: 2e-6, "\(name) \(shape)")
                }
            }
        }
        if !axes.isEmpty {
            let x = uniform([3, 4, 2])
            let deviation = along(axes, of: x, keepsAxes: keepsAxes) { variance($0, 1).squareRoot() }
            expectNear(try x.standardDeviation(axes: axes, correction: 1, keepsAxes: keepsAxes), deviation)
            try expectDerivatives(
                of: { try $0.standardDeviation(axes: axes, correction: 1, keepsAxes: keepsAxes) }, at: x, tolerance: 5e-6)
        }
    }

    @Test func ofAllNumbers() throws {
        let x = uniform([3, 4])
        #expect(abs(x.sum().scalar - x.elements.reduce(0, +)) < 1e-14)
        #expect(abs(x.mean().scalar - mean(x.elements)) < 1e-15)
        #expect(x.max().scalar == x.elements.max() && x.min().scalar == x.elements.min())
        #expect(abs(try x.variance(correction: 1).scalar - variance(x.elements, 1)) < 1e-15)
        #expect(abs(try x.norm().scalar - x.elements.reduce(0) { $0 + $1 * $1 }.squareRoot()) < 1e-15)
        #expect(T(4).sum().scalar == 4 && ([] as T).sum().scalar == 0 && ([] as T).mean().scalar.isNaN)
        #expect(([] as T).max().scalar == -.infinity && ([] as T).min().scalar == .infinity)
        // Float's own additions would end at 16,777,216.
        #expect(Tensor<Float>(repeating: 1, shape: [20_000_000]).sum().scalar == 20_000_000)
    }

    // MARK: Extrema

    @Test func equalNumbersShareTheDerivative() throws {
        let x: T = [[1, 3, 3], [2, 2, 2]]
        expectNear(
            try gradient(at: x) { try $0.max(axes: [1]).sum() },
            [[0, 0.5, 0.5], [0.3333333333333333, 0.3333333333333333, 0.3333333333333333]], 1e-15)
        expectNear(try gradient(at: x) { $0.min() }, [[1, 0, 0], [0, 0, 0]])
        expectNear(try hessianVectorProduct(of: { $0.max().squared() }, at: [1, 5], along: [1, 1]), [0, 2])
    }

    @Test func notANumberWins() throws {
        let x = try T([[1, .nan, 3], [4, 5, 6]])
        #expect(x.max().scalar.isNaN && x.min().scalar.isNaN)
        #expect(try x.max(axes: [0])[..., 0].scalar == 4)
        #expect(try x.max(axes: [0])[..., 1].scalar.isNaN)
        #expect(try x.argMax(axis: 1).elements == [1, 2])
        #expect(try x.argMin(axis: 1).elements == [1, 0])
    }

    @Test func placesOfExtrema() throws {
        let x = try T([3, 1, 2, 0, 1, 2, 0, 1, 2, 3, 1, 0].map { $0 }, shape: [2, 3, 2])
        for axis in 0..<3 {
            var places: [(Int, Int)] = []
            for rest in indices(of: x.shape.without(axis)) {
                let list = (0..<x.shape[axis]).map { x.at(rest.inserting($0, at: axis)) }
                places.append((list.firstIndex(of: list.max()!)!, list.firstIndex(of: list.min()!)!))
            }
            #expect(try x.argMax(axis: axis).elements == places.map(\.0))
            #expect(try x.argMin(axis: axis - 3).elements == places.map(\.1))
            #expect(try x.argMax(axis: axis).shape == x.shape.without(axis))
        }
        #expect(try uniform([0, 3]).argMax(axis: 1).shape == [0])
        #expect(try Tensor<Float>([-.infinity, -.infinity]).argMax(axis: 0).scalar == 0)
    }

    // MARK: Statistics

    @Test func largeExponentsDoNotOverflow() throws {
        expectNear(try T([1000, 1000]).logSumExp(), T(1000 + .log(2)))
        expectNear(try T([-1000, -1001]).logSumExp(), T(-1000 + .log(1 + .exp(-1))))
        #expect(try T([-.infinity, -.infinity]).logSumExp().scalar == -.infinity)
        #expect(try T([-.infinity, 3]).logSumExp().scalar == 3)
        #expect(try T([.infinity, 3]).logSumExp().scalar == .infinity)
        #expect(try T([.nan, 3]).logSumExp().scalar.isNaN)
        expectNear(try gradient(at: T([-.infinity, 3])) { try $0.logSumExp() }, [0, 1])
        expectNear(try T([1000, 1000, -1000]).softmax(axes: [0]), [0.5, 0.5, 0])
    }

    @Test func softMaxima() throws {
        let x = uniform([3, 4])
        let sums = (0..<3).map { row in (0..<4).reduce(0) { $0 + .exp(x.at([row, $1])) } }
        expectNear(try x.softmax(axes: [-1]), tensor([3, 4]) { .exp(x.at($0)) / sums[$0[0]] })
        try expectDerivatives(of: { try $0.softmax(axes: [1]) }, at: x)
        try expectDerivatives(of: { try $0.softmax(axes: [0, 1]) }, at: x)
    }

    @Test func normsHaveNoSlopeAtZero() throws {
        let x: T = [[0, 0], [3, 4]]
        expectNear(try gradient(at: x) { try $0.norm(axes: [1]).sum() }, [[0, 0], [0.6, 0.8]])
        let product = try hessianVectorProduct(of: { try $0.norm(axes: [1]).sum() }, at: x, along: [[1, 1], [1, 0]])
        expectNear(product, [[0, 0], [0.128, -0.096]])
        expectNear(try x.norm(axes: [1]), [0, 5])
    }

    // MARK: Products

    @Test(arguments: [[2, 3, 4], [1, 1, 1], [5, 7, 1], [1, 6, 3], [0, 3, 2], [2, 0, 3], [2, 3, 0], [3, 9, 2]])
    func matrixProducts(lengths: [Int]) throws {
        let (m, n, k) = (lengths[0], lengths[1], lengths[2])
        let (a, b, v) = (uniform([m, n]), uniform([n, k], seed: 5), uniform([n], seed: 6))
        expectNear(try a.matmul(b), tensor([m, k]) { i in (0..<n).reduce(0) { $0 + a.at([i[0], $1]) * b.at([$1, i[1]]) } })
        expectNear(try a.matmul(v), tensor([m]) { i in (0..<n).reduce(0) { $0 + a.at([i[0], $1]) * v.at([$1]) } })
        try expectDerivatives(of: { try $0.matmul(b) }, at: a, "left")
        try expectDerivatives(of: { try a.matmul($0) }, at: b, "right")
        try expectDerivatives(of: { try a.matmul($0) }, at: v, "vector")
        try expectDerivatives(of: { try $0.matmul(v) }, at: a, "matrix")
        if m == n { try expectDerivatives(of: { try $0.matmul($0) }, at: a, "square") }

        let dense = try DenseOperator(a)
        let (r, s) = (uniform([m, 2], seed: 7), uniform([m], seed: 8))
        expectNear(try dense.product(v), try a.matmul(v))
        expectNear(try dense.transposedProduct(r), try a.transposed().matmul(r))
        expectNear(try dense.transposedProduct(s), try a.transposed().matmul(s))
        try expectDerivatives(of: { try DenseOperator($0).transposedProduct(r) }, at: a, "transpose")
        expectNear(dense.diagonal(), tensor([min(m, n)]) { a.at([$0[0], $0[0]]) })
        if n > 0 { expectNear(dense.columns([n - 1, 0]), tensor([m, 2]) { a.at([$0[0], $0[1] == 0 ? n - 1 : 0]) }) }
    }

    @Test func innerProducts() throws {
        let (x, y) = (uniform([2, 3]), uniform([2, 3], seed: 5))
        expectNear(try x.dot(y), T(zip(x.elements, y.elements).reduce(0) { $0 + $1.0 * $1.1 }))
        try expectDerivatives(of: { try $0.dot(y) }, at: x)
        try expectDerivatives(of: { try $0.dot($0) }, at: x)
        // A row of a million of 0.1 in Float.
        let row = Tensor<Float>(repeating: 0.1, shape: [1, 1_000_000])
        #expect(abs(try row.matmul(Tensor(repeating: 1, shape: [1_000_000])).scalar - 100_000) < 0.1)
        #expect(abs(try row.matmul(Tensor(repeating: 1, shape: [1_000_000, 2]))[0, 1] - 100_000) < 0.1)
    }
}
