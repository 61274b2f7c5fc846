import Khufu
import Pictures
import SampleData

/// The world's cities divided by k-means into regions, each with the city that is nearest to its centre (S. Lloyd, "Least squares
/// quantization in PCM", 1982).
///
/// Cities are points of the unit sphere in space, so that there is no edge of the map and no pole.
enum KMeansClusters: Example {
    static let name = "k-means"
    static let summary = "The world's cities divided into regions by k-means, each with its most central city."
    static let clusterCount = 12

    static func run() throws -> ExampleResult {
        let cities = try Places.cities()
        let points = Tensor<Double>(cities.map(Places.onSphere))
        // Where it ends depends on where it starts: the best of several.
        let divisions = try (0..<8).map { try kMeans(points, count: clusterCount, iterations: 300, seed: $0) }
        let division = divisions.min { $0.inertia < $1.inertia }!

        let distances = try LazyTensor(rows: division.centroids).squaredDistance(to: LazyTensor(columns: points))
        let capitals = try distances.argMin(over: .columns).elements

        // Of the variance, what the regions explain.
        let spread = try (points - points.mean(axes: [0])).squared().sum().scalar
        let explained = 1 - division.inertia / spread

        var plot = Plot(title: "\(cities.count) cities in \(clusterCount) regions", x: "longitude", y: "latitude")
        plot.xRange = -180...180
        plot.yRange = -60...80
        plot.height = 450
        plot.addDots(cities.map { Point($0.x, $0.y) }, labels: division.labels.elements, radius: 0.8)
        plot.addDots(capitals.map { Point(cities[$0].x, cities[$0].y) }, radius: 7, color: .white)
        plot.addDots(capitals.map { Point(cities[$0].x, cities[$0].y) }, radius: 5, color: .black)
        var result = ExampleResult(picture: plot)
        result.add(
            "inertia", division.inertia,
            "The sum of squared distances to the centres is \(division.inertia.rounded(decimals: 1)) squared radii of the Earth.")
        result.add("explained", explained, "The regions explain \((100 * explained).rounded()) % of the variance.")
        result.add("iterations", Double(division.iterations), "No city changes its region after \(division.iterations) moves.")
        return result
    }
}
