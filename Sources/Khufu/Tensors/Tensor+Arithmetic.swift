// Arithmetic, number by number. Shapes broadcast as NumPy's do: aligned at the last axis, lengths are equal or one of them is 1.

extension Tensor where Element: TensorScalar {
    /// - Throws: ``TensorError`` that names both shapes, where they do not broadcast; so for all operators here.
    public static func + (a: Tensor, b: Tensor) throws(TensorError) -> Tensor {
        try applying(.add, a, b).recorded([a, b]) { k, operands, _, cotangent in
            try cotangent.summed(to: operands[k].shape)
        }
    }

    public static func - (a: Tensor, b: Tensor) throws(TensorError) -> Tensor {
        try applying(.subtract, a, b).recorded([a, b]) { k, operands, _, cotangent in
            try (k == 0 ? cotangent : -cotangent).summed(to: operands[k].shape)
        }
    }

    public static func * (a: Tensor, b: Tensor) throws(TensorError) -> Tensor {
        try applying(.multiply, a, b).recorded([a, b]) { k, operands, _, cotangent in
            try (cotangent * operands[1 - k]).summed(to: operands[k].shape)
        }
    }

    public static func / (a: Tensor, b: Tensor) throws(TensorError) -> Tensor {
        try applying(.divide, a, b).recorded([a, b]) { k, operands, result, cotangent in
            let share = try cotangent / operands[1]
            return try (k == 0 ? share : -(share * result)).summed(to: operands[k].shape)
        }
    }

    /// a to the power b; NaN for negative a where b is not a whole number.
    ///
    /// The derivative in b is a^b log a, for negative a NaN. Where a is 0 both derivatives are those of a power above 1: 0.
    public static func pow(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
        try applying(.power, a, b).recorded([a, b]) { k, operands, result, cotangent in
            let (a, b) = (operands[0], operands[1])
            // 0 · 0^-1 and 0 · log 0 are 0 here.
            let zero = applying(.equal, a, 0)
            let slope =
                k == 0
                ? try b * pow(a, b - 1 + zero * applying(.equal, b, 0))
                : try result * (a + zero).log()
            return try (cotangent * slope).summed(to: operands[k].shape)
        }
    }

    /// The larger of two; where they are equal, the derivative is shared half and half.
    public static func maximum(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor { try extremum(.maximum, a, b) }

    /// The smaller of two; where they are equal, the derivative is shared half and half.
    public static func minimum(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor { try extremum(.minimum, a, b) }

    private static func extremum(_ function: BinaryFunction, _ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
        try applying(function, a, b).recorded([a, b]) { k, operands, result, cotangent in
            let ties = try applying(.equal, operands[0], operands[1])
            let share = try applying(.equal, operands[k], result.detached()) * (1 - ties * 0.5)
            return try (cotangent * share).summed(to: operands[k].shape)
        }
    }

    public static prefix func - (a: Tensor) -> Tensor {
        a.applying(.negate).recorded([a]) { _, _, _, cotangent in -cotangent }
    }

    // MARK: With numbers

    public static func + (a: Tensor, b: Element) -> Tensor { withNumber { try a + $0 }(b) }
    public static func + (a: Element, b: Tensor) -> Tensor { withNumber { try $0 + b }(a) }
    public static func - (a: Tensor, b: Element) -> Tensor { withNumber { try a - $0 }(b) }
    public static func - (a: Element, b: Tensor) -> Tensor { withNumber { try $0 - b }(a) }
    public static func * (a: Tensor, b: Element) -> Tensor { withNumber { try a * $0 }(b) }
    public static func * (a: Element, b: Tensor) -> Tensor { withNumber { try $0 * b }(a) }
    public static func / (a: Tensor, b: Element) -> Tensor { withNumber { try a / $0 }(b) }
    public static func / (a: Element, b: Tensor) -> Tensor { withNumber { try $0 / b }(a) }
    public static func pow(_ a: Tensor, _ b: Element) -> Tensor { withNumber { try pow(a, $0) }(b) }
    public static func maximum(_ a: Tensor, _ b: Element) -> Tensor { withNumber { try maximum(a, $0) }(b) }
    public static func minimum(_ a: Tensor, _ b: Element) -> Tensor { withNumber { try minimum(a, $0) }(b) }

    private static func applying(_ function: BinaryFunction, _ a: Tensor, _ b: Element) -> Tensor {
        withNumber { try applying(function, a, $0) }(b)
    }

    /// A number broadcasts with any shape.
    private static func withNumber(_ operation: @escaping (Tensor) throws -> Tensor) -> (Element) -> Tensor {
        { number in
            do { return try operation(Tensor(number)) } catch { preconditionFailure("\(error)") }
        }
    }
}
