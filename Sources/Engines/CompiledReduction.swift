import Formulas
import Kernels
import Synchronization

/// A reduction that runs on data of any size: bound to arrays at each call, compiled once per type.
///
/// Many threads may run one at the same time. Nothing is compiled before the first run that needs it.
public final class CompiledReduction: Sendable {
    public let reduction: Reduction
    /// The inputs in the order in which arrays are given.
    public var declarations: [Declaration] { signature.declarations }

    private let signature: InputSignature
    private let nodeCount: Int
    let cache: KernelCache
    private let state = Mutex(State())

    private struct State {
        var kernels: [KernelKey: CPUKernel] = [:]
        var acceleratorKernels: [AcceleratorKey: AcceleratorKernel] = [:]
        /// For pruned runs; nil for types that they were found to be impossible for.
        var prunings: [KernelKey: PruningKernels?] = [:]
        /// For runs by way of a lattice; nil likewise.
        var lattices: [KernelKey: LatticeKernels?] = [:]
        /// Types for which compiling failed, so that it is not tried at every call.
        var uncompilable: Set<ScalarType> = []
        /// The gradients that were asked for, by input.
        var gradients: [Int: CompiledExpression] = [:]
    }

    /// What a kernel is compiled for.
    private struct KernelKey: Hashable {
        var type: ScalarType
        var squaredDistances: SquaredDistances
        var exponentials: Exponentials
    }

    private struct AcceleratorKey: Hashable {
        var type: ScalarType
        var squaredDistances: SquaredDistances
        var exponentials: Exponentials
        var innerProducts: InnerProducts
        var device: Device
    }

    /// - Parameter declarations: what the arrays are, in their order; those of the formula's own variables, in order of
    ///   their number, where it is left out. Inputs that the formula does not use may be declared too: they count points.
    public convenience init(_ reduction: Reduction, declarations: [Declaration]? = nil) throws(BindingError) {
        try self.init(reduction, declarations: declarations, cache: .shared)
    }

    package init(_ reduction: Reduction, declarations: [Declaration]?, cache: KernelCache) throws(BindingError) {
        self.reduction = reduction
        self.cache = cache
        signature = try InputSignature(reduction, declarations: declarations)
        nodeCount = Formula.topologicalOrder([reduction.formula] + (reduction.weight.map { [$0] } ?? [])).count
    }

    /// The gradient with respect to one input; kept, so that its reductions are compiled once.
    func gradientExpression(withRespectTo position: Int) throws -> CompiledExpression {
        if let known = state.withLock({ $0.gradients[position] }) { return known }
        let made = try CompiledExpression(of: self).gradient(withRespectTo: position)
        return state.withLock { state in
            // Another thread may have been faster; what it may have compiled is kept.
            if let known = state.gradients[position] { return known }
            state.gradients[position] = made
            return made
        }
    }

    // MARK: Shapes

    /// What the result of a run looks like: `batch` × `rows` × `values` numbers and as many × `indices` indices, row-major.
    public struct ResultShape: Hashable, Sendable {
        public var batch: [Int]
        public var rows: Int
        public var values: Int
        public var indices: Int

        public init(batch: [Int], rows: Int, values: Int, indices: Int) {
            self.batch = batch
            self.rows = rows
            self.values = values
            self.indices = indices
        }

        /// How many numbers there are in all.
        public var valueTotal: Int { batch.reduce(rows * values, *) }
        public var indexTotal: Int { batch.reduce(rows * indices, *) }
    }

    // MARK: Running

    /// Matches arrays with the inputs.
    ///
    /// - Parameter inputs: one array per declaration; nothing is copied, and no memory is read yet.
    /// - Throws: where the arrays do not fit the inputs or each other.
    public func bound(to inputs: [InputArray]) throws(BindingError) -> BoundReduction {
        BoundReduction(compiled: self, binding: try Binding(signature, inputs))
    }

    /// The shape of the result for some arrays.
    public func resultShape(for inputs: [InputArray]) throws(BindingError) -> ResultShape { try bound(to: inputs).shape }

    /// Computes the reduction.
    ///
    /// - Parameters:
    ///   - inputs: one array per declaration; nothing is copied.
    ///   - values: room for the numbers of the result, in the inputs' type.
    ///   - indices: room for its indices.
    /// - Returns: what was done.
    /// - Throws: a ``BindingError`` before any memory is read, or an ``EngineError`` where the engine asked for cannot run.
    @discardableResult
    public func run(
        _ inputs: [InputArray], options: ExecutionOptions = .init(), values: UnsafeMutableRawBufferPointer,
        indices: UnsafeMutableBufferPointer<Int64>
    ) throws -> RunReport {
        try bound(to: inputs).run(options: options, values: values, indices: indices)
    }

