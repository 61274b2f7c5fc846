import Formulas
import RealModule

/// log Σ e^F g and its relatives, in one pass that cannot overflow. The state is a shift m, at least the largest F met so
/// far, and the sums s = Σ e^(F - m) g. When a larger F comes, s is scaled down to it.
///
/// Generated code sets the shift somewhat above that F where it is not a result itself: else every record would cost a
/// branch, and some lane has a record in every third column.
///
/// The shift starts at the lowest finite number and never leaves the finite ones: then F = -inf adds e^(-inf) = 0 also
/// when nothing else came before, an infinite F gives an infinite sum rather than inf - inf, and log 0 = -inf comes out for
/// no columns at all.
struct SoftMaximumAccumulator: Accumulator {
    /// Which function of (m, s) is returned.
    enum Result: Hashable { case logarithm, mean, pair }

    /// The dimension of g; nil for g = 1.
    let weightDimension: Int?
    let result: Result
    let isCompensated: Bool

    private var dimension: Int { weightDimension ?? 1 }
    /// The mean needs Σ e^(F - m) as well, before the weighted sums.
    private var sumCount: Int { dimension + (result == .mean ? 1 : 0) }
    private static let lowest = -Double.greatestFiniteMagnitude
    /// How far above the largest F the shift is put.
    private var headroom: Double { result == .pair ? 0 : 8 }

    // m, the sums, their corrections.
    var stateCount: (values: Int, positions: Int) { (1 + (isCompensated ? 2 : 1) * sumCount, 0) }

    var componentCount: Int { weightDimension ?? 0 }
    var valueRuns: [StateRun] {
        let mass = sumCount - dimension
        return [.fixed(1 + mass), .components(dimension)] + (isCompensated ? [.fixed(mass), .components(dimension)] : [])
    }
    var fixedResultCount: Int { result == .pair ? 1 : 0 }

    var identity: AccumulatorState {
        AccumulatorState(
            values: [Self.lowest] + Array(repeating: 0, count: stateCount.values - 1), positions: [])
    }

    // MARK: The reference

    func enter(_ value: [Double], weight: [Double], position: Int64, into state: inout AccumulatorState) {
        let shift = raise(&state, to: value[0])
        let mass = Double.exp(value[0] - shift)
        let terms = (result == .mean ? [1] : []) + (weightDimension == nil ? [1] : weight)
        for (k, term) in terms.enumerated() { state.values[1 + k] += mass * term }
    }

    func merge(_ later: AccumulatorState, into state: inout AccumulatorState) {
        let shift = raise(&state, to: later.values[0])
        let scale = Double.exp(later.values[0] - shift)
        for k in 1...sumCount {
            let sum = later.values[k] - (isCompensated ? later.values[k + sumCount] : 0)
            state.values[k] += scale * sum
        }
    }

    /// Makes the shift at least `value`, and returns it.
    private func raise(_ state: inout AccumulatorState, to value: Double) -> Double {
        if value > state.values[0] {
            let shift = min(value, .greatestFiniteMagnitude)
            let scale = Double.exp(state.values[0] - shift)
            for k in 1..<state.values.count { state.values[k] *= scale }
            state.values[0] = shift
        }
        return state.values[0]
    }

    func finish(_ state: AccumulatorState) -> (values: [Double], indices: [Int64]) {
        let (shift, sums) = (state.values[0], state.values[1...sumCount])
        switch result {
        case .logarithm: return (sums.map { shift + Double.log($0) }, [])
        case .mean: return (sums.dropFirst().map { $0 / sums.first! }, [])
        case .pair: return ([shift == Self.lowest ? -.infinity : shift] + sums, [])
        }
    }

    // MARK: Generated code

    func emitIdentity(_ state: StateReference, _ builder: KernelBuilder) {
        builder.store(builder.constant(-builder.largestFinite(of: state.values)), in: state.values, at: 0)
        builder.loop(state.values.count - 1) { k in builder.store(builder.constant(0), in: state.values, at: k + 1) }
    }

