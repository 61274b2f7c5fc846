import Khufu
import Pictures
import SampleData

/// Handwritten digits classified by the five known ones that are nearest, in four metrics.
///
/// A metric is any formula of two points, and only the order of distances matters: the Euclidean one goes without its root, and
/// the hyperbolic one, that of the Poincaré ball (M. Nickel and D. Kiela, "Poincaré embeddings", 2017, equation 1), without its
/// arcosh.
enum NearestNeighbours: Example {
    static let name = "nearest-neighbours"
    static let summary = "Handwritten digits classified by their nearest neighbours in four metrics."
    static let neighbourCount = 5

    static func run() throws -> ExampleResult {
        let digits = try Digits()
        let images = try Tensor(digits.pixels, shape: [digits.count, Digits.pixelCount]) / 16
        // Every fourth digit is asked for, the others are known.
        let (asked, known) = ((0..<digits.count).filter { $0 % 4 == 0 }, (0..<digits.count).filter { $0 % 4 != 0 })
        let x = try LazyTensor(rows: images.selecting(asked, axis: 0))
        let y = try LazyTensor(columns: images.selecting(known, axis: 0))
        let metrics: [(name: String, distances: LazyTensor<Double>)] = [
            ("Euclidean", try x.squaredDistance(to: y)),
            ("Manhattan", try (x - y).abs().sum()),
            ("cosine", try 1 - (x.normalized() | y.normalized())),
            ("hyperbolic", try hyperbolicDistance(x, y, around: images.mean(axes: [0]))),
        ]

        var panels: [any Picture] = []
        var accuracies: [(name: String, accuracy: Double)] = []
        for (name, distances) in metrics {
            let nearest = try distances.argKMin(neighbourCount, over: .columns)
            let neighbours = asked.indices.map { row in (0..<neighbourCount).map { known[nearest[row, $0]] } }
            let wrong = asked.indices.filter { row in
                vote(neighbours[row].map { digits.labels[$0] }) != digits.labels[asked[row]]
            }
            accuracies.append((name, 1 - Double(wrong.count) / Double(asked.count)))
            let lines = wrong.prefix(4).map { row in
                [image(digits, asked[row]), nil] + neighbours[row].map { image(digits, $0) }
            }
            panels.append(Plot.mosaic(lines, title: "\(name): \(wrong.count) of \(asked.count) are wrong", pixel: 4))
        }

        let title = "Digits that are taken for others, and their neighbours"
        var result = ExampleResult(picture: Panels(panels, title: title, columns: 2))
        for (name, accuracy) in accuracies {
            result.add(name, accuracy, "\(name): \((100 * accuracy).rounded(decimals: 1)) % of \(asked.count) digits are right.")
        }
        return result
    }

    /// cosh d(x, y) in the Poincaré ball, with the images around their mean and well inside of it.
    static func hyperbolicDistance(
        _ x: LazyTensor<Double>, _ y: LazyTensor<Double>, around mean: Tensor<Double>
    ) throws -> LazyTensor<Double> {
        let (center, scale) = (try LazyTensor(parameter: mean), 0.25)
        let (u, v) = (try (x - center) * scale, try (y - center) * scale)
        let (uRoom, vRoom) = (try 1 - u.squaredNorm(), try 1 - v.squaredNorm())
        return try 1 + 2 * u.squaredDistance(to: v) / (uRoom * vRoom)
    }

    /// The most frequent label; of equally frequent ones that of the nearest, which comes first.
    static func vote(_ labels: [Int]) -> Int {
        let counts = labels.map { label in labels.count { $0 == label } }
        return labels[counts.firstIndex(of: counts.max()!)!]
    }

    private static func image(_ digits: Digits, _ k: Int) -> [Double] { digits.pixels(of: [k]).map { $0 / 16 } }
}
