import Khufu

/// Makes a function small by steps against its gradient, with the lengths of J. Barzilai and J. Borwein, "Two-point step size gradient
/// methods", 1988.
func descent(
    from start: Tensor<Double>, steps: Int, of function: (Tensor<Double>) throws -> Tensor<Double>
) throws -> Tensor<Double> {
    var (point, slope) = try (start, gradient(at: start, of: function))
    var step = 0.1
    for _ in 0..<steps {
        let next = try point - step * slope
        let nextSlope = try gradient(at: next, of: function)
        let (move, change) = try (next - point, nextSlope - slope)
        step = try abs(move.dot(change).scalar / change.dot(change).scalar)
        (point, slope) = (next, nextSlope)
    }
    return point
}
