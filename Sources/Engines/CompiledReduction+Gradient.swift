import Formulas
import Kernels

extension CompiledReduction {
    /// The gradient of Σ result · cotangent with respect to one input. ``CompiledExpression`` has those of higher order.
    ///
    /// The result is computed anew where the derivative needs it: gradients of min, max and k-min values flow to the
    /// winners, and those of log-sum-exp are weighted by the result.
    /// - Parameters:
    ///   - position: which input, among `declarations`.
    ///   - inputs: as for a run.
    ///   - cotangent: one number per number of the result, of shape (batch…, points, numbers).
    ///   - gradient: room for an array of the input's own shape and type. Where the input was broadcast over the batch, the
    ///     gradient is summed.
    /// - Throws: as a run, and where the reduction or an operation has no derivative.
    public func gradient(
        withRespectTo position: Int, _ inputs: [InputArray], cotangent: InputArray, options: ExecutionOptions = .init(),
        into gradient: UnsafeMutableRawBufferPointer
    ) throws {
        let expression = try gradientExpression(withRespectTo: position)
        let shape = try resultShape(for: inputs)
        let expected = shape.batch + [shape.rows, shape.values]
        guard cotangent.shape == expected, cotangent.type == inputs.first?.type ?? cotangent.type else {
            throw BindingError(
                "The cotangent has the result's shape \(expected) and type; it has shape \(cotangent.shape) and type \(cotangent.type.rawValue)."
            )
        }
        try expression.run(inputs + [cotangent], options: options, values: gradient)
    }
}
