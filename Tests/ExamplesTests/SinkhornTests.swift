import Khufu
import Testing

@testable import Examples

@Suite struct SinkhornTests {
    let x: Tensor<Double> = [[0, 0], [0.9, 0.2], [0.1, 1.1], [1.2, 0.8], [-0.5, 0.4], [0.5, -0.6], [0.4, 0.5]]
    let y: Tensor<Double> = [[1.5, 1], [2.2, 0.1], [1.9, 1.6], [3.1, 0.9], [1.4, 0.2], [2.5, -0.4], [2.2, 0.8]]

    /// The least mean of |x_i - y_σ(i)|²/2 over all permutations σ.
    private func assignment() -> Double {
        func least(_ i: Int, _ free: [Int]) -> Double {
            guard i < x.shape[0] else { return 0 }
            return free.map { j in
                let (dx, dy) = (x[i, 0] - y[j, 0], x[i, 1] - y[j, 1])
                return (dx * dx + dy * dy) / 2 + least(i + 1, free.filter { $0 != j })
            }.min()!
        }
        return least(0, Array(0..<x.shape[0])) / Double(x.shape[0])
    }

    /// Between the optimum without entropy and ε log N more: the entropy of a permutation's plan.
    @Test(arguments: [0.05, 0.1, 0.3])
    func costIsThatOfTheBestAssignment(blur: Double) throws {
        let cost = try SinkhornDivergence(blur: blur, finalSteps: 2000).cost(x, y).scalar
        let optimum = assignment()
        #expect(cost >= optimum - 1e-4)
        #expect(cost <= optimum + blur * blur * 1.95)  // log 7 = 1.946
    }

    @Test func gradientIsThatOfDifferences() throws {
        let divergence = SinkhornDivergence(blur: 0.4, finalSteps: 300)
        let slope = try gradient(at: x) { try divergence($0, y) }
        let direction = y - 1.5
        let step = 1e-4
        let (above, below) = try (divergence(x + step * direction, y).scalar, divergence(x - step * direction, y).scalar)
        let difference = (above - below) / (2 * step)
        #expect(try abs(slope.dot(direction).scalar - difference) < 1e-5 * abs(difference))
    }

    @Test func example() throws {
        let result = try Examples.named("sinkhorn")!.run()
        #expect(result.numbers["itself"]! == 0)
        // The clouds' means are apart by the length m: no plan is cheaper than m²/2.
        let (x, y) = Sinkhorn.clouds(count: 800)
        let shift = try y.mean(axes: [0]) - x.mean(axes: [0])
        let bound = try shift.dot(shift).scalar / 2
        #expect(result.numbers["divergence"]! > bound)
        #expect(result.numbers["divergence"]! < 1.1 * bound)
    }
}
