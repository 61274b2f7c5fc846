import Khufu
import Pictures
import SampleData

/// A sum over near pairs only: points are sorted into cells, and cells that are too far apart for the kernel are skipped whole.
///
/// The method is described in J. Feydy, *Geometric data analysis, beyond convolutions*, 2020.
enum BlockSparse: Example {
    static let name = "block-sparse"
    static let summary = "How crowded the surroundings of each city are, from the pairs of near cells only."

    static func run() throws -> ExampleResult {
        let places = try Places.cities()
        let sphere = Tensor(places.map { SIMD3<Float>(Places.onSphere($0)) })
        let (near, all, mask, clusters) = try sums(of: sphere, sigma: 0.02)
        let error = try ((near - all).abs() / all).elements.max()!
        let share = share(of: mask, clusters.sizes)
        let crowds = near.elements.map(Double.init)
        var result = ExampleResult(picture: picture(places, crowds, mask))
        result.add("cells", Double(clusters.count), "\(places.count) cities in \(clusters.count) cells.")
        result.add("share", share, "The share \(share.short) of all pairs is computed;")
        result.add("error", Double(error), "the relative error is \(Double(error).short) at most.")
        return result
    }

    /// Σ_j exp(-|x_i - x_j|²/2σ²) over near pairs and over all of them, and which cells are near.
    static func sums(
        of points: Tensor<Float>, sigma: Float
    ) throws -> (near: Tensor<Float>, all: Tensor<Float>, mask: Tensor<Bool>, clusters: Clusters) {
        // Cells, in which points are contiguous once sorted; and which of them are near enough to matter.
        let clusters = try Clusters(labels: gridLabels(of: points, cellSize: 3 * sigma))
        let balls = try clusters.balls(around: points)
        let mask = try balls.pairs(with: balls, within: 4 * sigma)

        let x = try clusters.sorted(points)
        let distances = try LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: x))
        var kernel = try (-distances / (2 * sigma * sigma)).exp()
        let all = try kernel.sum(over: .columns)
        kernel.sparsity = try BlockSparsity(keeping: mask, rows: clusters, columns: clusters)
        let near = try kernel.sum(over: .columns)
        return try (clusters.unsorted(near), clusters.unsorted(all), mask, clusters)
    }

    /// The share of all pairs of points that are in cells which meet.
    private static func share(of mask: Tensor<Bool>, _ sizes: [Int]) -> Double {
        var pairs = 0
        for (k, isKept) in mask.elements.enumerated() where isKept { pairs += sizes[k / sizes.count] * sizes[k % sizes.count] }
        let points = sizes.reduce(0, +)
        return Double(pairs) / Double(points * points)
    }

    private static func picture(_ places: [SIMD2<Double>], _ crowds: [Double], _ mask: Tensor<Bool>) -> Panels {
        var map = Plot(title: "How crowded the surroundings of cities are")
        (map.width, map.height) = (860, 380)
        (map.xRange, map.yRange) = (-180...180, -58...76)
        map.hasEqualUnits = true
        map.hasTicks = false
        map.addDots(places.map { Point($0.x, $0.y) }, values: crowds, radius: 0.9)

        let cells = mask.shape[0]
        var tiles = Plot(title: "Pairs of cells that meet")
        (tiles.width, tiles.height) = (380, 380)
        tiles.hasTicks = false
        let kept = mask.elements.enumerated().filter(\.element).map {
            Point(Double($0.offset % cells), -Double($0.offset / cells))
        }
        tiles.addDots(kept, radius: 0.5, color: ColorMap.series(0))
        return Panels([map, tiles])
    }
}
