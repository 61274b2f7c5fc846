import Khufu
import Testing

@testable import Examples

@Suite struct VarifoldTests {
    let metric = VarifoldMetric(scale: 0.4)
    let x = Varifold.flower(13), y = Varifold.circle(11)

    /// Two loops over the edges, by the definition.
    private func product(_ x: Tensor<Double>, _ y: Tensor<Double>) -> Double {
        var sum = 0.0
        for (c, u) in edges(x) {
            for (d, v) in edges(y) {
                let gap = c - d, distance = (gap * gap).sum(), along = (u * v).sum()
                let lengths = ((u * u).sum() * (v * v).sum()).squareRoot()
                let place = Tensor(-distance / (0.4 * 0.4)).exp().scalar
                sum += place * (along / lengths) * (along / lengths) * lengths
            }
        }
        return sum
    }

    private func edges(_ x: Tensor<Double>) -> [(SIMD2<Double>, SIMD2<Double>)] {
        let n = x.shape[0]
        return (0..<n).map { k in
            let (a, b) = (SIMD2(x[k, 0], x[k, 1]), SIMD2(x[(k + 1) % n, 0], x[(k + 1) % n, 1]))
            return ((a + b) / 2, b - a)
        }
    }

    @Test func distanceIsThatOfLoops() throws {
        let expected = product(x, x) - 2 * product(x, y) + product(y, y)
        #expect(try abs(metric.squaredDistance(x, y).scalar - expected) < 1e-12)
    }

    @Test func gradientIsThatOfLoops() throws {
        let slope = try gradient(at: x) { try metric.squaredDistance($0, y) }
        let direction = try Varifold.circle(13) * Tensor([0.3, -0.7]) + 0.2, step = 1e-5
        func value(_ x: Tensor<Double>) -> Double { product(x, x) - 2 * product(x, y) + product(y, y) }
        let difference = try (value(x + step * direction) - value(x - step * direction)) / (2 * step)
        #expect(try abs(slope.dot(direction).scalar - difference) < 1e-7)
    }

    @Test func samplingDoesNotMatter() throws {
        let numbers = try Examples.named("varifold")!.run().numbers
        #expect(numbers["resampled"]! >= -1e-12)
        #expect(numbers["resampled"]! < 1e-4 * numbers["distance"]!)
    }

    @Test func orientationDoesNotMatter() throws {
        let reversed = try x.selecting((0..<13).reversed(), axis: 0)
        #expect(try abs(metric.squaredDistance(x, reversed).scalar) < 1e-12)
    }
}
