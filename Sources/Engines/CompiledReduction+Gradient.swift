import Formulas
import Kernels

extension CompiledReduction {
    /// The gradient of Σ result · cotangent with respect to one input.
    ///
    /// The result is computed anew where the derivative needs it: gradients of min, max and k-min values flow to the
    /// winners, and those of log-sum-exp are weighted by the result.
    /// - Parameters:
    ///   - position: which input, among `declarations`.
    ///   - inputs: as for a run.
    ///   - cotangent: one number per number of the result, of shape (batch…, points, numbers).
    ///   - gradient: room for an array of the input's own shape and type. Where the input was broadcast over the batch, the
    ///     gradient is summed.
    /// - Throws: as a run, and where the reduction or an operation has no derivative.
    public func gradient(
        withRespectTo position: Int, _ inputs: [InputArray], cotangent: InputArray, options: ExecutionOptions = .init(),
        into gradient: UnsafeMutableRawBufferPointer
    ) throws {
        guard declarations.indices.contains(position) else {
            throw BindingError("There are \(declarations.count) inputs; number \(position) is none of them.")
        }
        let shape = try resultShape(for: inputs)
        let expected = shape.batch + [shape.rows, shape.values]
        guard cotangent.shape == expected, cotangent.type == inputs.first?.type ?? cotangent.type else {
            throw BindingError(
                "The cotangent has the result's shape \(expected) and type; it has shape \(cotangent.shape) and type \(cotangent.type.rawValue)."
            )
        }
        let input = inputs[position]
        let count = input.shape.reduce(1, *)
        guard gradient.count >= count * input.type.byteCount else {
            throw BindingError("The gradient has \(count) numbers; there is room for \(gradient.count / input.type.byteCount).")
        }
        var pass = GradientPass(original: self, inputs: inputs, cotangent: cotangent, resultShape: shape, options: options)
        var total = [Double](repeating: 0, count: count)
        for term in try reduction.gradient(withRespectTo: declarations[position].variable).terms {
            try pass.add(term, to: &total, of: input.shape, isParameter: declarations[position].variable.category == .parameter)
        }
        for (k, value) in total.enumerated() { input.type.store(value, gradient.baseAddress!, k) }
    }
}

/// Carries out the terms of a gradient, and keeps what several of them need.
private struct GradientPass {
    let original: CompiledReduction
    let inputs: [InputArray]
    let cotangent: InputArray
    let resultShape: CompiledReduction.ResultShape
    let options: ExecutionOptions
    private var results: [Reduction: Evaluated] = [:]

    /// The result of a reduction of the same inputs.
    private struct Evaluated {
        var values: OwnedArray
        var indices: [Int64]
    }

    init(
        original: CompiledReduction, inputs: [InputArray], cotangent: InputArray,
        resultShape: CompiledReduction.ResultShape, options: ExecutionOptions
    ) {
        self.original = original
        self.inputs = inputs
        self.cotangent = cotangent
        self.resultShape = resultShape
        self.options = options
    }

    mutating func add(
        _ term: ReductionGradient.Term, to total: inout [Double], of shape: [Int], isParameter: Bool
    ) throws {
        var arrays = inputs
        var declarations = original.declarations
        var owners: [OwnedArray] = []
        for extra in term.extraInputs {
            let array = try extraInput(extra)
            owners.append(array)
            arrays.append(array.input)
            declarations.append(Declaration(variable: extra.variable))
        }
        var options = options
        if case .winners(let selection, let slot) = term.support {
            let selected = try evaluate(selection)
            options.sparsity = try winners(
                selected, slot: slot, of: selection, isTransposed: term.reduction.over != original.reduction.over)
        } else if term.reduction.over != original.reduction.over {
            options.sparsity = options.sparsity?.transposed
        }
        let compiled = try original.derived(term.reduction, declarations)
        let termShape = try compiled.resultShape(for: arrays)
        let result = OwnedArray(type: cotangent.type, shape: termShape.batch + [termShape.rows, termShape.values])
        try compiled.run(
            arrays, options: options, values: result.bytes, indices: UnsafeMutableBufferPointer(start: nil, count: 0))
        withExtendedLifetime(owners) { result.addBroadcast(to: &total, shape: shape, summingPoints: isParameter) }
    }

    // MARK: Inputs of terms

    private mutating func extraInput(_ extra: ReductionGradient.ExtraInput) throws -> OwnedArray {
        switch extra.source {
        case .cotangent(let first):
            return OwnedArray(copying: cotangent, components: first..<first + extra.variable.dimension)
        case .result: return try evaluate(original.reduction).values
        case .reduction(let reduction): return try evaluate(reduction).values
        }
    }

    private mutating func evaluate(_ reduction: Reduction) throws -> Evaluated {
        if let known = results[reduction] { return known }
        let compiled = reduction == original.reduction ? original : try original.derived(reduction, original.declarations)
        let shape = try compiled.resultShape(for: inputs)
        let values = OwnedArray(type: cotangent.type, shape: shape.batch + [shape.rows, shape.values])
        var indices = [Int64](repeating: 0, count: shape.indexTotal)
        try indices.withUnsafeMutableBufferPointer { indices in
            try compiled.run(inputs, options: options, values: values.bytes, indices: indices)
        }
        let evaluated = Evaluated(values: values, indices: indices)
        results[reduction] = evaluated
        return evaluated
    }

    /// The pattern in which each point meets only its winner; transposed, each winner meets the points that it won.
    private func winners(
        _ selected: Evaluated, slot: Int, of selection: Reduction, isTransposed: Bool
    ) throws -> BlockSparsity {
        let rows = resultShape.rows
        let slots = selection.indexCount
        let batchCount = resultShape.batch.reduce(1, *)
        var patterns: [BlockSparsity.Pattern] = []
        for item in 0..<batchCount {
            var pairs: [(row: Int, column: Int)] = []
            for row in 0..<rows {
                let place = (item * rows + row) * slots + slot
                // Slots that nothing filled hold an infinity, and nothing flows to them.
                if selected.values.number(place).isFinite { pairs.append((row, Int(selected.indices[place]))) }
            }
            if isTransposed { pairs = pairs.map { ($0.column, $0.row) }.sorted { $0 < $1 } }
            patterns.append(BlockSparsity.Pattern(meetings: pairs))
        }
        return BlockSparsity(patterns: patterns)
    }
}
