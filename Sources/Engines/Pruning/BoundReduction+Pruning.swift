import Formulas
import Kernels

extension BoundReduction {
    /// Runs without the pairs that do not matter.
    ///
    /// - Returns: how many pairs were evaluated; nil where pruning is not possible or not worth while, in which case nothing that counts is
    ///   done.
    func runPruned(_ whole: CPUKernel, _ run: Run, _ options: ExecutionOptions) throws -> Int? {
        guard options.pruning != .never, options.sparsity == nil, options.pruning == .always || mayPay(options),
            // Bounds hold for numbers of the usual accuracy, and distances that are taken directly.
            options.exponentials == .accurate, !whole.kernel.usesInnerProducts,
            binding.rowCount > 0, binding.columnCount > 0, binding.columnCount < Int(Int32.max),
            let kernels = compiled.pruningKernels(for: binding, options, whole: whole)
        else { return nil }
        var evaluated = 0
        for item in 0..<binding.batchCount {
            let count =
                switch binding.type {
                case .float32: prune(item, kernels, Float.self, run, options)
                case .float64: prune(item, kernels, Double.self, run, options)
                case .float16, .bfloat16: nil as Int?
                }
            // One item that pruning is no help for speaks for all of them.
            guard let count else { return nil }
            evaluated = saturatingSum(evaluated, count)
        }
        let pairs = [binding.batchCount, binding.rowCount, binding.columnCount].reduce(1, saturatingProduct)
        options.progress?(pairs, pairs)
        return evaluated
    }

    /// Whether sorting can pay, by the sizes and the formula alone, ahead of compiling anything; and whether a sum may be pruned.
    private func mayPay(_ options: ExecutionOptions) -> Bool {
        let reduction = compiled.reduction
        // Sorting takes as long as so many rows do.
        return min(binding.rowCount, binding.columnCount) >= Self.fewestPoints
            && (!reduction.addsTerms || options.tolerance != nil)
            && reduction.formula.contactDimension(reduction.over.outputCategory) <= Self.mostAxes
    }

    private func prune<Scalar: BinaryFloatingPoint & Sendable>(
        _ item: Int, _ kernels: PruningKernels, _: Scalar.Type, _ run: Run, _ options: ExecutionOptions
    ) -> Int? {
        // No existentials: the compiler then makes code for each type of number.
        switch kernels {
        case .selection(let kernels):
            prune(
                PrunedSelection<Scalar>(kernels, binding, batchItem: item, output: run.output, threads: run.threads), run, options
            )
        case .sum(let kernels):
            prune(
                PrunedSum<Scalar>(
                    kernels, binding, batchItem: item, tolerance: options.tolerance ?? 0, output: run.output, threads: run.threads
                ),
                run, options)
        }
    }

    private func prune(_ pruned: some PrunedRun, _ run: Run, _ options: ExecutionOptions) -> Int? {
        defer { pruned.search.deallocate() }
        guard !pruned.search.hasNaN else { return nil }
        if options.pruning == .automatic, pruned.probedShare() > Self.largestShare { return nil }
        pruned.run(threads: run.threads)
        return pruned.search.evaluatedPairs
    }

    private static let fewestPoints = 8_192
    /// In more dimensions boxes are far larger than what they hold.
    private static let mostAxes = 10
    private static let largestShare = 0.25
}
