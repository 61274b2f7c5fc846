import Khufu
import Pictures
import SampleData

/// A function of points, its gradient and its Hessian: the peaks of the density of cities, found by steps to local means (Fukunaga and
/// Hostetler, "The estimation of the gradient of a density function", 1975), and then to all digits by Newton's method.
enum GradientAndHessian: Example {
    static let name = "gradient-and-hessian"
    static let summary = "The peaks of a density, by mean shift and then by Newton's method with products of the Hessian."

    static func run() throws -> ExampleResult {
        let cities = Tensor(try Places.cities().filter { (-5.0...15.0).contains($0.x) && (44.0...56.0).contains($0.y) })
        let (x, y) = (-5.0...15.0, 44.0...56.0)
        let grid = Tensor.grid(rows: 18, columns: 30, x: x, y: y)

        // The gradient of Σ_i a_i², with respect to all points of the grid at once.
        let slopes = try gradient(at: grid) { try density($0, cities).squared().sum() }
        let (peaks, errors) = try peaks(of: cities, from: grid)

        let fine = Tensor.grid(rows: 120, columns: 200, x: x, y: y)
        var plot = Plot(title: "Density of cities, its gradients and its peaks", x: "longitude", y: "latitude")
        let heights = try density(fine, cities).elements
        plot.addField(heights, rows: 120, columns: 200, x: x, y: y, scale: ColorScale(0...700, .heat))
        // Steeper slopes are longer arrows, up to the grid's step.
        let norms = try slopes.squared().sum(axes: [1], keepsAxes: true).squareRoot()
        let arrows = try 0.65 * slopes / (norms + norms.mean())
        plot.addArrows(from: grid.points, to: try (grid + arrows).points, color: .gray(0.3))
        plot.addDots(peaks.points, radius: 5, color: ColorMap.series(0))
        var result = ExampleResult(picture: plot)
        for (k, error) in errors.enumerated() {
            result.add("gradient \(k)", error, "After \(k) of Newton's steps the largest slope is \(error.short).")
        }
        return result
    }

    /// a_i = Σ_j exp(-|x_i - y_j|²).
    static func density(_ x: Tensor<Double>, _ y: Tensor<Double>) throws -> Tensor<Double> {
        let distances = try LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: y))
        return try (-distances).exp().sum(over: .columns)
    }

    /// The peaks that paths uphill from some points end at, and the largest slope left before each of Newton's steps and after the last.
    static func peaks(of y: Tensor<Double>, from starts: Tensor<Double>) throws -> (Tensor<Double>, errors: [Double]) {
        @Sendable func total(_ x: Tensor<Double>) throws -> Tensor<Double> { try density(x, y).sum() }
        func error(_ x: Tensor<Double>) throws -> Double { try gradient(at: x, of: total).abs().elements.max()! }
        var x = starts
        for _ in 0..<100 { x = try meanShift(x, y) }
        var errors = [try error(x)]
        for _ in 0..<4 {
            x = try newtonStep(x, of: total)
            errors.append(try error(x))
        }
        return (x, errors)
    }

    /// The mean of the y around each x, weighted by the kernel: always uphill.
    private static func meanShift(_ x: Tensor<Double>, _ y: Tensor<Double>) throws -> Tensor<Double> {
        let scores = try -LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: y))
        return try scores.softMaxMean(of: LazyTensor(columns: y), over: .columns)
    }

    /// x - H⁻¹ ∇f, with the Hessian H known by its products only.
    static func newtonStep(
        _ x: Tensor<Double>, of function: @escaping @Sendable (Tensor<Double>) throws -> Tensor<Double>
    ) throws -> Tensor<Double> {
        let slope = try gradient(at: x, of: function)
        let hessian = FunctionOperator(size: x.count) { direction in
            try -hessianVectorProduct(of: function, at: x, along: direction.reshaped(x.shape)).reshaped([-1])
        }
        return try x + hessian.solve(slope.reshaped([-1]), tolerance: 1e-8).reshaped(x.shape)
    }
}
