import Engines
import Formulas
import Kernels

/// An axis of a symbolic matrix.
public enum PairAxis: Sendable, CaseIterable {
    case rows, columns

    var reduced: ReducedIndex { self == .rows ? .i : .j }
}

// Reductions over rows or columns. Results have shape (batch…, rows, numbers), or (batch…, columns, numbers) over rows; an axis
// that the formula does not have has length 1.

extension LazyTensor {
    /// Σ F, of shape (batch…, points, dimension).
    ///
    /// - Parameter accumulation: how terms are added up.
    /// - Throws: ``TensorError`` where a variable is not bound, ``FormulaError`` where the reduction does not take such a formula,
    ///   ``EngineError`` where the engine asked for cannot run; so for all reductions.
    public func sum(over axis: PairAxis, accumulation: Accumulation = .init()) throws -> Tensor<Scalar> {
        try reduction(.sum, over: axis, accumulation: accumulation).values
    }

    /// The mean of F over the points that are reduced, all of them, whatever the sparsity.
    public func mean(over axis: PairAxis) throws -> Tensor<Scalar> {
        try sum(over: axis) / Scalar(axis == .columns ? columnCount : rowCount)
    }

    /// log Σ e^F, or log Σ e^F w with weights, for F of dimension 1; -∞ where no point is met.
    public func logSumExp(
        over axis: PairAxis, weights: LazyTensor? = nil, accumulation: Accumulation = .init()
    ) throws -> Tensor<Scalar> {
        try reduction(.logSumExp, over: axis, weights: weights, accumulation: accumulation).values
    }

    /// Σ e^F v / Σ e^F for F of dimension 1: attention with scores F and values v.
    public func softMaxMean(
        of values: LazyTensor, over axis: PairAxis, accumulation: Accumulation = .init()
    ) throws -> Tensor<Scalar> {
        try reduction(.sumSoftMax, over: axis, weights: values, accumulation: accumulation).values
    }

    /// The smallest value of each component. Its gradient flows to where it is taken.
    public func min(over axis: PairAxis) throws -> Tensor<Scalar> { try reduction(.min, over: axis).values }

    /// The largest value of each component. Its gradient flows to where it is taken.
    public func max(over axis: PairAxis) throws -> Tensor<Scalar> { try reduction(.max, over: axis).values }

    /// The position of the smallest value of each component: the first one where several are equal.
    public func argMin(over axis: PairAxis) throws -> Tensor<Int> { try reduction(.argMin, over: axis).indices }

    /// The position of the largest value of each component: the first one where several are equal.
    public func argMax(over axis: PairAxis) throws -> Tensor<Int> { try reduction(.argMax, over: axis).indices }

    /// The smallest values with their positions.
    public func minWithPosition(over axis: PairAxis) throws -> (values: Tensor<Scalar>, positions: Tensor<Int>) {
        let result = try reduction(.minArgMin, over: axis)
        return (result.values, result.indices)
    }

    /// The largest values with their positions.
    public func maxWithPosition(over axis: PairAxis) throws -> (values: Tensor<Scalar>, positions: Tensor<Int>) {
        let result = try reduction(.maxArgMax, over: axis)
        return (result.values, result.indices)
    }

    /// The k smallest values in increasing order, of shape (batch…, points, k), or (batch…, points, k, dimension) for vectors. Slots
    /// beyond the number of points are +∞.
    public func kMin(_ k: Int, over axis: PairAxis) throws -> Tensor<Scalar> {
        try slots(try reduction(.kMin, over: axis, k: k).values, k)
    }

    /// The positions of the k smallest values, in the shape of ``kMin(_:over:)``; equal values in the order of their positions.
    public func argKMin(_ k: Int, over axis: PairAxis) throws -> Tensor<Int> {
        let indices = try reduction(.argKMin, over: axis, k: k).indices
        return Tensor(shape: slotShape(indices.shape, k), storage: indices.storage)
    }

    /// The k smallest values with their positions, in the shape of ``kMin(_:over:)``.
    public func kMinWithPositions(_ k: Int, over axis: PairAxis) throws -> (values: Tensor<Scalar>, positions: Tensor<Int>) {
        let result = try reduction(.kMinArgKMin, over: axis, k: k)
        return (try slots(result.values, k), Tensor(shape: slotShape(result.indices.shape, k), storage: result.indices.storage))
    }

