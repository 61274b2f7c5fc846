import Formulas
import Kernels

/// An array expression that runs on data of any size: each of its reductions is compiled once.
///
/// A reduction's derivatives are such expressions, of any order: each is differentiated again as it is.
///
///     let gradient = try CompiledExpression(of: reduction).gradient(withRespectTo: 0)    // takes a cotangent more
///     let product = try gradient.tangent(withRespectTo: 0)                               // and a direction: Hessian times it
public final class CompiledExpression: Sendable {
    public let expression: ArrayExpression
    /// The arrays in the order in which they are given, as the expression sees them.
    public let inputs: [ArrayExpression]
    /// The same, as they were declared.
    public let declarations: [Declaration]

    private let cache: KernelCache
    /// The index that the first reduction runs over, of which all others are derivatives.
    private let over: ReducedIndex
    private let reductions: [ObjectIdentifier: CompiledReduction]
    /// Those of them that run over winners, as they run over points alone.
    private let winnerSums: [ObjectIdentifier: WinnerSum]

    /// The result of a reduction.
    public convenience init(of compiled: CompiledReduction) throws(BindingError) {
        let inputs = compiled.declarations.enumerated().map { ArrayExpression(input: $0, $1.variable) }
        let arguments = zip(compiled.declarations, inputs).map {
            ArrayExpression.Argument(variable: $0.variable, array: $1)
        }
        try self.init(
            ArrayExpression(compiled.reduction, arguments: arguments), over: compiled.reduction.over, inputs: inputs,
            declarations: compiled.declarations, cache: compiled.cache)
    }

    private init(
        _ expression: ArrayExpression, over: ReducedIndex, inputs: [ArrayExpression], declarations: [Declaration],
        cache: KernelCache
    ) throws(BindingError) {
        self.expression = expression
        self.over = over
        self.inputs = inputs
        self.declarations = declarations
        self.cache = cache
        var reductions: [ObjectIdentifier: CompiledReduction] = [:]
        var winnerSums: [ObjectIdentifier: WinnerSum] = [:]
        for node in expression.reductions {
            guard case .reduction(let reduction, let arguments, let support) = node.definition else { continue }
            if case .winners(let selection, let slot) = support, reduction.kind == .sum,
                case .reduction(let selecting, _, _) = selection.definition
            {
                winnerSums[ObjectIdentifier(node)] = try? WinnerSum(
                    reduction, arguments.map(\.variable), selection: selecting, slot: slot, cache: cache)
            }
            reductions[ObjectIdentifier(node)] = try CompiledReduction(
                reduction,
                declarations: arguments.map { argument in
                    let position = inputs.firstIndex { $0 === argument.array }
                    return Declaration(name: position.flatMap { declarations[$0].name }, variable: argument.variable)
                }, cache: cache)
        }
        (self.reductions, self.winnerSums) = (reductions, winnerSums)
    }

    // MARK: Derivatives

    /// The gradient of Σ result · cotangent with respect to one input, as an expression of that input's shape.
    ///
    /// - Returns: an expression whose inputs are this one's and, last, the cotangent, of the result's shape.
    /// - Throws: ``FormulaError`` where there is no derivative, ``BindingError`` where there is no such input.
    public func gradient(withRespectTo position: Int) throws -> CompiledExpression {
        let cotangent = added(like: expression, name: "the cotangent")
        return try CompiledExpression(
            try expression.gradient(withRespectTo: try input(position), cotangent: cotangent.array),
            over: over, inputs: inputs + [cotangent.array], declarations: declarations + [cotangent.declaration], cache: cache)
    }

    /// The derivative along a direction of one input, as an expression of this one's shape.
    ///
    /// - Returns: an expression whose inputs are this one's and, last, the direction, of the input's shape.
    /// - Throws: as for the gradient.
    public func tangent(withRespectTo position: Int) throws -> CompiledExpression {
        let direction = added(like: try input(position), name: "the direction")
        return try CompiledExpression(
            try expression.tangent(withRespectTo: try input(position), direction: direction.array),
            over: over, inputs: inputs + [direction.array], declarations: declarations + [direction.declaration], cache: cache)
    }

