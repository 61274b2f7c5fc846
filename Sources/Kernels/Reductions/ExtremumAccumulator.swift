import Formulas

/// The smallest or largest value per component and the column where it is. The first column wins a tie; NaN wins over
/// numbers, as in NumPy, and the first NaN stays.
struct ExtremumAccumulator: Accumulator {
    let dimension: Int
    let isLargest: Bool
    let returnsValues: Bool
    let returnsIndices: Bool

    var stateCount: (values: Int, positions: Int) { (dimension, returnsIndices ? dimension : 0) }

    var componentCount: Int { dimension }
    var valueRuns: [StateRun] { [.components(dimension)] }
    var positionRuns: [StateRun] { returnsIndices ? [.components(dimension)] : [] }

    private var worst: Double { isLargest ? -.infinity : .infinity }

    var identity: AccumulatorState {
        AccumulatorState(
            values: Array(repeating: worst, count: dimension), positions: Array(repeating: 0, count: stateCount.positions))
    }

    func enter(_ value: [Double], weight: [Double], position: Int64, into state: inout AccumulatorState) {
        for k in value.indices { replace(k, &state, by: value[k], position) }
    }

    func merge(_ later: AccumulatorState, into state: inout AccumulatorState) {
        for k in 0..<dimension { replace(k, &state, by: later.values[k], returnsIndices ? later.positions[k] : 0) }
    }

    private func replace(_ k: Int, _ state: inout AccumulatorState, by value: Double, _ position: Int64) {
        let best = state.values[k]
        let isBetter = isLargest ? value > best : value < best
        guard isBetter || (value.isNaN && !best.isNaN) else { return }
        state.values[k] = value
        if returnsIndices { state.positions[k] = position }
    }

    func finish(_ state: AccumulatorState) -> (values: [Double], indices: [Int64]) {
        (returnsValues ? state.values : [], state.positions)
    }

    func emitIdentity(_ state: StateReference, _ builder: KernelBuilder) {
        builder.loop(dimension) { k in
            builder.store(builder.constant(worst), in: state.values, at: k)
            if let positions = state.positions { builder.store(builder.positionZero, in: positions, at: k) }
        }
    }

    func emitEnter(_ value: Operand, weight: Operand?, into state: StateReference, _ builder: KernelBuilder) {
        builder.loop(dimension) { k in emitReplace(state, k, by: value[k], { builder.columnPosition }, builder) }
    }

    func emitMerge(_ later: StateReference, into state: StateReference, _ builder: KernelBuilder) {
        builder.loop(dimension) { k in
            emitReplace(
                state, k, by: builder.load(later.values, at: k), { builder.load(later.positions!, at: k) }, builder)
        }
    }

    /// New records are rare, so the common path is one comparison, which also holds for NaN, and a branch.
    private func emitReplace(
        _ state: StateReference, _ k: Index, by value: Value, _ position: () -> Value, _ builder: KernelBuilder
    ) {
        let best = builder.load(state.values, at: k)
        let isNoRecord = isLargest ? value <= best : best <= value
        builder.whenAny(isNoRecord.apply(.not)) {
            let isBetter = (isLargest ? value > best : value < best) || (value != value && best == best)
            builder.store(isBetter.select(value, best), in: state.values, at: k)
            if let positions = state.positions {
                builder.store(isBetter.select(position(), builder.load(positions, at: k)), in: positions, at: k)
            }
        }
    }

    func emitFinish(
        _ state: StateReference, value: (Index, Value) -> Void, index: (Index, Value) -> Void, _ builder: KernelBuilder
    ) {
        builder.loop(dimension) { k in
            if returnsValues { value(k, builder.load(state.values, at: k)) }
            if let positions = state.positions { index(k, builder.load(positions, at: k)) }
        }
    }
}
