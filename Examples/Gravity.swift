import Khufu
import Pictures
import RealModule

/// Two galaxies that pass each other, and the tails that tides draw from them (A. Toomre and J. Toomre, "Galactic bridges and tails",
/// 1972). Every star attracts every other; forces are the gradient of the potential energy, and motion is by leapfrog.
enum Gravity: Example {
    static let name = "gravity"
    static let summary = "Two galaxies of stars that attract each other pass by and are torn into tails; energy is conserved."

    static func run() throws -> ExampleResult {
        let first = galaxy(center: [-2, 0], velocity: [0.4, -0.23], seed: 1)
        let second = galaxy(center: [2, 0], velocity: [-0.4, 0.23], seed: 2)
        let masses = Tensor(first.masses + second.masses)
        var (q, v) = (Tensor(first.places + second.places), Tensor(first.velocities + second.velocities))

        let (step, steps) = (0.02, 350)
        var energies = [try energy(q, v, masses)]
        var pictures = [plot(q, time: 0)]
        for k in 1...steps {
            (q, v) = try leapfrog(q, v, masses, step: step)
            if k % 20 == 0 { energies.append(try energy(q, v, masses)) }
            if [200, 250, 350].contains(k) { pictures.append(plot(q, time: k / 50)) }
        }

        let drift = energies.map { abs($0 / energies[0] - 1) }.max()!
        var result = ExampleResult(picture: Panels(pictures, columns: 2))
        result.add("bodies", Double(masses.count), "\(masses.count) bodies over \(steps) steps.")
        result.add("drift", drift, "The energy changed by a share of \(drift.short) at most.")
        return result
    }

    /// -½ Σ_ij m_i m_j / √(|q_i - q_j|² + s²), with the constant of gravity 1 and softening s.
    static func potential(_ q: Tensor<Double>, _ masses: Tensor<Double>) throws -> Tensor<Double> {
        let distances = try LazyTensor(rows: q).squaredDistance(to: LazyTensor(columns: q))
        let attraction = try (distances + softening * softening).reciprocalSquareRoot()
        return try -0.5 * masses.dot(attraction.matmul(masses))
    }

    /// Half a kick, a drift, half a kick (L. Verlet, "Computer experiments on classical fluids", 1967).
    static func leapfrog(
        _ q: Tensor<Double>, _ v: Tensor<Double>, _ masses: Tensor<Double>, step: Double
    ) throws -> (Tensor<Double>, Tensor<Double>) {
        let inverse = try masses.reciprocal().reshaped([-1, 1])
        func kick(_ q: Tensor<Double>) throws -> Tensor<Double> {
            try gradient(at: q) { try potential($0, masses) } * inverse * (-step / 2)
        }
        let middle = try v + kick(q)
        let next = try q + step * middle
        return (next, try middle + kick(next))
    }

    static func energy(_ q: Tensor<Double>, _ v: Tensor<Double>, _ masses: Tensor<Double>) throws -> Double {
        let kinetic = try 0.5 * v.squared().sum(axes: [1]).dot(masses)
        return try kinetic.scalar + potential(q, masses).scalar
    }

    private static let softening = 0.1

    /// A heavy centre and light stars that circle it.
    private static func galaxy(
        center: SIMD2<Double>, velocity: SIMD2<Double>, seed: UInt64
    ) -> (places: [SIMD2<Double>], velocities: [SIMD2<Double>], masses: [Double]) {
        var random = SeededGenerator(seed: seed)
        let stars = 799
        let orbits = (0..<stars).map { _ in (radius: 0.25 + 0.75 * random.uniform(), angle: 2 * .pi * random.uniform()) }
        let places = orbits.map { center + $0.radius * SIMD2(.cos($0.angle), .sin($0.angle)) }
        let velocities = orbits.map { radius, angle in
            let speed = radius / .pow(radius * radius + softening * softening, 0.75)
            return velocity + speed * SIMD2(-.sin(angle), .cos(angle))
        }
        let masses = [Double](repeating: 0.02 / Double(stars), count: stars)
        return ([center] + places, [velocity] + velocities, [1] + masses)
    }

    private static func plot(_ q: Tensor<Double>, time: Int) -> Plot {
        var plot = Plot(title: "t = \(time)")
        (plot.width, plot.height) = (480, 360)
        (plot.xRange, plot.yRange) = (-5...5, -3.6...3.6)
        plot.hasEqualUnits = true
        plot.hasTicks = false
        let half = q.shape[0] / 2
        plot.addDots(Array(q.points.prefix(half)), radius: 1.4, color: ColorMap.series(0))
        plot.addDots(Array(q.points.suffix(half)), radius: 1.4, color: ColorMap.series(1))
        plot.addDots([q.points[0], q.points[half]], radius: 5, color: .black)
        return plot
    }
}
