import Khufu

/// Tensors of random numbers, the same in every run.
struct RandomTensors {
    private var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    /// Uniform in a range.
    mutating func uniform(_ range: ClosedRange<Double> = 0...1, shape: [Int]) -> Tensor<Double> {
        Tensor(shape: shape) { numbers in
            for k in numbers.indices {
                numbers[k] = range.lowerBound + (range.upperBound - range.lowerBound) * generator.uniform()
            }
        }
    }

    /// Of mean 0 and standard deviation 1 (G. Box and M. Muller, "A note on the generation of random normal deviates", 1958).
    mutating func normal(shape: [Int]) throws -> Tensor<Double> {
        let radius = (-2 * (1 - uniform(0...0.999_999_999, shape: shape)).log()).squareRoot()
        return try radius * uniform(0...2 * .pi, shape: shape).cos()
    }
}
