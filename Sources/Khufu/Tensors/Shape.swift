import ArrayFiles

/// Rules for the lengths of axes, as NumPy has them.
enum Shape {
    /// How many numbers a shape holds, or nil where a length is negative or the number does not fit an `Int`.
    static func count(of shape: [Int]) -> Int? { PointArray.count(of: shape) }

    /// The shape that two broadcast to: aligned at the last axis, lengths are equal or one of them is 1.
    static func broadcast(_ a: [Int], _ b: [Int]) throws(TensorError) -> [Int] {
        let rank = max(a.count, b.count)
        let (left, right) = (padded(a, rank), padded(b, rank))
        var shape: [Int] = []
        for (m, n) in zip(left, right) {
            guard m == n || m == 1 || n == 1 else {
                throw TensorError("Shapes broadcast where lengths are equal or 1; these are \(a) and \(b).")
            }
            shape.append(m == 1 ? n : m)
        }
        return shape
    }

    /// With axes of length 1 in front.
    static func padded(_ shape: [Int], _ rank: Int) -> [Int] { Array(repeating: 1, count: max(0, rank - shape.count)) + shape }

    /// Elements from one index to the next along each axis of row-major memory.
    static func strides(_ shape: [Int]) -> [Int] {
        var strides = shape
        var stride = 1
        for axis in shape.indices.reversed() {
            strides[axis] = stride
            stride *= shape[axis]
        }
        return strides
    }

    /// The same for memory of one shape that is walked in another that it broadcasts to: 0 along repeated axes.
    static func strides(_ shape: [Int], broadcastTo target: [Int]) -> [Int] {
        let own = padded(shape, target.count)
        return zip(own, strides(own)).map { $0 == 1 ? 0 : $1 }
    }

    /// An axis counted from the front; -1 is the last one.
    static func axis(_ axis: Int, of shape: [Int]) throws(TensorError) -> Int {
        let resolved = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(resolved) else { throw TensorError("Shape \(shape) has no axis \(axis).") }
        return resolved
    }

    /// The lengths of the other axes.
    static func dropping(_ axes: [Int], from shape: [Int]) -> [Int] {
        shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
    }

    /// Axes counted from the front, each once, in order.
    static func axes(_ axes: [Int], of shape: [Int]) throws(TensorError) -> [Int] {
        var resolved: Set<Int> = []
        for axis in axes {
            guard resolved.insert(try self.axis(axis, of: shape)).inserted else {
                throw TensorError("Axis \(axis) is named twice in \(axes).")
            }
        }
        return resolved.sorted()
    }
}
