/// A square operator that is known only by a function: a Hessian by its products, a sum of operators.
///
///     let hessian = FunctionOperator(size: n) { try hessianVectorProduct(of: energy, at: x, along: $0) }
///     let step = try hessian.solve(slope)
///
/// Derivatives of what is solved with it do not go into what the function has captured.
public struct FunctionOperator<Scalar: TensorScalar>: LinearOperator {
    public typealias Function = @Sendable (Tensor<Scalar>) throws -> Tensor<Scalar>

    public let rowCount: Int
    public var columnCount: Int { rowCount }
    private let function: Function
    private let transposedFunction: Function

    /// - Parameters:
    ///   - size: the number of rows and of columns.
    ///   - transposed: left out for a symmetric operator.
    ///   - function: of vectors (size), one at a time; it returns one of that shape.
    public init(size: Int, transposed: Function? = nil, _ function: @escaping Function) {
        rowCount = size
        self.function = function
        transposedFunction = transposed ?? function
    }

    public var variables: [Tensor<Scalar>] { [] }
    public func replacingVariables(_ variables: [Tensor<Scalar>]) -> FunctionOperator { self }

    public func product(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar> { try apply(function, to: vectors) }
    public func transposedProduct(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar> {
        try apply(transposedFunction, to: vectors)
    }

    public func diagonal() throws -> Tensor<Scalar> {
        Tensor(try (0..<rowCount).map { k in try function(unitVector(k)).detached()[k] })
    }

    public func columns(_ indices: [Int]) throws -> Tensor<Scalar> {
        try Tensor(indices.flatMap { try function(unitVector($0)).elements }, shape: [indices.count, rowCount]).transposed()
    }

    private func unitVector(_ k: Int) -> Tensor<Scalar> {
        Tensor(shape: [rowCount]) { for place in $0.indices { $0[place] = place == k ? 1 : 0 } }
    }

    private func apply(_ function: Function, to vectors: Tensor<Scalar>) throws -> Tensor<Scalar> {
        guard 1...2 ~= vectors.rank, vectors.shape[0] == rowCount else {
            throw TensorError(
                "An operator of size \(rowCount) takes vectors (\(rowCount)) or (\(rowCount), k); shape \(vectors.shape) came.")
        }
        guard vectors.rank == 2 else { return try checked(function(vectors)) }
        let images = try (0..<vectors.shape[1]).map { k in
            try checked(function(vectors.selecting([k], axis: 1).reshaped([rowCount])))
        }
        return images.isEmpty ? vectors : try Tensor(stacking: images, axis: 1)
    }

    private func checked(_ image: Tensor<Scalar>) throws(TensorError) -> Tensor<Scalar> {
        guard image.shape == [rowCount] else {
            throw TensorError("The function of an operator of size \(rowCount) returned shape \(image.shape).")
        }
        return image
    }
}
