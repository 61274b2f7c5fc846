/// Some eigenvalues of a symmetric operator, largest first, and an orthonormal eigenvector for each.
public struct Eigenpairs<Scalar: TensorScalar>: Sendable, Equatable {
    /// Of shape (count), descending.
    public let values: Tensor<Scalar>
    /// Of shape (rows, count): vector k is column k.
    public let vectors: Tensor<Scalar>
}

extension LinearOperator {
    /// The largest eigenvalues of a symmetric operator, with eigenvectors: kernel principal components, spectral embeddings.
    ///
    /// A block Krylov method with full orthogonalisation that restarts from the leading Ritz vectors (thick restarts: Wu and Simon,
    /// 2000). The block is larger than the count, so that eigenvalues of any multiplicity are found as often as they occur. Results
    /// are the same in every run, and numbers: not recorded.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - tolerance: how large |Kv - λv| may be beside the largest |λ| found; left out, 1e-5 in Float and 1e-8 in Double.
    ///   - maximumIterations: products with a block of somewhat more than `count` vectors.
    ///   - seed: of the random vectors that the search begins with.
    ///   - progress: called before each iteration; what it throws ends the search.
    /// - Throws: ``SolverError`` where the operator is not square, there are fewer than `count` eigenvalues or they do not converge.
    public func leadingEigenpairs(
        count: Int, tolerance: Double? = nil, maximumIterations: Int = 500, seed: UInt64 = 0,
        progress: SolverProgress.Handler? = nil
    ) throws -> Eigenpairs<Scalar> {
        try requireSquare()
        guard 1...max(1, rowCount) ~= count, count <= rowCount else {
            throw SolverError.invalidArgument(
                "An operator of \(rowCount) rows has 1 to \(rowCount) leading eigenpairs; \(count) were asked for.")
        }
        let settings = try SolverSettings(
            for: self, tolerance: tolerance, maximumIterations: maximumIterations, progress: progress)
        var search = EigenpairSearch(
            product: try shiftedMap(alpha: 0), rowCount: rowCount, count: count, seed: seed, monitor: settings.monitor)
        let (values, vectors) = try search.run()
        return Eigenpairs(values: Tensor(values.map { Scalar($0) }), vectors: vectors.tensor())
    }
}

/// A growing orthonormal basis V with its image KV, of which Ritz pairs are taken (Saad, Numerical Methods for Large Eigenvalue
/// Problems, 2011, chapters 4 and 6).
private struct EigenpairSearch {
    private let product: ColumnMap
    private let count: Int
    /// How many vectors enter at once.
    private let blockSize: Int
    /// How many the basis holds at most, and how many of the leading Ritz vectors stay when it is full.
    private let capacity: Int
    private let keptSize: Int
    private var random: SolverRandom
    private var monitor: IterationMonitor
    private var basis: Columns
    private var image: Columns
    /// VᵀKV.
    private var projection: Columns

    init(product: @escaping ColumnMap, rowCount: Int, count: Int, seed: UInt64, monitor: IterationMonitor) {
        self.product = product
        self.count = count
        self.monitor = monitor
        // A few more than wanted: the last ones would converge slowly where the next eigenvalue is near.
        blockSize = min(rowCount, count + max(2, count / 4))
        capacity = min(rowCount, max(6 * blockSize, 40))
        keptSize = min(capacity, max(blockSize, capacity / 2))
        random = SolverRandom(seed: seed)
        basis = Columns(length: rowCount, count: 0)
        image = basis
        projection = Columns(length: 0, count: 0)
    }

    mutating func run() throws -> (values: [Double], vectors: Columns) {
        var news = random.normalColumns(length: basis.length, count: blockSize).orthonormalized()
        var (residual, remaining) = (1.0, count)
        while true {
            try monitor.begin(residual: residual, remaining: remaining)
            try extend(by: news)

            let ritz = symmetricEigenpairs(projection)
            let isFull = basis.count + blockSize > capacity
            if isFull {
                let kept = ritz.vectors.selecting(Array(0..<min(keptSize, basis.count)))
                (basis, image) = (basis.times(kept), image.times(kept))
                projection = .diagonal(Array(ritz.values.prefix(basis.count)))
            }
            let leading = Array(0..<min(blockSize, basis.count))
            let values = leading.map { ritz.values[$0] }
            let coefficients = ritz.vectors.selecting(leading)
            let vectors = isFull ? basis.selecting(leading) : basis.times(coefficients)
            var residuals = isFull ? image.selecting(leading) : image.times(coefficients)
            residuals.add(values.map { -$0 }, times: vectors, at: leading)
            let largest = ritz.values.map { abs($0) }.max() ?? 0
            let norms = residuals.norms().prefix(count)
            residual = largest > 0 ? norms.max()! / largest : 0
            remaining = norms.count { $0 > monitor.tolerance * largest }
            if remaining == 0 || basis.count == basis.length {
                return (Array(values.prefix(count)), vectors.selecting(Array(0..<count)))
            }
            news = expansion(residuals)
        }
    }

    private mutating func extend(by news: Columns) throws {
        let newImage = try product(news)
        let cross = basis.transposedTimes(newImage)
        let corner = news.transposedTimes(newImage).symmetrized()
        guard corner.values.allSatisfy(\.isFinite) else { throw SolverError.notFinite("the operator's product") }
        let old = basis.count
        var grown = Columns(length: old + news.count, count: old + news.count)
        for column in 0..<grown.count {
            for row in 0..<grown.length {
                grown[row, column] =
                    switch (row < old, column < old) {
                    case (true, true): projection[row, column]
                    case (true, false): cross[row, column - old]
                    case (false, true): cross[column, row - old]
                    case (false, false): corner[row - old, column - old]
                    }
            }
        }
        projection = grown
        basis.append(news)
        image.append(newImage)
    }

    /// What residuals add to the basis, made up to a block by random vectors: as many as ever, so that the product is compiled once.
    private mutating func expansion(_ residuals: Columns) -> Columns {
        let room = min(blockSize, basis.length - basis.count)
        var news = residuals.orthonormalized(against: basis)
        news = news.selecting(Array(0..<min(room, news.count)))
        while news.count < room {
            var known = basis
            known.append(news)
            news.append(random.normalColumns(length: basis.length, count: room - news.count).orthonormalized(against: known))
        }
        return news
    }
}

extension Columns {
    fileprivate static func diagonal(_ entries: [Double]) -> Columns {
        var result = Columns(length: entries.count, count: entries.count)
        for (k, entry) in entries.enumerated() { result[k, k] = entry }
        return result
    }
}
