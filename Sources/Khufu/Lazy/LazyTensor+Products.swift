import Engines
import Formulas

// The symbolic matrix as a linear operator.

extension LazyTensor {
    /// The product of the matrix with vectors: Σ_j F(x_i, y_j) b_j, for F of dimension 1.
    ///
    /// - Parameter vectors: (columns), or (batch…, columns, k).
    /// - Returns: (rows), or (batch…, rows, k).
    /// - Throws: ``TensorError`` that names both shapes, where they do not fit.
    public func matmul(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar> {
        guard dimension == 1 else {
            throw TensorError("A matrix product takes one number per pair; this symbolic matrix has shape \(shape).")
        }
        let points = vectors.rank == 1 ? vectors.shape[0] : vectors.rank > 1 ? vectors.shape[vectors.rank - 2] : nil
        guard let points, points == columnCount || columnCount == 1 || points == 1 else {
            throw TensorError(
                "The product of a symbolic matrix \(shape) takes vectors of \(columnCount) numbers; shape \(vectors.shape) came.")
        }
        let product = try (self * LazyTensor(columns: vectors)).sum(over: .columns)
        return vectors.rank == 1 && product.rank == 2 ? try product.reshaped([-1]) : product
    }

    /// The matrix with rows and columns exchanged: F(x_j, y_i).
    public var transposed: LazyTensor {
        do {
            var replacements: [Formula: Formula] = [:]
            let inputs = try inputs.map { input in
                guard input.variable.category != .parameter else { return input }
                let category: Category = input.variable.category == .i ? .j : .i
                let exchanged =
                    try input.tensor.map { try LazyInput($0, category) }
                    ?? LazyInput(named: input.name ?? "", input.variable.dimension, category)
                replacements[try Formula(input.variable)] = try Formula(exchanged.variable)
                return exchanged
            }
            return LazyTensor(try formula.substituting(replacements), inputs, options.transposed)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// The matrix in memory, of shape (batch…, rows, columns, dimension), computed by the same code and recorded. Pairs that the
    /// sparsity leaves out are computed too.
    public func dense() throws -> Tensor<Scalar> {
        // Rows become a batch, each with all columns as its points; the sum over its one row leaves the matrix in order.
        let bound = try BoundLazyTensor(self)
        let inputs = try zip(bound.variables, bound.tensors).map { variable, tensor in
            let shape = tensor.shape
            let batched =
                switch variable.category {
                case .i: shape.dropLast() + [1, variable.dimension]
                case .j: shape.dropLast(2) + [1] + shape.suffix(2)
                case .parameter: shape.dropLast() + [1, variable.dimension]
                }
            return try LazyInput(try tensor.reshaped(Array(batched)), variable.category)
        }
        var replacements: [Formula: Formula] = [:]
        for (variable, input) in zip(bound.variables, inputs) {
            replacements[try Formula(variable)] = try Formula(input.variable)
        }
        let matrix = LazyTensor(try bound.formula.substituting(replacements), inputs, options.dense)
        let values = try matrix.sum(over: .rows)
        return try values.broadcast(to: batchShape + [rowCount, columnCount, dimension])
    }
}

/// Operators with arrays of their own, of which devices can keep copies while products are taken one after the other.
protocol KeepsArraysOnDevices {
    func keepingArraysOnDevices() -> Self
}

extension LazyTensor: KeepsArraysOnDevices {
    func keepingArraysOnDevices() -> LazyTensor {
        var kept = self
        kept.options.residents = ResidentArrays(of: inputs.compactMap(\.tensor))
        return kept
    }
}

extension ResidentArrays {
    /// The tensors' memory, which they must keep alive.
    convenience init<Scalar: TensorScalar>(of tensors: [Tensor<Scalar>]) {
        self.init(
            tensors.map { UnsafeRawBufferPointer(start: $0.inputArray().base, count: $0.count * MemoryLayout<Scalar>.stride) })
    }
}

extension LazyTensor: LinearOperator {
    public func product(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar> { try matmul(vectors) }
    public func transposedProduct(_ vectors: Tensor<Scalar>) throws -> Tensor<Scalar> { try transposed.matmul(vectors) }

    public func diagonal() throws -> Tensor<Scalar> {
        guard rowCount == columnCount, dimension == 1, batchShape.isEmpty else {
            throw TensorError("The diagonal is that of a square symbolic matrix, one number per pair; this has shape \(shape).")
        }
        // Row i meets only column i: with both as rows, each is one point.
        var replacements: [Formula: Formula] = [:]
        let rows = try inputs.map { input in
            guard input.variable.category == .j, let tensor = input.tensor else { return input }
            let row = try LazyInput(tensor, .i)
            replacements[try Formula(input.variable)] = try Formula(row.variable)
            return row
        }
        let pairs = LazyTensor(try formula.substituting(replacements), rows, options.dense)
        return try pairs.sum(over: .columns).broadcast(to: [rowCount, 1]).reshaped([-1]).detached()
    }

    public func columns(_ indices: [Int]) throws -> Tensor<Scalar> {
        guard dimension == 1, batchShape.isEmpty else {
            throw TensorError("Columns are those of a symbolic matrix of one number per pair; this has shape \(shape).")
        }
        return try selecting(columns: indices).dense().reshaped([rowCount, indices.count]).detached()
    }

    public var variables: [Tensor<Scalar>] { inputs.compactMap { $0.tensor } }

    public func replacingVariables(_ variables: [Tensor<Scalar>]) throws -> LazyTensor {
        var rest = variables[...]
        let replaced = inputs.map { input in input.tensor == nil ? input : input.bound(to: rest.removeFirst()) }
        return LazyTensor(formula, replaced, options)
    }
}
