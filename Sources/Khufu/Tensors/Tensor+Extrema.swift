// Largest and smallest numbers along axes. NaN wins over numbers, as it does in NumPy and in reductions.

extension Tensor where Element: TensorScalar {
    /// The largest number, of shape []; -∞ where there are none. The derivative is shared equally by all that are largest.
    public func max() -> Tensor { extremum(.maximum, along: Array(shape.indices), keepsAxes: false) }

    /// The smallest number, of shape []; +∞ where there are none. The derivative is shared equally by all that are smallest.
    public func min() -> Tensor { extremum(.minimum, along: Array(shape.indices), keepsAxes: false) }

    /// The largest numbers along axes, as ``max()``.
    ///
    /// - Parameter keepsAxes: whether the axes stay, with length 1.
    /// - Throws: ``TensorError`` where there is no such axis.
    public func max(axes: [Int], keepsAxes: Bool = false) throws(TensorError) -> Tensor {
        extremum(.maximum, along: try Shape.axes(axes, of: shape), keepsAxes: keepsAxes)
    }

    /// The smallest numbers along axes, as ``min()``.
    ///
    /// - Parameter keepsAxes: whether the axes stay, with length 1.
    /// - Throws: ``TensorError`` where there is no such axis.
    public func min(axes: [Int], keepsAxes: Bool = false) throws(TensorError) -> Tensor {
        extremum(.minimum, along: try Shape.axes(axes, of: shape), keepsAxes: keepsAxes)
    }

    /// Where the largest numbers along an axis are, without that axis: the first of equals, the first NaN where there is one.
    ///
    /// - Throws: ``TensorError`` where there is no such axis, or it has no numbers.
    public func argMax(axis: Int) throws(TensorError) -> Tensor<Int> { try position(.maximum, along: axis) }

    /// Where the smallest numbers along an axis are, as ``argMax(axis:)``.
    public func argMin(axis: Int) throws(TensorError) -> Tensor<Int> { try position(.minimum, along: axis) }

    private func extremum(_ function: BinaryFunction, along axes: [Int], keepsAxes: Bool) -> Tensor {
        let extremum = extremumUnrecorded(function, axes: axes)
        let kept = extremum.shape
        let final = keepsAxes ? kept : Shape.dropping(axes, from: kept)
        return Tensor(shape: final, storage: extremum.storage).recorded([self]) { _, operands, result, cotangent in
            let winners = try Self.applying(.equal, operands[0], result.detached().reshaped(kept))
            let shares = try winners / winners.sum(axes: axes, keepsAxes: true)
            return try cotangent.reshaped(kept) * shares
        }
    }

    private func position(_ function: BinaryFunction, along axis: Int) throws(TensorError) -> Tensor<Int> {
        let axis = try Shape.axis(axis, of: shape)
        var target = shape
        let length = target.remove(at: axis)
        guard length > 0 || target.contains(0) else {
            throw TensorError("Axis \(axis) of shape \(shape) has no numbers; an extremum has no place among none.")
        }
        let width = shape[(axis + 1)...].reduce(1, *)
        return withUnsafeBufferPointer { source in
            Tensor<Int>(shape: target) { fillPositions($0, of: function, in: source, length, width) }
        }
    }
}

@specialized(where Number == Float)
@specialized(where Number == Double)
private func fillPositions<Number: TensorScalar>(
    _ result: UnsafeMutableBufferPointer<Int>, of function: BinaryFunction, in source: UnsafeBufferPointer<Number>, _ length: Int,
    _ width: Int
) {
    let sign: Number = function == .maximum ? 1 : -1
    for k in result.indices {
        let start = k / width * length * width + k % width
        var (best, place) = (source[start], 0)
        for index in 1..<Swift.max(1, length) where !best.isNaN {
            let number = source[start + index * width]
            if number.isNaN || sign * number > sign * best { (best, place) = (number, index) }
        }
        result[k] = place
    }
}
