import Engines
import Formulas
import Kernels
import Synchronization

/// A reduction, or a derivative of one, as a function on tensors that is recorded. Its gradients are such functions again.
final class DifferentiableExpression: Sendable {
    private let compiled: CompiledExpression
    private let gradients = Mutex<[Int: DifferentiableExpression]>([:])

    init(_ compiled: CompiledExpression) { self.compiled = compiled }

    /// The gradient with respect to one input, kept so that it is compiled once. It takes a cotangent more.
    func gradient(withRespectTo position: Int) throws -> DifferentiableExpression {
        if let known = gradients.withLock({ $0[position] }) { return known }
        let made = DifferentiableExpression(try compiled.gradient(withRespectTo: position))
        return gradients.withLock { gradients in
            if let known = gradients[position] { return known }
            gradients[position] = made
            return made
        }
    }

    /// An expression's value, so that its derivatives need not compute it again.
    struct Known<Scalar: TensorScalar>: Sendable {
        let expression: DifferentiableExpression
        let value: Tensor<Scalar>
    }

    /// Computes the expression of tensors, one per input, of their inputs' shapes.
    ///
    /// - Parameter known: values of the expressions that this is a derivative of, at the same tensors.
    func callAsFunction<Scalar: TensorScalar>(
        _ operands: [Tensor<Scalar>], _ options: ExecutionOptions, known: [Known<Scalar>] = []
    ) throws -> Tensor<Scalar> {
        let arrays = operands.map { $0.inputArray() }
        let shape = try compiled.resultShape(for: arrays)
        let value = try Tensor<Scalar>(shape: shape) { values in
            try compiled.run(
                arrays, options: options, known: known.map { ($0.expression.compiled, $0.value.inputArray()) },
                values: UnsafeMutableRawBufferPointer(values))
        }
        withExtendedLifetime((operands, known)) {}
        return record(value, operands, options, known: known)
    }

    /// A value of this expression, computed elsewhere, as a result that gradients flow through.
    func record<Scalar: TensorScalar>(
        _ value: Tensor<Scalar>, _ operands: [Tensor<Scalar>], _ options: ExecutionOptions, known: [Known<Scalar>] = []
    ) -> Tensor<Scalar> {
        value.recorded(operands) { k, operands, result, cotangent in
            try self.gradient(withRespectTo: k)(
                operands + [cotangent], options, known: known + [Known(expression: self, value: result.detached())])
        }
    }
}

/// Reductions that were compiled before, so that a formula written again, as in a loop, is recognised.
final class ReductionCache: Sendable {
    static let shared = ReductionCache()

    struct Entry: Sendable {
        let reduction: CompiledReduction
        let expression: DifferentiableExpression
    }
    private struct Key: Hashable {
        var reduction: Reduction
        var variables: [Variable]
    }
    private let entries = Mutex<[Key: Entry]>([:])
    /// Compiled code itself is kept by the engine, and on disk.
    private static let capacity = 512

    func entry(for reduction: Reduction, _ variables: [Variable]) throws -> Entry {
        let key = Key(reduction: reduction, variables: variables)
        if let known = entries.withLock({ $0[key] }) { return known }
        let compiled = try CompiledReduction(reduction, declarations: variables.map { Declaration(variable: $0) })
        let made = Entry(reduction: compiled, expression: DifferentiableExpression(try CompiledExpression(of: compiled)))
        return entries.withLock { entries in
            if let known = entries[key] { return known }
            if entries.count >= Self.capacity { entries.removeAll() }
            entries[key] = made
            return made
        }
    }
}
