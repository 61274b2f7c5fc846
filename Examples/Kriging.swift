import Khufu
import Pictures

/// A curve and its uncertainty from noisy samples: regression by a Gaussian process (C. Rasmussen and C. Williams, Gaussian
/// Processes for Machine Learning, 2006, chapters 2 and 5).
///
/// The kernel's variance and length scale and the variance of the noise are those that make the samples most likely, found by the
/// gradient of the log-likelihood.
enum Kriging: Example {
    static let name = "kriging"
    static let summary = "A curve and its uncertainty from noisy samples, by a Gaussian process that is fitted by gradients."

    static func run() throws -> ExampleResult {
        let (places, values) = try samples()
        // Logarithms of the variance, the length scale and the variance of the noise.
        let (logs, _) = try adam(from: [Tensor(0), Tensor(0), Tensor(0)], steps: 80, rate: 0.1) { logs in
            let kernel = try gaussian(places, places, variance: logs[0].exp(), length: logs[1].exp())
            return try -kernel.gaussianProcessLogLikelihood(of: values, noise: logs[2].exp())
        }
        let (variance, length, noise) = (logs[0].exp(), logs[1].exp(), logs[2].exp())

        let grid = Tensor((0...240).map { Double($0) / 20 - 1 })
        let kernel = try gaussian(places, places, variance: variance, length: length)
        let cross = try gaussian(places, grid, variance: variance, length: length)
        let (mean, deviation) = try posterior(kernel, cross, of: values, variance: variance, noise: noise)

        let truth = try curve(grid)
        let (low, high) = (try mean - 1.96 * deviation, try mean + 1.96 * deviation)
        var plot = Plot(title: "A curve from \(places.count) samples, by a Gaussian process", x: "x", y: "y")
        plot.xRange = -1...11
        let line = zip(grid.elements, mean.elements).map(Point.init)
        plot.addLine(line, band: (low.elements, high.elements), name: "mean, 95 % band", width: 2.5)
        plot.addLine(zip(grid.elements, truth.elements).map(Point.init), name: "the curve", width: 1.5)
        plot.addDots(zip(places.elements, values.elements).map(Point.init), name: "samples", radius: 2, color: .black)

        var result = ExampleResult(picture: plot)
        result.add("variance", variance.scalar, "The most likely variance is \(variance.scalar.rounded(decimals: 3)),")
        result.add("length", length.scalar, "the length scale \(length.scalar.rounded(decimals: 3)),")
        result.add(
            "noise", noise.scalar,
            "and the variance of the noise \(noise.scalar.rounded(decimals: 4)); in truth \(noiseDeviation * noiseDeviation).")
        let inside = grid.elements.indices.count { (low[$0]...high[$0]).contains(truth[$0]) }
        result.add(
            "inside", Double(inside) / Double(grid.count), "Of \(grid.count) points of the curve \(inside) are in the band.")
        // In the middle of the gap, for the test.
        result.numbers["mean"] = mean[150]
        result.numbers["deviation"] = deviation[150]
        return result
    }

    /// v exp(-(x - y)²/2l²).
    static func gaussian(
        _ x: Tensor<Double>, _ y: Tensor<Double>, variance: Tensor<Double>, length: Tensor<Double>
    ) throws -> LazyTensor<Double> {
        let differences = try (LazyTensor(rows: x) - LazyTensor(columns: y)) / LazyTensor(parameter: length)
        return try LazyTensor(parameter: variance) * (-differences.squared() / 2).exp()
    }

    /// The mean and the standard deviation at other places than the samples', with the kernel K between the samples and C between
    /// samples and other places: Cᵀ(K + noise I)⁻¹ y, and the root of the diagonal of variance - Cᵀ(K + noise I)⁻¹ C.
    static func posterior(
        _ kernel: LazyTensor<Double>, _ cross: LazyTensor<Double>, of values: Tensor<Double>, variance: Tensor<Double>,
        noise: Tensor<Double>
    ) throws -> (mean: Tensor<Double>, deviation: Tensor<Double>) {
        let preconditioner = try kernel.pivotedCholeskyPreconditioner(rank: 150)
        let weights = try kernel.solve(values, alpha: noise, preconditioner: preconditioner)
        // One right-hand side per place, all solved at once.
        let covariances = try cross.dense().reshaped([cross.rowCount, cross.columnCount])
        let solutions = try kernel.solve(covariances, alpha: noise, tolerance: 1e-6, preconditioner: preconditioner)
        let explained = try (covariances * solutions).sum(axes: [0])
        return (try cross.transposed.matmul(weights), try (variance - explained).squareRoot())
    }

    static func curve(_ x: Tensor<Double>) throws -> Tensor<Double> { try x.sin() + 0.5 * (2.3 * x + 1).cos() }

    static let noiseDeviation = 0.25

    /// Samples of the curve between 0 and 10, and none around 6.5.
    static func samples() throws -> (places: Tensor<Double>, values: Tensor<Double>) {
        var random = SeededGenerator(seed: 3)
        let places = Tensor(Tensor(uniform: 0..<10, shape: [220], using: &random).elements.filter { !(5.7...7.3).contains($0) })
        return (places, try curve(places) + noiseDeviation * Tensor(normalWithMean: 0, shape: places.shape, using: &random))
    }
}
