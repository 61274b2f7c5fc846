import Synchronization
import Testing

@testable import Khufu

/// Conjugate gradients: solutions, residuals, shapes, and what is said where there are none.
struct SolverSolveTests {
    private func relativeResidual<Scalar: TensorScalar>(
        _ matrix: Tensor<Scalar>, _ x: Tensor<Scalar>, _ b: Tensor<Scalar>, alpha: Scalar
    ) throws -> Double {
        // In Double, whatever the solver has used.
        func wide(_ tensor: Tensor<Scalar>) throws -> Tensor<Double> {
            try Tensor(tensor.elements.map { Double($0) }, shape: tensor.shape)
        }
        let product = try wide(matrix).matmul(wide(x)) + wide(x) * Double(alpha)
        return try wide(b).distance(to: product) / wide(b).norm
    }

    @Test func agreesWithEliminationInDouble() throws {
        let kernel = try GaussianOperator<Double>(points: 80, g: 20)
        let b: Tensor<Double> = randomTensor([80, 3], seed: 1)
        let x = try kernel.solve(b, alpha: 0.01, tolerance: 1e-12)
        let expected = try eliminate(kernel.matrix().addingToDiagonal(0.01), b).solution
        #expect(x.shape == [80, 3])
        #expect(try x.distance(to: expected) < 1e-8 * expected.norm)
    }

    // Rounding allows about 10⁻¹⁶ |K| / alpha.
    @Test(arguments: [(1e-2, 1e-12), (1e-4, 1e-8), (1e-6, 1e-8), (1e-8, 1e-6)])
    func residualInDouble(alpha: Double, tolerance: Double) throws {
        let kernel = try GaussianOperator<Double>(points: 200, g: 10)
        let b: Tensor<Double> = randomTensor([200], seed: 2)
        let x = try kernel.solve(b, alpha: alpha, tolerance: tolerance)
        #expect(x.shape == [200])
        #expect(try relativeResidual(kernel.matrix(), x, b, alpha: alpha) <= 1.01 * tolerance)
    }

    @Test func residualInFloat() throws {
        let kernel = try GaussianOperator<Float>(points: 150, g: 10)
        let b: Tensor<Float> = randomTensor([150, 2], seed: 3)
        let x = try kernel.solve(b, alpha: 0.5)
        #expect(try relativeResidual(kernel.matrix(), x, b, alpha: 0.5) <= 2e-5)
    }

    @Test func sizesOfRightHandSidesDoNotMatter() throws {
        let kernel = try GaussianOperator<Float>(points: 40, g: 30)
        let b: Tensor<Float> = randomTensor([40], seed: 4)
        for scale in [Float(1e-30), 1e-10, 1e10, 1e28] {
            let x = try kernel.solve(b * scale, alpha: 0.1)
            let expected = try kernel.solve(b, alpha: 0.1)
            #expect(try (x / scale).distance(to: expected) < 1e-5 * expected.norm)
        }
    }

    @Test func eachColumnEndsByItself() throws {
        // An eigenvector takes one iteration, a zero none, a random vector many; each is as it would be alone.
        var kernel = try GaussianOperator<Double>(points: 60, g: 50)
        let log = WidthLog()
        let eigenvector = try kernel.leadingEigenpairs(count: 1, tolerance: 1e-13).vectors.elements
        let random = randomTensor([60], seed: 6).elements as [Double]
        let b = try Tensor(
            (0..<60).flatMap { [eigenvector[$0], 0, random[$0], 0, 0, 0] }, shape: [60, 6])
        kernel.onProduct = { log.append($0) }
        let x = try kernel.solve(b, alpha: 1e-3)
        // The zeros take no part, and the eigenvector leaves.
        #expect(log.widths.first == 2)
        #expect(log.widths.count { $0 == 1 } > 5)
        let alone = try kernel.solve(Tensor(random), alpha: 1e-3)
        for row in 0..<60 {
            #expect(x[row, 1] == 0 && x[row, 5] == 0)
            #expect(abs(x[row, 2] - alone[row]) < 1e-6 * alone.norm)
        }
    }

    @Test func smallShapes() throws {
        let one = try DenseOperator<Double>([[4]])
        #expect(try one.solve([2]) == [0.5])
        #expect(try one.solve([[2, 0, -6]], alpha: 2).elements.elementsEqual([1.0 / 3, 0, -1]) { abs($0 - $1) < 1e-15 })
        let none = try one.solve(Tensor(repeating: 0, shape: [1, 0]))
        #expect(none.shape == [1, 0])
        let empty = try DenseOperator<Double>(Tensor(repeating: 0, shape: [0, 0]))
        #expect(try empty.solve(Tensor(repeating: 0, shape: [0])).shape == [0])
        #expect(try one.solve(Tensor(repeating: 0, shape: [1])) == [0])
    }

    @Test func zeroRightHandSideNeedsNoProduct() throws {
        var kernel = try GaussianOperator<Double>(points: 10, g: 1)
        kernel.onProduct = { _ in Issue.record("A product of a zero vector was computed.") }
        #expect(try kernel.solve(Tensor(repeating: 0, shape: [10, 2])) == Tensor(repeating: 0, shape: [10, 2]))
    }