    /// The shift goes on from where it is.
    func emitIdentity(ofBlock block: StateReference, after total: StateReference, _ builder: KernelBuilder) {
        emitIdentity(block, builder)
        let shift = builder.converted(builder.load(total.values, at: 0), like: block.values)
        let lowest = builder.constant(-builder.largestFinite(of: block.values))
        builder.store((shift > lowest).select(shift, lowest), in: block.values, at: 0)
    }

    func emitEnter(_ value: Operand, weight: Operand?, into state: StateReference, _ builder: KernelBuilder) {
        let exponent = builder.converted(value[0], like: state.values)
        emitRaise(state, to: exponent, headroom: headroom, isEntering: true, builder)
        // Several columns may be in flight: the shift must have seen all of them before it is used.
        builder.barrier()
        let mass = (exponent - builder.load(state.values, at: 0)).apply(.exp)
        if result == .mean { emitAdd(mass, to: state, at: 1, builder) }
        let first = result == .mean ? 2 : 1
        if state.isWeighted { return builder.weigh(mass) }
        guard let weight else { return emitAdd(mass, to: state, at: Index(first), builder) }
        builder.loop(dimension) { k in emitAdd(mass * weight[k], to: state, at: k + first, builder) }
    }

    func emitMerge(_ later: StateReference, into state: StateReference, _ builder: KernelBuilder) {
        let laterShift = builder.converted(builder.load(later.values, at: 0), like: state.values)
        // A block's weighted sums are the total's: they follow the block's shift, to which the total's rises.
        emitRaise(state, to: laterShift, headroom: 0, isEntering: false, builder)
        let scale = (laterShift - builder.load(state.values, at: 0)).apply(.exp)
        builder.loop(state.isWeighted ? sumCount - dimension : sumCount) { k in
            let sum = builder.converted(builder.load(later.values, at: k + 1), like: state.values)
            emitAdd(scale * sum, to: state, at: k + 1, builder)
        }
    }

    private func emitAdd(_ term: Value, to state: StateReference, at k: Index, _ builder: KernelBuilder) {
        builder.emitCompensatedAdd(term, to: state.values, at: k, correction: isCompensated ? k + sumCount : nil)
    }

    private func emitRaise(
        _ state: StateReference, to value: Value, headroom: Double, isEntering: Bool, _ builder: KernelBuilder
    ) {
        builder.whenAny(value > builder.load(state.values, at: 0)) {
            let old = builder.load(state.values, at: 0)
            let largest = builder.constant(builder.largestFinite(of: state.values))
            let raised = headroom > 0 ? value + builder.constant(headroom) : value
            let capped = (raised > largest).select(largest, raised)
            let shift = (value > old).select(capped, old)
            let scale = (old - shift).apply(.exp)
            builder.loop(state.values.count - 1) { k in
                builder.store(builder.load(state.values, at: k + 1) * scale, in: state.values, at: k + 1)
            }
            if state.isWeighted, isEntering { builder.rescale(by: scale) }
            builder.store(shift, in: state.values, at: 0)
        }
    }

    func emitFinish(
        _ state: StateReference, value: (Index, Value) -> Void, index: (Index, Value) -> Void, _ builder: KernelBuilder
    ) {
        let shift = builder.load(state.values, at: 0)
        let first = builder.load(state.values, at: 1)
        switch result {
        case .logarithm:
            // The logarithm of a sum without headroom is as small as can be, and so is its rounding error.
            let (largest, scale) = (shift - builder.constant(headroom), builder.constant(Double.exp(headroom)))
            builder.loop(dimension) { k in
                value(k, largest + (state.component(k, after: 1, builder) * scale).apply(.log))
            }
        case .mean:
            builder.loop(dimension) { k in value(k, state.component(k, after: 2, builder) / first) }
        case .pair:
            // Blocks start at the lowest number of the data's type, which the accumulator's may exceed.
            let lowest = builder.constant(-builder.largestFiniteNumber)
            value(0, (shift <= lowest).select(builder.constant(-.infinity), shift))
            builder.loop(dimension) { k in value(k + 1, state.component(k, after: 1, builder)) }
        }
    }
}
