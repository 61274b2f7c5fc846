import Khufu
import Pictures
import RealModule

/// Shapes that k-means cannot tell apart, divided by the leading eigenvectors of a kernel matrix (A. Ng, M. Jordan and Y. Weiss,
/// "On spectral clustering", 2001), whose width at each point is the distance to its tenth neighbour (L. Zelnik-Manor and P. Perona,
/// "Self-tuning spectral clustering", 2004). The matrix is symbolic: it is multiplied with vectors and never stored.
enum SpectralClustering: Example {
    static let name = "spectral-clustering"
    static let summary = "Moons and circles divided by the eigenvectors of a kernel, where k-means fails."

    static func run() throws -> ExampleResult {
        let shapes = [("moons", try moons()), ("circles", try circles())]
        let labels = (0..<2 * size).map { $0 / size }
        var panels: [any Picture] = []
        var shares: [(name: String, share: Double)] = []
        for (shape, points) in shapes {
            let embedding = try spectralEmbedding(points, dimension: 2)
            for (method, data) in [("k-means", points), ("spectral", embedding)] {
                let clusters = try kMeans(data, count: 2).labels.elements
                let share = agreement(clusters, labels)
                shares.append(("\(shape), \(method)", share))
                var plot = Plot(title: "\(shape), \(method): \((100 * share).rounded(decimals: 1)) % right")
                plot.addDots(points.points, labels: clusters, radius: 2.2)
                (plot.width, plot.height) = (440, 350)
                (plot.hasTicks, plot.hasEqualUnits) = (false, true)
                panels.append(plot)
            }
        }
        var result = ExampleResult(picture: Panels(panels, columns: 2))
        for (name, share) in shares { result.add(name, share, "\(name): \((100 * share).rounded(decimals: 1)) % right.") }
        return result
    }

    /// The leading eigenvectors of D^-½ K D^-½ at each point, as a unit vector; D holds the sums of the rows of K.
    static func spectralEmbedding(_ points: Tensor<Double>, dimension: Int) throws -> Tensor<Double> {
        let (x, y) = (try LazyTensor(rows: points), try LazyTensor(columns: points))
        let distances = try x.squaredDistance(to: y)
        // The nearest neighbour is the point itself.
        let widths = try distances.kMin(11, over: .columns).selecting([10], axis: 1).squareRoot()
        let kernel = try (-distances / (LazyTensor(rows: widths) * LazyTensor(columns: widths))).exp()

        let scale = try kernel.sum(over: .columns).squareRoot().reciprocal()
        let normalised = try LazyTensor(rows: scale) * kernel * LazyTensor(columns: scale)
        let vectors = try normalised.leadingEigenpairs(count: dimension, tolerance: 1e-6).vectors
        return try vectors / vectors.squared().sum(axes: [1], keepsAxes: true).squareRoot()
    }

    /// The share of points whose cluster is their label, whichever of the two clusters is the first.
    private static func agreement(_ clusters: [Int], _ labels: [Int]) -> Double {
        let share = Double(zip(clusters, labels).count { $0 == $1 }) / Double(labels.count)
        return max(share, 1 - share)
    }

    /// Points of each moon and each circle.
    private static let size = 500

    private static func moons() throws -> Tensor<Double> {
        var random = SeededGenerator(seed: 1)
        let angles = Tensor<Double>(uniform: 0..<Double.pi, shape: [2 * size], using: &random).elements
        let noise = Tensor(normalWithMean: 0, shape: [2 * size, 2], using: &random) * 0.08
        let places = angles.enumerated().map { k, angle in
            let place = SIMD2(Double.cos(angle), Double.sin(angle))
            return k < size ? place : SIMD2(1, 0.4) - place
        }
        return try Tensor(places) + noise
    }

    private static func circles() throws -> Tensor<Double> {
        var random = SeededGenerator(seed: 2)
        let angles = Tensor<Double>(uniform: 0..<2 * Double.pi, shape: [2 * size], using: &random).elements
        let noise = Tensor(normalWithMean: 0, shape: [2 * size, 2], using: &random) * 0.06
        let places = angles.enumerated().map { k, angle in
            SIMD2(Double.cos(angle), Double.sin(angle)) * (k < size ? 1 : 0.5)
        }
        return try Tensor(places) + noise
    }
}
