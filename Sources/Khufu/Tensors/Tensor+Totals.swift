// Sums and means along axes, and their adjoint, broadcasting.

extension Tensor where Element: TensorScalar {
    /// The sum of all numbers, of shape []. Sums are taken in Double.
    public func sum() -> Tensor { total(along: Array(shape.indices), keepsAxes: false) }

    /// Sums along axes; -1 is the last one.
    ///
    /// - Parameter keepsAxes: whether they stay, with length 1.
    /// - Throws: ``TensorError`` where there is no such axis.
    public func sum(axes: [Int], keepsAxes: Bool = false) throws(TensorError) -> Tensor {
        total(along: try Shape.axes(axes, of: shape), keepsAxes: keepsAxes)
    }

    /// The mean of all numbers, of shape []; NaN where there are none.
    public func mean() -> Tensor { sum() / Element(count) }

    /// Means along axes, as ``sum(axes:keepsAxes:)``.
    public func mean(axes: [Int], keepsAxes: Bool = false) throws(TensorError) -> Tensor {
        let axes = try Shape.axes(axes, of: shape)
        return total(along: axes, keepsAxes: keepsAxes) / Element(axes.reduce(1) { $0 * shape[$1] })
    }

    private func total(along axes: [Int], keepsAxes: Bool) -> Tensor {
        let total = totalUnrecorded(axes: axes)
        let kept = total.shape
        let final = keepsAxes ? kept : Shape.dropping(axes, from: kept)
        return Tensor(shape: final, storage: total.storage).recorded([self]) { _, operands, _, cotangent in
            try cotangent.reshaped(kept).broadcast(to: operands[0].shape)
        }
    }

    /// The numbers repeated along new axes in front and along axes of length 1.
    ///
    /// - Throws: ``TensorError`` where this shape does not broadcast to that one.
    public func broadcast(to target: [Int]) throws(TensorError) -> Tensor {
        guard Shape.count(of: target) != nil, rank <= target.count, try Shape.broadcast(shape, target) == target else {
            throw TensorError("Shape \(shape) does not broadcast to \(target).")
        }
        guard shape != target else { return self }
        return broadcastUnrecorded(to: target).recorded([self]) { _, operands, _, cotangent in
            try cotangent.summed(to: operands[0].shape)
        }
    }

    /// The sums that go back to a shape which was broadcast to this one.
    func summed(to target: [Int]) throws(TensorError) -> Tensor {
        guard target != shape else { return self }
        let padded = Shape.padded(target, rank)
        let axes = shape.indices.filter { padded[$0] == 1 && shape[$0] != 1 }
        return try total(along: axes, keepsAxes: true).reshaped(target)
    }
}