    private func input(_ position: Int) throws(BindingError) -> ArrayExpression {
        guard inputs.indices.contains(position) else {
            throw BindingError("There are \(inputs.count) inputs; number \(position) is none of them.")
        }
        return inputs[position]
    }

    private func added(like other: ArrayExpression, name: String) -> (array: ArrayExpression, declaration: Declaration) {
        let variable = Variable(index: inputs.count, dimension: other.dimension, category: other.category)
        return (ArrayExpression(input: inputs.count, variable), Declaration(name: name, variable: variable))
    }

    // MARK: Running

    /// The shape of the result for some arrays: (batch…, points, numbers), or (batch…, numbers) for that of a parameter.
    public func resultShape(for arrays: [InputArray]) throws -> [Int] {
        try Binding.check(arrays, declarations)
        return try evaluation(arrays, .init()).shape(of: expression)
    }

    /// Bytes of memory that a run takes of each of the options' devices at most; the caller's own arrays there are not counted.
    ///
    /// - Parameter known: expressions whose values will be given.
    /// - Throws: where a device is not there, or the call does not fit.
    public func deviceMemory(
        for arrays: [InputArray], options: ExecutionOptions, known: [(CompiledExpression, InputArray)] = []
    ) throws -> [Int] {
        try Binding.check(arrays, declarations)
        return try evaluation(arrays, options, known).deviceMemory(of: expression)
    }

    /// Computes the expression.
    ///
    /// - Parameters:
    ///   - arrays: one per input; nothing is copied.
    ///   - options: as for a run. Block-sparsity is that of the first reduction, whose result was differentiated.
    ///   - known: expressions that this one was derived from, with their values for the same arrays: what they are is not
    ///     computed again.
    ///   - values: room for the numbers of the result, in the inputs' type.
    /// - Throws: a ``BindingError`` before any memory is read, or an ``EngineError`` where the engine asked for cannot run.
    public func run(
        _ arrays: [InputArray], options: ExecutionOptions = .init(), known: [(CompiledExpression, InputArray)] = [],
        values: UnsafeMutableRawBufferPointer
    ) throws {
        try Binding.check(arrays, declarations)
        let byteCount = try resultShape(for: arrays).reduce(arrays.first?.type.byteCount ?? 8, *)
        guard values.count >= byteCount else {
            throw BindingError("The result has \(byteCount) bytes; there is room for \(values.count).")
        }
        guard byteCount > 0, let target = values.baseAddress else { return }
        guard let (accelerator, stream) = try options.arrayDevice() else {
            return try run(arrays, options, known, to: target, HostArrays())
        }
        try accelerator.requireOwn(stream: stream)
        for (declaration, array) in zip(declarations, arrays) {
            try accelerator.requireOwn(array, of: "\(declaration)", on: stream)
        }
        for (_, values) in known { try accelerator.requireOwn(values, of: "A known result", on: stream) }
        try accelerator.requireOwn(target, byteCount: byteCount, of: "The result", on: stream)
        let queue = try accelerator.queue(stream: stream)
        var options = options
        options.memory = .device(stream: queue.stream)
        try run(arrays, options, known, to: target, DeviceArrays(queue, on: accelerator))
        try queue.leave()
    }

    private func run(
        _ arrays: [InputArray], _ options: ExecutionOptions, _ known: [(CompiledExpression, InputArray)],
        to target: UnsafeMutableRawPointer, _ memory: any ExpressionArrays
    ) throws {
        var evaluation = try evaluation(arrays, options, known, memory)
        try evaluation.store(expression, to: target)
    }

    private func evaluation(
        _ arrays: [InputArray], _ options: ExecutionOptions, _ known: [(CompiledExpression, InputArray)] = [],
        _ memory: any ExpressionArrays = HostArrays()
    ) throws -> ExpressionEvaluation {
        var evaluation = ExpressionEvaluation(
            arrays, options, reductions, winnerSums, sparsityOver: over, arrays: memory)
        for (other, values) in known { try evaluation.setValues(values, of: other.expression) }
        return evaluation
    }
}
