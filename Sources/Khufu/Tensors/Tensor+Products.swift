// Products of vectors and matrices, for the small ones around a reduction: neither blocked nor threaded.

extension Tensor where Element: TensorScalar {
    /// The sum of the products of all numbers of two tensors of one shape, of shape [].
    public func dot(_ other: Tensor) throws(TensorError) -> Tensor {
        guard shape == other.shape else {
            throw TensorError("A dot product takes tensors of one shape; these are \(shape) and \(other.shape).")
        }
        return (try self * other).sum()
    }

    /// The product of two matrices, (m, n) and (n, k), of shape (m, k); a vector (n) on the right yields a vector (m).
    ///
    /// - Throws: ``TensorError`` that names both shapes, where they do not fit.
    public func matmul(_ other: Tensor) throws(TensorError) -> Tensor {
        guard rank == 2, 1...2 ~= other.rank, shape[1] == other.shape[0] else {
            throw TensorError("A matrix product takes (m, n) and (n, k) or (n); these are \(shape) and \(other.shape).")
        }
        if other.rank == 1 { return try matmul(try other.reshaped([-1, 1])).reshaped([shape[0]]) }
        let (m, n, k) = (shape[0], shape[1], other.shape[1])
        let product = withUnsafeBufferPointer { a in
            other.withUnsafeBufferPointer { b in
                Tensor(shape: [m, k]) { multiply(a, b, into: $0, m, n, k) }
            }
        }
        return product.recorded([self, other]) { position, operands, _, cotangent in
            position == 0
                ? try cotangent.matmul(try operands[1].transposed()) : try operands[0].transposed().matmul(cotangent)
        }
    }

    /// With axes in another order; left out, in reverse.
    ///
    /// - Throws: ``TensorError`` where these are not all the axes, each once.
    public func transposed(_ axes: [Int]? = nil) throws(TensorError) -> Tensor {
        let order = try (axes ?? shape.indices.reversed()).map { axis throws(TensorError) in try Shape.axis(axis, of: shape) }
        guard order.sorted() == Array(shape.indices) else {
            throw TensorError("The axes of shape \(shape) in another order are each named once; \(order) came.")
        }
        let target = order.map { shape[$0] }
        let own = Shape.strides(shape)
        let strides = order.map { own[$0] }
        let result = withUnsafeBufferPointer { source in
            Tensor(shape: target) { result in
                let (width, step) = (target.last ?? 1, strides.last ?? 0)
                var place = 0
                Shape.forEachRun(target, [strides]) { offsets in
                    for k in 0..<width { result[place + k] = source[offsets[0] + k * step] }
                    place += width
                }
            }
        }
        let inverse = order.indices.map { order.firstIndex(of: $0)! }
        return result.recorded([self]) { _, _, _, cotangent in try cotangent.transposed(inverse) }
    }
}

@specialized(where Number == Float)
@specialized(where Number == Double)
private func multiply<Number: TensorScalar>(
    _ a: UnsafeBufferPointer<Number>, _ b: UnsafeBufferPointer<Number>, into result: UnsafeMutableBufferPointer<Number>,
    _ m: Int, _ n: Int, _ k: Int
) {
    result.initialize(repeating: 0)
    for row in 0..<m {
        for inner in 0..<n {
            let factor = a[row * n + inner]
            for column in 0..<k { result[row * k + column] += factor * b[inner * k + column] }
        }
    }
}
