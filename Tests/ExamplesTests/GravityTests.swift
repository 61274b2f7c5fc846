import Khufu
import Testing

@testable import Examples

@Suite struct GravityTests {
    let masses = Tensor([1.0, 2, 0.5])
    let q: Tensor<Double> = [[0, 0], [1, 0.3], [-0.4, 2]]
    let v: Tensor<Double> = [[0.1, -0.3], [0.2, 0.4], [-0.6, 0.1]]

    @Test func forcesAreNewtons() throws {
        let forces = try -gradient(at: q) { try Gravity.potential($0, masses) }
        for i in 0..<3 {
            var force = SIMD2(0.0, 0.0)
            for j in 0..<3 where j != i {
                let gap = SIMD2(q[j, 0] - q[i, 0], q[j, 1] - q[i, 1])
                let square = (gap * gap).sum() + 0.01
                force += masses[i] * masses[j] * gap / (square * square.squareRoot())
            }
            #expect(abs(forces[i, 0] - force.x) < 1e-12 && abs(forces[i, 1] - force.y) < 1e-12)
        }
    }

    /// Leapfrog runs backwards as it ran forwards, and no force is without its opposite.
    @Test func leapfrogIsReversibleAndKeepsMomentum() throws {
        func momentum(_ v: Tensor<Double>) throws -> [Double] { try (v * masses.reshaped([3, 1])).sum(axes: [0]).elements }
        var (place, velocity) = (q, v)
        for _ in 0..<50 { (place, velocity) = try Gravity.leapfrog(place, velocity, masses, step: 0.01) }
        for (before, after) in zip(try momentum(v), try momentum(velocity)) { #expect(abs(before - after) < 1e-12) }
        #expect(try (place - q).squared().sum().scalar > 0.01)
        velocity = -velocity
        for _ in 0..<50 { (place, velocity) = try Gravity.leapfrog(place, velocity, masses, step: 0.01) }
        #expect(try (place - q).squared().sum().scalar < 1e-20)
    }

    @Test func energyIsConserved() throws {
        #expect(try Examples.named("gravity")!.run().numbers["drift"]! < 1e-3)
    }
}
