import Formulas

/// Σ F, component by component. The state is the sum, and where it is compensated, what rounding has added too much.
struct SumAccumulator: Accumulator {
    let dimension: Int
    let isCompensated: Bool

    var stateCount: (values: Int, positions: Int) { (isCompensated ? 2 * dimension : dimension, 0) }

    var componentCount: Int { dimension }
    var valueRuns: [StateRun] { Array(repeating: .components(dimension), count: isCompensated ? 2 : 1) }

    var identity: AccumulatorState {
        AccumulatorState(values: Array(repeating: 0, count: stateCount.values), positions: [])
    }

    func enter(_ value: [Double], weight: [Double], position: Int64, into state: inout AccumulatorState) {
        for k in value.indices { add(value[k], to: &state, k) }
    }

    func merge(_ later: AccumulatorState, into state: inout AccumulatorState) {
        for k in 0..<dimension {
            add(later.values[k], to: &state, k)
            if isCompensated { add(-later.values[dimension + k], to: &state, k) }
        }
    }

    private func add(_ term: Double, to state: inout AccumulatorState, _ k: Int) {
        guard isCompensated else {
            state.values[k] += term
            return
        }
        let corrected = term - state.values[dimension + k]
        let total = state.values[k] + corrected
        // An infinite sum has no rounding to compensate, and inf - inf would poison it.
        state.values[dimension + k] = total.isFinite ? (total - state.values[k]) - corrected : 0
        state.values[k] = total
    }

    func finish(_ state: AccumulatorState) -> (values: [Double], indices: [Int64]) {
        (Array(state.values[..<dimension]), [])
    }

    func emitIdentity(_ state: StateReference, _ builder: KernelBuilder) {
        builder.loop(state.values.count) { k in builder.store(builder.constant(0), in: state.values, at: k) }
    }

    func emitEnter(_ value: Operand, weight: Operand?, into state: StateReference, _ builder: KernelBuilder) {
        if state.isWeighted { return builder.weigh(value[0]) }
        builder.loop(dimension) { k in emitAdd(value[k], to: state.values, k, builder) }
    }

    func emitMerge(_ later: StateReference, into state: StateReference, _ builder: KernelBuilder) {
        if state.isWeighted { return }
        builder.loop(dimension) { k in
            emitAdd(builder.load(later.values, at: k), to: state.values, k, builder)
            if isCompensated { emitAdd(-builder.load(later.values, at: k + dimension), to: state.values, k, builder) }
        }
    }

    private func emitAdd(_ term: Value, to sums: ArrayReference, _ k: Index, _ builder: KernelBuilder) {
        builder.emitCompensatedAdd(term, to: sums, at: k, correction: isCompensated ? k + dimension : nil)
    }

    func emitFinish(
        _ state: StateReference, value: (Index, Value) -> Void, index: (Index, Value) -> Void, _ builder: KernelBuilder
    ) {
        builder.loop(dimension) { k in value(k, state.component(k, after: 0, builder)) }
    }
}

extension KernelBuilder {
    /// sums[k] += term; with a correction cell, by Kahan's compensated addition.
    func emitCompensatedAdd(_ term: Value, to sums: ArrayReference, at k: Index, correction: Index?) {
        let sum = load(sums, at: k)
        guard let correction else {
            store(sum + term, in: sums, at: k)
            return
        }
        let corrected = term - load(sums, at: correction)
        let total = sum + corrected
        let error = (total - sum) - corrected
        // An infinite sum has no rounding to compensate, and inf - inf would poison it.
        store((error == error).select(error, constant(0)), in: sums, at: correction)
        store(total, in: sums, at: k)
    }
}
