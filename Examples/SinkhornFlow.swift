import Khufu
import Pictures

/// A cloud of points that flows onto another down the gradient of the Sinkhorn divergence (Feydy and others, 2019): see ``SinkhornDivergence``.
enum SinkhornFlow: Example {
    static let name = "sinkhorn-flow"
    static let summary = "A crescent that flows onto two discs down the gradient of the Sinkhorn divergence."

    static func run() throws -> ExampleResult {
        let (source, target) = Sinkhorn.clouds(count: 600)
        let divergence = SinkhornDivergence(blur: 0.03, scaling: 0.6, finalSteps: 3)
        let (step, steps) = (0.125, 32)

        var x = source
        var values: [Double] = []
        var pictures: [Plot] = []
        for k in 0...steps {
            let (value, slope) = try valueWithGradient(at: x) { try divergence($0, target) }
            values.append(value.scalar)
            if [0, 4, 8, steps].contains(k) { pictures.append(plot(x, source, target, time: step * Double(k))) }
            // Each point has the weight 1/N, and so its gradient.
            x = try x - slope * (step * Double(x.shape[0]))
        }

        var result = ExampleResult(picture: Panels(pictures, columns: 2))
        result.add("start", values[0], "The divergence is \(values[0].short) at first")
        result.add("end", values[steps], "and \(values[steps].short) after \(steps) steps.")
        return result
    }

    /// Points keep the colour of the height that they started from.
    private static func plot(_ x: Tensor<Double>, _ source: Tensor<Double>, _ target: Tensor<Double>, time: Double) -> Plot {
        var plot = Plot(title: "t = \(time)")
        (plot.width, plot.height) = (480, 340)
        plot.xRange = -1.1...2.3
        plot.yRange = -1.1...1.1
        plot.hasEqualUnits = true
        plot.hasTicks = false
        plot.addDots(target.points, radius: 2.2, color: .gray(0.85))
        let heights = source.points.map { Int(($0.y + 1) * 12) }
        for height in Set(heights).sorted() {
            let group = zip(x.points, heights).filter { $0.1 == height }.map(\.0)
            plot.addDots(group, radius: 2.2, color: ColorMap.dusk.color(Double(height) / 24))
        }
        return plot
    }
}
