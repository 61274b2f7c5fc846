// Eigenvalues of small symmetric matrices: Householder's reduction to tridiagonal form, then the QL algorithm with implicit shifts
// (Dubrulle, Martin and Wilkinson, 1968; Golub and Van Loan, Matrix Computations, 8.3). Not LAPACK: matrices here have at most a few
// hundred rows, and it would bring BLAS and a Fortran runtime to every client.

/// All eigenvalues of a symmetric matrix in descending order, and orthonormal eigenvectors.
func symmetricEigenpairs(_ matrix: Columns) -> (values: [Double], vectors: Columns) {
    var (diagonal, offDiagonal, vectors) = tridiagonalized(matrix)
    diagonalize(&diagonal, &offDiagonal, rotating: &vectors)
    let order = diagonal.indices.sorted { diagonal[$0] > diagonal[$1] }
    return (order.map { diagonal[$0] }, vectors.selecting(order))
}

/// An orthogonal Q and the diagonals of a tridiagonal T with A = QTQᵀ.
private func tridiagonalized(_ matrix: Columns) -> (diagonal: [Double], offDiagonal: [Double], basis: Columns) {
    let n = matrix.length
    var a = matrix
    var basis = Columns.identity(n)
    for k in 0..<max(0, n - 2) {
        // The reflection I - 2vvᵀ that takes column k, below the diagonal, to a multiple of the first unit vector.
        var v = Columns(length: n, count: 1)
        for row in k + 1..<n { v[row, 0] = a[row, k] }
        let norm = v.norms()[0]
        guard norm > 0 else { continue }
        v[k + 1, 0] += v[k + 1, 0] < 0 ? -norm : norm
        v.scale([1 / v.norms()[0]])
        // A <- A - vwᵀ - wvᵀ with w = 2(Av - v(vᵀAv)).
        var w = a.times(v)
        w.add(-v.dots(w)[0], times: v)
        for column in k..<n {
            for row in k..<n { a[row, column] -= 2 * (v[row, 0] * w[column, 0] + w[row, 0] * v[column, 0]) }
        }
        let image = basis.times(v)
        for column in k + 1..<n {
            for row in 0..<n { basis[row, column] -= 2 * image[row, 0] * v[column, 0] }
        }
    }
    return ((0..<n).map { a[$0, $0] }, (0..<max(0, n - 1)).map { a[$0 + 1, $0] }, basis)
}

/// Turns a symmetric tridiagonal matrix into a diagonal one by rotations, which act on the columns of another matrix, too: on a basis
/// to yield eigenvectors, on one of its rows to yield that row of them.
func diagonalize(_ diagonal: inout [Double], _ offDiagonal: inout [Double], rotating columns: inout Columns) {
    let n = diagonal.count
    offDiagonal.append(0)
    for first in 0..<n {
        // Convergence is cubic; the cap is for NaN.
        for _ in 0..<100 {
            let last =
                (first..<n).first {
                    $0 == n - 1 || abs(offDiagonal[$0]) <= 0x1p-53 * (abs(diagonal[$0]) + abs(diagonal[$0 + 1]))
                } ?? n - 1
            if last == first { break }
            // Wilkinson's shift: the eigenvalue of the first two rows that is nearer to the first entry.
            let slope = (diagonal[first + 1] - diagonal[first]) / (2 * offDiagonal[first])
            let root = (slope * slope + 1).squareRoot()
            var g = diagonal[last] - diagonal[first] + offDiagonal[first] / (slope + (slope < 0 ? -root : root))
            var (sine, cosine, change) = (1.0, 1.0, 0.0)
            var split = false
            for k in (first..<last).reversed() {
                let f = sine * offDiagonal[k]
                let b = cosine * offDiagonal[k]
                let r = (f * f + g * g).squareRoot()
                offDiagonal[k + 1] = r
                if r == 0 {
                    diagonal[k + 1] -= change
                    offDiagonal[last] = 0
                    split = true
                    break
                }
                (sine, cosine) = (f / r, g / r)
                g = diagonal[k + 1] - change
                let step = (diagonal[k] - g) * sine + 2 * cosine * b
                change = sine * step
                diagonal[k + 1] = g + change
                g = cosine * step - b
                columns.rotate(k, k + 1, cosine, sine)
            }
            if split { continue }
            diagonal[first] -= change
            offDiagonal[first] = g
            offDiagonal[last] = 0
        }
    }
    offDiagonal.removeLast()
}

extension Columns {
    /// Column p becomes cosine p - sine q, column q becomes sine p + cosine q.
    mutating func rotate(_ p: Int, _ q: Int, _ cosine: Double, _ sine: Double) {
        let (first, second) = (p * length, q * length)
        values.withUnsafeMutableBufferPointer { a in
            for row in 0..<length {
                let (x, y) = (a[first + row], a[second + row])
                a[first + row] = cosine * x - sine * y
                a[second + row] = sine * x + cosine * y
            }
        }
    }
}
