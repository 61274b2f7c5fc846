import Formulas
import Kernels

/// What a pruned reduction keeps for each row: the k smallest values of a formula, or of its negative.
struct Selection: Sendable {
    /// Of which the smallest values are kept.
    let formula: Formula
    let k: Int
    /// Whether the formula is the negative of the reduction's.
    let isNegated: Bool
    /// Whether a NaN among the values is the result, as for extrema; lists of the smallest never take one.
    let keepsNaN: Bool
    let returnsValues: Bool
    let returnsIndices: Bool

    /// Nil for reductions that select nothing.
    init?(_ reduction: Reduction) {
        guard reduction.formula.dimension == 1 else { return nil }
        k = reduction.k
        returnsValues = reduction.valueCount > 0
        returnsIndices = reduction.indexCount > 0
        switch reduction.kind {
        case .min, .argMin, .minArgMin: (isNegated, keepsNaN) = (false, true)
        case .max, .argMax, .maxArgMax: (isNegated, keepsNaN) = (true, true)
        case .kMin, .argKMin, .kMinArgKMin: (isNegated, keepsNaN) = (false, false)
        default: return nil
        }
        guard let formula = isNegated ? try? Catalogue.formula("Minus", [.formula(reduction.formula)]) : reduction.formula else {
            return nil
        }
        self.formula = formula
    }

    /// The reduction that lists more of them than are kept, with their places.
    func list(of count: Int, over: ReducedIndex) -> Reduction {
        do {
            return try Reduction(.kMinArgKMin, of: formula, k: count, over: over)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// The smallest value alone, NaN where there is one, and its place.
    func extremum(over: ReducedIndex) -> Reduction {
        do {
            return try Reduction(.minArgMin, of: formula, over: over)
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
