import Engines

/// A ball around the points of each cluster, to tell which clusters are near each other.
///
///     let near = try xBalls.pairs(with: yBalls, within: 4 * sigma)
///     let sparsity = try BlockSparsity(keeping: near, rows: xClusters, columns: yClusters)
public struct ClusterBalls<Scalar: TensorScalar>: Sendable {
    /// Of shape (clusters, dimension).
    public let centers: Tensor<Scalar>
    /// Of shape (clusters).
    public let radii: Tensor<Scalar>

    /// - Throws: ``TensorError`` where the shapes are not (clusters, dimension) and (clusters).
    public init(centers: Tensor<Scalar>, radii: Tensor<Scalar>) throws(TensorError) {
        guard centers.rank == 2, radii.shape == [centers.shape[0]] else {
            throw TensorError(
                "Balls have centres (clusters, dimension) and radii (clusters); "
                    + "these have shapes \(centers.shape) and \(radii.shape).")
        }
        self.centers = centers.detached()
        self.radii = radii.detached()
    }

    /// Which clusters can hold points no farther apart than a distance: those whose centres are no farther apart than that and
    /// both radii. Everything left out is farther apart, so that a kernel that vanishes there loses nothing.
    ///
    /// - Returns: a tensor of shape (clusters, other clusters). Pairs with NaN are kept: what follows from NaN is NaN.
    /// - Throws: ``TensorError`` where the points are of different dimension.
    public func pairs(with others: ClusterBalls, within distance: Scalar) throws(TensorError) -> Tensor<Bool> {
        let dimension = centers.shape[1]
        guard others.centers.shape[1] == dimension else {
            throw TensorError("Points of dimension \(dimension) and \(others.centers.shape[1]) have no distance.")
        }
        let (own, other) = (centers.elements.map { Double($0) }, others.centers.elements.map { Double($0) })
        let (ownRadii, otherRadii) = (radii.elements.map { Double($0) }, others.radii.elements.map { Double($0) })
        return Tensor(shape: [ownRadii.count, otherRadii.count]) { mask in
            markNear(mask, (own, ownRadii), (other, otherRadii), dimension, within: Double(distance))
        }
    }
}

private typealias Balls = (centers: [Double], radii: [Double])

private func markNear(
    _ mask: UnsafeMutableBufferPointer<Bool>, _ rows: Balls, _ columns: Balls, _ dimension: Int, within distance: Double
) {
    for row in rows.radii.indices {
        for column in columns.radii.indices {
            var square = 0.0
            for k in 0..<dimension {
                let difference = rows.centers[row * dimension + k] - columns.centers[column * dimension + k]
                square += difference * difference
            }
            // Rounding must not part what just touches.
            let reach = (distance + rows.radii[row] + columns.radii[column]) * (1 + 1e-12)
            mask[row * columns.radii.count + column] = !(square.squareRoot() > reach)
        }
    }
}

extension Clusters {
    /// Balls around the centroids of the clusters.
    ///
    /// - Parameters:
    ///   - points: of shape (points, dimension), in their own order.
    ///   - centers: of shape (clusters, dimension); left out, the centroids.
    /// - Returns: the smallest balls with these centres. Of a cluster without points the centroid is NaN, the radius 0.
    /// - Throws: ``TensorError`` where the shapes do not fit.
    public func balls<Scalar: TensorScalar>(
        around points: Tensor<Scalar>, centers: Tensor<Scalar>? = nil
    ) throws(TensorError) -> ClusterBalls<Scalar> {
        try checkPoints(points)
        let centers = if let centers { centers } else { try centroids(of: points) }
        guard centers.shape == [count, points.shape[1]] else {
            throw TensorError(
                "Centres have shape \([count, points.shape[1]]), one per cluster; these have shape \(centers.shape).")
        }
        let (numbers, middles) = (points.elements.map { Double($0) }, centers.elements.map { Double($0) })
        let dimension = points.shape[1]
        let squares = labels.elements.enumerated().map { point, label -> Double in
            var square = 0.0
            for k in 0..<dimension {
                let difference = numbers[point * dimension + k] - middles[label * dimension + k]
                square += difference * difference
            }
            return square
        }
        // Rounded up, so that the balls do hold the points.
        let radii = maxima(squares).map { $0 == 0 ? 0 : Scalar($0.squareRoot()).nextUp }
        return try ClusterBalls(centers: centers, radii: Tensor(radii))
    }

    /// The largest distance between two points of each cluster: exact, by comparing all of them.
    ///
    /// - Parameter points: of shape (points, dimension), in their own order.
    /// - Returns: a tensor of shape (clusters): 0 for a cluster without points.
    /// - Throws: ``TensorError`` where the shape does not fit; ``EngineError`` where an engine is asked for that cannot run.
    public func diameters<Scalar: TensorScalar>(
        of points: Tensor<Scalar>, options: ExecutionOptions = .init()
    ) throws -> Tensor<Scalar> {
        try checkPoints(points)
        guard pointCount > 0 else { return Tensor(repeating: 0, shape: [count]) }
        let dimension = points.shape[1]
        let farthest = try KernelReduction("SqDist(x, y)", ["x = Vi(\(dimension))", "y = Vj(\(dimension))"], .max)
        var options = options
        options.sparsity = BlockSparsity(rowRanges: ranges, ends: Array(1...count), columnRanges: ranges)
        let sorted = try sorted(points)
        let squares = try sorted.withUnsafeBufferPointer { try farthest.run([$0, $0], options: options).values }
        return Tensor(maxima(try unsorted(Tensor(squares)).elements).map { $0.squareRoot() })
    }

    /// The largest number of each cluster, and at least 0; NaN wins.
    private func maxima<Number: BinaryFloatingPoint>(_ numbers: [Number]) -> [Number] {
        var largest = [Number](repeating: 0, count: count)
        for (number, label) in zip(numbers, labels.elements) where !(number <= largest[label]) && !largest[label].isNaN {
            largest[label] = number
        }
        return largest
    }

    private func checkPoints<Scalar: TensorScalar>(_ points: Tensor<Scalar>) throws(TensorError) {
        guard points.rank == 2, points.shape[0] == pointCount, points.shape[1] > 0 else {
            throw TensorError(
                "Points have shape (points, dimension), here of \(pointCount) points; these have shape \(points.shape).")
        }
    }
}
