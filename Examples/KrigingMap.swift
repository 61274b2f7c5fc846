import Khufu
import Pictures
import SampleData

/// A map from values at some places, and of how uncertain it is: kriging (G. Matheron, "Principles of geostatistics", 1963), with
/// a Matérn kernel of distances in space and parameters of the largest likelihood.
///
/// The value is how many airports are within 100 km, known at every tenth airport. At the others it is predicted.
enum KrigingMap: Example {
    static let name = "kriging-map"
    static let summary = "A map of a quantity that is known at some airports, and of its uncertainty, by kriging."

    static func run() throws -> ExampleResult {
        let places = try Places.airports().filter { (-125 ... -66).contains($0.x) && (24...50).contains($0.y) }
        let airports = inSpace(places)
        let squares = try LazyTensor(rows: airports).squaredDistance(to: LazyTensor(columns: airports))
        let counts = try (1 - squares).step().sum(over: .columns).reshaped([-1])

        let known = places.indices.filter { $0 % 10 == 0 }, asked = places.indices.filter { $0 % 10 != 0 }
        let x = try airports.selecting(known, axis: 0)
        let values = try counts.selecting(known, axis: 0)
        let average = values.mean()
        let residuals = try values - average
        // Logarithms of the variance, the length scale and the variance of the noise.
        let (logs, _) = try adam(from: [Tensor(3), Tensor(0.5), Tensor(1)], steps: 20, rate: 0.1) { logs in
            let kernel = try matern(x, x, variance: logs[0].exp(), length: logs[1].exp())
            return try -kernel.gaussianProcessLogLikelihood(
                of: residuals, noise: logs[2].exp(), preconditioner: kernel.pivotedCholeskyPreconditioner(rank: 100))
        }
        let (variance, length, noise) = (logs[0].exp(), logs[1].exp(), logs[2].exp())
        let kernel = try matern(x, x, variance: variance, length: length)
        func posterior(_ y: Tensor<Double>) throws -> (mean: Tensor<Double>, deviation: Tensor<Double>) {
            let cross = try matern(x, y, variance: variance, length: length)
            let result = try Kriging.posterior(kernel, cross, of: residuals, variance: variance, noise: noise)
            return (try result.mean + average, result.deviation)
        }

        let (columns, rows) = (84, 37)
        let (mean, deviation) = try posterior(inSpace(grid(columns, by: rows, x: -125 ... -66, y: 24...50)))
        func plot(_ title: String, _ field: Tensor<Double>, _ dots: Color) -> Plot {
            var plot = Plot(title: title)
            plot.addField(field.elements, rows: rows, columns: columns, x: -125 ... -66, y: 24...50)
            plot.addDots(known.map { Point(places[$0].x, places[$0].y) }, radius: 1.2, color: dots)
            (plot.width, plot.height) = (600, 335)
            return plot
        }
        let maps = [
            plot("Airports within 100 km, known at the dots", mean, .black), plot("The standard deviation", deviation, .black),
        ]
        var result = ExampleResult(picture: Panels(maps, columns: 1))
        result.add("length", length.scalar, "The most likely length scale is \((100 * length.scalar).rounded()) km.")

        let (predicted, uncertainty) = try posterior(airports.selecting(asked, axis: 0))
        let truth = try counts.selecting(asked, axis: 0)
        let errors = try predicted - truth
        let error = errors.squared().mean().scalar.squareRoot()
        result.add(
            "error", error, "The root mean square error at \(asked.count) other airports is \(error.rounded(decimals: 2)),")
        let plain = try (average - truth).squared().mean().scalar.squareRoot()
        result.add("plain", plain, "that of the average \(plain.rounded(decimals: 2)).")
        let scores = try errors.squared() / (uncertainty.squared() + noise)
        let inside = scores.elements.count { $0 < 1.96 * 1.96 }
        result.add("inside", Double(inside) / Double(asked.count), "Of these \(inside) are in the band of 95 %.")
        return result
    }

    /// v (1 + √5 r/l + 5r²/3l²) exp(-√5 r/l) for the distance r.
    static func matern(
        _ x: Tensor<Double>, _ y: Tensor<Double>, variance: Tensor<Double>, length: Tensor<Double>
    ) throws -> LazyTensor<Double> {
        let distance = try (LazyTensor(rows: x) - LazyTensor(columns: y)).norm()
        let r = try distance * 5.squareRoot() / LazyTensor(parameter: length)
        return try LazyTensor(parameter: variance) * (1 + r + r * r / 3) * (-r).exp()
    }

    /// In units of 100 km from the centre of the Earth.
    private static func inSpace(_ places: [SIMD2<Double>]) -> Tensor<Double> {
        Tensor(places.map { 63.71 * Places.onSphere($0) })
    }
}
