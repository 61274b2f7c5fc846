import Engines
import Formulas
import Kernels

/// A sum that is linear in one of its inputs, b: the operator that takes b to the result, for other languages to solve with.
package struct LinearSum<Scalar: TensorScalar> {
    private let sum: CompiledReduction
    private let inputs: [Tensor<Scalar>]
    private let position: Int
    private var options: ExecutionOptions

    /// - Parameters:
    ///   - inputs: one per declaration of the sum, without a batch; that at the position is the right-hand side.
    ///   - position: which of them is b.
    /// - Throws: ``SolverError`` where there is no such input, the reduction is no sum or the result has another shape than b.
    package init(_ sum: CompiledReduction, _ inputs: [Tensor<Scalar>], unknown position: Int, options: ExecutionOptions) throws {
        guard sum.reduction.kind == .sum else {
            throw SolverError.invalidArgument("What is solved with is a Sum; this is a \(sum.reduction.name).")
        }
        guard sum.declarations.indices.contains(position) else {
            throw SolverError.invalidArgument("There are \(sum.declarations.count) inputs; number \(position) is none of them.")
        }
        let unknown = sum.declarations[position]
        guard unknown.variable.category == sum.reduction.over.reducedCategory else {
            throw SolverError.invalidArgument(
                "The unknown of a sum over \(sum.reduction.over.rawValue) follows that index; it is declared as \(unknown).")
        }
        let shape = try sum.resultShape(for: inputs.map { $0.inputArray() })
        guard shape.batch.isEmpty else {
            throw SolverError.invalidArgument("Systems are solved without a batch; the inputs have batch shape \(shape.batch).")
        }
        guard [shape.rows, shape.values] == inputs[position].shape else {
            throw SolverError.invalidArgument(
                "A square operator is solved with; it takes shape \(inputs[position].shape) to \([shape.rows, shape.values]).")
        }
        self.sum = sum
        self.inputs = inputs
        self.position = position
        self.options = options
    }

    private var rightHandSide: Tensor<Scalar> { inputs[position] }

    /// How systems are solved; see ``LinearOperator/solve(_:alpha:method:tolerance:maximumIterations:preconditioner:progress:)``.
    package struct Method {
        package var solver: SolverMethod
        package var tolerance: Double?
        package var maximumIterations: Int?
        /// Built from the matrix of the formula, where that is a number times b.
        package var preconditioner: ((LazyTensor<Scalar>) throws -> any Preconditioner)?
        package var progress: SolverProgress.Handler?
        /// Whether what rounding or the maximum of iterations lets through is a result.
        package var acceptsStagnation: Bool

        package init(
            solver: SolverMethod, tolerance: Double?, maximumIterations: Int?,
            preconditioner: ((LazyTensor<Scalar>) throws -> any Preconditioner)?, progress: SolverProgress.Handler?,
            acceptsStagnation: Bool
        ) {
            self.solver = solver
            self.tolerance = tolerance
            self.maximumIterations = maximumIterations
            self.preconditioner = preconditioner
            self.progress = progress
            self.acceptsStagnation = acceptsStagnation
        }
    }

    /// b' of K b' + alpha b' = b, and the largest |b - Ax| / |b| of a system.
    package func solution(alpha: Scalar, _ method: Method) throws -> (value: Tensor<Scalar>, residual: Double) {
        if let matrix = try matrix() {
            return try solution(matrix, rightHandSide, alpha, method, try method.preconditioner.map { try $0(matrix) })
        }
        guard method.preconditioner == nil else {
            throw SolverError.invalidArgument(
                "Preconditioners are built for formulas that are a number per pair times the unknown; this one is \(sum.reduction.formula)."
            )
        }
        let shape = rightHandSide.shape
        var system = self
        let others = inputs.enumerated().filter { $0.offset != position }.map(\.element)
        system.options.residents = .init(of: others)
        let function = FunctionOperator<Scalar>(size: rightHandSide.count) { [system] vector in
            try system.product(with: try vector.reshaped(shape)).reshaped([-1])
        }
        let (value, residual) = try solution(function, try rightHandSide.reshaped([-1]), alpha, method, nil)
        return (try value.reshaped(shape), residual)
    }

    private func solution<Operator: LinearOperator<Scalar>>(
        _ matrix: Operator, _ b: Tensor<Scalar>, _ alpha: Scalar, _ method: Method, _ preconditioner: (any Preconditioner)?
    ) throws -> (value: Tensor<Scalar>, residual: Double) {
        let settings = try SolverSettings(
            for: matrix, method: method.solver, tolerance: method.tolerance, maximumIterations: method.maximumIterations,
            preconditioner: preconditioner, progress: method.progress, acceptsStagnation: method.acceptsStagnation)
        guard alpha.isFinite else { throw SolverError.notFinite("alpha") }
        guard b.count > 0 else { return (b, 0) }
        let (x, residual) = try settings.solutions(
            Columns(b), product: try matrix.shiftedMap(alpha: Double(alpha)), alpha: Double(alpha))
        return (x.tensor(shape: b.shape), residual)
    }

    private func product(with vectors: Tensor<Scalar>) throws -> Tensor<Scalar> {
        var inputs = inputs
        inputs[position] = vectors
        defer { withExtendedLifetime(inputs) {} }
        return try Tensor(shape: vectors.shape) { values in
            try sum.run(
                inputs.map { $0.inputArray() }, options: options, values: UnsafeMutableRawBufferPointer(values),
                indices: .init(start: nil, count: 0))
        }
    }

    /// The symbolic matrix k of a formula k · b; nil for other formulas.
    private func matrix() throws -> LazyTensor<Scalar>? {
        let unknown = sum.declarations[position].variable
        let b = try Formula(unknown)
        let (k, factor) = sum.reduction.formula.separatingFactor { $0 == b }
        guard factor == b, k.dimension == 1, !k.variables.contains(unknown) else { return nil }
        var (options, replacements) = (options, [Formula: Formula]())
        let lazyInputs = try zip(sum.declarations, inputs).compactMap { declaration, tensor -> LazyInput<Scalar>? in
            guard declaration.variable != unknown else { return nil }
            let input = try LazyInput(tensor, declaration.variable.category)
            replacements[try Formula(declaration.variable)] = try Formula(input.variable)
            return input
        }
        let isOverColumns = sum.reduction.over == .j
        if !isOverColumns { options = options.transposed }
        let matrix = LazyTensor(try k.substituting(replacements), lazyInputs, options)
        let square = isOverColumns ? matrix : matrix.transposed
        return square.rowCount == square.columnCount ? square : nil
    }
}

extension Tensor {
    /// A copy of numbers at an address.
    package init(copying base: UnsafeRawPointer, shape: [Int]) {
        self.init(shape: shape) { buffer in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(
                from: UnsafeRawBufferPointer(start: base, count: buffer.count * MemoryLayout<Element>.stride))
        }
    }
}
