import Engines

/// Points divided among centroids that are the means of the points nearest to them.
public struct KMeans<Scalar: TensorScalar>: Sendable {
    /// The nearest centroid of each point, of shape (points); of equally near ones the first.
    public let labels: Tensor<Int>
    /// Of shape (clusters, dimension). Each is the mean of its points, unless the iterations were used up before.
    public let centroids: Tensor<Scalar>
    /// The sum of the squared distances of the points to their centroids: what the method makes small.
    public let inertia: Double
    /// How often the centroids were moved.
    public let iterations: Int
    /// Whether the last move changed no label.
    public let hasConverged: Bool

    /// The same division as sorted ranges.
    public var clusters: Clusters {
        get throws(TensorError) { try Clusters(labels: labels, count: centroids.shape[0]) }
    }
}

/// Divides points into clusters by Lloyd's method (Least squares quantization in PCM, 1982), which moves centroids to the means
/// of the points that they are nearest to, again and again. It starts from points that are chosen far apart, by k-means++ (Arthur
/// & Vassilvitskii, 2007).
///
/// A centroid that loses all its points moves to the point that is then farthest from its own. Clusters without points remain
/// only where there are fewer distinct points than clusters, or where the iterations were used up before. The same seed gives the
/// same result on the same machine.
///
/// - Parameters:
///   - points: of shape (points, dimension).
///   - count: how many clusters: from 1 to the number of points.
///   - iterations: at most so many moves; fewer where no label changes any more.
/// - Throws: ``TensorError`` for another shape or count, and for the first point that is not finite; ``EngineError`` where an
///   engine is asked for that cannot run.
public func kMeans<Scalar: TensorScalar>(
    _ points: Tensor<Scalar>, count: Int, iterations: Int = 100, seed: Int = 0, options: ExecutionOptions = .init()
) throws -> KMeans<Scalar> {
    guard points.rank == 2, points.shape[1] > 0 else { throw notPoints(points.shape) }
    guard (1...max(1, points.shape[0])).contains(count), points.shape[0] > 0 else {
        throw TensorError("\(points.shape[0]) points make from 1 to as many clusters; \(count) are asked for.")
    }
    if let odd = points.elements.firstIndex(where: { !$0.isFinite }) { throw notFinite(points, at: odd) }

    let points = points.detached()
    let nearest = try NearestCentroid<Scalar>(dimension: points.shape[1], options: options)
    var centroids = startingCentroids(points, count: count, seed: seed)
    var assignment = try nearest(points, centroids)
    var moves = 0
    var hasConverged = false
    while moves < iterations, !hasConverged {
        centroids = try movedCentroids(points, assignment, count: count)
        let before = assignment.labels
        assignment = try nearest(points, centroids)
        hasConverged = assignment.labels == before
        moves += 1
    }
    return KMeans(
        labels: assignment.labels, centroids: centroids, inertia: assignment.squares.reduce(0) { $0 + Double($1) },
        iterations: moves, hasConverged: hasConverged)
}

/// The search for the nearest centroid, as a reduction.
private struct NearestCentroid<Scalar: TensorScalar> {
    let reduction: KernelReduction
    let options: ExecutionOptions

    init(dimension: Int, options: ExecutionOptions) throws {
        reduction = try KernelReduction("SqDist(x, c)", ["x = Vi(\(dimension))", "c = Vj(\(dimension))"], .minArgMin)
        self.options = options
    }

    func callAsFunction(_ points: Tensor<Scalar>, _ centroids: Tensor<Scalar>) throws -> Assignment<Scalar> {
        let result = try points.withUnsafeBufferPointer { points in
            try centroids.withUnsafeBufferPointer { try reduction.run([points, $0], options: options) }
        }
        if let odd = result.values.firstIndex(where: { !$0.isFinite }) { throw notFinite(points, at: odd * points.shape[1]) }
        return Assignment(labels: Tensor(result.indices.map { Int($0) }), squares: result.values)
    }
}

/// The nearest centroid of each point, and the squared distance to it.
private struct Assignment<Scalar: TensorScalar> {
    let labels: Tensor<Int>
    let squares: [Scalar]
}

/// The means of the points of each cluster; for clusters without points those farthest from their centroids, one each.
private func movedCentroids<Scalar: TensorScalar>(
    _ points: Tensor<Scalar>, _ assignment: Assignment<Scalar>, count: Int
) throws -> Tensor<Scalar> {
    let clusters = try Clusters(labels: assignment.labels, count: count)
    let means = try clusters.centroids(of: points)
    let empty = clusters.ranges.indices.filter { clusters.ranges[$0].isEmpty }
    guard !empty.isEmpty else { return means }
    let dimension = points.shape[1]
    let squares = assignment.squares
    let farthest = squares.indices.sorted { (squares[$1], $0) < (squares[$0], $1) }
    var numbers = means.elements
    for (cluster, point) in zip(empty, farthest) {
        for k in 0..<dimension { numbers[cluster * dimension + k] = points[point, k] }
    }
    return try Tensor(numbers, shape: means.shape)
}
