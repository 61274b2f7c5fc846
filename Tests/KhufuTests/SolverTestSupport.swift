@testable import Khufu

/// Random numbers from -1 to 1, or as said.
func randomTensor<Scalar: TensorScalar>(
    _ shape: [Int], seed: UInt64, from low: Double = -1, to high: Double = 1
) -> Tensor<Scalar> {
    var random = SolverRandom(seed: seed)
    return Tensor(shape: shape) { buffer in
        for k in buffer.indices { buffer.initializeElement(at: k, to: Scalar(low + (high - low) * random.uniform())) }
    }
}

/// exp(-g |x_i - y_j|²) a with x, y and the number g as variables of their own: moving x alone leaves the matrices that are symmetric.
struct GaussianOperator<Scalar: TensorScalar>: LinearOperator {
    var x: Tensor<Scalar>
    var y: Tensor<Scalar>
    var g: Tensor<Scalar>
    /// What is called for each product, with the number of vectors.
    var onProduct: (@Sendable (Int) -> Void)?

    /// The matrix, where no derivative goes through it.
    private var numbers: Tensor<Scalar>?

    init(_ x: Tensor<Scalar>, _ y: Tensor<Scalar>, _ g: Tensor<Scalar>) {
        (self.x, self.y, self.g) = (x, y, g)
        if !variables.contains(where: \.isTracked) { numbers = try? computedMatrix() }
    }

    /// Points on an interval, evenly spaced: the smoother the kernel, the worse conditioned.
    init(points: Int, g: Scalar) throws {
        let x = Tensor<Scalar>(shape: [points, 1]) { buffer in
            for k in buffer.indices { buffer[k] = Scalar(k) / Scalar(max(1, points - 1)) }
        }
        self.init(x, x, Tensor(g))
    }

    var rowCount: Int { x.shape[0] }
    var columnCount: Int { y.shape[0] }
    var variables: [Tensor<Scalar>] { [x, y, g] }

    func replacingVariables(_ variables: [Tensor<Scalar>]) throws -> GaussianOperator {
        var result = GaussianOperator(variables[0], variables[1], variables[2])
        result.onProduct = onProduct
        return result
    }

    func matrix() throws -> Tensor<Scalar> { try numbers ?? computedMatrix() }

    private func computedMatrix() throws -> Tensor<Scalar> {
        let (n, m, width) = (x.shape[0], y.shape[0], x.shape[1])
        let difference = try x.reshaped([n, 1, width]) - y.reshaped([1, m, width])
        return try (-g * difference.squared().sum(axes: [2])).exp()
    }

    func product(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar> {
        onProduct?(vectors.rank == 1 ? 1 : vectors.shape[1])
        return try matrix().matmul(vectors)
    }

    func transposedProduct(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar> { try matrix().transposed().matmul(vectors) }
    func diagonal() throws -> Tensor<Scalar> { try DenseOperator(matrix().detached()).diagonal() }
    func columns(_ indices: [Int]) throws -> Tensor<Scalar> { try DenseOperator(matrix().detached()).columns(indices) }
}

/// Gaussian elimination with pivoting: the solution of Ax = b, and log |det A|.
func eliminate(_ matrix: Tensor<Double>, _ b: Tensor<Double>) -> (solution: Tensor<Double>, logDeterminant: Double) {
    let n = matrix.shape[0]
    let width = b.count / max(1, n)
    var rows = (0..<n).map { row in
        (0..<n).map { matrix[row, $0] } + b.elements[row * width..<(row + 1) * width]
    }
    var logDeterminant = 0.0
    for k in 0..<n {
        let pivot = (k..<n).max { abs(rows[$0][k]) < abs(rows[$1][k]) }!
        rows.swapAt(k, pivot)
        logDeterminant += .log(abs(rows[k][k]))
        for row in 0..<n where row != k && rows[row][k] != 0 {
            let factor = rows[row][k] / rows[k][k]
            for column in k..<n + width { rows[row][column] -= factor * rows[k][column] }
        }
    }
    let solution = Tensor<Double>(shape: b.shape) { buffer in
        for row in 0..<n {
            for column in 0..<width { buffer[row * width + column] = rows[row][n + column] / rows[row][row] }
        }
    }
    return (solution, logDeterminant)
}

extension Tensor where Element: TensorScalar {
    /// With a number on the diagonal.
    func addingToDiagonal(_ number: Element) -> Tensor {
        let n = shape[0]
        var elements = elements
        for k in 0..<n { elements[k * n + k] += number }
        return try! Tensor(elements, shape: shape)
    }

    var norm: Double { elements.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }

    func distance(to other: Tensor) throws -> Double { try (self - other).norm }

    func adding(_ step: Element, at place: Int) -> Tensor {
        var elements = elements
        elements[place] += step
        return try! Tensor(elements, shape: shape)
    }
}
