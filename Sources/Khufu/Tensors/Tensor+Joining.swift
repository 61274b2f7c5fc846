// Several tensors as one.

extension Tensor {
    /// Tensors one after the other along an axis; their other axes have the same lengths.
    ///
    /// - Throws: ``TensorError`` where there are none, or shapes do not fit.
    public init(concatenating tensors: [Tensor], axis: Int = 0) throws(TensorError) {
        guard let first = tensors.first else { throw TensorError("Tensors to concatenate are one or more; none came.") }
        let axis = try Shape.axis(axis, of: first.shape)
        func others(_ shape: [Int]) -> [Int] { shape.indices.filter { $0 != axis }.map { shape[$0] } }
        if let odd = tensors.firstIndex(where: { $0.rank != first.rank || others($0.shape) != others(first.shape) }) {
            throw TensorError(
                "Tensors to concatenate along axis \(axis) have one shape but for that axis; number 0 has \(first.shape) and "
                    + "number \(odd) has \(tensors[odd].shape).")
        }
        var target = first.shape
        target[axis] = tensors.reduce(0) { $0 + $1.shape[axis] }
        let joined = Tensor(shape: target) { result in
            var place = 0
            for outer in 0..<target[..<axis].reduce(1, *) {
                for tensor in tensors {
                    let width = tensor.shape[axis...].reduce(1, *)
                    tensor.withUnsafeBufferPointer { source in
                        _ = result.extracting(place..<place + width).initialize(
                            fromContentsOf: source.extracting(outer * width..<(outer + 1) * width))
                    }
                    place += width
                }
            }
        }
        let starts = tensors.reduce(into: [0]) { $0.append($0.last! + $1.shape[axis]) }
        self = joined.recorded(tensors) { k, _, _, cotangent in
            let whole: [any AxisSelection] = Array(repeating: .all, count: axis)
            return try cotangent.slice(whole + [starts[k]..<starts[k + 1]])
        }
    }

    /// Tensors of one shape side by side along a new axis; -1 is behind the last one.
    ///
    /// - Throws: ``TensorError`` where there are none, or their shapes differ.
    public init(stacking tensors: [Tensor], axis: Int = 0) throws(TensorError) {
        guard let first = tensors.first else { throw TensorError("Tensors to stack are one or more; none came.") }
        if let odd = tensors.firstIndex(where: { $0.shape != first.shape }) {
            throw TensorError(
                "Tensors to stack have one shape; number 0 has \(first.shape) and number \(odd) has \(tensors[odd].shape).")
        }
        let expanded = try tensors.map { tensor throws(TensorError) in try tensor.expandedAxis(axis) }
        try self.init(concatenating: expanded, axis: axis)
    }
}