    // MARK: Errors

    private func error(_ body: () throws -> Void) throws -> SolverError { try #require(throws: SolverError.self) { try body() } }

    @Test func shapesThatDoNotFit() throws {
        let wide = try DenseOperator<Double>([[1, 2, 3], [4, 5, 6]])
        #expect(try error { _ = try wide.solve([1, 2]) } == .notSquare(rows: 2, columns: 3))
        let square = try DenseOperator<Double>([[2, 0], [0, 3]])
        #expect(try error { _ = try square.solve([1, 2, 3]) } == .rightHandSide(shape: [3], rows: 2))
        #expect(try error { _ = try square.solve(Tensor(1)) } == .rightHandSide(shape: [], rows: 2))
        #expect(
            "\(SolverError.rightHandSide(shape: [3], rows: 2))"
                == "A right-hand side of this operator has shape [2] or [2, k]; this one has [3].")
        #expect(try "\(error { _ = try square.solve([1, 2], alpha: [1, 2]) })" == "alpha is one number; this one has shape [2].")
        #expect(throws: SolverError.self) { try square.solve([1, 2], tolerance: 0) }
        #expect(throws: SolverError.self) { try square.solve([1, 2], maximumIterations: 0) }
    }

    @Test func indefiniteOperators() throws {
        let indefinite = try DenseOperator<Double>([[1, 0], [0, -3]])
        let found = try error { _ = try indefinite.solve([1, 1]) }
        guard case .notPositiveDefinite(let curvature, _, let iteration) = found else {
            Issue.record("Another error: \(found)")
            return
        }
        #expect(abs(curvature + 1) < 1e-14 && iteration == 1)
        #expect("\(found)".contains("in iteration 1 pᵀAp / pᵀp = -1.00 was found"))
        // A shift repairs it.
        #expect(try indefinite.solve([5, 1], alpha: 4).elements.elementsEqual([1, 1]) { abs($0 - $1) < 1e-14 })
    }

    @Test func iterationCap() throws {
        let kernel = try GaussianOperator<Double>(points: 100, g: 10)
        let found = try error { _ = try kernel.solve(randomTensor([100], seed: 5), alpha: 1e-8, maximumIterations: 4) }
        guard case .notConverged(let residual, 1e-8, 4) = found else {
            Issue.record("Another error: \(found)")
            return
        }
        #expect(residual > 1e-3)
    }

    @Test func roundingThatEndsProgress() throws {
        // Condition number 10⁷ and more in Float: 10⁻⁷ is out of reach, and said to be.
        let kernel = try GaussianOperator<Float>(points: 300, g: 3)
        let found = try error { _ = try kernel.solve(randomTensor([300], seed: 8), alpha: 1e-4, tolerance: 1e-7) }
        switch found {
        case .stagnated(let residual, _, let iterations): #expect(residual > 1e-7 && residual < 1 && iterations > 3)
        case .notPositiveDefinite(let curvature, let largest, _): #expect(abs(curvature) < 1e-5 * largest)
        default: Issue.record("Another error: \(found)")
        }
    }

    @Test func notFinite() throws {
        let square = try DenseOperator<Double>([[2, 0], [0, 3]])
        #expect(try error { _ = try square.solve(Tensor([1, .nan] as [Double])) } == .notFinite("the right-hand side"))
        #expect(try error { _ = try square.solve([1, 2], alpha: .infinity) } == .notFinite("alpha"))
        let broken = try DenseOperator<Double>(Tensor([2, .nan, .nan, 3] as [Double], shape: [2, 2]))
        #expect(try error { _ = try broken.solve([1, 2]) } == .notFinite("the operator's product"))
    }

    // MARK: Progress

    @Test func progressIsReported() throws {
        let kernel = try GaussianOperator<Double>(points: 50, g: 40)
        let log = ProgressLog()
        _ = try kernel.solve(randomTensor([50, 2], seed: 7), alpha: 0.01, progress: { log.append($0) })
        let reports = log.reports
        #expect(reports.map(\.iteration) == Array(1...reports.count))
        #expect(reports.first?.residual == 1 && reports.first?.remaining == 2)
        #expect(reports.count > 5 && reports.last!.residual < 1e-6)
    }

    @Test func progressCanStop() throws {
        struct Enough: Error {}
        let kernel = try GaussianOperator<Double>(points: 50, g: 40)
        let log = ProgressLog()
        #expect(throws: Enough.self) {
            try kernel.solve(randomTensor([50], seed: 7), alpha: 0.01) { progress in
                log.append(progress)
                if progress.iteration == 3 { throw Enough() }
            }
        }
        #expect(log.reports.count == 3)
    }
}

final class ProgressLog: Sendable {
    private let log = Mutex<[SolverProgress]>([])
    var reports: [SolverProgress] { log.withLock { $0 } }
    func append(_ progress: SolverProgress) { log.withLock { $0.append(progress) } }
}

private final class WidthLog: Sendable {
    private let log = Mutex<[Int]>([])
    var widths: [Int] { log.withLock { $0 } }
    func append(_ width: Int) { log.withLock { $0.append(width) } }
}
