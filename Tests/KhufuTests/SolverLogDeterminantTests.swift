import Testing

@testable import Khufu

/// Log-determinants and Gaussian processes, against eliminations.
struct SolverLogDeterminantTests {
    private func exact(_ kernel: GaussianOperator<Double>, alpha: Double) throws -> Double {
        eliminate(try kernel.matrix().addingToDiagonal(alpha), Tensor(repeating: 0, shape: [kernel.rowCount])).logDeterminant
    }

    @Test(arguments: [1, 2, 7, 60]) func unitVectorsAreExact(n: Int) throws {
        let kernel = try GaussianOperator<Double>(points: n, g: 50)
        let estimate = try kernel.logDeterminant(alpha: 0.1, probes: n, tolerance: 1e-10)
        #expect(estimate.standardError == 0)
        #expect(abs(estimate.value.scalar - (try exact(kernel, alpha: 0.1))) < 1e-6)
    }

    @Test func probesAreWithinTheirStandardError() throws {
        let kernel = try GaussianOperator<Double>(points: 150, g: 100)
        let expected = try exact(kernel, alpha: 0.05)
        var squares: [Double] = []
        for seed in 0..<20 {
            let estimate = try kernel.logDeterminant(alpha: 0.05, probes: 12, seed: UInt64(seed))
            #expect(estimate.standardError > 0 && estimate.quadratureError < 1e-4)
            squares.append(((estimate.value.scalar - expected) / estimate.standardError).squared)
        }
        // Student's t with 11 degrees of freedom has variance 1.2; the mean of twenty squares lies near it.
        let mean = squares.reduce(0, +) / 20
        #expect(mean > 0.3 && mean < 3)
        let again = try kernel.logDeterminant(alpha: 0.05, probes: 12, seed: 3).value
        #expect(try kernel.logDeterminant(alpha: 0.05, probes: 12, seed: 3).value == again)
        #expect(try kernel.logDeterminant(alpha: 0.05, probes: 12, seed: 4).value != again)
    }

    @Test func preconditionersReduceErrors() throws {
        let kernel = try GaussianOperator<Double>(points: 150, g: 100)
        let expected = try exact(kernel, alpha: 0.01)
        let plain = try kernel.logDeterminant(alpha: 0.01, probes: 8)
        for preconditioner in [try kernel.pivotedCholeskyPreconditioner(rank: 30), try kernel.nystromPreconditioner(rank: 30)] {
            let better = try kernel.logDeterminant(alpha: 0.01, probes: 8, preconditioner: preconditioner)
            #expect(better.standardError < 0.05 * plain.standardError)
            #expect(abs(better.value.scalar - expected) < 4 * better.standardError + 1e-4)
        }
    }

    @Test func inFloat() throws {
        let kernel = try GaussianOperator<Float>(points: 60, g: 100)
        let expected = try exact(GaussianOperator<Double>(points: 60, g: 100), alpha: 0.1)
        let estimate = try kernel.logDeterminant(alpha: 0.1, probes: 60)
        #expect(abs(Double(estimate.value.scalar) - expected) < 1e-3 * abs(expected))
    }

    @Test func mistakes() throws {
        let indefinite = try DenseOperator<Double>([[1, 0], [0, -2]])
        let found = try #require(throws: SolverError.self) { try indefinite.logDeterminant() }
        guard case .notPositiveDefinite = found else {
            Issue.record("Another error: \(found)")
            return
        }
        #expect(throws: SolverError.self) { try indefinite.logDeterminant(alpha: 3, probes: 0) }
        #expect(throws: SolverError.self) { try DenseOperator<Double>([[1, 2]]).logDeterminant() }
    }

    // MARK: Gaussian processes

    private func likelihood(_ inputs: [Tensor<Double>]) throws -> Double {
        let matrix = try GaussianOperator(inputs[2], inputs[3], inputs[4]).matrix().addingToDiagonal(inputs[1].scalar)
        let (solution, logDeterminant) = eliminate(matrix, inputs[0])
        return try -0.5 * (inputs[0].dot(solution).scalar + logDeterminant + Double(inputs[0].count) * Double.log(2 * .pi))
    }

    private func point(_ n: Int) -> [Tensor<Double>] {
        let x: Tensor<Double> = randomTensor([n, 1], seed: 70)
        return [randomTensor([n], seed: 71), Tensor(0.3), x, x, Tensor(4)]
    }

    private func difference(_ point: [Tensor<Double>], _ operand: Int, _ place: Int) throws -> Double {
        var (above, below) = (point, point)
        above[operand] = above[operand].adding(1e-5, at: place)
        below[operand] = below[operand].adding(-1e-5, at: place)
        return try (likelihood(above) - likelihood(below)) / 2e-5
    }

