/// An n-dimensional array of numbers as it came from a file or a literal, in C order (the last index varies fastest).
///
/// The element type of the source is kept, so that a float32 file is not doubled in memory and 64-bit labels stay
/// exact; the engine asks for the type that it computes in.
package struct PointArray: Equatable, Sendable {
    package enum Storage: Equatable, Sendable {
        case float32([Float])
        case float64([Double])
        case int64([Int64])
    }

    package let shape: [Int]
    package let storage: Storage

    package init(shape: [Int], storage: Storage) {
        self.shape = shape
        self.storage = storage
        precondition(Self.count(of: shape) == count, "an array's storage must fill its shape")
    }

    package var count: Int {
        switch storage {
        case .float32(let values): values.count
        case .float64(let values): values.count
        case .int64(let values): values.count
        }
    }

    /// The values as `Float`, rounded to nearest where needed; without a copy when they already are.
    package var floats: [Float] {
        switch storage {
        case .float32(let values): values
        case .float64(let values): values.map { Float($0) }
        case .int64(let values): values.map { Float($0) }
        }
    }

    /// The values as `Double`: exact, except for integers beyond 2⁵³; without a copy when they already are.
    package var doubles: [Double] {
        switch storage {
        case .float32(let values): values.map { Double($0) }
        case .float64(let values): values
        case .int64(let values): values.map { Double($0) }
        }
    }

    /// How many elements a shape has, or nil when an axis is negative or the number does not fit an `Int`.
    ///
    /// Zeros are left to the end: `(0, 2⁶², 8)` is refused too, because its strides overflow although its count is 0.
    package static func count(of shape: [Int]) -> Int? {
        var product = 1
        for axis in shape where axis != 0 {
            let (next, overflow) = product.multipliedReportingOverflow(by: axis)
            guard axis > 0, !overflow else { return nil }
            product = next
        }
        return shape.contains(0) ? 0 : product
    }
}
