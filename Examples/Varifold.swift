import Khufu
import Pictures
import RealModule

/// A distance between curves that needs no points to correspond: curves as varifolds, sums over edges of a place, a direction and a length
/// (Charon and Trouvé, "The varifold representation of nonoriented shapes for diffeomorphic registration", 2013).
enum Varifold: Example {
    static let name = "varifold"
    static let summary = "A distance between curves that does not depend on how they are sampled, and its gradient."

    static func run() throws -> ExampleResult {
        let metric = VarifoldMetric(scale: 0.4)
        let flower = flower(150), circle = circle(120)
        let (distance, slope) = try valueWithGradient(at: flower) { try metric.squaredDistance($0, circle) }
        let resampled = try metric.squaredDistance(flower, Self.flower(331))

        var plot = Plot(title: "Where a flower has to move to become the circle")
        (plot.width, plot.height) = (640, 480)
        plot.hasEqualUnits = true
        plot.hasTicks = false
        plot.addLine(circle.points, name: "circle", isClosed: true)
        plot.addLine(flower.points, name: "flower", isClosed: true)
        let ends = try flower - 0.7 * slope
        plot.addArrows(from: flower.points, to: ends.points, name: "-gradient", color: .gray(0.45))
        var result = ExampleResult(picture: plot)
        result.add("distance", distance.scalar, "The squared distance between flower and circle is \(distance.scalar.short),")
        result.add(
            "resampled", resampled.scalar, "that between the flower and the same with other points \(resampled.scalar.short).")
        return result
    }

    static func circle(_ count: Int) -> Tensor<Double> { .closedCurve(count) { [.cos($0), .sin($0)] } }

    static func flower(_ count: Int) -> Tensor<Double> {
        .closedCurve(count) { t in (1 + 0.3 * .cos(5 * t)) * SIMD2(.cos(t), .sin(t)) }
    }
}
