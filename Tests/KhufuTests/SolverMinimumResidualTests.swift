import Testing

@testable import Khufu

/// MINRES, for operators that conjugate gradients refuse.
struct SolverMinimumResidualTests {
    /// A symmetric matrix with eigenvalues of both signs.
    private func indefinite(_ n: Int) throws -> Tensor<Double> {
        let kernel = try GaussianOperator<Double>(points: n, g: 200).matrix()
        return kernel.addingToDiagonal(-0.731)
    }

    @Test func agreesWithElimination() throws {
        let matrix = try indefinite(60)
        let b: Tensor<Double> = randomTensor([60, 4], seed: 1)
        #expect(throws: SolverError.self) { try DenseOperator(matrix).solve(b) }
        let x = try DenseOperator(matrix).solve(b, method: .minimumResiduals, tolerance: 1e-11)
        let expected = eliminate(matrix, b).solution
        #expect(try x.distance(to: expected) < 1e-7 * expected.norm)
    }

    @Test func agreesWithConjugateGradients() throws {
        let kernel = try GaussianOperator<Float>(points: 60, g: 100)
        let b: Tensor<Float> = randomTensor([60], seed: 2)
        let x = try kernel.solve(b, alpha: 0.2, method: .minimumResiduals)
        #expect(try x.distance(to: try kernel.solve(b, alpha: 0.2)) < 1e-4 * x.norm)
    }

    @Test func easyRightHandSidesBesideHardOnes() throws {
        let n = 40
        let matrix = try indefinite(n)
        let pairs = try DenseOperator(matrix).leadingEigenpairs(count: 1, tolerance: 1e-12)
        let random: Tensor<Double> = randomTensor([n], seed: 3)
        let b = try Tensor((0..<n).flatMap { [pairs.vectors[$0, 0], 0, random[$0]] }, shape: [n, 3])
        let x = try DenseOperator(matrix).solve(b, method: .minimumResiduals, tolerance: 1e-10)
        for row in 0..<n {
            #expect(abs(x[row, 0] - b[row, 0] / pairs.values[0]) < 1e-8)
            #expect(x[row, 1] == 0)
        }
        #expect(try matrix.matmul(x).distance(to: b) < 1e-9)
    }

    @Test func singularSystems() throws {
        let singular = try DenseOperator<Double>([[2, 0, 0], [0, -1, 0], [0, 0, 0]])
        let solvable = try singular.solve([2, 3, 0], method: .minimumResiduals)
        #expect(try solvable.distance(to: [1, -3, 0]) < 1e-12)
        let found = try #require(throws: SolverError.self) { try singular.solve([2, 3, 1], method: .minimumResiduals) }
        guard case .stagnated(let residual, _, _) = found else {
            Issue.record("Another error: \(found)")
            return
        }
        // The part of b that the operator cannot reach.
        #expect(abs(residual - 1 / 14.0.squareRoot()) < 1e-10)
    }

    @Test func smallShapes() throws {
        let negative = try DenseOperator<Double>([[-4]])
        #expect(try negative.solve([2], method: .minimumResiduals) == [-0.5])
        #expect(try negative.solve(Tensor(repeating: 0, shape: [1, 0]), method: .minimumResiduals).shape == [1, 0])
        #expect(try negative.solve([[0, 2]], method: .minimumResiduals) == [[0, -0.5]])
    }

    @Test func preconditioners() throws {
        let kernel = try GaussianOperator<Double>(points: 150, g: 10)
        let b: Tensor<Double> = randomTensor([150], seed: 4)
        let preconditioner = try kernel.pivotedCholeskyPreconditioner(rank: 20)
        let (plain, faster) = (ProgressLog(), ProgressLog())
        let x = try kernel.solve(b, alpha: 1e-4, method: .minimumResiduals, progress: { plain.append($0) })
        let same = try kernel.solve(
            b, alpha: 1e-4, method: .minimumResiduals, preconditioner: preconditioner, progress: { faster.append($0) })
        #expect(try x.distance(to: same) < 1e-3 * x.norm)
        #expect(faster.reports.count * 3 < plain.reports.count)
    }
}
