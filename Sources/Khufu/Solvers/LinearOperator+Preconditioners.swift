extension LinearOperator {
    /// A preconditioner from a pivoted Cholesky decomposition that ends at some rank (Harbrecht, Peters and Schneider, 2012,
    /// algorithm 1). It takes the diagonal and as many columns as its rank.
    ///
    /// - Parameter rank: at most; fewer columns are taken where they yield the operator to rounding.
    /// - Throws: ``SolverError`` where the operator is not square, the rank is not positive or a diagonal entry is negative.
    public func pivotedCholeskyPreconditioner(rank: Int) throws -> LowRankPreconditioner {
        let matrix = try detachedForPreconditioner(rank)
        var remaining = Columns(try matrix.diagonal()).values
        guard remaining.allSatisfy(\.isFinite) else { throw SolverError.notFinite("the operator's diagonal") }
        let largest = remaining.max() ?? 0
        if let smallest = remaining.min(), smallest < 0 {
            throw SolverError.notPositiveDefinite(curvature: smallest, largest: largest, iteration: 0)
        }
        var factor = Columns(length: rowCount, count: 0)
        while factor.count < min(rank, rowCount) {
            let pivot = remaining.indices.max { remaining[$0] < remaining[$1] }!
            // What is smaller is the rounding of the entries.
            guard remaining[pivot] > 8 * Double(Scalar.ulpOfOne) * largest else { break }
            var column = Columns(try matrix.columns([pivot]))
            var row = Columns(length: factor.count, count: 1)
            for k in 0..<factor.count { row[k, 0] = factor[pivot, k] }
            column.add(-1, times: factor.times(row))
            column.scale([1 / remaining[pivot].squareRoot()])
            for k in remaining.indices { remaining[k] = max(0, remaining[k] - column[k, 0] * column[k, 0]) }
            remaining[pivot] = 0
            factor.append(column)
        }
        let (basis, values) = factor.leftSingularPairs()
        return LowRankPreconditioner(
            basis: basis, eigenvalues: values.map { $0 * $0 }, rest: remaining.reduce(0, +) / Double(max(1, rowCount)))
    }

    /// A preconditioner from the randomized Nyström approximation (Frangella, Tropp and Udell, 2023, algorithm 2.1 and equation 1.3).
    /// It takes one product with as many vectors as its rank.
    ///
    /// - Parameters:
    ///   - rank: of the approximation; good ones exceed the number of eigenvalues larger than alpha.
    ///   - seed: of the random vectors.
    /// - Throws: ``SolverError`` where the operator is not square or the rank is not positive.
    public func nystromPreconditioner(rank: Int, seed: UInt64 = 0) throws -> LowRankPreconditioner {
        let matrix = try detachedForPreconditioner(rank)
        var random = SolverRandom(seed: seed)
        let test = random.normalColumns(length: rowCount, count: min(rank, rowCount)).orthonormalized()
        guard test.count > 0 else {
            return LowRankPreconditioner(basis: test, eigenvalues: [], rest: 0)
        }
        var image = Columns(try matrix.product(test.tensor()))
        // A small shift makes the core positive definite in spite of rounding; it is taken off the eigenvalues in the end.
        let norm = image.dots(image).reduce(0, +).squareRoot()
        guard norm.isFinite else { throw SolverError.notFinite("the operator's product") }
        let shift = Double(Scalar.ulpOfOne) * norm
        image.add(shift, times: test)
        // Eigenvectors of the core rather than its Cholesky factor, which may not exist for kernels of low rank.
        let core = symmetricEigenpairs(test.transposedTimes(image).symmetrized())
        let kept = core.values.indices.filter { core.values[$0] > 0.5 * shift }
        var factor = image.times(core.vectors.selecting(kept))
        factor.scale(kept.map { 1 / core.values[$0].squareRoot() })
        let (basis, values) = factor.leftSingularPairs()
        let eigenvalues = values.map { max(0, $0 * $0 - shift) }
        return LowRankPreconditioner(basis: basis, eigenvalues: eigenvalues, rest: eigenvalues.last ?? 0)
    }

    private func detachedForPreconditioner(_ rank: Int) throws -> Self {
        try requireSquare()
        guard rank > 0 else {
            throw SolverError.invalidArgument("The rank of a preconditioner is 1 or more; \(rank) came.")
        }
        return try detached()
    }
}

extension Columns {
    /// The mean of a square matrix and its transpose.
    func symmetrized() -> Columns {
        var result = self
        for column in 0..<count {
            for row in 0..<count { result[row, column] = 0.5 * (self[row, column] + self[column, row]) }
        }
        return result
    }
}
