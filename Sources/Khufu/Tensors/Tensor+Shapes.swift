// The same numbers along other axes. Derivatives go back the same way.

extension Tensor {
    /// The same numbers in another shape of as many, without a copy. One length may be -1: what is left for it.
    ///
    /// - Throws: ``TensorError`` where the numbers do not fit.
    public func reshaped(_ target: [Int]) throws(TensorError) -> Tensor {
        var lengths = target
        if let open = target.firstIndex(of: -1) {
            lengths[open] = 1
            let known = Shape.count(of: lengths) ?? 0
            lengths[open] = known > 0 ? count / known : 0
        }
        guard Shape.count(of: lengths) == count else {
            throw TensorError("The \(count) numbers of shape \(shape) do not fit shape \(target).")
        }
        guard lengths != shape else { return self }
        return Tensor(shape: lengths, storage: storage).recorded([self]) { _, operands, _, cotangent in
            try cotangent.reshaped(operands[0].shape)
        }
    }

    /// With a new axis of length 1 at a position; -1 is behind the last one.
    ///
    /// - Throws: ``TensorError`` where there is no such position.
    public func expandedAxis(_ position: Int) throws(TensorError) -> Tensor {
        let place = position < 0 ? position + rank + 1 : position
        guard 0...rank ~= place else {
            throw TensorError("Shape \(shape) has places for a new axis from 0 to \(rank); \(position) is none of them.")
        }
        var target = shape
        target.insert(1, at: place)
        return try reshaped(target)
    }

    /// Without some axes of length 1; left out, without all of them.
    ///
    /// - Throws: ``TensorError`` where there is no such axis, or its length is another.
    public func squeezed(axes: [Int]? = nil) throws(TensorError) -> Tensor {
        guard let axes else { return try reshaped(shape.filter { $0 != 1 }) }
        let dropped = try Shape.axes(axes, of: shape)
        if let odd = dropped.first(where: { shape[$0] != 1 }) {
            throw TensorError("Axes of length 1 can be dropped; axis \(odd) of shape \(shape) has length \(shape[odd]).")
        }
        return try reshaped(Shape.dropping(dropped, from: shape))
    }

    /// With axes in another order; left out, in reverse.
    ///
    /// - Throws: ``TensorError`` where these are not all the axes, each once.
    public func transposed(_ axes: [Int]? = nil) throws(TensorError) -> Tensor {
        guard let axes else { return reversingAxes() }
        let order = try axes.map { axis throws(TensorError) in try Shape.axis(axis, of: shape) }
        guard order.sorted() == Array(shape.indices) else {
            throw TensorError("The axes of shape \(shape) in another order are each named once; \(axes) came.")
        }
        return permuted(order)
    }

    func reversingAxes() -> Tensor { permuted(shape.indices.reversed()) }

    private func permuted(_ order: [Int]) -> Tensor {
        let own = Shape.strides(shape)
        let inverse = order.indices.map { order.firstIndex(of: $0)! }
        return strided(order.map { shape[$0] }, order.map { own[$0] }).recorded([self]) { _, _, _, cotangent in
            cotangent.permuted(inverse)
        }
    }

    /// The numbers repeated along new axes in front and along axes of length 1.
    func broadcastUnrecorded(to target: [Int]) -> Tensor { strided(target, Shape.strides(shape, broadcastTo: target)) }
}
