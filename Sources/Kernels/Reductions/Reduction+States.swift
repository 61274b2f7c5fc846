import Formulas

// The accumulator's reference, for those who keep states outside generated code: the interpreter, and whoever merges.
extension Reduction {
    public var identityState: AccumulatorState { accumulator.identity }

    public func enter(_ value: [Double], weight: [Double], position: Int64, into state: inout AccumulatorState) {
        accumulator.enter(value, weight: weight, position: position, into: &state)
    }

    /// - Parameter later: the state of columns that come after those of `state`.
    public func merge(_ later: AccumulatorState, into state: inout AccumulatorState) {
        accumulator.merge(later, into: &state)
    }

    public func finish(_ state: AccumulatorState) -> (values: [Double], indices: [Int64]) { accumulator.finish(state) }
}
