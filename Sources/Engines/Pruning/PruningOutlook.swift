import Formulas
import Kernels

/// What can be left out of a reduction; see ``Pruning`` and ``ExecutionOptions/tolerance``.
public enum PruningOutlook: Hashable, Sendable {
    /// The formula has no bounds, or the reduction needs all pairs.
    case none
    /// Pairs that cannot be selected.
    case exact
    /// Pairs that matter less than the tolerance.
    case withinTolerance
    /// The same, or all of them, by way of a lattice.
    case lattice
}

extension Reduction {
    /// What can be left out, by the formula alone; nothing is compiled.
    public func pruningOutlook(_ type: ScalarType) -> PruningOutlook {
        if LatticeKernels.apply(to: self, type: type) { return .lattice }
        if let selection = Selection(self) {
            return BoundKernel.exists(selection.formula, of: self, type: type) ? .exact : .none
        }
        guard let weight = try? SumKernels.formulas(self).weight else { return .none }
        return BoundKernel.exists(weight, of: self, type: type) ? .withinTolerance : .none
    }
}
