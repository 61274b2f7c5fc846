/// Labels points by the cell of a grid that they lie in: a quick division into clusters that are near in space.
///
/// A corner of the grid is at the origin, so that two sets of points meet the same cells: coordinate x lies in cell ⌊x / size⌋ of
/// its axis. Cells with points are numbered from 0, in the order of their place along the first axis, then the second, …; cells
/// without points get no number. Any dimension and any finite coordinates will do.
///
/// - Parameters:
///   - points: of shape (points, dimension).
///   - cellSize: the length of a cell's edge along all axes; positive.
/// - Returns: labels of shape (points), for ``Clusters/init(labels:count:)``.
/// - Throws: ``TensorError`` for another shape, a size that is not positive, and for the first point that is nowhere: NaN,
///   infinite, or so far away that the cell's number overflows Double.
public func gridLabels<Scalar: TensorScalar>(of points: Tensor<Scalar>, cellSize: Scalar) throws(TensorError) -> Tensor<Int> {
    guard points.rank == 2 else { throw notPoints(points.shape) }
    return try gridLabels(of: points, cellSizes: Array(repeating: cellSize, count: points.shape[1]))
}

/// The same with an edge length for each axis.
public func gridLabels<Scalar: TensorScalar>(of points: Tensor<Scalar>, cellSizes: [Scalar]) throws(TensorError) -> Tensor<Int> {
    guard points.rank == 2 else { throw notPoints(points.shape) }
    let (count, dimension) = (points.shape[0], points.shape[1])
    guard cellSizes.count == dimension else {
        throw TensorError("Cells have a size for each of the \(dimension) axes of the points; \(cellSizes.count) came.")
    }
    if let odd = cellSizes.first(where: { !($0 > 0 && $0.isFinite) }) {
        throw TensorError("The size of cells is a positive number; it is \(odd).")
    }
    // Cell numbers stay in Double, which holds them whatever their size; codes that pack them into one integer do not.
    let sizes = cellSizes.map { Double($0) }
    var cells = points.elements.map { Double($0) }
    for k in cells.indices {
        cells[k] = (cells[k] / sizes[k % dimension]).rounded(.down)
        guard cells[k].isFinite else { throw notFinite(points, at: k) }
    }

    return cells.withUnsafeBufferPointer { cells in
        func precedes(_ a: Int, _ b: Int) -> Bool {
            for k in 0..<dimension where cells[a * dimension + k] != cells[b * dimension + k] {
                return cells[a * dimension + k] < cells[b * dimension + k]
            }
            return false
        }
        let order = (0..<count).sorted(by: precedes)
        return Tensor(shape: [count]) { labels in
            var label = 0
            for (place, point) in order.enumerated() {
                if place > 0, precedes(order[place - 1], point) { label += 1 }
                labels[point] = label
            }
        }
    }
}

/// What is wrong with points of another rank.
func notPoints(_ shape: [Int]) -> TensorError {
    TensorError("Points have shape (points, dimension); this tensor has shape \(shape).")
}

/// What is wrong with points of which number k cannot be placed.
func notFinite<Scalar>(_ points: Tensor<Scalar>, at k: Int) -> TensorError {
    let (point, axis) = k.quotientAndRemainder(dividingBy: points.shape[1])
    return TensorError(
        "Clustering takes points with finite coordinates of moderate size; "
            + "point \(point) has \(points[point, axis]) along axis \(axis).")
}
