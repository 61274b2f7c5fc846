import Khufu
import Pictures
import SampleData

/// Where airports of the United States are: a kernel density estimate on a grid, with the bandwidth that predicts best.
enum KernelDensity: Example {
    static let name = "kernel-density"
    static let summary = "The density of airports in the United States, with the bandwidth that predicts left-out airports best."

    static func run() throws -> ExampleResult {
        let places = try Places.airports().filter { (-125 ... -66).contains($0.x) && (24...50).contains($0.y) }
        let points = Tensor<Double>(places)
        let bandwidths = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
        let scores = try bandwidths.map { try score(points, bandwidth: $0) }
        let best = bandwidths[scores.indices.max { scores[$0] < scores[$1] }!]

        let (columns, rows) = (240, 120)
        let grid = grid(columns, by: rows, x: -125 ... -66, y: 24...50)
        let density = try kernel(Tensor(grid), points, bandwidth: best).sum(over: .columns).elements

        var plot = Plot(title: "Airports and their density, bandwidth \(best)°", x: "longitude", y: "latitude")
        plot.addField(density, rows: rows, columns: columns, x: -125 ... -66, y: 24...50)
        plot.addDots(places.map { Point($0.x, $0.y) }, radius: 0.7, color: .black)
        var result = ExampleResult(picture: plot)
        result.add("bandwidth", best, "The best of \(bandwidths.count) bandwidths is \(best)°.")
        result.add("airports", Double(places.count), "\(places.count) airports, \(grid.count) points of the grid.")
        return result
    }

    /// exp(-|x - y|²/2h²) / 2πh².
    private static func kernel(_ x: Tensor<Double>, _ y: Tensor<Double>, bandwidth h: Double) throws -> LazyTensor<Double> {
        let distances = try LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: y))
        return try (-distances / (2 * h * h)).exp() / (2 * .pi * h * h)
    }

    /// The mean logarithm of the density at each point of all others: leave-one-out cross-validation.
    private static func score(_ points: Tensor<Double>, bandwidth: Double) throws -> Double {
        let whole = try kernel(points, points, bandwidth: bandwidth).sum(over: .columns)
        let own = 1 / (2 * Double.pi * bandwidth * bandwidth)
        return (whole - own + 1e-300).log().mean().scalar
    }
}
