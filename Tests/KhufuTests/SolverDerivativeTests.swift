import Synchronization
import Testing

@testable import Khufu

/// Derivatives of solves, against differences of eliminations: also where a variable moves that leaves the matrix unsymmetric.
struct SolverDerivativeTests {
    private static let n = 9
    /// b, alpha, x, y, g: the operands of a solve with a Gaussian kernel.
    private let point: [Tensor<Double>]
    private let weights: Tensor<Double> = randomTensor([Self.n, 2], seed: 22)

    init() throws {
        let x: Tensor<Double> = randomTensor([Self.n, 2], seed: 20)
        point = [randomTensor([Self.n, 2], seed: 21), Tensor(0.7), x, x, Tensor(1.3)]
    }

    /// A cubic function of the solution, whose derivatives of all orders pass through it.
    private func loss(_ solution: Tensor<Double>) throws -> Tensor<Double> {
        try (solution * solution * solution * weights + solution).sum()
    }

    private func solved(_ point: [Tensor<Double>], method: SolverMethod = .conjugateGradients) throws -> Tensor<Double> {
        try loss(
            GaussianOperator(point[2], point[3], point[4]).solve(point[0], alpha: point[1], method: method, tolerance: 1e-13))
    }

    private func eliminated(_ point: [Tensor<Double>]) throws -> Double {
        let matrix = try GaussianOperator(point[2], point[3], point[4]).matrix().addingToDiagonal(point[1].scalar)
        return try loss(eliminate(matrix, point[0]).solution).scalar
    }

    private func moved(_ point: [Tensor<Double>], _ directions: [Tensor<Double>], _ step: Double) throws -> [Tensor<Double>] {
        try zip(point, directions).map { try $0 + $1 * step }
    }

    @Test(arguments: [SolverMethod.conjugateGradients, .minimumResiduals]) func gradients(method: SolverMethod) throws {
        let (value, gradients) = try valueWithGradient(at: point) { try solved($0, method: method) }
        #expect(abs(value.scalar - (try eliminated(point))) < 1e-10)
        for (operand, gradient) in gradients.enumerated() {
            #expect(gradient.shape == point[operand].shape)
            for place in 0..<point[operand].count {
                var (above, below) = (point, point)
                above[operand] = above[operand].adding(1e-5, at: place)
                below[operand] = below[operand].adding(-1e-5, at: place)
                let difference = try (eliminated(above) - eliminated(below)) / 2e-5
                #expect(abs(gradient.elements[place] - difference) < 1e-7 * max(1, abs(difference)))
            }
        }
    }

    @Test func secondDerivatives() throws {
        // For each pair of operands: uᵀ H v by gradients of gradients, and by mixed differences.
        let u = point.indices.map { randomTensor(point[$0].shape, seed: UInt64(30 + $0)) as Tensor<Double> }
        let v = point.indices.map { randomTensor(point[$0].shape, seed: UInt64(40 + $0)) as Tensor<Double> }
        func only(_ operand: Int, _ directions: [Tensor<Double>]) -> [Tensor<Double>] {
            directions.enumerated().map { $0 == operand ? $1 : $1 * 0 }
        }
        for first in point.indices {
            let inputs = point.map { $0.tracked() }
            let slope = try gradient(of: solved(inputs), withRespectTo: [inputs[first]], differentiable: true)[0]
            let rows = try gradient(of: slope.dot(u[first]), withRespectTo: inputs)
            for second in point.indices {
                let step = 2e-4
                var difference = 0.0
                for (a, b) in [(1.0, 1.0), (1, -1), (-1, 1), (-1, -1)] {
                    let place = try moved(moved(point, only(first, u), a * step), only(second, v), b * step)
                    difference += try a * b * eliminated(place)
                }
                difference /= 4 * step * step
                let exact = try rows[second].dot(v[second]).scalar
                #expect(abs(exact - difference) < 2e-5 * max(1, abs(difference)), "operands \(first) and \(second)")
            }
        }
    }

    @Test func derivativesAlongDirections() throws {
        let direction: Tensor<Double> = randomTensor([Self.n, 2], seed: 51)
        func solution(_ x: Tensor<Double>) throws -> Tensor<Double> {
            try GaussianOperator(x, point[3], point[4]).solve(point[0], alpha: 0.7, tolerance: 1e-13)
        }
        func eliminated(_ step: Double) throws -> Tensor<Double> {
            let matrix = try GaussianOperator(point[2] + direction * step, point[3], point[4]).matrix()
            return eliminate(matrix.addingToDiagonal(0.7), point[0]).solution
        }
        let product = try jacobianVectorProduct(of: solution, at: point[2], along: direction)
        let difference = try (eliminated(1e-5) - eliminated(-1e-5)) / 2e-5
        #expect(try product.distance(to: difference) < 1e-7 * difference.norm)
    }

