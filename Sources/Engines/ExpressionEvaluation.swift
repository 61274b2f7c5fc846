import Formulas
import Kernels

/// One evaluation of an array expression: what several parts share is computed once and kept until the end.
///
/// With the caller's arrays on a device the others are there, too, in the order of the caller's stream, for which nobody waits: but where
/// winners get the total of the points that they have won, which the host lists.
struct ExpressionEvaluation {
    private let inputs: [InputArray]
    private let options: ExecutionOptions
    private let reductions: [ObjectIdentifier: CompiledReduction]
    private let winnerSums: [ObjectIdentifier: WinnerSum]
    /// The index that the rows of the caller's block-sparsity do not follow.
    private let sparsityOver: ReducedIndex
    private let arrays: any ExpressionArrays
    private var results: [ObjectIdentifier: Result] = [:]
    /// Selections as the host sees them: each slot's winners are looked up in one copy.
    private var selections: [ObjectIdentifier: (values: UnsafeRawPointer, indices: UnsafePointer<Int64>)] = [:]

    /// An array of the caller's, or of this evaluation.
    private struct Result {
        var values: InputArray
        var indices: UnsafeMutablePointer<Int64>?
    }

    /// - Parameters:
    ///   - options: with arrays on a device, its stream is the queue that `arrays` uses.
    ///   - reductions: those of the expression's parts.
    ///   - winnerSums: of some of them, the same over points alone.
    init(
        _ inputs: [InputArray], _ options: ExecutionOptions, _ reductions: [ObjectIdentifier: CompiledReduction],
        _ winnerSums: [ObjectIdentifier: WinnerSum], sparsityOver: ReducedIndex, arrays: any ExpressionArrays = HostArrays()
    ) {
        self.inputs = inputs
        self.options = options
        (self.reductions, self.winnerSums) = (reductions, winnerSums)
        self.sparsityOver = sparsityOver
        self.arrays = arrays
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

    /// Computes a node into memory of the caller's.
    mutating func store(_ node: ArrayExpression, to target: UnsafeMutableRawPointer) throws {
        let result = try result(of: node, target)
        // An input, or what was known or needed before.
        guard result.values.base != UnsafeRawPointer(target) else { return }
        let shape = result.values.shape
        try arrays.store(totalOf: [result.values], type, shape: shape, to: target)
    }

    private mutating func values(of node: ArrayExpression) throws -> InputArray { try result(of: node).values }

    /// - Parameter target: where the values are to go, if they are not anywhere yet; else memory of this evaluation.
    private mutating func result(of node: ArrayExpression, _ target: UnsafeMutableRawPointer? = nil) throws -> Result {
        if let known = results[ObjectIdentifier(node)] { return known }
        let result =
            switch node.definition {
            case .input(let position): Result(values: inputs[position])
            case .total(let terms, let other): try total(of: terms, like: other, target)
            case .reduction(_, let arguments, .winners(let selection, let slot)):
                try winnersTotal(node, arguments, selection, slot, target)
                    ?? reduce(arguments, .winners(selection: selection, slot: slot), by: compiled(node), target)
            case .reduction(_, let arguments, .allPairs): try reduce(arguments, .allPairs, by: compiled(node), target)
            }
        results[ObjectIdentifier(node)] = result
        return result
    }

    private mutating func total(
        of terms: [ArrayExpression], like other: ArrayExpression, _ target: UnsafeMutableRawPointer?
    ) throws -> Result {
        let shape = try shape(of: other)
        if terms.count == 1, terms[0].category == other.category, try self.shape(of: terms[0]) == shape {
            return try result(of: terms[0], target)
        }
        /// A parameter has no axis of points.
        func withPoints(_ shape: [Int], _ category: Category) -> [Int] {
            category == .parameter ? shape.dropLast() + [1] + shape.suffix(1) : shape
        }
        let parts = try terms.map { term in
            var array = try values(of: term)
            array.shape = withPoints(array.shape, term.category)
            return array
        }
        let memory = try target ?? arrays.allocate(byteCount(shape))
        try arrays.store(totalOf: parts, type, shape: withPoints(shape, other.category), to: memory)
        return Result(values: InputArray(memory, type: type, shape: shape))
    }

    private mutating func reduce(
        _ arguments: [ArrayExpression.Argument], _ support: ArrayExpression.Support, by compiled: CompiledReduction,
        _ target: UnsafeMutableRawPointer?
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
        let ownShape = shape.batch + [shape.rows, shape.values]
        let memory = try target ?? arrays.allocate(byteCount(ownShape))
        var positions: UnsafeMutablePointer<Int64>?
        if shape.indexTotal > 0 { positions = try arrays.allocate(shape.indexTotal * 8).assumingMemoryBound(to: Int64.self) }
        try bound.compute(
            options: options, values: UnsafeMutableRawBufferPointer(start: memory, count: byteCount(ownShape)),
            indices: UnsafeMutableBufferPointer(start: positions, count: shape.indexTotal))
        return Result(values: InputArray(memory, type: type, shape: ownShape), indices: positions)
    }

    /// A sum over winners, by gathering these; nil where that is not for such arrays.
    private mutating func winnersTotal(
        _ node: ArrayExpression, _ arguments: [ArrayExpression.Argument], _ selection: ArrayExpression, _ slot: Int,
        _ target: UnsafeMutableRawPointer?
    ) throws -> Result? {
        guard let sum = winnerSums[ObjectIdentifier(node)] else { return nil }
        let given = try arguments.map { try values(of: $0.array) }
        let own = try compiled(node).bound(to: given).shape
        let selecting = compiled(selection).reduction
        let selectedShape = try shape(of: selection)
        let (batch, rows) = (Array(selectedShape.dropLast(2)), selectedShape[selectedShape.count - 2])
        // Each point has a term of its own, or each winner the total of its points'. (Of terms in 16 bits a total would be too coarse.)
        let isOwn = compiled(node).reduction.over == selecting.over
        let gathered = zip(given, sum.isGathered).filter(\.1).map(\.0)
        guard own.batch == batch, own.valueTotal > 0, rows > 0, isOwn ? own.rows == rows : !type.isHalf,
            gathered.allSatisfy({ !$0.shape.contains(0) })
        else { return nil }
        let selected = try result(of: selection)
        guard let places = selected.indices else { return nil }
        var indices = WinnerIndices(base: places, batch: batch, rows: rows, slots: selecting.indexCount, slot: slot)
        let inputs =
            try zip(given, sum.isGathered).map { array, isGathered in
                guard isGathered else { return array }
                let shape = batch + [rows, array.shape.last!]
                let memory = try arrays.allocate(byteCount(shape))
                try arrays.gather(array, indices, to: memory)
                return InputArray(memory, type: type, shape: shape)
            } + [selected.values]
        let bound = try sum.reduction(for: type).bound(to: inputs)
        guard bound.shape.batch == batch, bound.shape.rows == rows else { return nil }
        let ownShape = own.batch + [own.rows, own.values]
        let memory = try target ?? arrays.allocate(byteCount(ownShape))
        let termShape = batch + [rows, own.values]
        let terms = isOwn ? memory : try arrays.allocate(byteCount(termShape))
        var options = options
        (options.sparsity, options.tolerance) = (nil, nil)
        try bound.compute(
            options: options, values: UnsafeMutableRawBufferPointer(start: terms, count: byteCount(termShape)),
            indices: UnsafeMutableBufferPointer(start: nil, count: 0))
        if !isOwn {
            let onHost = try self.selected(by: selection)
            indices.base = onHost.indices
            try arrays.store(
                totalsOf: InputArray(terms, type: type, shape: termShape),
                by: WinnerLists(values: onHost.values, type, indices, columns: own.rows), to: memory)
        }
        return Result(values: InputArray(memory, type: type, shape: ownShape))
    }

    private func byteCount(_ shape: [Int]) -> Int { shape.reduce(type.byteCount, *) }

    // MARK: Memory

    /// Bytes that an evaluation takes of each of the options' devices at most, beside the caller's own arrays there. What only winners meet
    /// is counted as all pairs, as nobody knows the winners yet.
    func deviceMemory(of root: ArrayExpression) throws -> [Int] {
        var largest = [Int](repeating: 0, count: options.devices.count)
        var kept = 0
        func visit(_ node: ArrayExpression, _ seen: inout Set<ObjectIdentifier>) throws {
            guard results[ObjectIdentifier(node)] == nil, seen.insert(ObjectIdentifier(node)).inserted else { return }
            for operand in node.operands { try visit(operand, &seen) }
            switch node.definition {
            case .input: return
            case .total(let terms, _): if terms.count != 1 { kept += byteCount(try shape(of: node)) / type.byteCount * 8 }
            case .reduction(_, let arguments, let support):
                var options = options
                if case .winners(let selection, _) = support {
                    try visit(selection, &seen)
                    options.sparsity = nil
                    // What is gathered for each point, its term, and its place in a list.
                    let points = try shape(of: selection).dropLast().reduce(1, *)
                    kept += points * ((arguments.reduce(0) { $0 + $1.variable.dimension } + node.dimension) * type.byteCount + 24)
                } else if compiled(node).reduction.over != sparsityOver {
                    options.sparsity = options.sparsity?.transposed
                }
                let bound = try compiled(node).bound(
                    to: arguments.map { InputArray(placeholder, type: type, shape: try shape(of: $0.array)) })
                for (place, bytes) in try bound.deviceMemory(options: options).enumerated() {
                    largest[place] = max(largest[place], bytes)
                }
                kept += bound.shape.indexTotal * 8
            }
            if node !== root { kept += byteCount(try shape(of: node)) }
        }
        var seen: Set<ObjectIdentifier> = []
        try visit(root, &seen)
        return options.memory == .host ? largest : largest.map { saturatingSum($0, kept) }
    }

    private mutating func selected(
        by selection: ArrayExpression
    ) throws -> (values: UnsafeRawPointer, indices: UnsafePointer<Int64>) {
        if let known = selections[ObjectIdentifier(selection)] { return known }
        let result = try result(of: selection)
        let shape = try shape(of: selection)
        let count = shape.dropLast().reduce(compiled(selection).reduction.indexCount, *)
        let values = try arrays.onHost(result.values.base, byteCount: byteCount(shape))
        // Where there are none, none is looked up.
        let indices = try result.indices.map { try arrays.onHost($0, byteCount: count * 8) } ?? values
        let found = (values, indices.assumingMemoryBound(to: Int64.self))
        selections[ObjectIdentifier(selection)] = found
        return found
    }

    /// The pattern in which each point meets only its winner; over the other index, each winner meets the points that it won.
    private mutating func winners(
        of selection: ArrayExpression, slot: Int, over: ReducedIndex
    ) throws -> BlockSparsity {
        let (values, indices) = try selected(by: selection)
        let reduction = compiled(selection).reduction
        let shape = try shape(of: selection)
        let rows = shape[shape.count - 2]
        var patterns: [BlockSparsity.Pattern] = []
        for item in 0..<shape.dropLast(2).reduce(1, *) {
            var pairs: [(row: Int, column: Int)] = []
            for row in 0..<rows {
                let place = (item * rows + row) * reduction.indexCount + slot
                // Slots that nothing filled hold an infinity, and nothing flows to them.
                guard type.load(values, place, count: 1)[0].isFinite else { continue }
                pairs.append((row, Int(indices[place])))
            }
            if over != reduction.over { pairs = pairs.map { ($0.column, $0.row) }.sorted { $0 < $1 } }
            patterns.append(BlockSparsity.Pattern(meetings: pairs))
        }
        return BlockSparsity(patterns: patterns)
    }
}
