import Khufu
import Pictures
import RealModule

/// A mixture of Gaussians fitted to points by gradient descent on its log-likelihood (C. Bishop, Pattern Recognition and Machine
/// Learning, 2006, section 9.2).
///
/// Component j has weight softmax(a)_j and the density |det A_j| / 2π · exp(-½ |A_j (x - m_j)|²). Any matrices A_j are allowed, so
/// that nothing constrains the descent. The log-likelihood is a log-sum-exp reduction over the components.
enum GaussianMixture: Example {
    static let name = "gaussian-mixture"
    static let summary = "A mixture of Gaussians fitted to points by gradient descent on its log-likelihood."

    /// Logits (n), means (n, 2) and matrices A (n, 4) of the components.
    typealias Parameters = [Tensor<Double>]

    static func run() throws -> ExampleResult {
        let points = try samples()
        let means = try kMeans(points, count: 4).centroids
        let start = [Tensor(repeating: 0, shape: [4]), means, try Tensor([[1, 0, 0, 1]]).broadcast(to: [4, 4])]
        let (fitted, values) = try adam(from: start, steps: 300, rate: 0.05) { try -logDensity($0, at: points).mean() }
        let likelihood = try logDensity(fitted, at: points).mean().scalar

        let (columns, rows) = (150, 100)
        let density = try logDensity(fitted, at: Tensor(grid(columns, by: rows, x: -6...6, y: -4...4))).exp()
        var plot = Plot(title: "Points, and the density of the mixture fitted to them", x: "x", y: "y")
        plot.addField(
            density.elements, rows: rows, columns: columns, x: -6...6, y: -4...4,
            scale: ColorScale(fitting: density.elements, .heat))
        plot.addDots(points.points, radius: 1.2, color: .black)
        var descent = Plot(title: "Descent", x: "step", y: "negative log-likelihood per point")
        descent.addLine(zip(0..., values).map { Point(Double($0), $1) })
        (plot.width, plot.height) = (760, 480)
        (descent.width, descent.height) = (380, 480)

        var result = ExampleResult(picture: Panels([plot, descent]))
        result.add(
            "likelihood", likelihood,
            "The mean log-likelihood is \(likelihood.rounded(decimals: 3)), and was \(-values[0].rounded(decimals: 3)) at first.")
        for (k, mean) in fitted[1].points.sorted(by: { $0.x < $1.x }).enumerated() {
            result.lines.append("Component \(k) is centred at (\(mean.x.rounded(decimals: 2)), \(mean.y.rounded(decimals: 2))).")
            result.numbers["x\(k)"] = mean.x
            result.numbers["y\(k)"] = mean.y
        }
        return result
    }

    /// log Σ_j softmax(a)_j |det A_j| / 2π exp(-½ |A_j (x_i - m_j)|²) for each point.
    static func logDensity(_ parameters: Parameters, at points: Tensor<Double>) throws -> Tensor<Double> {
        let (logits, means, a) = (
            try LazyTensor(columns: parameters[0]), try LazyTensor(columns: parameters[1]), try LazyTensor(columns: parameters[2])
        )
        let determinant = try a[0] * a[3] - a[1] * a[2]
        let distance = try a.matrixTimes(LazyTensor(rows: points) - means).squaredNorm()
        let terms = try logits + determinant.abs().log() - distance / 2
        let normalisation = try logits.logSumExp(over: .columns) + Double.log(2 * .pi)
        return try terms.logSumExp(over: .columns) - normalisation
    }

    /// The components that the points are drawn from: how many, around which mean, along which axes.
    static let components: [(count: Int, mean: SIMD2<Double>, axes: [SIMD2<Double>])] = [
        (500, [-3.2, 1.2], [[0.9, 0.8], [-0.25, 0.3]]),
        (400, [-0.8, -1.6], [[1.0, -0.3], [0.15, 0.4]]),
        (300, [1.6, 1.4], [[0.5, 0], [0, 0.5]]),
        (300, [3.4, -0.8], [[0.3, -0.9], [0.4, 0.15]]),
    ]

    static func samples() throws -> Tensor<Double> {
        var random = SeededGenerator(seed: 1)
        return Tensor(
            components.flatMap { component in
                Tensor(normalWithMean: 0, shape: [component.count, 2], using: &random).points.map { normal in
                    component.mean + normal.x * component.axes[0] + normal.y * component.axes[1]
                }
            })
    }
}
