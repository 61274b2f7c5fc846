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
        let final = keepsAxes ? kept : kept.indices.filter { !axes.contains($0) }.map { kept[$0] }
        return Tensor(shape: final, storage: total.storage).recorded([self]) { _, operands, _, cotangent in
            try cotangent.reshaped(kept).broadcast(to: operands[0].shape)
        }
    }

    /// The numbers repeated along new axes in front and along axes of length 1.
    ///
    /// - Throws: ``TensorError`` where this shape does not broadcast to that one.
    public func broadcast(to target: [Int]) throws(TensorError) -> Tensor {
        guard rank <= target.count, try Shape.broadcast(shape, target) == target else {
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

    /// The same numbers in another shape of as many. One length may be -1: what is left for it.
    ///
    /// - Throws: ``TensorError`` where the numbers do not fit.
    public func reshaped(_ target: [Int]) throws(TensorError) -> Tensor {
        var target = target
        if let open = target.firstIndex(of: -1) {
            let known = target.enumerated().reduce(1) { $1.offset == open ? $0 : $0 * $1.element }
            target[open] = known > 0 ? count / known : 0
        }
        guard target.allSatisfy({ $0 >= 0 }), target.reduce(1, *) == count else {
            throw TensorError("The \(count) numbers of shape \(shape) do not fit shape \(target).")
        }
        guard target != shape else { return self }
        return Tensor(shape: target, storage: storage).recorded([self]) { _, operands, _, cotangent in
            try cotangent.reshaped(operands[0].shape)
        }
    }
}
