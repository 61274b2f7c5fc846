/// A matrix that is known by what it does to vectors: the symbolic matrix of a formula, or a dense one.
///
/// Products are recorded with respect to the vector and to the operator's variables, so that everything built on them can be
/// differentiated.
public protocol LinearOperator<Scalar>: Sendable {
    associatedtype Scalar: TensorScalar

    var rowCount: Int { get }
    var columnCount: Int { get }

    /// The product with vectors (columns) or (columns, k), of shape (rows) or (rows, k).
    ///
    /// - Throws: ``TensorError`` where the shape does not fit.
    func product(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar>

    /// The product of the transpose with vectors (rows) or (rows, k).
    func transposedProduct(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar>

    /// The diagonal of a square operator, of shape (rows), as numbers: not recorded.
    func diagonal() throws -> Tensor<Scalar>

    /// Some columns, of shape (rows, indices), as numbers: not recorded.
    func columns(_ indices: [Int]) throws -> Tensor<Scalar>

    /// What the operator's entries are computed from.
    var variables: [Tensor<Scalar>] { get }

    /// The same operator of other variables, of the same shapes.
    func replacingVariables(_ variables: [Tensor<Scalar>]) throws -> Self
}

/// A matrix in memory as an operator.
public struct DenseOperator<Scalar: TensorScalar>: LinearOperator {
    public let matrix: Tensor<Scalar>

    /// - Throws: ``TensorError`` for what is not a matrix.
    public init(_ matrix: Tensor<Scalar>) throws(TensorError) {
        guard matrix.rank == 2 else { throw TensorError("A matrix has two axes; this tensor has shape \(matrix.shape).") }
        self.matrix = matrix
    }

    public var rowCount: Int { matrix.shape[0] }
    public var columnCount: Int { matrix.shape[1] }
    public var variables: [Tensor<Scalar>] { [matrix] }

    public func product(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar> { try matrix.matmul(vectors) }
    public func replacingVariables(_ variables: [Tensor<Scalar>]) throws -> DenseOperator { try DenseOperator(variables[0]) }

    /// Transposes the vectors rather than the matrix, which is the larger one.
    public func transposedProduct(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar> {
        guard 1...2 ~= vectors.rank, vectors.shape[0] == rowCount else {
            throw TensorError(
                "The transpose of a matrix of shape \(matrix.shape) takes vectors (\(rowCount)) or (\(rowCount), k); these have shape \(vectors.shape)."
            )
        }
        if vectors.rank == 1 { return try vectors.reshaped([1, rowCount]).matmul(matrix).reshaped([columnCount]) }
        return try vectors.transposed().matmul(matrix).transposed()
    }

    public func diagonal() -> Tensor<Scalar> {
        Tensor((0..<min(rowCount, columnCount)).map { matrix[$0, $0] })
    }

    public func columns(_ indices: [Int]) -> Tensor<Scalar> {
        Tensor(shape: [rowCount, indices.count]) { result in
            for row in 0..<rowCount {
                for (k, column) in indices.enumerated() { result[row * indices.count + k] = matrix[row, column] }
            }
        }
    }
}
