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
                ? try cotangent.matmul(operands[1].reversingAxes())
                : try cotangent.reversingAxes().matmul(operands[0]).reversingAxes()
        }
    }
}

/// Sums are taken in Double.
@specialized(where Number == Float)
@specialized(where Number == Double)
private func multiply<Number: TensorScalar>(
    _ a: UnsafeBufferPointer<Number>, _ b: UnsafeBufferPointer<Number>, into result: UnsafeMutableBufferPointer<Number>,
    _ m: Int, _ n: Int, _ k: Int
) {
    if k == 1 {
        for row in 0..<m { result[row] = Number(dot(a.extracting(row * n..<(row + 1) * n), b)) }
        return
    }
    withUnsafeTemporaryAllocation(of: Double.self, capacity: k) { sums in
        for row in 0..<m {
            sums.initialize(repeating: 0)
            for inner in 0..<n {
                let factor = Double(a[row * n + inner])
                for column in 0..<k { sums[column] += factor * Double(b[inner * k + column]) }
            }
            for column in 0..<k { result[row * k + column] = Number(sums[column]) }
        }
    }
}

@specialized(where Number == Float)
@specialized(where Number == Double)
private func dot<Number: TensorScalar>(_ a: UnsafeBufferPointer<Number>, _ b: UnsafeBufferPointer<Number>) -> Double {
    // Four sums, so that one addition need not wait for the last.
    var sums = SIMD4<Double>.zero
    let whole = a.count & ~3
    for k in stride(from: 0, to: whole, by: 4) {
        let left = SIMD4(Double(a[k]), Double(a[k + 1]), Double(a[k + 2]), Double(a[k + 3]))
        let right = SIMD4(Double(b[k]), Double(b[k + 1]), Double(b[k + 2]), Double(b[k + 3]))
        sums += left * right
    }
    return (whole..<a.count).reduce(sums.sum()) { $0 + Double(a[$1]) * Double(b[$1]) }
}