    private func kernelKey(_ binding: Binding, _ options: ExecutionOptions) throws(CompilationError) -> KernelKey {
        KernelKey(
            type: binding.type, squaredDistances: try cache.distances.form(rows: binding.rowCount),
            exponentials: options.exponentials)
    }

    /// What a pruned run takes; nil where the reduction cannot be pruned.
    ///
    /// - Parameter whole: the kernel of the reduction itself.
    func pruningKernels(for binding: Binding, _ options: ExecutionOptions, whole: CPUKernel) -> PruningKernels? {
        guard let key = try? kernelKey(binding, options) else { return nil }
        if let known = state.withLock({ $0.prunings[key] }) { return known }
        // All pairs are always an answer, so a failure is remembered and not told.
        let made = try? PruningKernels(
            reduction, whole: whole, type: binding.type, instructionSet: try cache.instructionSet, cache: cache)
        state.withLock { $0.prunings[key] = .some(made) }
        return made
    }

    /// What a run by way of a lattice takes; nil where the reduction is none of Gaussians.
    ///
    /// - Parameter whole: the kernel of the reduction itself.
    func latticeKernels(for binding: Binding, _ options: ExecutionOptions, whole: CPUKernel) -> LatticeKernels? {
        guard let key = try? kernelKey(binding, options) else { return nil }
        if let known = state.withLock({ $0.lattices[key] }) { return known }
        let made = try? LatticeKernels(
            reduction, whole: whole, type: binding.type, instructionSet: try cache.instructionSet, cache: cache)
        state.withLock { $0.lattices[key] = .some(made) }
        return made
    }

    /// The compiled kernel, or nil for the interpreter.
    func kernel(for binding: Binding, _ options: ExecutionOptions) throws(EngineError) -> CPUKernel? {
        guard options.engine != .interpreter, reduction.kind != .zero else { return nil }
        do {
            let key = try kernelKey(binding, options)
            return try state.withLock { state in
                if options.engine == .automatic {
                    if state.uncompilable.contains(binding.type) { return nil }
                    let work = [binding.batchCount, binding.rowCount, binding.columnCount].reduce(nodeCount, saturatingProduct)
                    if work <= Self.interpretedWork { return nil }
                }
                if let kernel = state.kernels[key] { return kernel }
                let kernel = try CPUKernel(
                    try Kernel(
                        lowering: reduction, precision: precision(binding.type, options),
                        squaredDistances: key.squaredDistances),
                    instructionSet: try cache.instructionSet, cache: cache)
                state.kernels[key] = kernel
                return kernel
            }
        } catch {
            // The interpreter needs no compiler; only those who asked for compiled code are told.
            if options.engine == .automatic {
                state.withLock { _ = $0.uncompilable.insert(binding.type) }
                return nil
            }
            throw EngineError("\(error)")
        }
    }

    /// The kernel for a device.
    ///
    /// - Throws: where the device is not there, or cannot run it.
    func acceleratorKernel(
        for binding: Binding, _ options: ExecutionOptions, on device: Device
    ) throws(EngineError) -> AcceleratorKernel {
        let accelerator = try device.accelerator()
        var target = accelerator.properties.target
        let distances: SquaredDistances
        do throws(CompilationError) {
            distances = try cache.distances.formOnAccelerators(rows: binding.rowCount)
            target.hasTensorCores = try cache.usesTensorCores(target.hasTensorCores)
        } catch {
            throw EngineError("\(error)")
        }
        let key = AcceleratorKey(
            type: binding.type, squaredDistances: distances, exponentials: options.exponentials,
            innerProducts: options.innerProducts, device: device)
        // A forked child has devices of its own.
        if let known = state.withLock({ $0.acceleratorKernels[key] }), known.accelerator === accelerator { return known }
        let made = try AcceleratorKernel(
            reduction, precision: precision(binding.type, options), squaredDistances: distances, for: target,
            on: accelerator)
        state.withLock { $0.acceleratorKernels[key] = made }
        return made
    }

    private func precision(_ type: ScalarType, _ options: ExecutionOptions) -> Precision {
        Precision(
            storage: type, accumulator: reduction.accumulation.usesDoubleAccumulator ? .float64 : nil,
            exponentials: options.exponentials, innerProducts: options.innerProducts)
    }

