import Khufu
import RandomNumbers
import Testing

/// Symbolic matrices against the same expressions on dense tensors, which have derivatives of their own.
@Suite struct LazyTensorTests {
    let x = random([7, 3], seed: 1), y = random([5, 3], seed: 2), b = random([5, 2], seed: 3)

    /// |x_i - y_j|², of shape (…, rows, columns, 1), densely.
    func squares(_ x: Tensor<Double>, _ y: Tensor<Double>) throws -> Tensor<Double> {
        let rows = try x.reshaped(x.shape.dropLast() + [1, x.shape.last!])
        let columns = try y.reshaped(y.shape.dropLast(2) + [1] + y.shape.suffix(2))
        return try (rows - columns).squared().sum(axes: [-1], keepsAxes: true)
    }

    @Test func sumsFollowRowsOrColumns() throws {
        let kernel = try (-LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: y)) * 0.7).exp()
        let dense = try (squares(x, y) * -0.7).exp()
        try expectClose(kernel.sum(over: .columns), dense.sum(axes: [1]))
        try expectClose(kernel.sum(over: .rows), dense.sum(axes: [0]))
        try expectClose(kernel.dense(), dense)
        #expect(kernel.shape == [7, 5, 1])
        try expectClose(kernel.matmul(b), dense.reshaped([7, 5]).matmul(b))
        try expectClose(kernel.transposed.matmul(x), dense.reshaped([7, 5]).transposed().matmul(x))
        let vector = try b.reshaped([10]).reshaped([5, 2]).sum(axes: [1])
        try expectClose(kernel.matmul(vector), dense.reshaped([7, 5]).matmul(vector))
    }

    @Test func otherReductionsAreThoseOfTheDenseMatrix() throws {
        let distances = try LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: y))
        let dense = try squares(x, y).reshaped([7, 5])
        try expectClose(distances.logSumExp(over: .columns), dense.exp().sum(axes: [1], keepsAxes: true).log())
        let shares = try dense.exp() / dense.exp().sum(axes: [1], keepsAxes: true)
        try expectClose(distances.softMaxMean(of: LazyTensor(columns: b), over: .columns), shares.matmul(b))

        for row in 0..<7 {
            let sorted = (0..<5).sorted { dense[row, $0] < dense[row, $1] }
            #expect(try distances.argKMin(3, over: .columns).elements[(3 * row)..<(3 * row + 3)].elementsEqual(sorted.prefix(3)))
            #expect(try distances.argMin(over: .columns)[row, 0] == sorted[0])
            #expect(try distances.argMax(over: .columns)[row, 0] == sorted[4])
        }
        let (values, positions) = try distances.kMinWithPositions(2, over: .columns)
        #expect(values.shape == [7, 2] && positions.shape == [7, 2])
        try expectClose(values.sum(axes: [1]), distances.kMin(2, over: .columns).sum(axes: [1]))
        #expect(try (LazyTensor(rows: x) - LazyTensor(columns: y)).kMin(2, over: .columns).shape == [7, 2, 3])
    }

    @Test func batchesBroadcastAsInNumPy() throws {
        let x = random([2, 1, 4, 3], seed: 4), y = random([3, 5, 3], seed: 5), g = random([3, 1], seed: 6)
        let kernel = try (-LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: y)) * LazyTensor(parameter: g)).exp()
        #expect(kernel.shape == [2, 3, 4, 5, 1])
        let dense = try (-(squares(x, y) * g.reshaped([3, 1, 1, 1]))).exp()
        try expectClose(kernel.sum(over: .columns), dense.sum(axes: [3]))
        try expectClose(kernel.dense(), dense)

        let slopes = try gradients(at: [x, y, g]) { v in
            let kernel = try
                (-LazyTensor(rows: v[0]).squaredDistance(to: LazyTensor(columns: v[1])) * LazyTensor(parameter: v[2])).exp()
            return try kernel.sum(over: .columns).squared().sum()
        }
        let expected = try gradients(at: [x, y, g]) { v in
            try (-(squares(v[0], v[1]) * v[2].reshaped([3, 1, 1, 1]))).exp().sum(axes: [3]).squared().sum()
        }
        for (slope, dense) in zip(slopes, expected) { try expectClose(slope, dense) }
    }

    @Test func lengthsOfOneBroadcastAndStay() throws {
        let one = random([1, 3], seed: 7)
        let rows = try LazyTensor(rows: x), single = try LazyTensor(rows: one), columns = try LazyTensor(columns: y)
        let sum = try ((rows * single) | columns).sum(over: .columns)
        try expectClose(sum, (x * one).matmul(y.transposed()).sum(axes: [1], keepsAxes: true))
        #expect(try (single | columns).sum(over: .columns).shape == [1, 1])
        #expect(try LazyTensor(one.reshaped([1, 1, 3])).shape == [1, 1, 3])
        #expect(try LazyTensor(columns: one).sum(over: .columns).shape == [1, 3])
        let slope = try gradient(at: one) { one in
            try (LazyTensor(rows: x) * LazyTensor(rows: one) | LazyTensor(columns: y)).sum(over: .columns).squared().sum()
        }
        let expected = try gradient(at: one) { one in
            try (x * one).matmul(y.transposed()).sum(axes: [1]).squared().sum()
        }
        #expect(slope.shape == [1, 3])
        try expectClose(slope, expected)
    }

    @Test(arguments: [ExecutionOptions.Engine.cpu, .interpreter])
    func derivativesOfEveryKindAndOrder(engine: ExecutionOptions.Engine) throws {
        func energies(_ x: Tensor<Double>) throws -> [Tensor<Double>] {
            var d = try LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: y))
            d.engine = engine
            return [
                try (-d).exp().sum(over: .columns).squared().sum(),
                try d.logSumExp(over: .columns).sum(),
                try d.softMaxMean(of: LazyTensor(columns: b), over: .columns).squared().sum(),
                try d.min(over: .columns).squared().sum(),
                try d.kMin(2, over: .rows).squared().sum(),
            ]
        }
        func dense(_ x: Tensor<Double>) throws -> [Tensor<Double>] {
            let d = try squares(x, y).reshaped([7, 5])
            let shares = try d.exp() / d.exp().sum(axes: [1], keepsAxes: true)
            let columns = try d.transposed()
            func taken(_ matrix: Tensor<Double>, _ k: Int) throws -> Tensor<Double> {
                let mask = Tensor<Double>(shape: matrix.shape) { mask in
                    for row in 0..<matrix.shape[0] {
                        let width = matrix.shape[1]
                        let order = (0..<width).sorted { matrix[row, $0] < matrix[row, $1] }
                        for c in 0..<width { mask[row * width + c] = order.prefix(k).contains(c) ? 1 : 0 }
                    }
                }
                return try matrix * mask
            }
            return [
                try (-d).exp().sum(axes: [1]).squared().sum(), try d.exp().sum(axes: [1]).log().sum(),
                try shares.matmul(b).squared().sum(), try taken(d, 1).squared().sum(), try taken(columns, 2).squared().sum(),
            ]
        }
        let direction = random([7, 3], seed: 8)
        for kind in 0..<5 {
            let f = { (x: Tensor<Double>) in try energies(x)[kind] }
            let g = { (x: Tensor<Double>) in try dense(x)[kind] }
            try expectClose(f(x), g(x))
            try expectClose(gradient(at: x, of: f), gradient(at: x, of: g))
            try expectClose(
                hessianVectorProduct(of: f, at: x, along: direction), hessianVectorProduct(of: g, at: x, along: direction))
            try expectClose(
                jacobianVectorProduct(of: f, at: x, along: direction), (gradient(at: x, of: g) * direction).sum())
            let third = { (h: @escaping (Tensor<Double>) throws -> Tensor<Double>) in
                try gradient(at: x) { x in try (hessianVectorProduct(of: h, at: x, along: direction) * direction).sum() }
            }
            try expectClose(third(f), third(g), within: 1e-8)
        }
    }

    /// The example of KeOps' front page: a_i = Σ_j exp(-|x_i - y_j|²), and the gradient of Σ a_i² in x.
    @Test func frontPage() throws {
        let points = x.tracked()
        let a = try (-LazyTensor(rows: points).squaredDistance(to: LazyTensor(columns: y))).exp().sum(over: .columns)
        let slope = try gradient(of: a.squared().sum(), withRespectTo: [points])[0]
        let kernel = try (-squares(x, y)).exp().reshaped([7, 5])
        let expected = Tensor<Double>(shape: [7, 3]) { result in
            for i in 0..<7 {
                let total = (0..<5).reduce(0) { $0 + kernel[i, $1] }
                for k in 0..<3 {
                    result[3 * i + k] = (0..<5).reduce(0) { $0 - 4 * total * kernel[i, $1] * (x[i, k] - y[$1, k]) }
                }
            }
        }
        try expectClose(slope, expected)
    }

    /// Shooting in the space of landmarks (LDDMM): the Hamiltonian ½ Σ_ij p_i·p_j K(q_i, q_j), its flow, and the derivative of where
    /// the flow leads in the momenta it starts with.
    @Test func hamiltonianShooting() throws {
        let q = random([4, 2], seed: 11), p = random([4, 2], seed: 12)
        func hamiltonian(_ q: Tensor<Double>, _ p: Tensor<Double>) throws -> Tensor<Double> {
            let kernel = try (-LazyTensor(rows: q).squaredDistance(to: LazyTensor(columns: q))).exp()
            return try 0.5 * (p * kernel.matmul(p)).sum()
        }
        func dense(_ q: Tensor<Double>, _ p: Tensor<Double>) throws -> Tensor<Double> {
            let kernel = try (-squares(q, q)).exp().reshaped([4, 4])
            return try 0.5 * (p * kernel.matmul(p)).sum()
        }
        func end(
            _ hamiltonian: (Tensor<Double>, Tensor<Double>) throws -> Tensor<Double>, from p: Tensor<Double>
        ) throws -> Tensor<Double> {
            var (q, p) = (q, p)
            for _ in 0..<3 {
                let slopes = try valueWithGradient(at: [q, p]) { try hamiltonian($0[0], $0[1]) }.gradients
                (q, p) = (try q + 0.1 * slopes[1], try p - 0.1 * slopes[0])
            }
            return q.squared().sum()
        }
        try expectClose(end(hamiltonian, from: p), end(dense, from: p))
        let slope = try gradient(at: p) { try end(hamiltonian, from: $0) }
        try expectClose(slope, gradient(at: p) { try end(dense, from: $0) })
        let direction = random([4, 2], seed: 13), step = 1e-5
        let difference = try (end(dense, from: p + direction * step) - end(dense, from: p - direction * step)) / (2 * step)
        try expectClose((slope * direction).sum(), difference, within: 1e-7)
    }

    @Test func sparsityKeepsOnlyWhatMeets() throws {
        var kernel = try (-LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: y))).exp()
        kernel.sparsity = BlockSparsity(rowRanges: [0..<3, 3..<7], ends: [1, 3], columnRanges: [1..<3, 0..<1, 4..<5])
        let mask: Tensor<Double> = [
            [0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1],
            [1, 0, 0, 0, 1],
        ]
        let dense = try (-squares(x, y)).exp().reshaped([7, 5]) * mask
        try expectClose(kernel.sum(over: .columns), dense.sum(axes: [1], keepsAxes: true))
        try expectClose(kernel.sum(over: .rows), dense.sum(axes: [0]).reshaped([5, 1]))
        try expectClose(kernel.transposed.sum(over: .columns), dense.sum(axes: [0]).reshaped([5, 1]))
        try expectClose(kernel.matmul(b), dense.matmul(b))
        let pattern = kernel.sparsity
        let slopes = try gradients(at: [x, y]) { v in
            var kernel = try (-LazyTensor(rows: v[0]).squaredDistance(to: LazyTensor(columns: v[1]))).exp()
            kernel.sparsity = pattern
            return try kernel.sum(over: .rows).squared().sum()
        }
        let expected = try gradients(at: [x, y]) { v in
            try ((-squares(v[0], v[1])).exp().reshaped([7, 5]) * mask).sum(axes: [0]).squared().sum()
        }
        for (slope, dense) in zip(slopes, expected) { try expectClose(slope, dense) }
        var other = kernel
        other.sparsity = BlockSparsity(rowRanges: [0..<7], ends: [1], columnRanges: [0..<5])
        #expect(throws: TensorError.self) { try kernel + other }
    }

    @Test func partsOfTheMatrix() throws {
        let kernel = try (-LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: y))).exp()
        let dense = try kernel.dense().reshaped([7, 5])
        let part = try kernel[rows: 2..<4, columns: 1...]
        #expect(part.shape == [2, 4, 1])
        let values = try part.dense()
        for i in 0..<2 { for j in 0..<4 { #expect(abs(values[i, j, 0] - dense[i + 2, j + 1]) < 1e-15) } }
        try expectClose(kernel.columns([3, 0]), try Tensor((0..<7).flatMap { [dense[$0, 3], dense[$0, 0]] }).reshaped([7, 2]))
        let square = try (-LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: x)) + 1).exp()
        try expectClose(square.diagonal(), Tensor(repeating: 1, shape: [7]) * 1.0.exponential)
        #expect(throws: TensorError.self) { try kernel.diagonal() }
        #expect(throws: TensorError.self) { try kernel.selecting(rows: [7]) }
    }

    @Test func symbolsAreBoundLater() throws {
        let symbol = try LazyTensor<Double>.rows(named: "x", dimension: 3)
        let kernel = try (-symbol.squaredDistance(to: LazyTensor(columns: y))).exp()
        #expect("\(kernel)".contains("x, not bound"))
        let error = #expect(throws: TensorError.self) { try kernel.sum(over: .columns) }
        #expect(error?.description.contains("Variable x") == true)
        let bound = try kernel.binding(["x": x])
        try expectClose(bound.sum(over: .columns), (-squares(x, y)).exp().sum(axes: [1]))
        #expect(throws: TensorError.self) { try kernel.binding(["z": x]) }
        #expect(throws: TensorError.self) { try kernel.binding(["x": b]) }
    }

    @Test func mistakesNameBothShapes() throws {
        let rows = try LazyTensor(rows: x)
        let dimensions = #expect(throws: TensorError.self) { try rows + LazyTensor(columns: b) }
        #expect(dimensions!.description.contains("[7, 1, 3]") && dimensions!.description.contains("[1, 5, 2]"))
        let counts = #expect(throws: TensorError.self) { try rows + LazyTensor(rows: y) }
        #expect(counts!.description.contains("[7, 3]") && counts!.description.contains("[5, 3]"))
        let stored = #expect(throws: TensorError.self) { try LazyTensor(random([4, 5, 2], seed: 9)) }
        #expect(stored!.description.contains("[4, 5, 2]"))
        let batches = #expect(throws: TensorError.self) {
            try LazyTensor(rows: random([2, 4, 3], seed: 1)) + LazyTensor(columns: random([3, 5, 3], seed: 1))
        }
        #expect(batches!.description.contains("[2]") && batches!.description.contains("[3]"))
        #expect(throws: TensorError.self) { try (rows - LazyTensor(columns: y)).matmul(b) }
    }

    @Test func numbersThatChangeNeedNoNewFormula() throws {
        let rows = try LazyTensor(rows: x)
        #expect("\(try rows * 2)".contains("2"))
        #expect("\(try rows * 0.3)".contains("Var(1,1,2)"))
        for scale in [0.3, 0.7, 17] {
            try expectClose((rows * scale).sum(over: .columns), x * scale)
        }
    }
}

func random(_ shape: [Int], seed: Int) -> Tensor<Double> {
    var source = RandomSource(seed: seed)
    return Tensor(shape: shape) { for k in $0.indices { $0[k] = source.uniform(-1, 1) } }
}

/// The gradients of a function of several tensors.
func gradients(
    at points: [Tensor<Double>], of function: ([Tensor<Double>]) throws -> Tensor<Double>
) throws -> [Tensor<Double>] {
    try valueWithGradient(at: points, of: function).gradients
}

func expectClose<Scalar: TensorScalar>(
    _ a: Tensor<Scalar>, _ b: Tensor<Scalar>, within tolerance: Scalar = 1e-11, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(a.count == b.count, "shapes \(a.shape) and \(b.shape)", sourceLocation: sourceLocation)
    guard a.count == b.count else { return }
    let scale = Swift.max(1, b.elements.map(\.magnitude).max() ?? 0)
    let difference = zip(a.elements, b.elements).map { ($0 - $1).magnitude }.max() ?? 0
    #expect(difference <= tolerance * scale, "\(difference) apart, of \(scale)", sourceLocation: sourceLocation)
}

extension Double {
    fileprivate var exponential: Double { Tensor(self).exp().scalar }
}
