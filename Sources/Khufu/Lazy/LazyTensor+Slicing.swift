import Formulas

// Parts of the symbolic matrix. Block-sparsity belongs to the whole, so a part of a block-sparse matrix is refused.

extension LazyTensor {
    /// Some rows, in the order of their positions.
    ///
    /// - Throws: ``TensorError`` where a position is outside of the rows, or the matrix is block-sparse.
    public func selecting(rows positions: [Int]) throws -> LazyTensor { try selecting(positions, .i, rowCount, "row") }

    /// Some columns, in the order of their positions.
    ///
    /// - Throws: ``TensorError`` where a position is outside of the columns, or the matrix is block-sparse.
    public func selecting(columns positions: [Int]) throws -> LazyTensor { try selecting(positions, .j, columnCount, "column") }

    /// Neighbouring rows, and neighbouring columns: `K[rows: 10..<20, columns: ..<5]`.
    public subscript(rows rows: some RangeExpression<Int>, columns columns: some RangeExpression<Int>) -> LazyTensor {
        get throws {
            try selecting(rows: Array(rows.relative(to: 0..<rowCount)))
                .selecting(columns: Array(columns.relative(to: 0..<columnCount)))
        }
    }

    /// Neighbouring rows.
    public subscript(rows rows: some RangeExpression<Int>) -> LazyTensor {
        get throws { try selecting(rows: Array(rows.relative(to: 0..<rowCount))) }
    }

    /// Neighbouring columns.
    public subscript(columns columns: some RangeExpression<Int>) -> LazyTensor {
        get throws { try selecting(columns: Array(columns.relative(to: 0..<columnCount))) }
    }

    private func selecting(_ positions: [Int], _ category: Category, _ count: Int, _ axis: String) throws -> LazyTensor {
        if let outside = positions.first(where: { !(0..<count).contains($0) }) {
            throw TensorError("There is no \(axis) \(outside) in a symbolic matrix of shape \(shape).")
        }
        guard sparsity == nil else {
            throw TensorError("A part of a block-sparse matrix was asked for; set sparsity to nil first.")
        }
        var replacements: [Formula: Formula] = [:]
        let selected = try inputs.map { input in
            guard input.variable.category == category, let tensor = input.tensor, input.pointCount == count, count != 1 else {
                return input
            }
            let part = try LazyInput(try tensor.selecting(positions, axis: -2), category)
            replacements[try Formula(input.variable)] = try Formula(part.variable)
            return part
        }
        return LazyTensor(try formula.substituting(replacements), selected, options)
    }
}
