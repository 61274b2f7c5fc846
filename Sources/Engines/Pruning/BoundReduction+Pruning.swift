import Formulas
import Kernels

extension BoundReduction {
    /// Runs without the pairs that do not matter.
    ///
    /// - Parameters:
    ///   - whole: the kernel of the reduction itself on this processor, which takes bounds whatever the engine.
    ///   - options: with devices, they evaluate the pairs.
    /// - Returns: how many pairs were evaluated; nil where pruning is not possible or not worth while, in which case nothing that counts is
    ///   done.
    func runPruned(_ whole: CPUKernel, _ options: ExecutionOptions, _ output: Output) throws -> Int? {
        guard mayBePruned(options), let engine = try PruningEngine(self, whole, options) else {
            return nil
        }
        let sparsity = options.sparsity ?? .dense(rows: binding.rowCount, columns: binding.columnCount)
        let fewest = options.pruning == .always ? Self.fewestPointsOfBlock : PruningEngine.fewestPoints(options)
        let (blocks, rest) = sparsity.separatingBlocks(of: fewest, batchCount: binding.batchCount)
        guard !blocks.isEmpty, let kernels = compiled.pruningKernels(for: binding, options, whole: whole) else { return nil }
        // First what is not pruned, with the rows that meet nothing.
        var evaluated = options.sparsity == nil ? 0 : try engine.run(self, rest, output)
        // A first block that pruning is no help for speaks for all of them.
        var isHopeless = false
        for (number, block) in blocks.enumerated() {
            let count: Int? =
                switch binding.type {
                case .float32 where !isHopeless: try prune(block, kernels, Float.self, engine, output)
                case .float64 where !isHopeless: try prune(block, kernels, Double.self, engine, output)
                default: nil
                }
            if number == 0 { isHopeless = count == nil && options.pruning == .automatic }
            if let count {
                evaluated = saturatingSum(evaluated, count)
            } else if options.sparsity == nil {
                return nil
            } else {
                evaluated = saturatingSum(evaluated, try run(block, engine, output))
            }
        }
        let pairs = [binding.batchCount, binding.rowCount, binding.columnCount].reduce(1, saturatingProduct)
        options.progress?(pairs, pairs)
        return evaluated
    }

    /// Whether a call may be pruned at all, by the options and sizes, ahead of compiling anything.
    func mayBePruned(_ options: ExecutionOptions) -> Bool {
        options.pruning != .never && options.memory == .host
            // Bounds hold for numbers of the usual accuracy.
            && options.exponentials == .accurate && !binding.type.isHalf
            && min(binding.rowCount, binding.columnCount) >= Self.fewestPointsOfBlock && binding.columnCount < Int(Int32.max)
            && (options.pruning == .always || mayPay(options))
    }

    /// Whether sorting can pay, by the sizes and the formula alone; and whether a sum may be pruned.
    private func mayPay(_ options: ExecutionOptions) -> Bool {
        let reduction = compiled.reduction
        return min(binding.rowCount, binding.columnCount) >= PruningEngine.fewestPoints(options)
            && (!reduction.addsTerms || options.tolerance != nil)
            && reduction.formula.contactDimension(reduction.over.outputCategory) <= Self.mostAxes
    }

    private func prune<Scalar: BinaryFloatingPoint & Sendable>(
        _ block: PruningBlock, _ kernels: PruningKernels, _: Scalar.Type, _ engine: PruningEngine, _ output: Output
    ) throws -> Int? {
        let own = output.item(block.batchItem, rows: binding.rowCount, of: compiled.reduction, binding.type)
        let rowsPerTile = try engine.rowsPerTile(kernels, compiled, binding)
        // No existentials: the compiler then makes code for each type of number.
        switch kernels {
        case .selection(let kernels):
            return try prune(
                PrunedSelection<Scalar>(
                    kernels, binding, block, output: own, rowsPerTile: rowsPerTile, threads: engine.threads), engine)
        case .sum(let kernels):
            return try prune(
                PrunedSum<Scalar>(
                    kernels, binding, block, tolerance: engine.options.tolerance ?? 0, output: own, rowsPerTile: rowsPerTile,
                    threads: engine.threads), engine)
        }
    }

    private func prune(_ pruned: some PrunedRun, _ engine: PruningEngine) throws -> Int? {
        defer { pruned.search.deallocate() }
        guard pruned.search.isPossible else { return nil }
        if engine.options.pruning == .automatic, pruned.probedShare() > Self.largestShare { return nil }
        return try engine.run(pruned, compiled, binding.type) ? pruned.search.evaluatedPairs : nil
    }

    /// All pairs of a block.
    private func run(_ block: PruningBlock, _ engine: PruningEngine, _ output: Output) throws -> Int {
        let own = output.item(block.batchItem, rows: binding.rowCount, of: compiled.reduction, binding.type)
            .item(block.rows.lowerBound, rows: 1, of: compiled.reduction, binding.type)
        let bound = BoundReduction(compiled: compiled, binding: Binding(binding, block, of: compiled.reduction))
        var pattern = BlockSparsity.Pattern(rowRanges: [], ends: [], columnRanges: [])
        pattern.append(0..<block.rows.count, meeting: block.columns.ranges)
        return try engine.run(bound, BlockSparsity(patterns: [pattern]), own)
    }

    /// Fewer are one tile, or two.
    private static let fewestPointsOfBlock = 64
    /// In more dimensions boxes are far larger than what they hold.
    private static let mostAxes = 10
    private static let largestShare = 0.25
}
