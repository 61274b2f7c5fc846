/// A square operator times a number, plus a multiple of the identity: scale · K + shift · I.
///
/// Both numbers are variables, of which products are recorded: the amplitude of a Gaussian process is such a scale.
public struct AffineOperator<Base: LinearOperator>: LinearOperator {
    public typealias Scalar = Base.Scalar

    public let base: Base
    /// One number, of shape [].
    public let scale: Tensor<Scalar>
    /// One number, of shape [].
    public let shift: Tensor<Scalar>

    /// - Throws: ``SolverError`` where the operator is not square or a number is a tensor of several.
    public init(_ base: Base, scale: Tensor<Scalar>, shift: Tensor<Scalar>) throws {
        try base.requireSquare()
        for (name, tensor) in [("scale", scale), ("shift", shift)] where tensor.count != 1 {
            throw SolverError.invalidArgument("The \(name) of an operator is one number; this one has shape \(tensor.shape).")
        }
        self.base = base
        self.scale = try scale.reshaped([])
        self.shift = try shift.reshaped([])
    }

    public var rowCount: Int { base.rowCount }
    public var columnCount: Int { base.columnCount }
    public var variables: [Tensor<Scalar>] { [scale, shift] + base.variables }

    public func replacingVariables(_ variables: [Tensor<Scalar>]) throws -> AffineOperator {
        let base = try base.replacingVariables(Array(variables.dropFirst(2)))
        return try AffineOperator(base, scale: variables[0], shift: variables[1])
    }

    public func product(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar> {
        try base.product(vectors) * scale + vectors * shift
    }

    public func transposedProduct(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar> {
        try base.transposedProduct(vectors) * scale + vectors * shift
    }

    public func diagonal() throws -> Tensor<Scalar> {
        try base.diagonal() * scale.detached() + shift.detached()
    }

    public func columns(_ indices: [Int]) throws -> Tensor<Scalar> {
        var result = Columns(try base.columns(indices))
        result.scale(Array(repeating: Double(scale.scalar), count: indices.count))
        for (k, index) in indices.enumerated() { result[index, k] += Double(shift.scalar) }
        return result.tensor()
    }
}

extension LinearOperator {
    /// This plus a number times the identity.
    public func shifted(by number: Tensor<Scalar>) throws -> AffineOperator<Self> {
        try AffineOperator(self, scale: Tensor(1), shift: number)
    }

    /// This times a number.
    public func scaled(by number: Tensor<Scalar>) throws -> AffineOperator<Self> {
        try AffineOperator(self, scale: number, shift: Tensor(0))
    }
}
