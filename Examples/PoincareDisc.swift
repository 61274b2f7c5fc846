import Khufu
import Pictures
import RealModule

/// The hyperbolic plane as the inside of the unit disc.
enum PoincareDisc {
    /// arcosh(1 + 2|x - y|² / (1 - |x|²)(1 - |y|²)).
    static func distance(_ x: LazyTensor<Double>, _ y: LazyTensor<Double>) throws -> LazyTensor<Double> {
        let heights = try (1 - x.squaredNorm()) * (1 - y.squaredNorm())
        let excess = try 2 * x.squaredDistance(to: y) / heights
        return try (1 + excess + (excess * (excess + 2)).squareRoot()).log()
    }

    /// Down the gradient in the metric of the disc, and back inside should that lead out.
    static func step(from points: Tensor<Double>, against slope: Tensor<Double>, by size: Double) throws -> Tensor<Double> {
        let heights = try 1 - points.squared().sum(axes: [1], keepsAxes: true)
        let moved = try points - size * (0.25 * heights.squared() * slope)
        let norms = try moved.squared().sum(axes: [1], keepsAxes: true).squareRoot()
        return try moved / Tensor.maximum(norms / (1 - 1e-5), Tensor(1))
    }

    /// Points of the shortest line in the disc: a straight one through the middle, once a Möbius map has taken one end there.
    static func geodesic(_ a: Point, _ b: Point) -> [Point] {
        /// (z + c) / (1 + c̄ z) for complex numbers.
        func moved(_ z: Point, by c: Point) -> Point {
            let (top, bottom) = (Point(z.x + c.x, z.y + c.y), Point(1 + c.x * z.x + c.y * z.y, c.x * z.y - c.y * z.x))
            let square = bottom.x * bottom.x + bottom.y * bottom.y
            return Point((top.x * bottom.x + top.y * bottom.y) / square, (top.y * bottom.x - top.x * bottom.y) / square)
        }
        let end = moved(b, by: Point(-a.x, -a.y))
        let radius = (end.x * end.x + end.y * end.y).squareRoot()
        return (0...40).map { k in
            let share = Double.tanh(.atanh(radius) * Double(k) / 40) / radius
            return moved(Point(end.x * share, end.y * share), by: a)
        }
    }
}
