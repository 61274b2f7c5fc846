import Khufu

/// The varifold metric with the kernel exp(-|c - d|²/scale²) (u·v)² on centres c, d and directions u, v of edges
/// (Charon and Trouvé, 2013).
struct VarifoldMetric {
    /// Details of curves that are much smaller do not count.
    var scale: Double
    private let kernel = try! NamedKernel("gaussian(c, d) * linear(u, v)**2")

    init(scale: Double) { self.scale = scale }

    /// |x|² - 2 <x, y> + |y|² for two closed polygons.
    func squaredDistance(_ x: Tensor<Double>, _ y: Tensor<Double>) throws -> Tensor<Double> {
        let (xx, yy, xy) = try (product(x, x), product(y, y), product(x, y))
        return try xx + yy - 2 * xy
    }

    /// Σ_kl K(edge k of x, edge l of y) |edge k| |edge l|.
    func product(_ x: Tensor<Double>, _ y: Tensor<Double>) throws -> Tensor<Double> {
        let (a, b) = try (edges(x), edges(y))
        let sums = try kernel.product(
            rows: ["c": a.centers, "u": a.directions], columns: ["d": b.centers, "v": b.directions],
            weights: [Tensor(1 / (scale * scale))], vectors: b.lengths)
        return try sums.dot(a.lengths)
    }

    private func edges(
        _ polygon: Tensor<Double>
    ) throws -> (centers: Tensor<Double>, directions: Tensor<Double>, lengths: Tensor<Double>) {
        let count = polygon.shape[0]
        let next = try polygon.selecting((0..<count).map { ($0 + 1) % count }, axis: 0)
        let edges = try next - polygon
        let lengths = try edges.squared().sum(axes: [1], keepsAxes: true).squareRoot()
        return try (0.5 * (polygon + next), edges / lengths, lengths)
    }
}
