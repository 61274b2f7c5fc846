import Khufu
import Pictures
import RealModule

/// A tree placed so that its vertices are near their ancestors: in the hyperbolic plane, where there is room for all branches, and in the
/// Euclidean one, where there is not (M. Nickel and D. Kiela, "Poincaré embeddings for learning hierarchical representations", 2017).
enum HyperbolicEmbedding: Example {
    static let name = "hyperbolic-embedding"
    static let summary =
        "A tree embedded in the hyperbolic and in the Euclidean plane: how well ancestors are found as the nearest."

    static func run() throws -> ExampleResult {
        let tree = Tree(branches: 3, depth: 4)
        let disc = try embedding(of: tree, PoincareDisc.distance) { k, points, slope in
            // Small steps at first, until the directions of branches are settled.
            try PoincareDisc.step(from: points, against: slope, by: k < 200 ? 0.003 : 0.03)
        }
        let plane = try embedding(of: tree, euclideanDistance) { _, points, slope in try points - 0.01 * slope }
        let hyperbolic = try tree.ancestorRanks(PoincareDisc.distance(LazyTensor(rows: disc), LazyTensor(columns: disc)).dense())
        let euclidean = try tree.ancestorRanks(euclideanDistance(LazyTensor(rows: plane), LazyTensor(columns: plane)).dense())

        let panels = Panels([
            picture(of: tree, disc, title: "In the hyperbolic plane", inDisc: true),
            picture(of: tree, plane, title: "In the Euclidean plane"),
        ])
        var result = ExampleResult(picture: panels)
        result.add(
            "hyperbolic rank", hyperbolic.meanRank, "In the disc the mean rank of ancestors is \(hyperbolic.meanRank.short),")
        result.add(
            "hyperbolic precision", hyperbolic.precision, "and their mean average precision \(hyperbolic.precision.short);")
        result.add("euclidean rank", euclidean.meanRank, "in the plane the mean rank is \(euclidean.meanRank.short),")
        result.add("euclidean precision", euclidean.precision, "and the precision \(euclidean.precision.short).")
        return result
    }

    typealias Distance = (LazyTensor<Double>, LazyTensor<Double>) throws -> LazyTensor<Double>

    static func euclideanDistance(_ x: LazyTensor<Double>, _ y: LazyTensor<Double>) throws -> LazyTensor<Double> {
        try x.squaredDistance(to: y).squareRoot()
    }

    /// Points that make the ancestors v of each vertex u likely among all others w: Σ -log(exp(-d(u, v)) / Σ_w exp(-d(u, w))).
    private static func embedding(
        of tree: Tree, _ distance: Distance,
        step: (_ k: Int, _ points: Tensor<Double>, _ slope: Tensor<Double>) throws -> Tensor<Double>
    ) throws -> Tensor<Double> {
        var random = SeededGenerator(seed: 3)
        var points = try Tensor((0..<2 * tree.count).map { _ in 0.01 * (random.uniform() - 0.5) }, shape: [tree.count, 2])
        let numbers = Tensor((0..<tree.count).map(Double.init))
        let own = try LazyTensor(rows: numbers) .== LazyTensor(columns: numbers)
        // One component per generation.
        let ancestors = try Tensor(tree.paddedAncestors.map { $0.map(Double.init) })
        let isAncestor = try (LazyTensor(rows: ancestors) .== LazyTensor(columns: numbers)).sum()
        let depths = try Tensor(tree.depths.map(Double.init), shape: [tree.count, 1])

        for k in 0..<800 {
            let slope = try gradient(at: points) { points in
                let distances = try distance(LazyTensor(rows: points), LazyTensor(columns: points))
                let toAncestors = try (isAncestor * distances).sum(over: .columns).sum()
                let normalization = try (-distances - 1000 * own).logSumExp(over: .columns)
                return try toAncestors + depths.dot(normalization)
            }
            points = try step(k, points, slope)
        }
        return points
    }

    private static func picture(of tree: Tree, _ points: Tensor<Double>, title: String, inDisc: Bool = false) -> Plot {
        var plot = Plot(title: title)
        (plot.width, plot.height) = (500, 520)
        plot.hasEqualUnits = true
        plot.hasTicks = false
        let places = points.points
        if inDisc {
            plot.addLine(
                Tensor<Double>.closedCurve(200) { [.cos($0), .sin($0)] }.points, isClosed: true, width: 1, color: .gray(0.4))
        }
        let edges = (1..<tree.count).map {
            inDisc ? PoincareDisc.geodesic(places[tree.parents[$0]], places[$0]) : [places[tree.parents[$0]], places[$0]]
        }
        plot.addLines(edges, width: 1, color: .gray(0.6))
        for depth in 0...tree.depths.max()! {
            let level = (0..<tree.count).filter { tree.depths[$0] == depth }.map { places[$0] }
            plot.addDots(level, radius: 6 - Double(depth), color: ColorMap.dusk.color(1 - Double(depth) / 4))
        }
        return plot
    }
}
