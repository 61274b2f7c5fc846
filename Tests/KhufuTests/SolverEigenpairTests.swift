import Testing

@testable import Khufu

/// Leading eigenpairs of operators whose spectra are known.
struct SolverEigenpairTests {
    /// Q diag(spectrum) Qᵀ.
    private func matrix(_ spectrum: [Double], seed: UInt64 = 11) -> Tensor<Double> {
        var random = SolverRandom(seed: seed)
        let q = random.normalColumns(length: spectrum.count, count: spectrum.count).orthonormalized()
        var scaled = q
        scaled.scale(spectrum)
        return scaled.times(q.transposedTimes(.identity(spectrum.count))).symmetrized().tensor()
    }

    private func check(_ matrix: Tensor<Double>, count: Int, _ expected: [Double], tolerance: Double = 1e-9) throws {
        let pairs = try DenseOperator(matrix).leadingEigenpairs(count: count, tolerance: tolerance)
        #expect(pairs.values.shape == [count] && pairs.vectors.shape == [matrix.shape[0], count])
        for k in 0..<count { #expect(abs(pairs.values[k] - expected[k]) < 10 * tolerance * abs(expected[0])) }
        let gram = try pairs.vectors.transposed().matmul(pairs.vectors)
        #expect(try gram.distance(to: Columns.identity(count).tensor()) < 1e-12)
        let residual = try matrix.matmul(pairs.vectors) - pairs.vectors * pairs.values
        #expect(residual.norm < 10 * tolerance * abs(expected[0]))
    }

    @Test func separatedEigenvalues() throws {
        let spectrum = (0..<120).map { Double.pow(0.9, Double($0)) }
        try check(matrix(spectrum), count: 6, spectrum)
    }

    @Test func eigenvaluesOfHighMultiplicity() throws {
        let spectrum = Array(repeating: 3.0, count: 5) + Array(repeating: 2.0, count: 4) + (0..<91).map { 1 - Double($0) / 100 }
        try check(matrix(spectrum), count: 8, spectrum)
        try check(Columns.identity(20).tensor(), count: 4, [1, 1, 1, 1])
    }

    @Test func slowSpectraRestart() throws {
        // The second difference: eigenvalues at the end lie close to each other.
        let n = 150
        let difference: Tensor<Double> = Tensor(shape: [n, n]) { buffer in
            buffer.initialize(repeating: 0)
            for k in 0..<n {
                buffer[k * n + k] = 2
                if k > 0 { (buffer[k * n + k - 1], buffer[k * n - n + k]) = (-1, -1) }
            }
        }
        let expected = (0..<n).map { 2 - 2 * Double.cos(Double(n - $0) * .pi / Double(n + 1)) }
        try check(difference, count: 3, expected, tolerance: 1e-8)
    }

    @Test func indefiniteAndNegative() throws {
        let spectrum = [2, 0.5, 0, -0.5, -1, -7]
        try check(matrix(spectrum), count: 3, spectrum)
        try check(matrix([-1, -2, -3, -4]), count: 2, [-1, -2])
    }

    @Test func smallShapes() throws {
        try check([[-2]], count: 1, [-2])
        try check(matrix([5, 4, 3]), count: 3, [5, 4, 3])
        let zero = try DenseOperator(Tensor<Double>(repeating: 0, shape: [7, 7])).leadingEigenpairs(count: 2)
        #expect(zero.values == [0, 0])
    }

    @Test func inFloatAndAgain() throws {
        let kernel = try GaussianOperator<Float>(points: 200, g: 5)
        let pairs = try kernel.leadingEigenpairs(count: 4, seed: 9)
        let exact = try GaussianOperator<Double>(points: 200, g: 5).leadingEigenpairs(count: 4)
        for k in 0..<4 { #expect(abs(Double(pairs.values[k]) - exact.values[k]) < 2e-5 * exact.values[0]) }
        #expect(try kernel.leadingEigenpairs(count: 4, seed: 9) == pairs)
    }

    @Test func mistakes() throws {
        let small = try DenseOperator<Double>([[1, 0], [0, 2]])
        let found = try #require(throws: SolverError.self) { try small.leadingEigenpairs(count: 3) }
        #expect("\(found)" == "An operator of 2 rows has 1 to 2 leading eigenpairs; 3 were asked for.")
        #expect(throws: SolverError.self) { try small.leadingEigenpairs(count: 0) }
        #expect(throws: SolverError.self) { try DenseOperator<Double>([[1, 2]]).leadingEigenpairs(count: 1) }
        let slow = try DenseOperator(matrix((0..<100).map { 1 - 1e-4 * Double($0) }))
        #expect(throws: SolverError.self) { try slow.leadingEigenpairs(count: 2, tolerance: 1e-12, maximumIterations: 3) }
        let broken = try DenseOperator<Double>(Tensor([.nan, 0, 0, 1] as [Double], shape: [2, 2]))
        #expect(throws: SolverError.self) { try broken.leadingEigenpairs(count: 1) }
    }
}
