import Pictures

/// A worked example: a small program on Khufu with a picture, and results that its test holds it to.
package protocol Example: Sendable {
    /// What `khufu example` calls it: words joined by hyphens.
    static var name: String { get }
    /// One sentence.
    static var summary: String { get }

    static func run() throws -> ExampleResult
}

/// What an example tells.
package struct ExampleResult {
    /// Results in words, one line each.
    package var lines: [String] = []
    /// Results in numbers, by name.
    package var numbers: [String: Double] = [:]
    package var picture: any Picture

    package init(picture: any Picture) { self.picture = picture }

    /// A line with a number that can be asked for by name.
    package mutating func add(_ name: String, _ number: Double, _ sentence: String) {
        numbers[name] = number
        lines.append(sentence)
    }
}

extension Double {
    /// To so many decimals, for sentences.
    func rounded(decimals: Int) -> Double {
        let unit = Double((0..<decimals).reduce(1) { unit, _ in 10 * unit })
        return (self * unit).rounded() / unit
    }
}

/// All worked examples, simple ones first.
package enum Examples {
    package static let all: [any Example.Type] = [
        KernelDensity.self,
        NearestNeighbours.self,
        KMeansClusters.self,
        GaussianMixture.self,
        Kriging.self,
        KrigingMap.self,
        SpectralClustering.self,
        Attention.self,
        NonuniformFourier.self,
        GradientAndHessian.self,
        BlockSparse.self,
        Sinkhorn.self,
        SinkhornFlow.self,
        Varifold.self,
        Registration.self,
        Gravity.self,
        HyperbolicEmbedding.self,
    ]

    package static func named(_ name: String) -> (any Example.Type)? { all.first { $0.name == name } }
}
