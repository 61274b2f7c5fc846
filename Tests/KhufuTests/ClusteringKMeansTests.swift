import Khufu
import RandomNumbers
import Testing

/// k-means: its invariants against loops over all pairs, and what it does where clusters run empty.
struct ClusteringKMeansTests {
    private func points(_ count: Int, _ dimension: Int) -> Tensor<Double> {
        var random = RandomSource(seed: dimension)
        return Tensor(shape: [count, dimension]) { for k in $0.indices { $0[k] = random.uniform(-3, 3) } }
    }

    @Test(arguments: 1...5) func convergesToMeansOfNearestPoints(dimension: Int) throws {
        let x = points(300, dimension)
        let result = try kMeans(x, count: 9, seed: 4)
        #expect(result.hasConverged && result.centroids.shape == [9, dimension])
        var inertia = 0.0
        for point in 0..<300 {
            let squares = (0..<9).map { cluster in
                (0..<dimension).reduce(0) { sum, k in
                    let difference = x[point, k] - result.centroids[cluster, k]
                    return sum + difference * difference
                }
            }
            #expect(squares[result.labels[point]] <= squares.min()! + 1e-12)
            inertia += squares.min()!
        }
        #expect(abs(inertia - result.inertia) < 1e-9)
        let means = try result.clusters.centroids(of: x)
        #expect(try (means - result.centroids).abs().elements.max()! < 1e-12)

        let again = try kMeans(x, count: 9, seed: 4)
        #expect(again.labels == result.labels && again.centroids == result.centroids)
        // Moving centroids never makes it worse.
        let short = (0...4).map { try? kMeans(x, count: 9, iterations: $0, seed: 4).inertia }
        #expect(zip(short, short.dropFirst()).allSatisfy { $0! >= $1! - 1e-9 })
    }

    @Test func findsHeapsThatLieApart() throws {
        var random = RandomSource(seed: 7)
        let centers: [SIMD2<Float>] = [[0, 0], [10, 0], [0, 10], [10, 10]]
        let x = Tensor(
            (0..<400).map { k in
                centers[k % 4] + SIMD2(Float(random.uniform(-1, 1)), Float(random.uniform(-1, 1)))
            })
        for seed in 0..<5 {
            let labels = try kMeans(x, count: 4, seed: seed).labels.elements
            #expect(Set(labels.prefix(4)).count == 4)
            #expect(labels.indices.allSatisfy { labels[$0] == labels[$0 % 4] })
        }
    }

    @Test func fewPoints() throws {
        let one = try kMeans([[2, 3]] as Tensor<Float>, count: 1)
        #expect(one.labels.elements == [0] && one.centroids == [[2, 3]] && one.inertia == 0)
        let x = points(5, 2)
        let all = try kMeans(x, count: 5)
        #expect(Set(all.labels.elements).count == 5 && all.inertia == 0)
        // Two distinct points make two clusters, the third stays empty.
        let repeated = try kMeans([[1], [1], [4], [1]] as Tensor<Double>, count: 3)
        #expect(repeated.inertia == 0 && repeated.hasConverged)
        #expect(Set(repeated.labels.elements).count == 2 && repeated.labels[0] == repeated.labels[3])
        #expect(repeated.centroids.elements.allSatisfy { $0 == 1 || $0 == 4 })
        #expect(try repeated.clusters.sizes.sorted() == [0, 1, 3])
    }

    @Test func mistakesAreSentences() {
        let x = points(4, 2)
        #expect(throws: TensorError("4 points make from 1 to as many clusters; 5 are asked for.")) { try kMeans(x, count: 5) }
        #expect(throws: TensorError.self) { try kMeans(x, count: 0) }
        #expect(throws: TensorError.self) { try kMeans(Tensor<Float>(repeating: 0, shape: [0, 2]), count: 0) }
        #expect(throws: TensorError.self) { try kMeans([1, 2] as Tensor<Float>, count: 1) }
        let message = "Clustering takes points with finite coordinates of moderate size; point 1 has inf along axis 1."
        #expect(throws: TensorError(message)) { try kMeans(Tensor([0, 0, 1, .infinity] as [Float], shape: [2, 2]), count: 1) }
        #expect(throws: TensorError.self) { try kMeans([[1e30], [-1e30]] as Tensor<Float>, count: 1) }
    }
}
