import Testing

@testable import Khufu

/// The small dense decompositions that solvers rest on.
struct SolverDenseTests {
    private func random(_ length: Int, _ count: Int, seed: UInt64 = 3) -> Columns {
        var random = SolverRandom(seed: seed)
        return random.normalColumns(length: length, count: count)
    }

    private func largest(_ a: Columns, minus b: Columns) -> Double {
        zip(a.values, b.values).map { abs($0 - $1) }.max() ?? 0
    }

    @Test func tensorsAndColumns() throws {
        let tensor: Tensor<Float> = [[1, 2], [3, 4], [5, 6]]
        let columns = Columns(tensor)
        #expect(columns.values == [1, 3, 5, 2, 4, 6])
        #expect(columns.tensor() == tensor)
        #expect(Columns(Tensor<Double>([1, 2])).count == 1)
    }

    @Test(arguments: [1, 2, 3, 8, 40]) func symmetricMatrices(n: Int) {
        let matrix = random(n, n).symmetrized()
        let (values, vectors) = symmetricEigenpairs(matrix)
        #expect(values == values.sorted(by: >))
        #expect(largest(vectors.transposedTimes(vectors), minus: .identity(n)) < 1e-13)
        var scaled = vectors
        scaled.scale(values)
        #expect(largest(matrix.times(vectors), minus: scaled) < 1e-12)
    }

    @Test func knownSpectra() {
        // The second difference has eigenvalues 2 - 2 cos(kπ / (n + 1)).
        let n = 30
        var difference = Columns(length: n, count: n)
        for k in 0..<n {
            difference[k, k] = 2
            if k > 0 { (difference[k, k - 1], difference[k - 1, k]) = (-1, -1) }
        }
        let values = symmetricEigenpairs(difference).values
        for k in 1...n {
            let expected = 2 - 2 * Double.cos(Double(n + 1 - k) * .pi / Double(n + 1))
            #expect(abs(values[k - 1] - expected) < 1e-13)
        }
        // Equal ones, and none but zero.
        #expect(symmetricEigenpairs(.identity(5)).values == [1, 1, 1, 1, 1])
        #expect(symmetricEigenpairs(Columns(length: 4, count: 4)).values == [0, 0, 0, 0])
        #expect(symmetricEigenpairs(Columns(length: 0, count: 0)).values.isEmpty)
    }

    @Test func orthonormalBases() {
        var block = random(50, 6)
        block.append(block.selecting([2]))
        block.append(Columns(length: 50, count: 1))
        let (basis, coefficients) = block.factored()
        #expect(basis.count == 6)
        #expect(largest(basis.transposedTimes(basis), minus: .identity(6)) < 1e-14)
        #expect(largest(basis.times(coefficients), minus: block) < 1e-13)

        let more = random(50, 4, seed: 9).orthonormalized(against: basis)
        #expect(more.count == 4)
        #expect(basis.transposedTimes(more).values.allSatisfy { abs($0) < 1e-14 })
    }

    @Test func singularValuesOverManyOrdersOfMagnitude() {
        // U diag(10⁻ᵏ), mixed by an orthogonal matrix of the right: its singular values are known.
        let u = random(60, 9).orthonormalized()
        let v = random(9, 9, seed: 5).orthonormalized()
        let expected = (0..<9).map { Double.pow(10, -Double($0)) }
        var scaled = u
        scaled.scale(expected)
        let transposed = v.transposedTimes(.identity(9))
        let (vectors, values) = scaled.times(transposed).leftSingularPairs()
        #expect(vectors.count == 9)
        for k in 0..<9 { #expect(abs(values[k] / expected[k] - 1) < 1e-6) }
        #expect(largest(vectors.transposedTimes(vectors), minus: .identity(9)) < 1e-7)
    }
}
