import Formulas

/// The k smallest values per component, in increasing order, and their columns. Equal values stay in the order of their
/// columns; NaN never enters. Slots beyond the number of columns hold +inf and position 0. Layout: [slot][component].
struct SmallestAccumulator: Accumulator {
    let dimension: Int
    let k: Int
    let returnsValues: Bool
    let returnsIndices: Bool

    var stateCount: (values: Int, positions: Int) { (k * dimension, returnsIndices ? k * dimension : 0) }

    var identity: AccumulatorState {
        AccumulatorState(
            values: Array(repeating: .infinity, count: k * dimension),
            positions: Array(repeating: 0, count: stateCount.positions))
    }

    func enter(_ value: [Double], weight: [Double], position: Int64, into state: inout AccumulatorState) {
        for component in 0..<dimension { insert(value[component], position, component, &state) }
    }

    func merge(_ later: AccumulatorState, into state: inout AccumulatorState) {
        for slot in 0..<k * dimension {
            insert(later.values[slot], returnsIndices ? later.positions[slot] : 0, slot % dimension, &state)
        }
    }

    private func insert(_ value: Double, _ position: Int64, _ component: Int, _ state: inout AccumulatorState) {
        var slot = k
        while slot > 0, value < state.values[(slot - 1) * dimension + component] { slot -= 1 }
        guard slot < k else { return }
        for later in stride(from: k - 1, to: slot, by: -1) {
            state.values[later * dimension + component] = state.values[(later - 1) * dimension + component]
            if returnsIndices {
                state.positions[later * dimension + component] = state.positions[(later - 1) * dimension + component]
            }
        }
        state.values[slot * dimension + component] = value
        if returnsIndices { state.positions[slot * dimension + component] = position }
    }

    func finish(_ state: AccumulatorState) -> (values: [Double], indices: [Int64]) {
        (returnsValues ? state.values : [], state.positions)
    }

    func emitIdentity(_ state: StateReference, _ builder: KernelBuilder) {
        builder.loop(k * dimension) { slot in
            builder.store(builder.constant(.infinity), in: state.values, at: slot)
            if let positions = state.positions { builder.store(builder.positionZero, in: positions, at: slot) }
        }
    }

    func emitEnter(_ value: Operand, weight: Operand?, into state: StateReference, _ builder: KernelBuilder) {
        builder.loop(dimension) { component in
            emitInsert(value[component], { builder.columnPosition }, component, state, builder)
        }
    }

    func emitMerge(_ later: StateReference, into state: StateReference, _ builder: KernelBuilder) {
        builder.loop(k) { slot in
            builder.loop(dimension) { component in
                let from = slot * dimension + component
                emitInsert(
                    builder.load(later.values, at: from), { builder.load(later.positions!, at: from) }, component, state,
                    builder)
            }
        }
    }

    /// A value that does not beat the last slot in any lane costs one comparison. Else every slot, from the last to the
    /// first, takes its predecessor, the value, or stays.
    private func emitInsert(
        _ value: Value, _ position: () -> Value, _ component: Index, _ state: StateReference, _ builder: KernelBuilder
    ) {
        let last = component + (k - 1) * dimension
        builder.whenAny(value < builder.load(state.values, at: last)) {
            let position = state.positions == nil ? nil : position()
            builder.loop(k - 1) { step in
                let slot = step * -dimension + component + (k - 1) * dimension
                let before = slot + -dimension
                let ownIsLarger = value < builder.load(state.values, at: slot)
                let beforeIsLarger = value < builder.load(state.values, at: before)
                func shift(_ array: ArrayReference, _ entry: Value) {
                    let own = builder.load(array, at: slot)
                    let moved = beforeIsLarger.select(builder.load(array, at: before), entry)
                    builder.store(ownIsLarger.select(moved, own), in: array, at: slot)
                }
                // The masks compare with the values, so the values move last.
                if let positions = state.positions, let position { shift(positions, position) }
                shift(state.values, value)
            }
            let first = component
            let isSmallest = value < builder.load(state.values, at: first)
            if let positions = state.positions, let position {
                builder.store(isSmallest.select(position, builder.load(positions, at: first)), in: positions, at: first)
            }
            builder.store(isSmallest.select(value, builder.load(state.values, at: first)), in: state.values, at: first)
        }
    }

    func emitFinish(
        _ state: StateReference, value: (Index, Value) -> Void, index: (Index, Value) -> Void, _ builder: KernelBuilder
    ) {
        builder.loop(k * dimension) { slot in
            if returnsValues { value(slot, builder.load(state.values, at: slot)) }
            if let positions = state.positions { index(slot, builder.load(positions, at: slot)) }
        }
    }
}