    /// Node evaluations of a call that the interpreter does in about the time that a compiled call takes. The size alone decides, not
    /// what was called before: two calls alike have one result, to the last bit.
    private static let interpretedWork = 64
}

/// A reduction and the arrays that it is to run on, checked. The arrays' memory must stay valid while it is used.
public struct BoundReduction: Sendable {
    let compiled: CompiledReduction
    let binding: Binding

    /// What the result looks like.
    public var shape: CompiledReduction.ResultShape {
        CompiledReduction.ResultShape(
            batch: binding.batchShape, rows: binding.rowCount, values: compiled.reduction.valueCount,
            indices: compiled.reduction.indexCount)
    }

    /// Computes the reduction into memory of the caller's; see ``CompiledReduction/run(_:options:values:indices:)``.
    @discardableResult
    public func run(
        options: ExecutionOptions = .init(), values: UnsafeMutableRawBufferPointer,
        indices: UnsafeMutableBufferPointer<Int64>
    ) throws -> RunReport {
        if let (accelerator, stream) = try options.arrayDevice() {
            try accelerator.requireOwn(stream: stream)
            for (place, variable) in compiled.reduction.variables.enumerated() {
                let whole = binding.whole(place)
                try accelerator.requireOwn(
                    whole.base, byteCount: whole.itemCount * whole.itemByteCount, of: declaredName(of: variable), on: stream)
            }
            try accelerator.requireOwn(
                values.baseAddress, byteCount: shape.valueTotal * binding.type.byteCount, of: "The place for the values",
                on: stream)
            try accelerator.requireOwn(
                indices.baseAddress, byteCount: shape.indexTotal * 8, of: "The place for the indices", on: stream)
        }
        return try compute(options: options, values: values, indices: indices)
    }

    private func declaredName(of variable: Variable) -> String {
        "\(compiled.declarations.first { $0.variable == variable } ?? Declaration(variable: variable))"
    }

    /// The same, of arrays that are known to be where they should.
    @discardableResult
    func compute(
        options: ExecutionOptions, values: UnsafeMutableRawBufferPointer, indices: UnsafeMutableBufferPointer<Int64>
    ) throws -> RunReport {
        let shape = shape
        guard values.count >= shape.valueTotal * binding.type.byteCount, indices.count >= shape.indexTotal else {
            throw BindingError(
                "The result has \(shape.valueTotal) numbers and \(shape.indexTotal) indices; there is room for \(values.count / binding.type.byteCount) and \(indices.count)."
            )
        }
        if let tolerance = options.tolerance, !(0..<1).contains(tolerance) {
            throw BindingError("A tolerance is 0 or more and less than 1; \(tolerance) came.")
        }
        try options.sparsity?.check(rows: binding.rowCount, columns: binding.columnCount, batchCount: binding.batchCount)
        let pairs = [binding.batchCount, binding.rowCount, binding.columnCount].reduce(1, saturatingProduct)
        guard shape.valueTotal + shape.indexTotal > 0 else { return RunReport(pairs: pairs, evaluatedPairs: 0) }

        let output = Output(values: values.baseAddress, indices: indices.baseAddress)
        let devices = try options.chosenDevices
        if !devices.isEmpty {
            var options = options
            options.devices = devices
            if mayBePruned(options), let kernel = try? compiled.kernel(for: binding, options),
                let evaluated = try runPruned(kernel, options, output)
            {
                return RunReport(pairs: pairs, evaluatedPairs: evaluated)
            }
            try runOnDevices(options, output)
            return RunReport(pairs: pairs, evaluatedPairs: pairs)
        }
        let run = Run(
            reduction: compiled.reduction, binding: binding,
            sparsity: options.sparsity ?? .dense(rows: binding.rowCount, columns: binding.columnCount),
            threads: max(1, options.threads ?? ThreadPool.defaultThreadCount), progress: options.progress,
            output: output)
        if let kernel = try compiled.kernel(for: binding, options) {
            let evaluated =
                try runOnLattice(kernel, run, options) ?? runPruned(kernel, options, output) ?? run.onProcessor(kernel)
            return RunReport(pairs: pairs, evaluatedPairs: evaluated)
        }
        return RunReport(pairs: pairs, evaluatedPairs: run.onInterpreter())
    }
}

/// What a run did.
public struct RunReport: Hashable, Sendable {
    /// Rows times columns, over all batch items.
    public var pairs: Int
    /// Those that the formula was evaluated for; some may count twice.
    public var evaluatedPairs: Int
}

/// An engine that was asked for and cannot run, in a sentence that says why.
public struct EngineError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}
