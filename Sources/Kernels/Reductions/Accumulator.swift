import Formulas

/// One kind of accumulation, all in one place: the state kept per row, how a value enters it, how two states merge and what
/// the result is; as a reference in Double, and as generated code.
///
/// `merge` is what makes it right to split the columns: over blocks, over threads, over devices.
protocol Accumulator: Sendable {
    /// How many numbers and how many positions a state has.
    var stateCount: (values: Int, positions: Int) { get }

    /// How many components of the result have numbers of their own in the state: these can be computed some at a time. 0 where the state
    /// is one whole.
    var componentCount: Int { get }
    /// What the state is made of.
    var valueRuns: [StateRun] { get }
    var positionRuns: [StateRun] { get }
    /// How many numbers the result begins with that are no components.
    var fixedResultCount: Int { get }

    // MARK: The reference

    /// The state of no column at all.
    var identity: AccumulatorState { get }
    /// One column's value (and weight) enters.
    func enter(_ value: [Double], weight: [Double], position: Int64, into state: inout AccumulatorState)
    /// The state of `later` columns joins; all of them come after those of `state`.
    func merge(_ later: AccumulatorState, into state: inout AccumulatorState)
    /// The numbers and indices returned.
    func finish(_ state: AccumulatorState) -> (values: [Double], indices: [Int64])

    // MARK: Generated code

    func emitIdentity(_ state: StateReference, _ builder: KernelBuilder)
    /// The state of a block of columns before its first, `total` being that of the columns before.
    func emitIdentity(ofBlock block: StateReference, after total: StateReference, _ builder: KernelBuilder)
    func emitEnter(_ value: Operand, weight: Operand?, into state: StateReference, _ builder: KernelBuilder)
    func emitMerge(_ later: StateReference, into state: StateReference, _ builder: KernelBuilder)
    /// Hands component k of the result to `value`, and index k to `index`.
    func emitFinish(
        _ state: StateReference, value: (Index, Value) -> Void, index: (Index, Value) -> Void, _ builder: KernelBuilder)
}

extension Accumulator {
    var componentCount: Int { 0 }
    var valueRuns: [StateRun] { [.fixed(stateCount.values)] }
    var positionRuns: [StateRun] { [.fixed(stateCount.positions)] }
    var fixedResultCount: Int { 0 }

    func emitIdentity(ofBlock block: StateReference, after total: StateReference, _ builder: KernelBuilder) {
        emitIdentity(block, builder)
    }
}

/// A state outside generated code.
public struct AccumulatorState: Hashable, Sendable {
    public var values: [Double]
    public var positions: [Int64]

    public init(values: [Double], positions: [Int64]) {
        self.values = values
        self.positions = positions
    }
}

/// A state inside generated code: arrays of the row stage that the columns update.
struct StateReference {
    var values: ArrayReference
    var positions: ArrayReference?
    /// Whether its components are not in the array: they are sums of weights times vectors, for a tile of pairs at a time.
    var isWeighted = false

    /// - Parameter first: where the components begin.
    func component(_ k: Index, after first: Int, _ builder: KernelBuilder) -> Value {
        isWeighted ? builder.weighted(k) : builder.load(values, at: k + first)
    }
}

extension Reduction {
    /// The definition behind the kind.
    var accumulator: any Accumulator { accumulator(of: nil) }

    /// - Parameter count: how many of the components there are; nil for all.
    func accumulator(of count: Int?) -> any Accumulator {
        switch kind {
        case .sum:
            SumAccumulator(dimension: count ?? formula.dimension, isCompensated: scheme == .kahan)
        case .logSumExp, .sumSoftMax, .maxSumShiftExp:
            SoftMaximumAccumulator(
                weightDimension: weight.map { count ?? $0.dimension },
                result: kind == .logSumExp ? .logarithm : kind == .sumSoftMax ? .mean : .pair,
                isCompensated: scheme == .kahan)
        case .min, .minArgMin, .argMin:
            ExtremumAccumulator(
                dimension: count ?? formula.dimension, isLargest: false, returnsValues: valueCount > 0,
                returnsIndices: indexCount > 0)
        case .max, .maxArgMax, .argMax:
            ExtremumAccumulator(
                dimension: count ?? formula.dimension, isLargest: true, returnsValues: valueCount > 0,
                returnsIndices: indexCount > 0)
        case .kMin, .argKMin, .kMinArgKMin:
            SmallestAccumulator(
                dimension: formula.dimension, k: k, returnsValues: valueCount > 0, returnsIndices: indexCount > 0)
        case .zero:
            ZeroAccumulator(dimension: formula.dimension)
        }
    }
}

/// Nothing is accumulated.
struct ZeroAccumulator: Accumulator {
    let dimension: Int

    var stateCount: (values: Int, positions: Int) { (0, 0) }
    var identity: AccumulatorState { AccumulatorState(values: [], positions: []) }
    func enter(_ value: [Double], weight: [Double], position: Int64, into state: inout AccumulatorState) {}
    func merge(_ later: AccumulatorState, into state: inout AccumulatorState) {}
    func finish(_ state: AccumulatorState) -> (values: [Double], indices: [Int64]) {
        (Array(repeating: 0, count: dimension), [])
    }

    func emitIdentity(_ state: StateReference, _ builder: KernelBuilder) {}
    func emitEnter(_ value: Operand, weight: Operand?, into state: StateReference, _ builder: KernelBuilder) {}
    func emitMerge(_ later: StateReference, into state: StateReference, _ builder: KernelBuilder) {}
    func emitFinish(
        _ state: StateReference, value: (Index, Value) -> Void, index: (Index, Value) -> Void, _ builder: KernelBuilder
    ) {
        builder.loop(dimension) { k in value(k, builder.constant(0)) }
    }
}
