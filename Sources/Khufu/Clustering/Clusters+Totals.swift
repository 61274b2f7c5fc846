// Sums over clusters, their adjoint, and means.

extension Clusters {
    /// The sum of the rows of each cluster. Sums are taken in Double.
    ///
    /// - Parameter rows: of shape (points, …), in the points' own order.
    /// - Returns: a tensor of shape (clusters, …): zeros for a cluster without points.
    /// - Throws: ``TensorError`` where there are not as many rows as points.
    public func sums<Scalar: TensorScalar>(of rows: Tensor<Scalar>) throws(TensorError) -> Tensor<Scalar> {
        try check(rows)
        let shape = [count] + rows.shape.dropFirst()
        let width = shape.dropFirst().reduce(1, *)
        let total = labels.withUnsafeBufferPointer { labels in
            rows.withUnsafeBufferPointer { rows in
                Tensor<Scalar>(shape: shape) { addRows(rows, labels, width, into: $0) }
            }
        }
        return total.recorded([rows]) { _, _, _, cotangent in try spread(cotangent) }
    }

    /// Gives every point the row of its cluster; the adjoint of ``sums(of:)``.
    ///
    /// - Parameter rows: of shape (clusters, …).
    /// - Returns: a tensor of shape (points, …), in the points' own order.
    /// - Throws: ``TensorError`` where there are not as many rows as clusters.
    public func spread<Scalar: TensorScalar>(_ rows: Tensor<Scalar>) throws(TensorError) -> Tensor<Scalar> {
        guard let length = rows.shape.first, length == count else {
            throw TensorError("There are \(count) clusters, a row each; the tensor has shape \(rows.shape).")
        }
        let shape = [pointCount] + rows.shape.dropFirst()
        let stride = shape.dropFirst().reduce(MemoryLayout<Scalar>.stride, *)
        let spread = labels.withUnsafeBufferPointer { labels in
            rows.withUnsafeBufferPointer { rows in
                Tensor<Scalar>(shape: shape) { result in
                    let (source, target) = (UnsafeRawBufferPointer(rows), UnsafeMutableRawBufferPointer(result))
                    for (point, label) in labels.enumerated() {
                        target[point * stride..<(point + 1) * stride].copyBytes(
                            from: source[label * stride..<(label + 1) * stride])
                    }
                }
            }
        }
        return spread.recorded([rows]) { _, _, _, cotangent in try sums(of: cotangent) }
    }

    /// The mean of the points of each cluster, or their weighted mean Σ w x / Σ w; with derivatives in both.
    ///
    /// - Parameters:
    ///   - points: of shape (points, …), in their own order.
    ///   - weights: of shape (points); left out, all alike.
    /// - Returns: a tensor of shape (clusters, …): NaN for a cluster without points or with total weight 0.
    /// - Throws: ``TensorError`` where a shape does not fit.
    public func centroids<Scalar: TensorScalar>(
        of points: Tensor<Scalar>, weights: Tensor<Scalar>? = nil
    ) throws(TensorError) -> Tensor<Scalar> {
        try check(points)
        let column = Array(repeating: 1, count: points.rank - 1)
        guard let weights else {
            let sizes = try Tensor(sizes.map { Scalar($0) }, shape: [count] + column)
            return try sums(of: points) / sizes
        }
        guard weights.shape == [pointCount] else {
            throw TensorError("Weights have shape [\(pointCount)], one number per point; these have shape \(weights.shape).")
        }
        let weighted = try points * weights.reshaped([pointCount] + column)
        return try sums(of: weighted) / sums(of: weights).reshaped([count] + column)
    }
}

@specialized(where Number == Float)
@specialized(where Number == Double)
private func addRows<Number: TensorScalar>(
    _ rows: UnsafeBufferPointer<Number>, _ labels: UnsafeBufferPointer<Int>, _ width: Int,
    into result: UnsafeMutableBufferPointer<Number>
) {
    var sums = [Double](repeating: 0, count: result.count)
    for (point, label) in labels.enumerated() {
        for k in 0..<width { sums[label * width + k] += Double(rows[point * width + k]) }
    }
    for k in result.indices { result[k] = Number(sums[k]) }
}