    @Test(arguments: [false, true]) func gradientOfTheExactLikelihood(isPreconditioned: Bool) throws {
        let point = point(12)
        let preconditioner =
            isPreconditioned ? try GaussianOperator(point[2], point[3], point[4]).nystromPreconditioner(rank: 4) : nil
        let (value, slopes) = try valueWithGradient(at: point) {
            try GaussianOperator($0[2], $0[3], $0[4]).gaussianProcessLogLikelihood(
                of: $0[0], noise: $0[1], probes: 12, tolerance: 1e-12, preconditioner: preconditioner)
        }
        #expect(abs(value.scalar - (try likelihood(point))) < 1e-8)
        for operand in point.indices {
            for place in 0..<point[operand].count {
                let expected = try difference(point, operand, place)
                #expect(abs(slopes[operand].elements[place] - expected) < 1e-6 * max(1, abs(expected)))
            }
        }
    }

    @Test func secondDerivativeOfTheExactLikelihood() throws {
        let point = point(8)
        func slope(_ operand: Int) throws -> [Tensor<Double>] {
            let inputs = point.map { $0.tracked() }
            let value = try GaussianOperator(inputs[2], inputs[3], inputs[4]).gaussianProcessLogLikelihood(
                of: inputs[0], noise: inputs[1], probes: 8, tolerance: 1e-12)
            let first = try gradient(of: value, withRespectTo: [inputs[operand]], differentiable: true)[0]
            return try gradient(of: first.sum(), withRespectTo: inputs)
        }
        for operand in [1, 2, 4] {
            let rows = try slope(operand)
            let ones = point.enumerated().map { Tensor<Double>(repeating: $0 == operand ? 1 : 0, shape: $1.shape) }
            for other in [1, 2, 3, 4] {
                let step = 2e-4
                var expected = 0.0
                for (a, b) in [(1.0, 1.0), (1, -1), (-1, 1), (-1, -1)] {
                    var place = try zip(point, ones).map { try $0 + $1 * (a * step) }
                    place[other] = place[other].adding(b * step, at: 0)
                    expected += try a * b * likelihood(place)
                }
                expected /= 4 * step * step
                #expect(abs(rows[other].elements[0] - expected) < 1e-4 * max(1, abs(expected)), "\(operand), \(other)")
            }
        }
    }

    @Test func gradientByProbesIsWithinItsError() throws {
        let point = point(60)
        let kernel = GaussianOperator(point[2], point[3], point[4])
        let expected = [try difference(point, 1, 0), try difference(point, 4, 0)]
        func slopes(_ preconditioner: LowRankPreconditioner?, seed: UInt64) throws -> [Double] {
            try valueWithGradient(at: [point[1], point[4]]) {
                try GaussianOperator(point[2], point[3], $0[1]).gaussianProcessLogLikelihood(
                    of: point[0], noise: $0[0], probes: 24, seed: seed, preconditioner: preconditioner)
            }.gradients.map(\.scalar)
        }
        // The mean over seeds comes nearer to the exact gradient than its spread allows for by chance, at four standard errors.
        for preconditioner in [nil, try kernel.pivotedCholeskyPreconditioner(rank: 6)] {
            let samples = try (0..<12).map { try slopes(preconditioner, seed: $0) }
            for k in 0..<2 {
                let mean = samples.reduce(0) { $0 + $1[k] } / 12
                let variance = samples.reduce(0) { $0 + ($1[k] - mean).squared } / 11
                #expect(abs(mean - expected[k]) < 4 * (variance / 12).squareRoot() + 1e-6 * abs(expected[k]))
                #expect(variance.squareRoot() < 0.2 * abs(expected[k]) + 1)
            }
        }
    }

    @Test func training() throws {
        // Steps along the gradient find the length scale and the noise that the data were made with, about.
        let n = 80
        let kernel = try GaussianOperator<Double>(points: n, g: 30)
        let covariance = symmetricEigenpairs(Columns(try kernel.matrix()))
        var random = SolverRandom(seed: 5)
        var sample = random.normalColumns(length: n, count: 1)
        for k in 0..<n { sample[k, 0] *= max(0, covariance.values[k]).squareRoot() }
        var y = covariance.vectors.times(sample)
        y.add(0.2, times: random.normalColumns(length: n, count: 1))
        let observations: Tensor<Double> = y.tensor(shape: [n])

        // Logarithms of the noise's variance and of g.
        var parameters = [Tensor(Double.log(0.5)), Tensor(Double.log(5))]
        var values: [Double] = []
        for _ in 0..<40 {
            let (value, slopes) = try valueWithGradient(at: parameters) {
                try GaussianOperator(kernel.x, kernel.y, $0[1].exp()).gaussianProcessLogLikelihood(
                    of: observations, noise: $0[0].exp(), probes: 16, seed: 1)
            }
            values.append(value.scalar)
            parameters = try zip(parameters, slopes).map { try $0 + $1 * 0.02 }
        }
        #expect(values.last! > values.first! + 10)
        let (noise, g) = (Double.exp(parameters[0].scalar), Double.exp(parameters[1].scalar))
        #expect(noise > 0.02 && noise < 0.08 && g > 10 && g < 90, "noise \(noise), g \(g)")
    }
}

extension Double {
    fileprivate var squared: Double { self * self }
}
