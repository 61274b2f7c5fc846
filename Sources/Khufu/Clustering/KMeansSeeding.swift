/// Points to start k-means from: the first at random, each further one with a probability proportional to its squared distance
/// from the nearest of those before (Arthur & Vassilvitskii, k-means++: the advantages of careful seeding, 2007).
///
/// - Returns: a tensor of shape (count, dimension). Points are repeated where there are fewer distinct ones.
func startingCentroids<Scalar: TensorScalar>(_ points: Tensor<Scalar>, count: Int, seed: Int) -> Tensor<Scalar> {
    let (pointCount, dimension) = (points.shape[0], points.shape[1])
    var random = SeededGenerator(seed: seed)
    var chosen = Int(random.uniform() * Double(pointCount))
    var squares = [Double](repeating: .infinity, count: pointCount)
    return points.withUnsafeBufferPointer { points in
        Tensor(shape: [count, dimension]) { centroids in
            for k in 0..<count {
                if k > 0 { chosen = draw(squares, random.uniform()) }
                for axis in 0..<dimension { centroids[k * dimension + axis] = points[chosen * dimension + axis] }
                if k < count - 1 { lower(&squares, points, to: chosen, dimension) }
            }
        }
    }
}

/// A place with a probability proportional to its weight, for a number that is uniform in [0, 1).
private func draw(_ weights: [Double], _ share: Double) -> Int {
    var left = weights.reduce(0, +) * share
    // Weights beyond Double, and none at all.
    guard left.isFinite, left >= 0 else { return weights.firstIndex(of: weights.max()!)! }
    var last = 0
    for (place, weight) in weights.enumerated() where weight > 0 {
        last = place
        left -= weight
        if left < 0 { break }
    }
    return last
}

/// Squared distances from the nearest chosen point, once another is chosen.
@specialized(where Number == Float)
@specialized(where Number == Double)
private func lower<Number: TensorScalar>(
    _ squares: inout [Double], _ points: UnsafeBufferPointer<Number>, to chosen: Int, _ dimension: Int
) {
    for point in squares.indices {
        var square = 0.0
        for k in 0..<dimension {
            let difference = Double(points[point * dimension + k]) - Double(points[chosen * dimension + k])
            square += difference * difference
        }
        squares[point] = min(squares[point], square)
    }
}
