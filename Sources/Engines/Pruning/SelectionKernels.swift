import Formulas
import Kernels
import Synchronization

/// What the pruned runs of a selection have compiled, for one type of number.
final class SelectionKernels: Sendable {
    let reduction: Reduction
    let selection: Selection
    let bounds: BoundKernel
    /// The reduction itself.
    let whole: CPUKernel
    /// The list that every run makes: one value more than is wanted.
    let list: CPUKernel
    private let type: ScalarType
    private let instructionSet: InstructionSet
    private let cache: KernelCache
    private let longerLists = Mutex<[Int: CPUKernel]>([:])
    private let foundExtremum = Mutex<CPUKernel?>(nil)
    /// The same for accelerators, by the list's length; 0 stands for the extremum.
    private let onDevices = Mutex<[Int: CompiledReduction]>([:])

    /// - Returns: nil where the reduction cannot be pruned.
    init?(
        _ reduction: Reduction, whole: CPUKernel, type: ScalarType, instructionSet: InstructionSet, cache: KernelCache
    ) throws {
        guard let selection = Selection(reduction), selection.k < Self.longestList else { return nil }
        // Two compilers at work, so that a first call takes hardly longer than with one.
        let (bounds, list) = try ThreadPool.shared.both {
            try BoundKernel.compiled(selection.formula, of: reduction, type: type, instructionSet: instructionSet, cache: cache)
        } and: {
            try CPUKernel(
                selection.list(of: selection.k + 1, over: reduction.over), type: type, instructionSet: instructionSet,
                cache: cache)
        }
        guard let bounds else { return nil }
        self.reduction = reduction
        self.selection = selection
        self.bounds = bounds
        self.list = list
        self.whole = whole
        self.type = type
        self.instructionSet = instructionSet
        self.cache = cache
    }

    /// Ties beyond so many values are left to the reduction itself.
    private static let longestList = 512

    /// A longer list, for ties; nil where it would be too long.
    func list(longerThan count: Int) -> (kernel: CPUKernel, count: Int)? {
        let longer = 4 * count
        guard longer <= Self.longestList else { return nil }
        return longerLists.withLock { lists in
            if let known = lists[longer] { return (known, longer) }
            let reduction = selection.list(of: longer, over: reduction.over)
            guard let made = try? CPUKernel(reduction, type: type, instructionSet: instructionSet, cache: cache) else {
                return nil
            }
            lists[longer] = made
            return (made, longer)
        }
    }
    /// The smallest value alone, NaN where there is one; nil where it does not compile.
    var extremum: CPUKernel? {
        foundExtremum.withLock { known in
            if known == nil {
                known = try? CPUKernel(
                    selection.extremum(over: reduction.over), type: type, instructionSet: instructionSet, cache: cache)
            }
            return known
        }
    }

    // MARK: On accelerators

    /// A list of so many values.
    func listOnDevices(_ count: Int) throws -> CompiledReduction {
        try onDevices(count, selection.list(of: count, over: reduction.over))
    }

    func extremumOnDevices() throws -> CompiledReduction { try onDevices(0, selection.extremum(over: reduction.over)) }

    private func onDevices(_ key: Int, _ reduction: @autoclosure () -> Reduction) throws -> CompiledReduction {
        try onDevices.withLock { known in
            if let made = known[key] { return made }
            let made = try CompiledReduction(reduction(), declarations: nil, cache: cache)
            known[key] = made
            return made
        }
    }

    /// Longer lists take more registers than an accelerator has.
    static let longestListOnDevices = 64
}