    private func slotShape(_ shape: [Int], _ k: Int) -> [Int] {
        shape.dropLast() + (dimension == 1 ? [k] : [k, dimension])
    }

    private func slots(_ values: Tensor<Scalar>, _ k: Int) throws -> Tensor<Scalar> {
        try values.reshaped(slotShape(values.shape, k))
    }

    /// Any reduction, as the engine has it.
    ///
    /// - Parameters:
    ///   - weights: the second formula of the kinds that take one.
    ///   - k: how many values a k-min keeps.
    /// - Returns: values (batch…, points, numbers) and indices; one of the two has no numbers where the kind has none.
    public func reduction(
        _ kind: Reduction.Kind, over axis: PairAxis, weights: LazyTensor? = nil, k: Int = 1, accumulation: Accumulation = .init()
    ) throws -> (values: Tensor<Scalar>, indices: Tensor<Int>) {
        let bound = try BoundLazyTensor(self, weights)
        let entry = try ReductionCache.shared.entry(
            for: try Reduction(
                kind, of: bound.formula, weight: bound.weight, k: k, over: axis.reduced, accumulation: accumulation),
            bound.variables)
        let options = axis == .columns ? bound.options : bound.options.transposed

        let match = try entry.reduction.bound(to: bound.tensors.map { $0.inputArray() })
        let shape = match.shape
        var indices: Tensor<Int>?
        let values = try Tensor<Scalar>(shape: shape.batch + [shape.rows, shape.values]) { values in
            indices = try Tensor<Int>(shape: shape.batch + [shape.rows, shape.indices]) { indices in
                try indices.withMemoryRebound(to: Int64.self) { indices in
                    _ = try match.run(options: options, values: UnsafeMutableRawBufferPointer(values), indices: indices)
                }
            }
        }
        withExtendedLifetime(bound) {}
        let recorded = shape.values > 0 ? entry.expression.record(values, bound.tensors, options) : values
        return (recorded, indices!)
    }
}

/// Formulas with their variables numbered from 0, and the tensors that stand for them.
struct BoundLazyTensor<Scalar: TensorScalar> {
    let formula: Formula
    let weight: Formula?
    let variables: [Variable]
    /// In the order of the variables.
    let tensors: [Tensor<Scalar>]
    let options: ExecutionOptions

    init(_ tensor: LazyTensor<Scalar>, _ weights: LazyTensor<Scalar>? = nil) throws {
        // Joining checks that the two fit.
        var formulas: [Formula] = []
        let whole = try LazyTensor.joined([tensor] + (weights.map { [$0] } ?? [])) { parts in
            formulas = parts
            return parts[0]
        }
        let inputs = whole.inputs
        if let unbound = inputs.first(where: { $0.tensor == nil }) {
            throw TensorError("Variable \(unbound.name ?? "") is not bound to a tensor; use binding([…]) before reducing.")
        }
        var replacements: [Formula: Formula] = [:]
        var variables: [Variable] = []
        var tensors: [Tensor<Scalar>] = []
        for input in inputs {
            var (variable, tensor) = (input.variable, input.tensor!)
            let pointCount = variable.category == .i ? whole.rowCount : whole.columnCount
            if let own = input.pointCount, own == 1, pointCount != 1 {
                // One point for many is a parameter.
                tensor = try tensor.reshaped(tensor.shape.dropLast(2) + tensor.shape.suffix(1))
                variable.category = .parameter
            }
            let known = tensors.indices.first { variables[$0].category == variable.category && tensors[$0].isSame(as: tensor) }
            variable.index = known ?? variables.count
            if known == nil {
                variables.append(variable)
                tensors.append(tensor)
            }
            replacements[try Formula(input.variable)] = try Formula(variable)
        }
        formula = try formulas[0].substituting(replacements)
        weight = formulas.count > 1 ? try formulas[1].substituting(replacements) : nil
        self.variables = variables
        self.tensors = tensors
        options = whole.options
    }
}

extension Tensor {
    /// The same memory in the same shape, computed in the same way.
    fileprivate func isSame(as other: Tensor) -> Bool {
        storage === other.storage && shape == other.shape && record === other.record
    }
}
