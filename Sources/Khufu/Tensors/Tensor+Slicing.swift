// Parts of a tensor. What lies side by side in memory, such as the first rows of a matrix, is not copied: the part keeps the memory of
// the whole, so that a mapped file larger than memory can be worked on piece by piece.

extension Tensor {
    /// A part: for each axis one index, which drops the axis, or a range; further axes are whole.
    ///
    ///     let corner = x[0..<3, ..<2]
    ///     let column = x[.all, -1]               // of shape (rows)
    ///     let thinned = x[.every(10), ...]
    ///
    /// - Precondition: the indices are there; ``slice(_:)`` throws instead.
    public subscript(_ selections: any AxisSelection...) -> Tensor { sliced(selections) }

    /// The same for the last axes: `x[..., 0]`. Axes before them are whole.
    public subscript(_ others: UnboundedRange, _ last: any AxisSelection...) -> Tensor { sliced([], last) }

    /// The same for the first axis and the last ones: `x[0, ...]`, `x[0, ..., 1]`. Axes between them are whole.
    public subscript(_ first: any AxisSelection, _ others: UnboundedRange, _ last: any AxisSelection...) -> Tensor {
        sliced([first], last)
    }

    /// The same for the first two axes and the last ones.
    public subscript(
        _ first: any AxisSelection, _ second: any AxisSelection, _ others: UnboundedRange, _ last: any AxisSelection...
    ) -> Tensor {
        sliced([first, second], last)
    }

    /// A part, as the subscripts have it.
    ///
    /// - Throws: ``TensorError`` where an axis has not the indices that are asked for, or there are too few axes.
    public func slice(_ selections: [any AxisSelection]) throws(TensorError) -> Tensor {
        guard selections.count <= rank else {
            throw TensorError("Shape \(shape) has \(rank) axes to take a part of; \(selections.count) selections came.")
        }
        let own = Shape.strides(shape)
        var (target, strides, offset, kept) = (shape, own, 0, Array(repeating: true, count: rank))
        for (axis, selection) in selections.enumerated() {
            guard let indices = selection.indices(ofLength: shape[axis]) else {
                throw TensorError("Axis \(axis) of shape \(shape) has \(shape[axis]) indices; \(selection) is not among them.")
            }
            offset += indices.first * own[axis]
            (target[axis], strides[axis], kept[axis]) = (indices.count, indices.step * own[axis], indices.keepsAxis)
        }
        let axes = shape.indices.filter { kept[$0] }
        return part(axes.map { target[$0] }, axes.map { strides[$0] }, from: offset)
    }

    private func sliced(_ first: [any AxisSelection], _ last: [any AxisSelection] = []) -> Tensor {
        let between = last.isEmpty ? 0 : Swift.max(0, rank - first.count - last.count)
        let whole: [any AxisSelection] = Array(repeating: .all, count: between)
        do throws(TensorError) {
            return try slice(first + whole + last)
        } catch {
            preconditionFailure(error.description)
        }
    }

    /// Numbers at an offset plus multiples of strides, none of them twice.
    private func part(_ target: [Int], _ strides: [Int], from offset: Int) -> Tensor {
        strided(target, strides, from: offset).recorded([self]) { _, operands, _, cotangent in
            cotangent.spread(over: operands[0].shape, strides, from: offset)
        }
    }

    private func spread(over target: [Int], _ strides: [Int], from offset: Int) -> Tensor {
        spread(in: target, strides, from: offset).recorded([self]) { _, operands, _, cotangent in
            cotangent.part(operands[0].shape, strides, from: offset)
        }
    }
}
