import Khufu
import RandomNumbers
import Testing

/// Labels, sorting, centroids and extents, against loops over all points.
struct ClusteringTests {
    private func points(_ count: Int, _ dimension: Int, seed: Int = 1) -> Tensor<Double> {
        var random = RandomSource(seed: seed)
        return Tensor(shape: [count, dimension]) { for k in $0.indices { $0[k] = random.uniform(-3, 3) } }
    }

    // MARK: Clusters

    @Test func sortingIsStableAndInvertible() throws {
        let clusters = try Clusters(labels: Tensor([3, 0, 3, 1, 0, 3]), count: 5)
        #expect(clusters.count == 5 && clusters.pointCount == 6)
        #expect(clusters.order.elements == [1, 4, 3, 0, 2, 5])
        #expect(clusters.ranges == [0..<2, 2..<3, 3..<3, 3..<6, 6..<6])
        #expect(clusters.sizes == [2, 1, 0, 3, 0])
        #expect(try clusters.sorted(clusters.labels).elements == [0, 0, 1, 3, 3, 3])
        let x = points(6, 2)
        let sorted = try clusters.sorted(x)
        #expect(sorted[0, 1] == x[1, 1] && sorted[5, 0] == x[5, 0])
        #expect(try clusters.unsorted(sorted) == x)
        #expect(
            try clusters.sorted(Tensor([true, false, true, true, false, true])).elements == [
                false, false, true, true, true, true,
            ])
        #expect(try Clusters(labels: Tensor([3, 0, 3])).count == 4)
    }

    @Test func noPoints() throws {
        let clusters = try Clusters(labels: Tensor([Int]()), count: 2)
        #expect(clusters.ranges == [0..<0, 0..<0])
        let x = Tensor<Double>(repeating: 0, shape: [0, 3])
        #expect(try clusters.sorted(x).shape == [0, 3])
        #expect(try clusters.sums(of: x) == Tensor(repeating: 0, shape: [2, 3]))
        #expect(try clusters.diameters(of: x).elements == [0, 0])
        #expect(try gridLabels(of: x, cellSize: 1).shape == [0])
        #expect(try Clusters(labels: Tensor([Int]())).count == 0)
    }

    @Test func totalsAndCentroids() throws {
        let labels = [2, 0, 2, 2, 0, 4]
        let clusters = try Clusters(labels: Tensor(labels), count: 5)
        let x = points(6, 3)
        let weights: Tensor<Double> = [1, 2, 0.5, 4, 1, 3]
        let (means, weighted) = (try clusters.centroids(of: x), try clusters.centroids(of: x, weights: weights))
        for cluster in 0..<5 {
            let members = labels.indices.filter { labels[$0] == cluster }
            for k in 0..<3 {
                let mean = members.reduce(0) { $0 + x[$1, k] } / Double(members.count)
                let total = members.reduce(0) { $0 + weights[$1] }
                let weightedMean = members.reduce(0) { $0 + x[$1, k] * weights[$1] } / total
                #expect(members.isEmpty ? means[cluster, k].isNaN : abs(means[cluster, k] - mean) < 1e-14)
                #expect(members.isEmpty ? weighted[cluster, k].isNaN : abs(weighted[cluster, k] - weightedMean) < 1e-14)
            }
        }
        #expect(try clusters.spread(clusters.sums(of: weights)).elements == [5.5, 3, 5.5, 5.5, 3, 3])
    }

    /// The derivatives of sorting, sums and centroids, against differences.
    @Test func derivatives() throws {
        let clusters = try Clusters(labels: Tensor([1, 0, 1, 1, 0]))
        let (x, target) = (points(5, 2), points(2, 2, seed: 2))
        let weights: Tensor<Double> = [1, 2, 0.5, 4, 1]
        func energy(_ inputs: [Tensor<Double>]) throws -> Tensor<Double> {
            let centroids = try clusters.centroids(of: inputs[0], weights: inputs[1])
            let sorted = try clusters.sorted(inputs[0]).sin()
            return try (centroids - target).squared().sum() + (clusters.unsorted(sorted) * x).sum()
        }
        let inputs = [x, weights]
        let gradients = try valueWithGradient(at: inputs, of: energy).gradients
        for (position, input) in inputs.enumerated() {
            for k in 0..<input.count {
                func moved(_ step: Double) throws -> Double {
                    var numbers = input.elements
                    numbers[k] += step
                    var inputs = inputs
                    inputs[position] = try Tensor(numbers, shape: input.shape)
                    return try energy(inputs).scalar
                }
                let difference = try (moved(1e-6) - moved(-1e-6)) / 2e-6
                #expect(abs(gradients[position].elements[k] - difference) < 1e-8)
            }
        }
    }

    @Test(arguments: [1, 3]) func extents(dimension: Int) throws {
        let x = points(60, dimension)
        let labels = (0..<60).map { $0 % 7 == 3 ? 0 : $0 % 7 }
        let clusters = try Clusters(labels: Tensor(labels), count: 8)
        let balls = try clusters.balls(around: x)
        let diameters = try clusters.diameters(of: x)
        func distance(_ a: (Int) -> Double, _ b: (Int) -> Double) -> Double {
            (0..<dimension).reduce(0) { $0 + (a($1) - b($1)) * (a($1) - b($1)) }.squareRoot()
        }
        for cluster in 0..<8 {
            let members = labels.indices.filter { labels[$0] == cluster }
            let radius = members.map { m in distance({ x[m, $0] }, { balls.centers[cluster, $0] }) }.max() ?? 0
            let diameter = members.flatMap { m in members.map { n in distance({ x[m, $0] }, { x[n, $0] }) } }.max() ?? 0
            #expect(abs(balls.radii[cluster] - radius) < 1e-14)
            #expect(abs(diameters[cluster] - diameter) < 1e-14)
        }
        // No pair of points within the distance is lost, and far pairs of clusters are.
        let cells = try Clusters(labels: gridLabels(of: x, cellSize: 1))
        let cellBalls = try cells.balls(around: x)
        let near = try cellBalls.pairs(with: cellBalls, within: 0.5)
        for m in 0..<60 {
            for n in 0..<60 where distance({ x[m, $0] }, { x[n, $0] }) <= 0.5 {
                #expect(near[cells.labels[m], cells.labels[n]])
            }
        }
        #expect(near.elements.contains(false))
    }

    // MARK: Grids

    @Test(arguments: 1...5) func grid(dimension: Int) throws {
        let x = points(200, dimension, seed: dimension)
        let labels = try gridLabels(of: x, cellSize: 1.7).elements
        let cells = (0..<200).map { point in (0..<dimension).map { Int((x[point, $0] / 1.7).rounded(.down)) } }
        #expect(Set(labels) == Set(0..<Set(cells).count))
        for m in 0..<200 {
            for n in 0..<m {
                #expect((labels[m] == labels[n]) == (cells[m] == cells[n]))
                #expect((labels[m] < labels[n]) == cells[m].lexicographicallyPrecedes(cells[n]))
            }
        }
    }

    @Test func gridOfAnySize() throws {
        let far: Tensor<Double> = [[1e30, 0], [-1e30, 0], [1e30, 1e-300], [-0.0, -1e300], [0, -1e300]]
        #expect(try gridLabels(of: far, cellSize: 1e-3).elements == [2, 0, 2, 1, 1])
        #expect(
            try gridLabels(of: [[0.5, 0.5], [0.5, 1.5], [1.5, 0.5]] as Tensor<Float>, cellSizes: [1, 2]).elements == [0, 0, 1])
        #expect(try gridLabels(of: [[7]] as Tensor<Float>, cellSize: 2).elements == [0])
    }

    // MARK: Mistakes

    @Test func mistakesAreSentences() throws {
        #expect(throws: TensorError("Labels number the clusters from 0 to 1; point 2 has label 2.")) {
            try Clusters(labels: Tensor([0, 1, 2]), count: 2)
        }
        #expect(throws: TensorError.self) { try Clusters(labels: Tensor([0, -1])) }
        #expect(throws: TensorError.self) { try Clusters(labels: Tensor([0, .max])) }
        #expect(throws: TensorError.self) { try Clusters(labels: Tensor([0, 1], shape: [1, 2])) }
        let clusters = try Clusters(labels: Tensor([0, 1, 0]))
        #expect(throws: TensorError("These clusters have 3 points, a row each; the tensor has shape [2].")) {
            try clusters.sorted([1, 2] as Tensor<Float>)
        }
        #expect(throws: TensorError.self) { try clusters.spread([1, 2, 3] as Tensor<Float>) }
        #expect(throws: TensorError.self) { try clusters.centroids(of: points(3, 2), weights: [1, 2]) }
        let message = "Clustering takes points with finite coordinates of moderate size; point 1 has nan along axis 0."
        #expect(throws: TensorError(message)) {
            try gridLabels(of: Tensor([0, 1, .nan, 2] as [Double], shape: [2, 2]), cellSize: 1)
        }
        #expect(throws: TensorError("The size of cells is a positive number; it is 0.0.")) {
            try gridLabels(of: points(3, 2), cellSize: 0)
        }
        #expect(throws: TensorError.self) { try gridLabels(of: points(3, 2), cellSizes: [1]) }
        #expect(throws: TensorError.self) { try gridLabels(of: [1, 2] as Tensor<Float>, cellSize: 1) }
    }
}
