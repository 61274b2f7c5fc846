import Khufu
import Pictures
import RealModule

/// The smooth deformation of the plane that takes one curve to another with the least energy (LDDMM), found by geodesic shooting.
///
/// The flow of the Hamiltonian ½ Σ_ij p_i·p_j K(q_i, q_j) is followed from the template; the momenta it starts with are those that make
/// its end match the target (Vaillant, Miller, Younes and Trouvé, "Statistics on diffeomorphisms via tangent space representations",
/// 2004). Curves are compared as varifolds: no points correspond.
enum Registration: Example {
    static let name = "registration"
    static let summary = "A circle deformed into a heart by a diffeomorphism, found by geodesic shooting (LDDMM)."

    static func run() throws -> ExampleResult {
        let template = Varifold.circle(80), target = heart(150)
        let metric = VarifoldMetric(scale: 0.5)
        let momenta = try descent(from: Tensor(repeating: 0, shape: template.shape), steps: 80) { p in
            let end = try shoot(template, p).last!.positions
            let energy = try hamiltonian(template, p)
            return try 0.001 * energy + metric.squaredDistance(end, target)
        }
        let path = try shoot(template, momenta)
        let (before, after) = try (largestDistance(template, target), largestDistance(path.last!.positions, target))

        var result = ExampleResult(picture: try picture(template, target, path, momenta))
        result.add("before", before, "The farthest point of the template is \(before.short) from the target,")
        result.add("after", after, "that of the deformed one \(after.short).")
        return result
    }

    /// ½ Σ_ij p_i·p_j exp(-|q_i - q_j|²/2σ²).
    static func hamiltonian(_ q: Tensor<Double>, _ p: Tensor<Double>) throws -> Tensor<Double> {
        let distances = try LazyTensor(rows: q).squaredDistance(to: LazyTensor(columns: q))
        let kernel = try (-distances / (2 * 0.4 * 0.4)).exp()
        return try 0.5 * p.dot(kernel.matmul(p))
    }

    typealias State = (positions: Tensor<Double>, momenta: Tensor<Double>)

    /// The steps of the flow dq/dt = ∂H/∂p, dp/dt = -∂H/∂q from time 0 to 1, by the midpoint rule.
    static func shoot(_ q: Tensor<Double>, _ p: Tensor<Double>, steps: Int = 10) throws -> [State] {
        func moved(_ state: State, by step: Double, slopesAt middle: State) throws -> State {
            let slopes = try valueWithGradient(at: [middle.positions, middle.momenta]) { try hamiltonian($0[0], $0[1]) }.gradients
            return try (state.positions + step * slopes[1], state.momenta - step * slopes[0])
        }
        var path: [State] = [(q, p)]
        for _ in 0..<steps {
            let state = path.last!
            let middle = try moved(state, by: 0.5 / Double(steps), slopesAt: state)
            path.append(try moved(state, by: 1 / Double(steps), slopesAt: middle))
        }
        return path
    }

    /// The distance from the farthest x to its nearest y.
    static func largestDistance(_ x: Tensor<Double>, _ y: Tensor<Double>) throws -> Double {
        let nearest = try LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: y)).min(over: .columns)
        return nearest.elements.max()!.squareRoot()
    }

    static func heart(_ count: Int) -> Tensor<Double> {
        .closedCurve(count) { t in
            let y = 13 * .cos(t) - 5 * .cos(2 * t) - 2 * .cos(3 * t) - .cos(4 * t)
            return SIMD2(16 * .pow(.sin(t), 3), y) / 14
        }
    }

    /// The curves, and a grid that the flow takes along: points without momenta.
    private static func picture(
        _ template: Tensor<Double>, _ target: Tensor<Double>, _ path: [State], _ momenta: Tensor<Double>
    ) throws -> Plot {
        let marks = stride(from: -2, through: 2.01, by: 0.2), steps = stride(from: -2, through: 2.01, by: 0.05)
        let lines = marks.map { a in steps.map { SIMD2(a, $0) } } + marks.map { a in steps.map { SIMD2($0, a) } }
        let grid = Tensor(lines.flatMap { $0 })
        let all = try Tensor(template.elements + grid.elements, shape: [template.shape[0] + grid.shape[0], 2])
        let zeros = [Double](repeating: 0, count: grid.count)
        let carried = try shoot(all, Tensor(momenta.elements + zeros, shape: all.shape)).last!.positions.points.dropFirst(
            template.shape[0])
        let length = lines[0].count

        var plot = Plot(title: "A circle, carried to a heart by a diffeomorphism")
        (plot.width, plot.height) = (720, 570)
        (plot.xRange, plot.yRange) = (-1.5...1.5, -1.5...1.3)
        plot.hasEqualUnits = true
        plot.hasTicks = false
        plot.addLines(
            lines.indices.map { carried.dropFirst($0 * length).prefix(length).map { $0 } }, width: 0.8, color: .gray(0.8))
        plot.addLines(template.points.indices.map { k in path.map { $0.positions.points[k] } }, width: 0.8, color: .gray(0.45))
        plot.addLine(template.points, name: "template", isClosed: true)
        plot.addLine(target.points, name: "target", isClosed: true, width: 5)
        plot.addLine(path.last!.positions.points, name: "deformed", isClosed: true, hasDots: true, width: 1.2, color: .black)
        return plot
    }
}
