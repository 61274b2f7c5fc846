import Testing

@testable import Khufu

/// Preconditioners from the operator: what they are, and that iterations get fewer.
struct SolverPreconditionerTests {
    enum Kind: CaseIterable { case pivotedCholesky, nystrom }

    private func preconditioner<Operator: LinearOperator>(
        _ kind: Kind, of matrix: Operator, rank: Int
    ) throws -> LowRankPreconditioner {
        switch kind {
        case .pivotedCholesky: try matrix.pivotedCholeskyPreconditioner(rank: rank)
        case .nystrom: try matrix.nystromPreconditioner(rank: rank, seed: 1)
        }
    }

    private func iterations<Operator: LinearOperator>(
        _ matrix: Operator, alpha: Operator.Scalar, _ preconditioner: LowRankPreconditioner?
    ) throws -> Int {
        let log = ProgressLog()
        let b: Tensor<Operator.Scalar> = randomTensor([matrix.rowCount], seed: 4)
        _ = try matrix.solve(b, alpha: alpha, preconditioner: preconditioner, progress: { log.append($0) })
        return log.reports.count
    }

    @Test(arguments: Kind.allCases) func fewerIterationsInDouble(kind: Kind) throws {
        let kernel = try GaussianOperator<Double>(points: 300, g: 30)
        let plain = try iterations(kernel, alpha: 1e-6, nil)
        let some = try iterations(kernel, alpha: 1e-6, preconditioner(kind, of: kernel, rank: 10))
        let many = try iterations(kernel, alpha: 1e-6, preconditioner(kind, of: kernel, rank: 25))
        #expect(plain > 30 && many < some && some < plain && many < 8)
    }

    @Test(arguments: Kind.allCases) func fewerIterationsInFloat(kind: Kind) throws {
        let kernel = try GaussianOperator<Float>(points: 200, g: 100)
        let plain = try iterations(kernel, alpha: 0.05, nil)
        let some = try iterations(kernel, alpha: 0.05, preconditioner(kind, of: kernel, rank: 20))
        #expect(some * 3 < plain)
    }

    @Test(arguments: Kind.allCases) func ofFullRankItIsTheOperator(kind: Kind) throws {
        let kernel = try GaussianOperator<Double>(points: 12, g: 100)
        let approximation = try preconditioner(kind, of: kernel, rank: 12)
        #expect(approximation.rank == 12)
        let shifted = try kernel.matrix().addingToDiagonal(0.3)
        let vectors: Tensor<Double> = randomTensor([12, 2], seed: 5)
        let (solution, logDeterminant) = eliminate(shifted, vectors)
        func power(_ exponent: Double, _ vectors: Tensor<Double>) -> Tensor<Double> {
            approximation.power(exponent, alpha: 0.3, times: vectors)
        }
        #expect(try power(1, vectors).distance(to: shifted.matmul(vectors)) < 1e-10)
        #expect(try power(-1, vectors).distance(to: solution) < 1e-10)
        #expect(try power(-0.5, power(-0.5, vectors)).distance(to: solution) < 1e-10)
        #expect(abs(approximation.logDeterminant(alpha: 0.3) - logDeterminant) < 1e-10)
    }

    @Test(arguments: Kind.allCases) func operatorsOfLowRank(kind: Kind) throws {
        // Points that coincide: rank 5, found as such, and the solution is that without.
        let x: Tensor<Double> = try Tensor((0..<30).map { Double($0 % 5) }, shape: [30, 1])
        let kernel = GaussianOperator(x, x, Tensor(0.5))
        let approximation = try preconditioner(kind, of: kernel, rank: 20)
        #expect(kind == .nystrom || approximation.rank == 5)
        #expect(try iterations(kernel, alpha: 1e-3, approximation) <= 3)
        // Without a shift there is nothing to solve for, but nothing breaks either.
        let power = approximation.power(-1, alpha: 0, times: randomTensor([30, 1], seed: 3))
        #expect(power.elements.allSatisfy { $0.isFinite })
    }

    @Test func mistakes() throws {
        let kernel = try GaussianOperator<Double>(points: 6, g: 1)
        #expect(throws: SolverError.self) { try kernel.nystromPreconditioner(rank: 0) }
        #expect(throws: SolverError.self) { try kernel.pivotedCholeskyPreconditioner(rank: -1) }
        let other = try GaussianOperator<Double>(points: 5, g: 1).pivotedCholeskyPreconditioner(rank: 2)
        let found = try #require(throws: SolverError.self) {
            try kernel.solve(randomTensor([6], seed: 1), preconditioner: other)
        }
        #expect("\(found)" == "A preconditioner has as many rows as its operator, 6; this one has 5.")
        let negative = try DenseOperator<Double>([[1, 0], [0, -1]])
        #expect(throws: SolverError.self) { try negative.pivotedCholeskyPreconditioner(rank: 1) }
    }
}
