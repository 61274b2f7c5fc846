import Formulas
import Kernels

/// What evaluates the pairs that pruning leaves over: this processor, or the call's devices.
struct PruningEngine {
    let options: ExecutionOptions
    let threads: Int
    private let whole: CPUKernel

    /// - Returns: nil where bounds do not hold for what it computes, as for distances from inner products and what matrix units add up.
    init?(_ bound: BoundReduction, _ whole: CPUKernel, _ options: ExecutionOptions) throws {
        self.options = options
        self.whole = whole
        threads = max(1, options.threads ?? ThreadPool.defaultThreadCount)
        guard !whole.kernel.usesInnerProducts else { return nil }
        for device in options.devices {
            let kernel = try bound.compiled.acceleratorKernel(for: bound.binding, options, on: device)
            guard kernel.centreWidth == 0, !kernel.hasContraction else { return nil }
        }
    }

    /// How many rows and columns make sorting pay, by the engine: it takes this processor as long as so many rows do, and a device does
    /// meanwhile the more pairs, the more units it has.
    static func fewestPoints(_ options: ExecutionOptions) -> Int {
        let units = options.devices.reduce(0) { $0 + ((try? $1.accelerator().properties.unitCount) ?? 0) }
        return max(8_192, 4_096 * units)
    }

    /// - Parameter compiled: the reduction itself.
    func rowsPerTile(_ kernels: PruningKernels, _ compiled: CompiledReduction, _ binding: Binding) throws -> Int {
        guard let device = options.devices.first else {
            switch kernels {
            case .selection(let kernels): return kernels.list.rowsPerBlock
            case .sum: return whole.rowsPerBlock
            }
        }
        var compiled = compiled
        if case .selection(let kernels) = kernels { compiled = try kernels.listOnDevices(kernels.selection.k + 1) }
        return try compiled.acceleratorKernel(for: binding, options, on: device).rowsPerGroup
    }

    /// - Returns: whether it was possible. Block-sparse calls need all of their arrays on a device, others do not: where a device says no, it
    ///   is asked for all pairs.
    func run<Pruned: PrunedRun>(_ pruned: Pruned, _ compiled: CompiledReduction, _ type: ScalarType) throws -> Bool {
        guard !options.devices.isEmpty else {
            pruned.run(threads: threads)
            return true
        }
        let run = SortedDeviceRun(search: pruned.search, compiled: compiled, type: type, options: options)
        do {
            try pruned.runOnDevices(run, threads: threads)
            return true
        } catch is EngineError {
            return false
        }
    }

    /// Evaluates all pairs of a pattern.
    ///
    /// - Returns: how many there are.
    func run(_ bound: BoundReduction, _ sparsity: BlockSparsity, _ output: Output) throws -> Int {
        guard !options.devices.isEmpty else {
            return Run(
                reduction: bound.compiled.reduction, binding: bound.binding, sparsity: sparsity, threads: threads, progress: nil,
                output: output
            ).onProcessor(whole)
        }
        var options = options
        options.sparsity = sparsity
        options.progress = nil
        try bound.runOnDevices(options, output)
        let items = sparsity.patterns.count == 1 ? bound.binding.batchCount : 1
        return sparsity.patterns.reduce(0) { saturatingSum($0, saturatingProduct($1.pairCount, items)) }
    }
}

extension Binding {
    /// The rows of a block, and all columns.
    init(_ other: Binding, _ block: PruningBlock, of reduction: Reduction) {
        let pointers = zip(reduction.variables, other.pointers(block.batchItem)).map { variable, pointer in
            guard variable.category == reduction.over.outputCategory else { return pointer }
            return pointer + block.rows.lowerBound * variable.dimension * other.type.byteCount
        }
        self.init(of: reduction, pointers, rows: block.rows.count, columns: other.columnCount, type: other.type)
    }
}
