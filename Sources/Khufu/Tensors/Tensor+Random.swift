// Random tensors. With a ``SeededGenerator`` the numbers are the same on every platform; those of Float are those of Double, rounded.

extension Tensor where Element: TensorScalar {
    /// Independent numbers, equally likely anywhere in a range.
    ///
    ///     var generator = SeededGenerator(seed: 1)
    ///     let points = Tensor<Float>(uniform: -1..<1, shape: [1000, 3], using: &generator)
    ///
    /// - Precondition: the range is finite and not empty.
    public init(uniform range: Range<Element>, shape: [Int], using generator: inout some RandomNumberGenerator) {
        let (low, high) = (Double(range.lowerBound), Double(range.upperBound))
        precondition(low < high && (high - low).isFinite, "Random numbers are drawn from a finite range; this is \(range).")
        // A sum may round up to the bound.
        let largest = range.upperBound.nextDown
        self.init(shape: shape) { result in
            for k in result.indices { result[k] = Swift.min(Element(low + (high - low) * generator.uniform()), largest) }
        }
    }

    /// Independent normal numbers.
    public init(
        normalWithMean mean: Element = 0, standardDeviation: Element = 1, shape: [Int],
        using generator: inout some RandomNumberGenerator
    ) {
        let (mean, scale) = (Double(mean), Double(standardDeviation))
        self.init(shape: shape) { result in
            for k in stride(from: 0, to: result.count, by: 2) {
                let pair = generator.normalPair()
                result[k] = Element(mean + scale * pair.0)
                if k + 1 < result.count { result[k + 1] = Element(mean + scale * pair.1) }
            }
        }
    }

    /// Independent signs, -1 or 1: of all probes with independent entries, those whose estimate of a trace varies least (Hutchinson,
    /// "A stochastic estimator of the trace of the influence matrix", 1990).
    public init(rademacher shape: [Int], using generator: inout some RandomNumberGenerator) {
        self.init(shape: shape) { result in
            for k in result.indices { result[k] = generator.next() >> 63 == 0 ? 1 : -1 }
        }
    }
}

extension Tensor where Element == Int {
    /// The numbers from 0 to one below a count in random order, each order equally likely (Fisher and Yates, 1938).
    public init(permutationOf count: Int, using generator: inout some RandomNumberGenerator) {
        self.init(shape: [count]) { result in
            for k in 0..<count {
                result[k] = k
                result.swapAt(k, generator.number(below: k + 1))
            }
        }
    }
}
