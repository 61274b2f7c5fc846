import Khufu
import Testing

/// Solvers on symbolic matrices, against the same solvers on the matrix in memory and against differences.
@Suite struct LazyOperatorTests {
    let x = random([30, 2], seed: 21), b = random([30, 3], seed: 22)

    func kernel(_ x: Tensor<Double>) throws -> LazyTensor<Double> {
        try (-LazyTensor(rows: x).squaredDistance(to: LazyTensor(columns: x)) * 2.5).exp()
    }

    func dense(_ x: Tensor<Double>) throws -> DenseOperator<Double> {
        let rows = try x.reshaped([30, 1, 2]), columns = try x.reshaped([1, 30, 2])
        return try DenseOperator(((rows - columns).squared().sum(axes: [2]) * -2.5).exp())
    }

    @Test func solutionsAndTheirDerivatives() throws {
        let weights = try kernel(x).solve(b, alpha: 0.1, tolerance: 1e-12)
        try expectClose(weights, dense(x).solve(b, alpha: 0.1, tolerance: 1e-12), within: 1e-9)
        try expectClose(kernel(x).matmul(weights) + weights * 0.1, b, within: 1e-10)

        let alpha = Tensor(0.1)
        func misfit(_ v: [Tensor<Double>], _ solve: ([Tensor<Double>]) throws -> Tensor<Double>) throws -> Tensor<Double> {
            try solve(v).squared().sum()
        }
        let lazySlopes = try gradients(at: [x, b, alpha]) { v in
            try misfit(v) { try kernel($0[0]).solve($0[1], alpha: $0[2], tolerance: 1e-12) }
        }
        let denseSlopes = try gradients(at: [x, b, alpha]) { v in
            try misfit(v) { try dense($0[0]).solve($0[1], alpha: $0[2], tolerance: 1e-12) }
        }
        for (lazy, dense) in zip(lazySlopes, denseSlopes) { try expectClose(lazy, dense, within: 1e-8) }

        let direction = random([30, 2], seed: 23)
        func energy(_ x: Tensor<Double>) throws -> Tensor<Double> {
            try kernel(x).solve(b, alpha: 0.1, tolerance: 1e-12).squared().sum()
        }
        let curvature = try hessianVectorProduct(of: energy, at: x, along: direction)
        let step = 1e-5
        let difference =
            try (gradient(at: x + direction * step, of: energy) - gradient(at: x - direction * step, of: energy)) / (2 * step)
        try expectClose(curvature, difference, within: 1e-5)
    }

    @Test func preconditionersComeFromTheFormula() throws {
        let operators = try (kernel(x), dense(x))
        for rank in [5, 15] {
            let cholesky = try operators.0.pivotedCholeskyPreconditioner(rank: rank)
            let solution = try operators.0.solve(b, alpha: 1e-4, tolerance: 1e-10, preconditioner: cholesky)
            try expectClose(solution, operators.1.solve(b, alpha: 1e-4, tolerance: 1e-10), within: 1e-5)
            let nystrom = try operators.0.nystromPreconditioner(rank: rank, seed: 1)
            try expectClose(
                operators.0.solve(b, alpha: 1e-4, tolerance: 1e-10, preconditioner: nystrom), solution, within: 1e-5)
        }
    }

    @Test func spectrumAndLikelihood() throws {
        let lazy = try kernel(x).leadingEigenpairs(count: 4), matrix = try dense(x).leadingEigenpairs(count: 4)
        try expectClose(lazy.values, matrix.values, within: 1e-7)
        try expectClose(kernel(x).matmul(lazy.vectors), lazy.vectors * lazy.values, within: 1e-6)
        let y = try b.selecting([0], axis: 1).reshaped([-1])
        func likelihood(_ x: Tensor<Double>) throws -> Tensor<Double> {
            try kernel(x).gaussianProcessLogLikelihood(of: y, noise: Tensor(0.1), probes: 30)
        }
        func denseLikelihood(_ x: Tensor<Double>) throws -> Tensor<Double> {
            try dense(x).gaussianProcessLogLikelihood(of: y, noise: Tensor(0.1), probes: 30)
        }
        try expectClose(likelihood(x), denseLikelihood(x), within: 1e-8)
        try expectClose(gradient(at: x, of: likelihood), gradient(at: x, of: denseLikelihood), within: 1e-6)
    }
}
