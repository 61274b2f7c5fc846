import Khufu
import RandomNumbers
import Testing

/// Sums over pairs of clusters, against dense ones in which the other pairs are set to nothing.
struct ClusteringSparsityTests {
    private var random = RandomSource(seed: 3)

    private mutating func tensor(_ shape: [Int]) -> Tensor<Double> {
        Tensor(shape: shape) { for k in $0.indices { $0[k] = random.uniform(-2, 2) } }
    }

    @Test(arguments: 1...5) mutating func blockSparseGaussianSum(dimension: Int) throws {
        let (x, y, b) = (tensor([90, dimension]), tensor([70, dimension]), tensor([70]))
        let rows = try Clusters(labels: gridLabels(of: x, cellSize: 2))
        // One cluster more than there are, without points.
        let columns = try Clusters(labels: kMeans(y, count: 6).labels, count: 7)
        let mask = Tensor<Bool>(shape: [rows.count, 7]) { mask in
            for k in mask.indices { mask[k] = random.chance(0.4) }
        }
        let sum = try KernelReduction(
            "Exp(-SqDist(x, y)) * b", ["x = Vi(\(dimension))", "y = Vj(\(dimension))", "b = Vj(1)"])

        let sparsity = try BlockSparsity(keeping: mask, rows: rows, columns: columns)
        let inputs = try [rows.sorted(x), columns.sorted(y), columns.sorted(b)].map(\.elements)
        for engine in [ExecutionOptions.Engine.cpu, .interpreter] {
            let options = ExecutionOptions(engine: engine, sparsity: sparsity)
            let result = try rows.unsorted(Tensor(try sum(inputs[0], inputs[1], inputs[2], options: options).values))
            for i in 0..<90 {
                let kept = (0..<70).filter { mask[rows.labels[i], columns.labels[$0]] }
                let expected = try sum(
                    (0..<dimension).map { x[i, $0] }, kept.flatMap { j in (0..<dimension).map { y[j, $0] } }, kept.map { b[$0] },
                    options: .init(engine: .interpreter)
                ).values[0]
                #expect(abs(result[i] - expected) < 1e-13)
            }
        }

        // The other way round: what a reduction over i reads.
        let transposed = sparsity.transposed
        let over = try KernelReduction(
            "b * 0 + 1 + 0 * (x | y)", ["x = Vi(\(dimension))", "y = Vj(\(dimension))", "b = Vj(1)"], over: .i)
        let counts = try columns.unsorted(
            Tensor(try over(inputs[0], inputs[1], inputs[2], options: .init(sparsity: transposed)).values))
        for j in 0..<70 {
            #expect(counts[j] == Double((0..<90).count { mask[rows.labels[$0], columns.labels[j]] }))
        }
    }

    /// A kernel that vanishes beyond a distance loses nothing where only near clusters meet.
    @Test mutating func nearPairsAreEnough() throws {
        let (x, y) = (tensor([400, 2]), tensor([300, 2]))
        let (rows, columns) = (try Clusters(labels: gridLabels(of: x, cellSize: 0.3)), try kMeans(y, count: 25).clusters)
        let near = try rows.balls(around: x).pairs(with: columns.balls(around: y), within: 0.5)
        #expect(near.elements.count { $0 } < near.count / 2)
        let count = try KernelReduction("Step(0.25 - SqDist(x, y))", ["x = Vi(2)", "y = Vj(2)"])
        let sparsity = try BlockSparsity(keeping: near, rows: rows, columns: columns)
        let sparse = try count(rows.sorted(x).elements, columns.sorted(y).elements, options: .init(sparsity: sparsity)).values
        #expect(try rows.unsorted(Tensor(sparse)).elements == count(x.elements, y.elements).values)
    }

    @Test func neighboursMergeAndEmptyClustersVanish() throws {
        let rows = try Clusters(labels: Tensor([0, 0, 2, 3]), count: 4)
        let columns = try Clusters(labels: Tensor([0, 1, 1, 3, 4]), count: 5)
        let mask = try Tensor(
            [
                true, true, true, true, false,
                true, true, true, true, true,
                false, false, true, false, false,
                true, false, false, false, true,
            ], shape: [4, 5])
        let pattern = try BlockSparsity(keeping: mask, rows: rows, columns: columns).patterns[0]
        #expect(pattern.rowRanges == [0..<2, 3..<4])
        #expect(pattern.ends == [1, 3])
        #expect(pattern.columnRanges == [0..<4, 0..<1, 4..<5])
        #expect(throws: TensorError.self) { try BlockSparsity(keeping: mask, rows: columns, columns: rows) }
    }
}
