import Engines

/// A derivative of a reduction, of any order, as a function on Swift arrays.
///
///     let gradient = try density.gradient(withRespectTo: 1)       // of inputs and a cotangent, in the shape of input 1
///     let hessian = try gradient.tangent(withRespectTo: 1)        // of inputs, cotangent and a direction: the Hessian times it
///     let product = try hessian([0.5], x, y, cotangent, direction)
///
/// Each derivative takes the arrays of what it is the derivative of and one more: a gradient takes a cotangent, of the result's
/// shape; a tangent takes a direction, of the input's shape. Many threads may call one at the same time.
public struct KernelDerivative: Sendable {
    /// The derivative as reductions of inputs and of each other's results.
    public let compiled: CompiledExpression

    /// The gradient of Σ result · cotangent with respect to the input at a position.
    public func gradient(withRespectTo position: Int) throws -> KernelDerivative {
        KernelDerivative(compiled: try compiled.gradient(withRespectTo: position))
    }

    /// The derivative along a direction of the input at a position.
    public func tangent(withRespectTo position: Int) throws -> KernelDerivative {
        KernelDerivative(compiled: try compiled.tangent(withRespectTo: position))
    }

    /// Runs on arrays with as many numbers as points times dimension, row-major; the number of points follows.
    ///
    /// - Returns: the derivative's numbers: for a gradient as many as the input has, for a tangent as many as the result has.
    /// - Throws: ``BindingError`` where the arrays do not fit, in one sentence; nothing is read then.
    public func callAsFunction<Scalar: KhufuScalar>(
        _ inputs: [Scalar]..., options: ExecutionOptions = .init()
    ) throws -> [Scalar] {
        try withBuffers(inputs) { buffers in try run(buffers, options: options) }
    }

    /// Runs on memory of the caller's, without copies.
    ///
    /// - Parameter shapes: as for ``KernelReduction/run(_:shapes:options:)``.
    public func run<Scalar: KhufuScalar>(
        _ inputs: [UnsafeBufferPointer<Scalar>], shapes: [[Int]]? = nil, options: ExecutionOptions = .init()
    ) throws -> [Scalar] {
        let arrays = try compiled.declarations.arrays(inputs, shapes: shapes)
        let total = try compiled.resultShape(for: arrays).reduce(1, *)
        return try [Scalar](unsafeUninitializedCapacity: total) { values, count in
            try compiled.run(arrays, options: options, values: UnsafeMutableRawBufferPointer(values))
            count = total
        }
    }
}
