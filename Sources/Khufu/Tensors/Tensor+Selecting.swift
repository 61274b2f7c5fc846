extension Tensor where Element: TensorScalar {
    public func selecting(_ positions: [Int], axis: Int) throws -> Tensor {
        let axis = try Shape.axis(axis, of: shape)
        if let outside = positions.first(where: { !(0..<shape[axis]).contains($0) }) {
            throw TensorError("Axis \(axis) of shape \(shape) has no position \(outside).")
        }
        var target = shape
        target[axis] = positions.count
        let (outer, width) = (shape[..<axis].reduce(1, *), shape[(axis + 1)...].reduce(1, *))
        let length = shape[axis]
        let result = withUnsafeBufferPointer { source in
            Tensor(shape: target) { result in
                for block in 0..<outer {
                    for (k, position) in positions.enumerated() {
                        for c in 0..<width {
                            result[(block * positions.count + k) * width + c] = source[(block * length + position) * width + c]
                        }
                    }
                }
            }
        }
        return result.recorded([self]) { _, operands, _, cotangent in
            try cotangent.adding(at: positions, axis: axis, length: length)
        }
    }

    private func adding(at positions: [Int], axis: Int, length: Int) throws -> Tensor {
        var target = shape
        target[axis] = length
        let (outer, width) = (shape[..<axis].reduce(1, *), shape[(axis + 1)...].reduce(1, *))
        let result = withUnsafeBufferPointer { source in
            Tensor(shape: target) { result in
                result.initialize(repeating: 0)
                for block in 0..<outer {
                    for (k, position) in positions.enumerated() {
                        for c in 0..<width {
                            result[(block * length + position) * width + c] += source[(block * positions.count + k) * width + c]
                        }
                    }
                }
            }
        }
        return result.recorded([self]) { _, _, _, cotangent in try cotangent.selecting(positions, axis: axis) }
    }
}
