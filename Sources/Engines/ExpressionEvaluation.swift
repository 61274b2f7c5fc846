import Formulas
import Kernels

/// One evaluation of an array expression: what several parts share is computed once and kept until the end.
struct ExpressionEvaluation {
    private let inputs: [InputArray]
    private let options: ExecutionOptions
    private let reductions: [ObjectIdentifier: CompiledReduction]
    /// The index that the rows of the caller's block-sparsity do not follow.
    private let sparsityOver: ReducedIndex
    private var results: [ObjectIdentifier: Result] = [:]

    /// An array of the caller's, or one with an owner.
    private struct Result {
        var values: InputArray
        var owner: OwnedArray?
        var indices: [Int64] = []
    }

    /// - Parameter reductions: those of the expression's parts.
    init(
        _ inputs: [InputArray], _ options: ExecutionOptions, _ reductions: [ObjectIdentifier: CompiledReduction],
        sparsityOver: ReducedIndex
    ) {
        self.inputs = inputs
        self.options = options
        self.reductions = reductions
        self.sparsityOver = sparsityOver
    }

    /// That of all arrays.
    private var type: ScalarType { inputs.first?.type ?? .float64 }

    // MARK: Shapes

    func shape(of node: ArrayExpression) throws -> [Int] {
        switch node.definition {
        case .input(let position): return inputs[position].shape
        case .total(_, let other): return try shape(of: other)
        case .reduction(_, let arguments, _):
            let shape = try compiled(node).resultShape(
                for: arguments.map { argument in
                    // A shape is all that is read of it.
                    InputArray(placeholder, type: type, shape: try self.shape(of: argument.array))
                })
            return shape.batch + [shape.rows, shape.values]
        }
    }

    private var placeholder: UnsafeRawPointer { UnsafeRawPointer(bitPattern: 64)! }

    private func compiled(_ node: ArrayExpression) -> CompiledReduction { reductions[ObjectIdentifier(node)]! }

    // MARK: Values

    /// Takes a reduction's values as they were computed before.
    mutating func setValues(_ values: InputArray, of node: ArrayExpression) throws {
        // The indices of a selection are not among its values, and what is not part of the expression is not asked for.
        guard case .reduction(let reduction, _, _) = node.definition, reduction.indexCount == 0,
            reductions[ObjectIdentifier(node)] != nil
        else { return }
        let shape = try shape(of: node)
        guard values.shape == shape, values.type == type else {
            throw BindingError(
                "Known values have shape \(shape) and type \(type.rawValue); these have \(values.shape) and \(values.type.rawValue)."
            )
        }
        results[ObjectIdentifier(node)] = Result(values: values)
    }

    /// - Returns: memory that is the caller's, or stays valid as long as this evaluation.
    mutating func values(of node: ArrayExpression) throws -> InputArray { try result(of: node).values }

    private mutating func result(of node: ArrayExpression) throws -> Result {
        if let known = results[ObjectIdentifier(node)] { return known }
        let result =
            switch node.definition {
            case .input(let position): Result(values: inputs[position])
            case .total(let terms, let other): try total(of: terms, like: other)
            case .reduction(_, let arguments, let support): try reduce(arguments, support, by: compiled(node))
            }
        results[ObjectIdentifier(node)] = result
        return result
    }

    private mutating func total(of terms: [ArrayExpression], like other: ArrayExpression) throws -> Result {
        let shape = try shape(of: other)
        if terms.count == 1, terms[0].category == other.category, try self.shape(of: terms[0]) == shape {
            return try result(of: terms[0])
        }
        /// A parameter has no axis of points.
        func withPoints(_ shape: [Int], _ category: Category) -> [Int] {
            category == .parameter ? shape.dropLast() + [1] + shape.suffix(1) : shape
        }
        let arrays = try terms.map { term in
            var array = try values(of: term)
            array.shape = withPoints(array.shape, term.category)
            return array
        }
        let result = OwnedArray(type: type, shape: shape)
        result.store(totalOf: arrays, in: withPoints(shape, other.category))
        return Result(values: result.input, owner: result)
    }

    private mutating func reduce(
        _ arguments: [ArrayExpression.Argument], _ support: ArrayExpression.Support, by compiled: CompiledReduction
    ) throws -> Result {
        let bound = try compiled.bound(to: try arguments.map { try values(of: $0.array) })
        var options = options
        switch support {
        case .allPairs:
            if compiled.reduction.over != sparsityOver { options.sparsity = options.sparsity?.transposed }
        case .winners(let selection, let slot):
            options.sparsity = try winners(of: selection, slot: slot, over: compiled.reduction.over)
        }
        let shape = bound.shape
        let result = OwnedArray(type: type, shape: shape.batch + [shape.rows, shape.values])
        var indices = [Int64](repeating: 0, count: shape.indexTotal)
        try indices.withUnsafeMutableBufferPointer { try bound.run(options: options, values: result.bytes, indices: $0) }
        return Result(values: result.input, owner: result, indices: indices)
    }

    /// The pattern in which each point meets only its winner; over the other index, each winner meets the points that it won.
    private mutating func winners(
        of selection: ArrayExpression, slot: Int, over: ReducedIndex
    ) throws -> BlockSparsity {
        let selected = try result(of: selection)
        let reduction = compiled(selection).reduction
        let shape = try shape(of: selection)
        let rows = shape[shape.count - 2]
        var patterns: [BlockSparsity.Pattern] = []
        for item in 0..<shape.dropLast(2).reduce(1, *) {
            var pairs: [(row: Int, column: Int)] = []
            for row in 0..<rows {
                let place = (item * rows + row) * reduction.indexCount + slot
                // Slots that nothing filled hold an infinity, and nothing flows to them.
                guard selected.values.number(place).isFinite else { continue }
                pairs.append((row, Int(selected.indices[place])))
            }
            if over != reduction.over { pairs = pairs.map { ($0.column, $0.row) }.sorted { $0 < $1 } }
            patterns.append(BlockSparsity.Pattern(meetings: pairs))
        }
        return BlockSparsity(patterns: patterns)
    }
}

extension InputArray {
    fileprivate func number(_ place: Int) -> Double { type.load(base, place, count: 1)[0] }
}
