import Formulas

extension LazyTensor {
    /// An operation of the formula language on one tensor.
    func applying(_ name: String, _ attributes: Catalogue.Argument...) throws -> LazyTensor {
        try Self.operation(name, [self], attributes)
    }

    /// An operation of the formula language on two tensors.
    func applying(_ name: String, _ other: LazyTensor, _ attributes: Catalogue.Argument...) throws -> LazyTensor {
        try Self.operation(name, [self, other], attributes)
    }

    /// Any operation that ``Catalogue`` lists, by its name in the formula language.
    ///
    /// - Parameters:
    ///   - operands: as many as the operation takes formulas.
    ///   - attributes: its whole numbers and lists of such.
    /// - Throws: ``TensorError`` that names the operands' shapes, where dimensions, points or batches do not fit; ``FormulaError`` where
    ///   the operation does not take such an operand or attribute.
    static func operation(_ name: String, _ operands: [LazyTensor], _ attributes: [Catalogue.Argument] = []) throws -> LazyTensor
    {
        do {
            return try joined(operands) { formulas in
                try Catalogue.formula(name, formulas.map { .formula($0) } + attributes)
            }
        } catch let error as FormulaError where operands.count > 1 {
            throw TensorError("\(error.message) The shapes are \(operands.map { "\($0.shape)" }.joined(separator: " and ")).")
        }
    }

    /// A formula of several tensors' formulas, with all their inputs.
    static func joined(_ operands: [LazyTensor], _ formula: ([Formula]) throws -> Formula) throws -> LazyTensor {
        var inputs = operands.first?.inputs ?? []
        for operand in operands.dropFirst() {
            for input in operand.inputs where !inputs.contains(where: { $0.variable == input.variable }) {
                for known in inputs { try input.check(with: known) }
                inputs.append(input)
            }
        }
        var options = operands.first?.options ?? .init()
        for operand in operands.dropFirst() { try options.join(operand.options) }
        // Key paths would be built anew at each call of generic code, which costs more than all the rest.
        return LazyTensor(try formula(operands.map { $0.formula }), inputs, options)
    }

    /// The same with tensors for variables that were named; those that stay unnamed are bound already.
    ///
    /// - Throws: ``TensorError`` where there is no such variable or the shape is not (batch…, points, dimension), or
    ///   (batch…, dimension) for a parameter.
    public func binding(_ tensors: [String: Tensor<Scalar>]) throws -> LazyTensor {
        for name in tensors.keys.sorted() where !inputs.contains(where: { $0.name == name }) {
            let names = inputs.compactMap(\.name).sorted()
            throw TensorError(
                "There is no variable \(name); \(names.isEmpty ? "none is named" : "there are \(names.joined(separator: ", "))")."
            )
        }
        let bound = try inputs.map { input in
            guard let name = input.name, let tensor = tensors[name] else { return input }
            let leastRank = input.variable.category == .parameter ? 1 : 2
            guard tensor.rank >= leastRank, tensor.shape.last == input.variable.dimension else {
                let expected = leastRank == 1 ? "(…, \(input.variable.dimension))" : "(…, points, \(input.variable.dimension))"
                throw TensorError("Variable \(name) takes shape \(expected); \(tensor.shape) came.")
            }
            return input.bound(to: tensor)
        }
        for (k, input) in bound.enumerated() {
            for other in bound[..<k] { try input.check(with: other) }
        }
        return LazyTensor(formula, bound, options)
    }
}

extension LazyInput {
    /// Whether two inputs can stand in one formula.
    fileprivate func check(with other: LazyInput) throws(TensorError) {
        guard let tensor, let known = other.tensor else { return }
        if let count = pointCount, let before = other.pointCount, variable.category == other.variable.category,
            count != before, count != 1, before != 1
        {
            let axis = variable.category == .i ? "rows" : "columns"
            throw TensorError(
                "All \(axis) are as many, or one; shape \(known.shape) has \(before) and shape \(tensor.shape) has \(count).")
        }
        do {
            _ = try Shape.broadcast(batchShape, other.batchShape)
        } catch {
            throw TensorError(
                "Batch axes broadcast where lengths are equal or 1; these are \(other.batchShape) of shape \(known.shape) and \(batchShape) of shape \(tensor.shape)."
            )
        }
    }
}

extension ExecutionOptions {
    /// Takes from others what is left open here.
    fileprivate mutating func join(_ other: ExecutionOptions) throws(TensorError) {
        if engine == .automatic { engine = other.engine }
        if devices.isEmpty { devices = other.devices }
        deviceMemoryLimit = deviceMemoryLimit ?? other.deviceMemoryLimit
        if exponentials == .accurate { exponentials = other.exponentials }
        threads = threads ?? other.threads
        progress = progress ?? other.progress
        if let pattern = other.sparsity {
            guard sparsity == nil || sparsity == pattern else {
                throw TensorError("Operands have one block-sparsity or none; two different ones came.")
            }
            sparsity = pattern
        }
    }

    /// The same for rows and columns exchanged.
    var transposed: ExecutionOptions {
        var options = self
        options.sparsity = sparsity?.transposed
        return options
    }

    /// The same for all pairs.
    var dense: ExecutionOptions {
        var options = self
        options.sparsity = nil
        return options
    }
}
