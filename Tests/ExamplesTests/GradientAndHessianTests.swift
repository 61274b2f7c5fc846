import Khufu
import Testing

@testable import Examples

@Suite struct GradientAndHessianTests {
    /// Σ (x - c)² w + Σ x: Newton's method is there in one step.
    @Test func oneStepSolvesAQuadratic() throws {
        let center: Tensor<Double> = [[1, 2], [-3, 0.5]], weights: Tensor<Double> = [[-1, -2], [-0.5, -4]]
        let found = try GradientAndHessian.newtonStep(Tensor(repeating: 0, shape: [2, 2])) { x in
            try ((x - center).squared() * weights).sum()
        }
        #expect(try (found - center).abs().elements.max()! < 1e-9)
    }

    let x: Tensor<Double> = [[0.3, -0.2], [1, 0.5], [-0.7, 0.9]]
    let y: Tensor<Double> = [[0, 0], [1.1, 0.4], [-0.5, 1.2], [0.6, -1]]

    /// One term of a_i, and its gradient in x_i.
    private func term(_ x: SIMD2<Double>, _ j: Int) -> (value: Double, slope: SIMD2<Double>) {
        let gap = x - SIMD2(y[j, 0], y[j, 1])
        let value = Tensor(-(gap * gap).sum()).exp().scalar
        return (value, -2 * value * gap)
    }

    @Test func gradientIsThatOfLoops() throws {
        let slope = try gradient(at: x) { try GradientAndHessian.density($0, y).squared().sum() }
        for i in 0..<3 {
            let terms = (0..<4).map { term(SIMD2(x[i, 0], x[i, 1]), $0) }
            let a = terms.map(\.value).reduce(0, +)
            let expected = terms.reduce(SIMD2(0, 0)) { $0 + 2 * a * $1.slope }
            #expect(abs(slope[i, 0] - expected.x) < 1e-12 && abs(slope[i, 1] - expected.y) < 1e-12)
        }
    }

    /// At a peak the terms' gradients cancel, and a step in any direction leads down.
    @Test func peaksAreHighest() throws {
        let (peaks, errors) = try GradientAndHessian.peaks(of: y, from: y)
        #expect(errors.last! < 1e-12)
        for i in 0..<4 {
            func density(_ x: SIMD2<Double>) -> Double { (0..<4).map { term(x, $0).value }.reduce(0, +) }
            let peak = SIMD2(peaks[i, 0], peaks[i, 1])
            let slope = (0..<4).reduce(SIMD2(0, 0)) { $0 + term(peak, $1).slope }
            #expect((slope * slope).sum() < 1e-24)
            for step in [SIMD2(0.01, 0), SIMD2(-0.01, 0), SIMD2(0, 0.01), SIMD2(0, -0.01)] {
                #expect(density(peak + step) < density(peak))
            }
        }
    }

    /// Quadratic convergence: each step doubles the number of digits, until rounding.
    @Test func newtonConverges() throws {
        let numbers = try Examples.named("gradient-and-hessian")!.run().numbers
        #expect(numbers["gradient 0"]! > 1e-3)
        #expect(numbers["gradient 4"]! < 1e-9)
    }
}
