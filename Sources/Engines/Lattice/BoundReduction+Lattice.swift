import Kernels

extension BoundReduction {
    /// Runs by way of a lattice.
    ///
    /// - Returns: how many pairs were evaluated, of points and nodes; nil where a lattice does not apply or is not worth while, in which case
    ///   nothing that counts is done.
    func runOnLattice(_ whole: CPUKernel, _ run: Run, _ options: ExecutionOptions) -> Int? {
        guard let tolerance = options.tolerance, tolerance > 0, options.pruning != .never, options.sparsity == nil,
            options.exponentials == .accurate,
            saturatingProduct(binding.rowCount, binding.columnCount)
                >= (options.pruning == .always ? Self.fewestPairs : Self.fewestPairsToCompileFor),
            let kernels = compiled.latticeKernels(for: binding, options, whole: whole)
        else { return nil }
        var evaluated = 0
        for item in 0..<binding.batchCount {
            let count =
                switch binding.type {
                case .float32: runOnLattice(item, kernels, Float.self, tolerance, run)
                case .float64: runOnLattice(item, kernels, Double.self, tolerance, run)
                case .float16, .bfloat16: nil as Int?
                }
            guard let count else { return nil }
            evaluated = saturatingSum(evaluated, count)
        }
        let pairs = [binding.batchCount, binding.rowCount, binding.columnCount].reduce(1, saturatingProduct)
        options.progress?(pairs, pairs)
        return evaluated
    }

    private func runOnLattice<Scalar: BinaryFloatingPoint & Sendable>(
        _ item: Int, _ kernels: LatticeKernels, _: Scalar.Type, _ tolerance: Double, _ run: Run
    ) -> Int? {
        LatticeRun<Scalar>(kernels, binding, batchItem: item, tolerance: tolerance, output: run.output, threads: run.threads)?
            .run()
    }

    /// Fewer are done before their points are sorted.
    private static let fewestPairs = 1 << 22
    /// Compiling takes as long as many calls with fewer.
    private static let fewestPairsToCompileFor = 1 << 26
}
