import Khufu
import Pictures
import SampleData

/// Noisy images of digits cleaned by attention over known ones (A. Vaswani and others, "Attention is all you need", 2017).
///
/// A query q attends to key k with the score -|q - k|²/2σ², and the values are the keys themselves. For noise of standard
/// deviation σ that is the mean of all clean images that the query may come from: the best answer in the mean square, and what
/// diffusion models learn. The weights, one per query and key, are never stored.
enum Attention: Example {
    static let name = "attention"
    static let summary = "Noisy images of digits cleaned by attention over known ones."
    static let deviation = 0.5

    static func run() throws -> ExampleResult {
        let (clean, noisy, known) = try images()
        let denoised = try attention(queries: noisy, keys: known, values: known)

        let noise = try (noisy - clean).squared().mean().scalar
        let error = try (denoised - clean).squared().mean().scalar
        let lines = [clean, noisy, denoised].map { images in
            (0..<16).map { k in (0..<Digits.pixelCount).map { images[k * 25, $0] } }
        }
        let mosaic = Plot.mosaic(lines, title: "Digits, the same with noise, and what attention makes of them")
        var result = ExampleResult(picture: mosaic)
        result.add("noise", noise, "The mean squared error is \(noise.rounded(decimals: 4)) before,")
        result.add("error", error, "and \(error.rounded(decimals: 4)) after.")
        return result
    }

    /// softmax(-|q_i - k_j|²/2σ²) times the values, one row per query.
    static func attention(
        queries: Tensor<Double>, keys: Tensor<Double>, values: Tensor<Double>
    ) throws -> Tensor<Double> {
        let distances = try LazyTensor(rows: queries).squaredDistance(to: LazyTensor(columns: keys))
        let scores = try -distances / (2 * deviation * deviation)
        return try scores.softMaxMean(of: LazyTensor(columns: values), over: .columns)
    }

    /// Every fourth digit, the same with noise, and the others.
    static func images() throws -> (clean: Tensor<Double>, noisy: Tensor<Double>, known: Tensor<Double>) {
        let digits = try Digits()
        let all = try Tensor(digits.pixels, shape: [digits.count, Digits.pixelCount]) / 16
        let clean = try all.selecting((0..<digits.count).filter { $0 % 4 == 0 }, axis: 0)
        var random = SeededGenerator(seed: 1)
        let noisy = try clean + deviation * Tensor(normalWithMean: 0, shape: clean.shape, using: &random)
        return (clean, noisy, try all.selecting((0..<digits.count).filter { $0 % 4 != 0 }, axis: 0))
    }
}
