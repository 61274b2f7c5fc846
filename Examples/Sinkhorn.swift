import Khufu
import Pictures
import RealModule

/// How far two clouds of points are apart when one is moved onto the other as cheaply as possible, and who goes where.
///
/// The method is that of J. Feydy and others, "Interpolating between optimal transport and MMD using Sinkhorn divergences", 2019; see
/// ``SinkhornDivergence``.
enum Sinkhorn: Example {
    static let name = "sinkhorn"
    static let summary = "The Sinkhorn divergence between two clouds of points, and the transport that it stands for."

    static func run() throws -> ExampleResult {
        let (source, target) = clouds(count: 800)
        let divergence = SinkhornDivergence(blur: 0.02)
        let distance = try divergence(source, target).scalar
        let ends = try divergence.transported(source, to: target)

        var plot = Plot(title: "Optimal transport of a crescent onto two discs")
        (plot.width, plot.height) = (800, 470)
        plot.hasEqualUnits = true
        plot.hasTicks = false
        plot.addDots(source.points, name: "source", radius: 2)
        plot.addDots(target.points, name: "target", radius: 2)
        let moves = zip(source.points, ends.points).enumerated().filter { $0.offset % 20 == 0 }.map(\.element)
        plot.addArrows(from: moves.map(\.0), to: moves.map(\.1), name: "plan", color: .gray(0.35))
        var result = ExampleResult(picture: plot)
        result.add(
            "divergence", distance, "The divergence of \(source.shape[0]) and \(target.shape[0]) points is \(distance.short).")
        let own = try divergence(source, source).scalar
        result.add("itself", own, "That of a cloud from itself is \(own.short).")
        return result
    }

    /// A crescent, and two discs beside it.
    static func clouds(count: Int) -> (Tensor<Double>, Tensor<Double>) {
        var random = SeededGenerator(seed: 1)
        func disc(_ center: SIMD2<Double>, _ radius: Double) -> SIMD2<Double> {
            let (r, t) = (radius * random.uniform().squareRoot(), 2 * .pi * random.uniform())
            return center + r * SIMD2(.cos(t), .sin(t))
        }
        var crescent: [SIMD2<Double>] = []
        while crescent.count < count {
            let point = disc([0, 0], 1)
            let offset = point - [0.45, 0]
            if (offset * offset).sum() > 0.64 { crescent.append(point) }
        }
        let discs = (0..<count).map { disc([1.7, $0 % 2 == 0 ? 0.6 : -0.6], 0.42) }
        return (Tensor(crescent), Tensor(discs))
    }
}
