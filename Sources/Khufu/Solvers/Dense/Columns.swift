/// Vectors of one length: what iterations calculate with.
///
/// They are kept in Double whatever the operator's type, since recurrences lose little by it beside the operator's products and
/// keep orthogonality and step lengths by it. Each lies in one piece, since each has its own step length and its own end.
struct Columns: Sendable {
    let length: Int
    private(set) var count: Int
    /// One column after the other.
    var values: [Double]

    init(length: Int, count: Int) {
        self.length = length
        self.count = count
        values = Array(repeating: 0, count: length * count)
    }

    private init(length: Int, count: Int, values: [Double]) {
        self.length = length
        self.count = count
        self.values = values
    }

    static func identity(_ length: Int) -> Columns {
        var result = Columns(length: length, count: length)
        for k in 0..<length { result[k, k] = 1 }
        return result
    }

    subscript(row: Int, column: Int) -> Double {
        get { values[column * length + row] }
        set { values[column * length + row] = newValue }
    }

    // MARK: Tensors

    /// Of shape (length) or (length, count).
    init<Scalar: TensorScalar>(_ tensor: Tensor<Scalar>) {
        let (length, count) = (tensor.shape[0], tensor.rank == 1 ? 1 : tensor.shape[1])
        self.init(length: length, count: count)
        tensor.withUnsafeBufferPointer { source in
            values.withUnsafeMutableBufferPointer { widen(source, into: $0, length, count) }
        }
    }

    /// Of shape (length, count), or another of as many numbers.
    func tensor<Scalar: TensorScalar>(shape: [Int]? = nil) -> Tensor<Scalar> {
        Tensor(shape: shape ?? [length, count]) { result in
            values.withUnsafeBufferPointer { narrow($0, into: result, length, count) }
        }
    }

    // MARK: Parts

    func selecting(_ columns: [Int]) -> Columns {
        guard columns != Array(0..<count) else { return self }
        var selected: [Double] = []
        selected.reserveCapacity(columns.count * length)
        for column in columns { selected += values[column * length..<(column + 1) * length] }
        return Columns(length: length, count: columns.count, values: selected)
    }

    mutating func replace(_ columns: [Int], with other: Columns) {
        for (k, column) in columns.enumerated() {
            values.replaceSubrange(
                column * length..<(column + 1) * length, with: other.values[k * length..<(k + 1) * length])
        }
    }

    mutating func append(_ other: Columns) {
        values += other.values
        count += other.count
    }

    // MARK: Column by column

    /// The dot product of each column with its partner.
    func dots(_ other: Columns) -> [Double] {
        values.withUnsafeBufferPointer { a in
            other.values.withUnsafeBufferPointer { b in
                (0..<count).map { dot(a.baseAddress! + $0 * length, b.baseAddress! + $0 * length, length) }
            }
        }
    }

    func norms() -> [Double] { dots(self).map { $0.squareRoot() } }

    /// Adds to some columns their partners times factors, one for each column.
    mutating func add(_ factors: [Double], times other: Columns, at columns: [Int]) {
        values.withUnsafeMutableBufferPointer { a in
            other.values.withUnsafeBufferPointer { b in
                for column in columns where length > 0 {
                    Khufu.add(
                        factors[column], b.baseAddress! + column * length, to: a.baseAddress! + column * length, length)
                }
            }
        }
    }

    /// Adds to all columns their partners times one factor.
    mutating func add(_ factor: Double, times other: Columns) {
        add(Array(repeating: factor, count: count), times: other, at: Array(0..<count))
    }

    /// Multiplies some columns by factors, one for each column.
    mutating func scale(_ factors: [Double], at columns: [Int]) {
        values.withUnsafeMutableBufferPointer { a in
            for column in columns {
                for row in column * length..<(column + 1) * length { a[row] *= factors[column] }
            }
        }
    }

    mutating func scale(_ factors: [Double]) { scale(factors, at: Array(0..<count)) }

    // MARK: As matrices

    /// The matrix of all dot products, as many rows as there are columns here.
    func transposedTimes(_ other: Columns) -> Columns {
        var result = Columns(length: count, count: other.count)
        guard length > 0 else { return result }
        values.withUnsafeBufferPointer { a in
            other.values.withUnsafeBufferPointer { b in
                for column in 0..<other.count {
                    for row in 0..<count {
                        result[row, column] = dot(a.baseAddress! + row * length, b.baseAddress! + column * length, length)
                    }
                }
            }
        }
        return result
    }

    /// Combinations of the columns, with coefficients in columns of `count` numbers.
    func times(_ coefficients: Columns) -> Columns {
        var result = Columns(length: length, count: coefficients.count)
        guard length > 0 else { return result }
        result.values.withUnsafeMutableBufferPointer { c in
            values.withUnsafeBufferPointer { a in
                for column in 0..<coefficients.count {
                    for k in 0..<count {
                        Khufu.add(
                            coefficients[k, column], a.baseAddress! + k * length, to: c.baseAddress! + column * length, length)
                    }
                }
            }
        }
        return result
    }
}

// MARK: - Loops

private func dot(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
    // Eight sums, so that one addition need not wait for the last.
    var partial = SIMD8<Double>.zero
    let whole = count & ~7
    for k in stride(from: 0, to: whole, by: 8) {
        partial +=
            UnsafeRawPointer(a + k).loadUnaligned(as: SIMD8<Double>.self)
            * UnsafeRawPointer(b + k).loadUnaligned(as: SIMD8<Double>.self)
    }
    var sum = partial.sum()
    for k in whole..<count { sum += a[k] * b[k] }
    return sum
}

private func add(_ factor: Double, _ source: UnsafePointer<Double>, to target: UnsafeMutablePointer<Double>, _ count: Int) {
    for k in 0..<count { target[k] += factor * source[k] }
}

@specialized(where Number == Float)
@specialized(where Number == Double)
private func widen<Number: TensorScalar>(
    _ source: UnsafeBufferPointer<Number>, into target: UnsafeMutableBufferPointer<Double>, _ length: Int, _ count: Int
) {
    for row in 0..<length {
        for column in 0..<count { target[column * length + row] = Double(source[row * count + column]) }
    }
}

@specialized(where Number == Float)
@specialized(where Number == Double)
private func narrow<Number: TensorScalar>(
    _ source: UnsafeBufferPointer<Double>, into target: UnsafeMutableBufferPointer<Number>, _ length: Int, _ count: Int
) {
    for row in 0..<length {
        for column in 0..<count { target[row * count + column] = Number(source[column * length + row]) }
    }
}
