import Engines

/// Points divided into clusters: which order makes every cluster contiguous, and where each one lies in it.
///
///     let clusters = try Clusters(labels: gridLabels(of: x, cellSize: 0.1))
///     let sorted = try clusters.sorted(x)        // cluster after cluster; cluster k is in the rows clusters.ranges[k]
///     let result = try clusters.unsorted(try density(sorted))
///
/// One convention holds throughout: a label is a number from 0 to `count` - 1 per point, in a tensor of shape (points); a cluster
/// without points is allowed, and has an empty range. Two of these and a matrix of booleans make a ``BlockSparsity``.
public struct Clusters: Sendable, Equatable {
    /// The label of each point in the points' own order, of shape (points).
    public let labels: Tensor<Int>
    /// Which point comes k-th when they are sorted by label, of shape (points). Points of one cluster keep their order.
    public let order: Tensor<Int>
    /// Where the points of each cluster lie once sorted.
    public let ranges: [Range<Int>]

    /// - Parameters:
    ///   - labels: of shape (points).
    ///   - count: how many clusters there are; left out, as many as the largest label needs, which is below 2²⁰ then, or below
    ///     eight times the number of points.
    /// - Throws: ``TensorError`` for another shape, and for the first label that is negative or no cluster's.
    public init(labels: Tensor<Int>, count: Int? = nil) throws(TensorError) {
        guard labels.rank == 1 else {
            throw TensorError("Labels have shape (points), one number per point; this tensor has shape \(labels.shape).")
        }
        let numbers = labels.elements
        // A range is kept per cluster: labels far beyond the points are no numbering, but identifiers of something else.
        let limit = count ?? max(1 << 20, 8 * numbers.count)
        guard limit >= 0 else { throw TensorError("The number of clusters is 0 or more; it is \(limit).") }
        if let odd = numbers.firstIndex(where: { !(0..<limit).contains($0) }) {
            throw TensorError("Labels number the clusters from 0 to \(limit - 1); point \(odd) has label \(numbers[odd]).")
        }
        let count = count ?? (numbers.max() ?? -1) + 1

        // A counting sort, which is stable.
        var ends = [Int](repeating: 0, count: count + 1)
        for label in numbers { ends[label + 1] += 1 }
        for cluster in 0..<count { ends[cluster + 1] += ends[cluster] }
        ranges = (0..<count).map { ends[$0]..<ends[$0 + 1] }
        order = Tensor(shape: [numbers.count]) { order in
            for (point, label) in numbers.enumerated() {
                order[ends[label]] = point
                ends[label] += 1
            }
        }
        self.labels = labels
    }

    /// How many clusters there are, with those without points.
    public var count: Int { ranges.count }
    public var pointCount: Int { labels.count }
    /// How many points each cluster has.
    public var sizes: [Int] { ranges.map(\.count) }

    // MARK: Sorting

    /// The rows of a tensor cluster by cluster, for derivatives too.
    ///
    /// - Parameter rows: of shape (points, …).
    /// - Returns: a tensor of the same shape.
    /// - Throws: ``TensorError`` where there are not as many rows as points.
    public func sorted<Element>(_ rows: Tensor<Element>) throws(TensorError) -> Tensor<Element> {
        try permuted(rows, isForward: true)
    }

    /// The rows of a tensor that is sorted, a result for example, back in the points' own order; the inverse of ``sorted(_:)``.
    public func unsorted<Element>(_ rows: Tensor<Element>) throws(TensorError) -> Tensor<Element> {
        try permuted(rows, isForward: false)
    }

    private func permuted<Element>(_ rows: Tensor<Element>, isForward: Bool) throws(TensorError) -> Tensor<Element> {
        try check(rows)
        let stride = rows.shape.dropFirst().reduce(MemoryLayout<Element>.stride, *)
        let result = order.withUnsafeBufferPointer { order in
            rows.withUnsafeBufferPointer { source in
                Tensor<Element>(shape: rows.shape) { result in
                    let (source, target) = (UnsafeRawBufferPointer(source), UnsafeMutableRawBufferPointer(result))
                    for (place, point) in order.enumerated() {
                        let (from, to) = isForward ? (point, place) : (place, point)
                        target[to * stride..<(to + 1) * stride].copyBytes(from: source[from * stride..<(from + 1) * stride])
                    }
                }
            }
        }
        return result.recorded([rows]) { _, _, _, cotangent in try permuted(cotangent, isForward: !isForward) }
    }

    func check<Element>(_ rows: Tensor<Element>) throws(TensorError) {
        guard let length = rows.shape.first, length == pointCount else {
            throw TensorError("These clusters have \(pointCount) points, a row each; the tensor has shape \(rows.shape).")
        }
    }
}
