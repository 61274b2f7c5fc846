import Formulas
import Kernels

/// What the pruned runs of a reduction have compiled, for one type of number.
enum PruningKernels: Sendable {
    case selection(SelectionKernels)
    case sum(SumKernels)

    /// - Parameter whole: the kernel of the reduction itself.
    /// - Returns: nil where the reduction cannot be pruned.
    init?(
        _ reduction: Reduction, whole: CPUKernel, type: ScalarType, instructionSet: InstructionSet, cache: KernelCache
    ) throws {
        if let kernels = try SelectionKernels(
            reduction, whole: whole, type: type, instructionSet: instructionSet, cache: cache)
        {
            self = .selection(kernels)
        } else if let kernels = try SumKernels(
            reduction, whole: whole, type: type, instructionSet: instructionSet, cache: cache)
        {
            self = .sum(kernels)
        } else {
            return nil
        }
    }
}
