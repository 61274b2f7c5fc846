import Khufu

/// Makes a function of several tensors small by its gradient (D. P. Kingma and J. Ba, "Adam: a method for stochastic
/// optimization", 2015, algorithm 1).
///
/// - Returns: where the search ended, and the function's value before each step.
func adam(
    from start: [Tensor<Double>], steps: Int, rate: Double, _ function: ([Tensor<Double>]) throws -> Tensor<Double>
) throws -> (point: [Tensor<Double>], values: [Double]) {
    var point = start
    var (mean, square) = (start.map { $0 * 0 }, start.map { $0 * 0 })
    var (meanDecay, squareDecay) = (1.0, 1.0)
    var values: [Double] = []
    for _ in 0..<steps {
        let (value, gradients) = try valueWithGradient(at: point, of: function)
        values.append(value.scalar)
        meanDecay *= 0.9
        squareDecay *= 0.999
        for (k, gradient) in gradients.enumerated() {
            mean[k] = try 0.9 * mean[k] + 0.1 * gradient
            square[k] = try 0.999 * square[k] + 0.001 * gradient.squared()
            let direction = try mean[k] / ((square[k] / (1 - squareDecay)).squareRoot() + 1e-8)
            point[k] = try point[k] - rate / (1 - meanDecay) * direction
        }
    }
    return (point, values)
}
