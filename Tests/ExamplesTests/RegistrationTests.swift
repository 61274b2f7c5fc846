import Khufu
import Testing

@testable import Examples

@Suite struct RegistrationTests {
    let q = Varifold.circle(12), p = Varifold.flower(12) * 0.3

    /// The kernel by loops.
    private func hamiltonian(_ q: Tensor<Double>, _ p: Tensor<Double>) -> Double {
        var sum = 0.0
        for i in 0..<12 {
            for j in 0..<12 {
                let (dx, dy) = (q[i, 0] - q[j, 0], q[i, 1] - q[j, 1])
                let kernel = Tensor(-(dx * dx + dy * dy) / 0.32).exp().scalar
                sum += 0.5 * kernel * (p[i, 0] * p[j, 0] + p[i, 1] * p[j, 1])
            }
        }
        return sum
    }

    @Test func hamiltonianIsThatOfLoops() throws {
        #expect(try abs(Registration.hamiltonian(q, p).scalar - hamiltonian(q, p)) < 1e-12)
    }

    @Test func flowIsReversible() throws {
        // From where the flow leads, with the opposite momenta, it leads back.
        let end = try Registration.shoot(q, p, steps: 200).last!
        let reached = try end.positions - q
        #expect(reached.squared().sum().scalar > 0.1)
        let back = try Registration.shoot(end.positions, -end.momenta, steps: 200).last!
        let error = try (back.positions - q).squared().sum().scalar
        #expect(error < 1e-6)
        #expect(try abs(Registration.hamiltonian(end.positions, end.momenta).scalar - hamiltonian(q, p)) < 1e-4)
    }

    @Test func gradientThroughTheFlow() throws {
        func end(_ p: Tensor<Double>) throws -> Tensor<Double> {
            try Registration.shoot(q, p).last!.positions.dot(Varifold.flower(12))
        }
        let slope = try gradient(at: p, of: end)
        let direction = try Varifold.circle(12) * Tensor([0.3, -0.7]) + 0.2, step = 1e-5
        let difference = try (end(p + step * direction).scalar - end(p - step * direction).scalar) / (2 * step)
        #expect(try abs(slope.dot(direction).scalar - difference) < 1e-6)
    }

    @Test func errorFalls() throws {
        let numbers = try Examples.named("registration")!.run().numbers
        #expect(numbers["before"]! > 0.3)
        #expect(numbers["after"]! < numbers["before"]! / 6)
    }
}
