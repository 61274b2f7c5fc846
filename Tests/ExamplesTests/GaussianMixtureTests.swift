import RealModule
import Testing

@testable import Examples

@Suite struct GaussianMixtureTests {
    /// The fitted mixture is a little more likely than the one that the points were drawn from, and has its means.
    @Test func fit() throws {
        let result = try GaussianMixture.run()
        let likelihood = result.numbers["likelihood"]!
        let truth = try trueLikelihood()
        #expect(likelihood > truth)
        #expect(likelihood < truth + 0.02)
        for (k, component) in GaussianMixture.components.enumerated() {
            #expect(abs(result.numbers["x\(k)"]! - component.mean.x) < 0.12)
            #expect(abs(result.numbers["y\(k)"]! - component.mean.y) < 0.12)
        }
    }

    private func trueLikelihood() throws -> Double {
        let points = try GaussianMixture.samples().points
        let components = GaussianMixture.components
        let total = Double(components.map(\.count).reduce(0, +))
        let logs = points.map { point in
            let density = components.reduce(0) { sum, component in
                // x = m + u a + v b for normal u, v.
                let (a, b, d) = (component.axes[0], component.axes[1], SIMD2(point.x, point.y) - component.mean)
                let determinant = a.x * b.y - a.y * b.x
                let (u, v) = ((d.x * b.y - d.y * b.x) / determinant, (a.x * d.y - a.y * d.x) / determinant)
                let normal = Double.exp(-(u * u + v * v) / 2) / (2 * .pi * abs(determinant))
                return sum + Double(component.count) / total * normal
            }
            return Double.log(density)
        }
        return logs.reduce(0, +) / Double(points.count)
    }
}
