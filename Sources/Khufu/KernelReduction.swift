import Engines
import Formulas
import Kernels

/// `a_i = Reduce_j F(p, x_i, y_j)` as a function on Swift arrays: parsed once, compiled once per type of number, run on data
/// of any size, never storing the matrix F(x_i, y_j).
///
///     let density = try KernelReduction("Exp(-g * SqDist(x, y))", ["g = Pm(1)", "x = Vi(2)", "y = Vj(2)"])
///     let a = try density([0.5], x, y).values        // x, y: [Float], two numbers per point
///
/// Many threads may call one at the same time.
public struct KernelReduction: Sendable {
    /// The formula, the reduction and its inputs, without types or sizes.
    public let compiled: CompiledReduction

    /// - Parameters:
    ///   - formula: in the formula language; see ``Catalogue`` for its operations.
    ///   - aliases: the inputs in the order of the arguments, `"x = Vi(3)"`: per i, `Vj`: per j, `Pm`: one for all.
    ///   - kind: what is accumulated.
    ///   - weight: the second formula of weighted kinds.
    ///   - k: how many values a k-min keeps.
    ///   - over: the index reduced over; the result follows the other.
    /// - Throws: ``FormulaError``, with the place in the text, for what does not parse or fit.
    public init(
        _ formula: String, _ aliases: [String], _ kind: Reduction.Kind = .sum, weight: String? = nil, k: Int = 1,
        over: ReducedIndex = .j, accumulation: Accumulation = .init()
    ) throws {
        let declarations = try Declaration.list(parsing: aliases)
        let reduction = try Reduction(
            kind, of: formula, weight: weight, k: k, over: over, accumulation: accumulation, declarations: declarations)
        try self.init(reduction, declarations: declarations)
    }

    /// A reduction of formulas that are built already.
    public init(_ reduction: Reduction, declarations: [Declaration]? = nil) throws {
        compiled = try CompiledReduction(reduction, declarations: declarations)
    }

    // MARK: On arrays

    /// Runs on arrays with as many numbers as points times dimension, row-major; the number of points follows.
    ///
    /// - Returns: the result's numbers and indices, with their shape.
    /// - Throws: ``BindingError`` where the arrays do not fit, in one sentence; nothing is read then.
    public func callAsFunction<Scalar: KhufuScalar>(
        _ inputs: [Scalar]..., options: ExecutionOptions = .init()
    ) throws -> ReductionResult<Scalar> {
        try withBuffers(inputs) { buffers in try run(buffers, options: options) }
    }

    /// The gradient of Σ result · cotangent with respect to the input at a position.
    ///
    /// - Returns: as many numbers as that input has.
    public func gradient<Scalar: KhufuScalar>(
        withRespectTo position: Int, _ inputs: [Scalar]..., cotangent: [Scalar], options: ExecutionOptions = .init()
    ) throws -> [Scalar] {
        try withBuffers(inputs + [cotangent]) { buffers in
            let arrays = try compiled.declarations.arrays(buffers.dropLast(), shapes: nil)
            let shape = try compiled.resultShape(for: arrays)
            let seed = buffers[inputs.count]
            guard seed.count == shape.valueTotal else {
                throw BindingError(
                    "The cotangent has one number per number of the result, \(shape.valueTotal); it has \(seed.count).")
            }
            guard inputs.indices.contains(position) else {
                throw BindingError("There are \(inputs.count) inputs; number \(position) is none of them.")
            }
            return try [Scalar](unsafeUninitializedCapacity: inputs[position].count) { gradient, count in
                try compiled.gradient(
                    withRespectTo: position, arrays,
                    cotangent: InputArray(
                        seed.address, type: Scalar.scalarType, shape: shape.batch + [shape.rows, shape.values]),
                    options: options, into: UnsafeMutableRawBufferPointer(gradient))
                count = inputs[position].count
            }
        }
    }

    // MARK: Derivatives

    /// The gradient with respect to the input at a position, as a function of the inputs and a cotangent.
    public func gradient(withRespectTo position: Int) throws -> KernelDerivative {
        KernelDerivative(compiled: try CompiledExpression(of: compiled).gradient(withRespectTo: position))
    }

    /// The derivative along a direction of the input at a position, as a function of the inputs and the direction.
    public func tangent(withRespectTo position: Int) throws -> KernelDerivative {
        KernelDerivative(compiled: try CompiledExpression(of: compiled).tangent(withRespectTo: position))
    }

    // MARK: On buffers

    /// Runs on memory of the caller's, without copies.
    ///
    /// - Parameters:
    ///   - inputs: one buffer per input.
    ///   - shapes: (batch…, points, dimension), or (batch…, dimension) for parameters; batch axes broadcast. Left out, there
    ///     is no batch, and the number of points follows from the count.
    public func run<Scalar: KhufuScalar>(
        _ inputs: [UnsafeBufferPointer<Scalar>], shapes: [[Int]]? = nil, options: ExecutionOptions = .init()
    ) throws -> ReductionResult<Scalar> {
        let bound = try compiled.bound(to: try compiled.declarations.arrays(inputs, shapes: shapes))
        let shape = bound.shape
        var indices: [Int64] = []
        let values = try [Scalar](unsafeUninitializedCapacity: shape.valueTotal) { values, valueCount in
            indices = try [Int64](unsafeUninitializedCapacity: shape.indexTotal) { indices, indexCount in
                try bound.run(options: options, values: UnsafeMutableRawBufferPointer(values), indices: indices)
                indexCount = shape.indexTotal
            }
            valueCount = shape.valueTotal
        }
        return ReductionResult(shape: shape, values: values, indices: indices)
    }

    /// The same into buffers of the caller's.
    public func run<Scalar: KhufuScalar>(
        _ inputs: [UnsafeBufferPointer<Scalar>], shapes: [[Int]]? = nil, options: ExecutionOptions = .init(),
        values: UnsafeMutableBufferPointer<Scalar>,
        indices: UnsafeMutableBufferPointer<Int64> = .init(start: nil, count: 0)
    ) throws {
        try compiled.run(
            try compiled.declarations.arrays(inputs, shapes: shapes), options: options,
            values: UnsafeMutableRawBufferPointer(values),
            indices: indices)
    }
}

/// What a reduction returns: `batch` × `rows` × `values` numbers and `batch` × `rows` × `indices` indices, row-major.
public struct ReductionResult<Scalar: KhufuScalar>: Sendable {
    public var shape: CompiledReduction.ResultShape
    public var values: [Scalar]
    public var indices: [Int64]
}