    @Test func derivativesOfDenseMatrices() throws {
        // -(A⁻ᵀ c) xᵀ.
        let matrix: Tensor<Double> = [[2, 0.5], [0.5, 1]]
        let b: Tensor<Double> = [1, -2]
        let c: Tensor<Double> = [3, 1]
        let slope = try gradient(at: matrix) { try DenseOperator($0).solve(b).dot(c) }
        let (x, w) = (eliminate(matrix, b).solution, eliminate(matrix, c).solution)
        #expect(try slope.distance(to: -w.reshaped([2, 1]) * x.reshaped([1, 2])) < 1e-12)
    }

    @Test func oneAdjointSolveServesAllOperands() throws {
        let counter = Counter()
        let inputs = point.map { $0.tracked() }
        let kernel = GaussianOperator(inputs[2], inputs[3], inputs[4])
        let x = try kernel.solve(inputs[0], alpha: inputs[1], progress: { if $0.iteration == 1 { counter.add() } })
        #expect(counter.count == 1)
        let value = x.squared().sum()
        _ = try gradient(of: value, withRespectTo: inputs)
        #expect(counter.count == 2)
        _ = try gradient(of: value, withRespectTo: inputs, differentiable: true)
        #expect(counter.count == 3)
        _ = try gradient(of: value, withRespectTo: [inputs[1]])
        #expect(counter.count == 4)
    }

    @Test func graphsAreFreed() throws {
        // A record that held its own result would keep the operator's closure for ever.
        weak var held: Counter?
        try {
            let counter = Counter()
            held = counter
            var kernel = try GaussianOperator<Double>(points: 5, g: 3)
            kernel.onProduct = { _ in counter.add() }
            let alpha = Tensor(0.5).tracked()
            let b: Tensor<Double> = Tensor([1, 2, 3, 4, 5]).tracked()
            let value = try kernel.solve(b, alpha: alpha).squared().sum()
            let slopes = try gradient(of: value, withRespectTo: [b, alpha], differentiable: true)
            _ = try gradient(of: slopes[1].sum() + slopes[0].sum(), withRespectTo: [b, alpha], differentiable: true)
            #expect(counter.count > 0)
        }()
        #expect(held == nil)
    }

    @Test func inFloatAndWithPreconditioner() throws {
        let kernel = try GaussianOperator<Float>(points: 40, g: 40)
        let exact = try GaussianOperator<Double>(points: 40, g: 40)
        let b: Tensor<Float> = randomTensor([40], seed: 50)
        let wide: Tensor<Double> = randomTensor([40], seed: 50)
        let preconditioner = try kernel.pivotedCholeskyPreconditioner(rank: 10)
        let slope = try gradient(at: kernel.g) { g in
            try GaussianOperator(kernel.x, kernel.y, g).solve(b, alpha: 0.1, preconditioner: preconditioner).squared().sum()
        }
        let expected = try gradient(at: exact.g) { g in
            try GaussianOperator(exact.x, exact.y, g).solve(wide, alpha: 0.1).squared().sum()
        }
        #expect(abs(Double(slope.scalar) - expected.scalar) < 1e-3 * abs(expected.scalar))
    }

    @Test func affineOperators() throws {
        // Scale and shift are variables: the solution of (aK + sI + αI) x = b.
        let kernel = try GaussianOperator<Double>(points: 8, g: 10)
        let b: Tensor<Double> = randomTensor([8], seed: 60)
        func loss(_ inputs: [Tensor<Double>]) throws -> Tensor<Double> {
            try kernel.scaled(by: inputs[0]).shifted(by: inputs[1]).solve(b, alpha: 0.25, tolerance: 1e-13).squared().sum()
        }
        func reference(_ scale: Double, _ shift: Double) throws -> Double {
            try eliminate((kernel.matrix() * scale).addingToDiagonal(shift + 0.25), b).solution.squared().sum().scalar
        }
        let (value, slopes) = try valueWithGradient(at: [Tensor(2), Tensor(0.5)], of: loss)
        #expect(abs(value.scalar - (try reference(2, 0.5))) < 1e-10)
        #expect(abs(slopes[0].scalar - (try reference(2 + 1e-5, 0.5) - reference(2 - 1e-5, 0.5)) / 2e-5) < 1e-7)
        #expect(abs(slopes[1].scalar - (try reference(2, 0.5 + 1e-5) - reference(2, 0.5 - 1e-5)) / 2e-5) < 1e-7)

        let dense = try (kernel.matrix() * 2).addingToDiagonal(0.5)
        let both = try AffineOperator(kernel, scale: Tensor(2), shift: Tensor(0.5))
        #expect(try both.columns([5, 0]).distance(to: DenseOperator(dense).columns([5, 0])) < 1e-14)
        #expect(try both.diagonal().distance(to: DenseOperator(dense).diagonal()) < 1e-14)
        #expect(try both.transposedProduct(b).distance(to: dense.matmul(b)) < 1e-13)
    }
}

private final class Counter: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}
