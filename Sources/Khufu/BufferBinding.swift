import Engines
import Formulas

// Swift's arrays and buffers as the engine's input arrays.

extension [Declaration] {
    /// The buffers as arrays that stand for these inputs.
    ///
    /// - Parameter shapes: left out, there is no batch, and the number of points follows from the count.
    func arrays<Scalar: KhufuScalar>(
        _ inputs: some Collection<UnsafeBufferPointer<Scalar>>, shapes: [[Int]]?
    ) throws(BindingError) -> [InputArray] {
        guard inputs.count == count, shapes?.count ?? inputs.count == inputs.count else {
            throw BindingError("This reduction takes \(count) inputs, and \(inputs.count) came.")
        }
        var arrays: [InputArray] = []
        for (k, (input, declaration)) in zip(inputs, self).enumerated() {
            let shape = if let shapes { shapes[k] } else { try declaration.shape(of: input.count) }
            guard Self.elementCount(of: shape) == input.count else {
                throw BindingError("Input \(declaration) is said to have shape \(shape), and has \(input.count) numbers.")
            }
            arrays.append(InputArray(input.address, type: Scalar.scalarType, shape: shape))
        }
        return arrays
    }

    /// How many numbers an array of a shape has; nil where that is no number.
    private static func elementCount(of shape: [Int]) -> Int? {
        var count = 1
        for length in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard length >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }
}

extension Declaration {
    /// The shape of an array with a number of elements and no batch.
    fileprivate func shape(of count: Int) throws(BindingError) -> [Int] {
        guard variable.category != .parameter else { return [count] }
        guard count.isMultiple(of: variable.dimension) else {
            throw BindingError("Input \(self) takes \(variable.dimension) numbers per point; \(count) is no multiple of that.")
        }
        return [count / variable.dimension, variable.dimension]
    }
}

extension UnsafeBufferPointer {
    /// The first element's address. An empty buffer may have none; nothing is read from what stands for it.
    var address: UnsafeRawPointer { UnsafeRawPointer(baseAddress) ?? UnsafeRawPointer(bitPattern: 64)! }
}

/// All arrays' memory at once, without copies.
func withBuffers<Scalar, Result>(
    _ arrays: [[Scalar]], _ body: ([UnsafeBufferPointer<Scalar>]) throws -> Result
) rethrows -> Result {
    func visit(_ k: Int, _ buffers: [UnsafeBufferPointer<Scalar>]) throws -> Result {
        guard k < arrays.count else { return try body(buffers) }
        return try arrays[k].withUnsafeBufferPointer { try visit(k + 1, buffers + [$0]) }
    }
    return try visit(0, [])
}
