// Slices of a tensor by a list of indices, and the way back: sums over equal indices.

extension Tensor where Element: TensorScalar {
    /// The slices at some indices of an axis, in that order and as often as they are named: `x.selecting(labels, axis: 0)`.
    ///
    /// - Parameter indices: -1 is the last one.
    /// - Throws: ``TensorError`` where there is no such axis or index.
    public func selecting(_ indices: [Int], axis: Int) throws(TensorError) -> Tensor {
        let axis = try Shape.axis(axis, of: shape)
        let resolved = try Shape.indices(indices, among: shape[axis])
        return selectingUnrecorded(resolved, axis: axis).recorded([self]) { _, operands, _, cotangent in
            try cotangent.sums(at: resolved, axis: axis, count: operands[0].shape[axis])
        }
    }

    /// For each index the sum of the slices that are sent to it: the adjoint of ``selecting(_:axis:)``, as
    /// `points.sums(at: labels, axis: 0, count: clusters)`. Sums are taken in Double; what nothing is sent to is 0.
    ///
    /// - Parameters:
    ///   - indices: one per slice along the axis; -1 is the last one.
    ///   - count: the axis's new length.
    /// - Throws: ``TensorError`` where there is no such axis, or indices are too few or too large.
    public func sums(at indices: [Int], axis: Int, count: Int) throws(TensorError) -> Tensor {
        let axis = try Shape.axis(axis, of: shape)
        guard indices.count == shape[axis] else {
            throw TensorError(
                "Axis \(axis) of shape \(shape) takes one index for each of its \(shape[axis]) slices; \(indices.count) came.")
        }
        guard count >= 0 else { throw TensorError("An axis has 0 slices or more; \(count) are asked for.") }
        let resolved = try Shape.indices(indices, among: count)
        var target = shape
        target[axis] = count
        let width = shape[(axis + 1)...].reduce(1, *)
        var sums = [Double](repeating: 0, count: target.reduce(1, *))
        withUnsafeBufferPointer { source in
            for outer in 0..<shape[..<axis].reduce(1, *) {
                add(source, from: outer * indices.count, at: resolved, to: &sums, from: outer * count, width)
            }
        }
        let result = Tensor(shape: target) { result in
            for k in result.indices { result[k] = Element(sums[k]) }
        }
        return result.recorded([self]) { _, _, _, cotangent in try cotangent.selecting(resolved, axis: axis) }
    }
}

extension Tensor where Element == Int {
    /// The slices at some indices of an axis, as for numbers.
    public func selecting(_ indices: [Int], axis: Int) throws(TensorError) -> Tensor {
        let axis = try Shape.axis(axis, of: shape)
        return selectingUnrecorded(try Shape.indices(indices, among: shape[axis]), axis: axis)
    }
}

extension Tensor {
    fileprivate func selectingUnrecorded(_ indices: [Int], axis: Int) -> Tensor {
        var target = shape
        target[axis] = indices.count
        let width = shape[(axis + 1)...].reduce(1, *)
        let length = shape[axis]
        return withUnsafeBufferPointer { source in
            Tensor(shape: target) { result in
                // Also where no slice is there to be taken.
                guard !result.isEmpty else { return }
                var place = 0
                for outer in 0..<target[..<axis].reduce(1, *) {
                    for index in indices {
                        let start = (outer * length + index) * width
                        _ = result.extracting(place..<place + width).initialize(
                            fromContentsOf: source.extracting(start..<start + width))
                        place += width
                    }
                }
            }
        }
    }
}

extension Shape {
    /// Indices counted from the front.
    fileprivate static func indices(_ indices: [Int], among count: Int) throws(TensorError) -> [Int] {
        try indices.map { index throws(TensorError) in
            let resolved = index < 0 ? index + count : index
            guard 0 <= resolved, resolved < count else {
                throw TensorError("Indices go from 0 to \(count) exclusive; \(index) is none of them.")
            }
            return resolved
        }
    }
}

/// Adds slices of so many numbers, from one on, to those at indices from another one on.
@specialized(where Number == Float)
@specialized(where Number == Double)
private func add<Number: TensorScalar>(
    _ source: UnsafeBufferPointer<Number>, from first: Int, at indices: [Int], to sums: inout [Double], from firstSum: Int,
    _ width: Int
) {
    for (k, index) in indices.enumerated() {
        let (from, to) = ((first + k) * width, (firstSum + index) * width)
        for lane in 0..<width { sums[to + lane] += Double(source[from + lane]) }
    }
}
