import Engines
import Formulas
import Kernels

/// A matrix of complex vectors F(p, x_i, y_j), known by its formula and never stored.
///
///     let phase = try LazyTensor(rows: frequencies) | LazyTensor(columns: points)
///     let transform = try (ComplexLazyTensor(angle: phase) * LazyTensor(columns: signal)).sum(over: .columns)
///
/// What is wrong for complex numbers does not exist here: there is no order, so no min, and no norm but ``magnitude()``.
public struct ComplexLazyTensor<Scalar: TensorScalar>: Sendable, CustomStringConvertible {
    /// Real and imaginary parts in turns, as the formula language has complex vectors.
    let interleaved: LazyTensor<Scalar>

    private init(interleaved: LazyTensor<Scalar>) { self.interleaved = interleaved }

    /// a + bi.
    public init(real: LazyTensor<Scalar>, imaginary: LazyTensor<Scalar>) throws {
        self.init(interleaved: try real.applying("Complex", imaginary))
    }

    /// a + 0i.
    public init(real: LazyTensor<Scalar>) throws { self.init(interleaved: try real.applying("Real2Complex")) }

    /// 0 + bi.
    public init(imaginary: LazyTensor<Scalar>) throws { self.init(interleaved: try imaginary.applying("Imag2Complex")) }

    /// e^{iφ}.
    public init(angle: LazyTensor<Scalar>) throws { self.init(interleaved: try angle.applying("ComplexExp1j")) }

    /// One complex vector per row.
    public init(rows tensor: ComplexTensor<Scalar>) throws {
        try self.init(real: LazyTensor(rows: tensor.real), imaginary: LazyTensor(rows: tensor.imaginary))
    }

    /// One complex vector per column.
    public init(columns tensor: ComplexTensor<Scalar>) throws {
        try self.init(real: LazyTensor(columns: tensor.real), imaginary: LazyTensor(columns: tensor.imaginary))
    }

    /// One complex vector for all.
    public init(parameter tensor: ComplexTensor<Scalar>) throws {
        try self.init(real: LazyTensor(parameter: tensor.real), imaginary: LazyTensor(parameter: tensor.imaginary))
    }

    /// Complex numbers per pair.
    public var dimension: Int { interleaved.dimension / 2 }
    /// (batch…, rows, columns, dimension).
    public var shape: [Int] { interleaved.shape.dropLast() + [dimension] }
    public var description: String { "Complex\(interleaved)" }

    // MARK: Parts

    public func real() throws -> LazyTensor<Scalar> { try interleaved.applying("ComplexReal") }
    public func imaginary() throws -> LazyTensor<Scalar> { try interleaved.applying("ComplexImag") }
    /// |z|.
    public func magnitude() throws -> LazyTensor<Scalar> { try interleaved.applying("ComplexAbs") }
    /// |z|².
    public func squaredMagnitude() throws -> LazyTensor<Scalar> { try interleaved.applying("ComplexSquareAbs") }
    /// The argument, in [-π, π].
    public func angle() throws -> LazyTensor<Scalar> { try interleaved.applying("ComplexAngle") }
    public func conjugate() throws -> ComplexLazyTensor { ComplexLazyTensor(interleaved: try interleaved.applying("Conj")) }
    /// e^z.
    public func exp() throws -> ComplexLazyTensor { ComplexLazyTensor(interleaved: try interleaved.applying("ComplexExp")) }
    /// The sum of the components of each pair's vector, of dimension 1.
    public func sum() throws -> ComplexLazyTensor { ComplexLazyTensor(interleaved: try interleaved.applying("ComplexSum")) }

    // MARK: Arithmetic; dimensions are equal, or one of them is 1

    public static func + (a: ComplexLazyTensor, b: ComplexLazyTensor) throws -> ComplexLazyTensor {
        try apply("ComplexAdd", a, b)
    }
    public static func - (a: ComplexLazyTensor, b: ComplexLazyTensor) throws -> ComplexLazyTensor {
        try apply("ComplexSubtract", a, b)
    }
    public static func * (a: ComplexLazyTensor, b: ComplexLazyTensor) throws -> ComplexLazyTensor {
        try apply("ComplexMult", a, b)
    }
    public static func / (a: ComplexLazyTensor, b: ComplexLazyTensor) throws -> ComplexLazyTensor {
        try apply("ComplexDivide", a, b)
    }
    public static prefix func - (a: ComplexLazyTensor) throws -> ComplexLazyTensor {
        ComplexLazyTensor(interleaved: try -a.interleaved)
    }

    public static func + (a: ComplexLazyTensor, b: LazyTensor<Scalar>) throws -> ComplexLazyTensor { try a + .init(real: b) }
    public static func - (a: ComplexLazyTensor, b: LazyTensor<Scalar>) throws -> ComplexLazyTensor { try a - .init(real: b) }
    public static func * (a: ComplexLazyTensor, b: LazyTensor<Scalar>) throws -> ComplexLazyTensor {
        b.dimension == 1 ? .init(interleaved: try a.interleaved * b) : try a * .init(real: b)
    }
    public static func * (a: LazyTensor<Scalar>, b: ComplexLazyTensor) throws -> ComplexLazyTensor { try b * a }
    public static func / (a: ComplexLazyTensor, b: LazyTensor<Scalar>) throws -> ComplexLazyTensor { try a * b.reciprocal() }
    public static func * (a: Scalar, b: ComplexLazyTensor) throws -> ComplexLazyTensor {
        .init(interleaved: try a * b.interleaved)
    }
    public static func * (a: ComplexLazyTensor, b: Scalar) throws -> ComplexLazyTensor {
        .init(interleaved: try a.interleaved * b)
    }

    private static func apply(_ name: String, _ a: ComplexLazyTensor, _ b: ComplexLazyTensor) throws -> ComplexLazyTensor {
        ComplexLazyTensor(interleaved: try a.interleaved.applying(name, b.interleaved))
    }

    // MARK: Reductions

    /// Σ F over rows or columns, of shape (batch…, points, dimension).
    public func sum(over axis: PairAxis, accumulation: Accumulation = .init()) throws -> ComplexTensor<Scalar> {
        try ComplexTensor(interleaved: try interleaved.sum(over: axis, accumulation: accumulation))
    }
}

/// Complex numbers as two tensors of one shape.
public struct ComplexTensor<Scalar: TensorScalar>: Sendable {
    public let real: Tensor<Scalar>
    public let imaginary: Tensor<Scalar>

    /// - Throws: ``TensorError`` where the shapes differ.
    public init(real: Tensor<Scalar>, imaginary: Tensor<Scalar>) throws(TensorError) {
        guard real.shape == imaginary.shape else {
            throw TensorError("Real and imaginary parts have one shape; these are \(real.shape) and \(imaginary.shape).")
        }
        self.real = real
        self.imaginary = imaginary
    }

    /// From parts in turns along the last axis.
    init(interleaved: Tensor<Scalar>) throws {
        let pairs = try interleaved.reshaped(interleaved.shape.dropLast() + [interleaved.shape.last! / 2, 2])
        let shape = Array(pairs.shape.dropLast())
        try self.init(
            real: pairs.selecting([0], axis: -1).reshaped(shape), imaginary: pairs.selecting([1], axis: -1).reshaped(shape))
    }

    public var shape: [Int] { real.shape }

    /// |z|².
    public func squaredMagnitude() throws -> Tensor<Scalar> { try real.squared() + imaginary.squared() }
}
