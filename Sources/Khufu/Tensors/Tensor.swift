import Engines
import RealModule

/// Numbers in a grid of any rank: contiguous, row-major, a value.
///
///     let x: Tensor<Float> = [[0, 1], [2, 3], [4, 5]]        // three points of the plane
///     let centred = try x - x.mean(axes: [0])                // axes broadcast as NumPy's do
///
/// A tensor never changes. Copies share memory, which is freed with the last of them. Where shapes do not fit, operations throw
/// a ``TensorError`` that names both; a preposterous index or literal is a programming error and stops the program, as an array's
/// does.
///
/// Operations on what ``tracked()`` returned are recorded, so that ``gradient(of:withRespectTo:differentiable:)`` finds its way back.
public struct Tensor<Element: TensorElement>: Sendable {
    /// The length of each axis; empty for a single number.
    public let shape: [Int]
    let storage: TensorStorage
    /// How this was computed, where something that it depends on is tracked.
    let record: Record<Element>?

    init(shape: [Int], storage: TensorStorage, record: Record<Element>? = nil) {
        self.shape = shape
        self.storage = storage
        self.record = record
    }

    /// A tensor whose numbers are written by a closure, which has to fill the buffer.
    ///
    /// - Precondition: the lengths are 0 or more, and their product is a size that memory can have.
    public init<Failure: Error>(
        shape: [Int], filledBy fill: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Void
    ) throws(Failure) {
        guard let count = Shape.count(of: shape), count <= Int.max / 16 else {
            preconditionFailure("The lengths of a tensor's axes are 0 or more and fit in memory; the shape is \(shape).")
        }
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Swift.max(1, count * MemoryLayout<Element>.stride), alignment: 64)
        do throws(Failure) {
            try fill(
                UnsafeMutableBufferPointer(start: memory.baseAddress!.bindMemory(to: Element.self, capacity: count), count: count)
            )
        } catch {
            memory.deallocate()
            throw error
        }
        self.init(shape: shape, storage: TensorStorage(UnsafeRawPointer(memory.baseAddress!)) { memory.deallocate() })
    }

    // MARK: Creation

    /// The numbers in row-major order, in a shape of as many.
    ///
    /// - Throws: ``TensorError`` where their count is another.
    public init(_ elements: some Collection<Element>, shape: [Int]) throws(TensorError) {
        guard Shape.count(of: shape) == elements.count else {
            throw TensorError("Shape \(shape) does not hold the \(elements.count) numbers that came.")
        }
        self.init(shape: shape) { _ = $0.initialize(fromContentsOf: elements) }
    }

    /// A vector.
    public init(_ elements: some Collection<Element>) {
        self.init(shape: [elements.count]) { _ = $0.initialize(fromContentsOf: elements) }
    }

    /// A matrix from its rows.
    ///
    /// - Throws: ``TensorError`` where rows differ in length.
    public init(_ rows: [[Element]]) throws(TensorError) {
        let width = rows.first?.count ?? 0
        if let odd = rows.firstIndex(where: { $0.count != width }) {
            throw TensorError(
                "The rows of a matrix have one length; row 0 has \(width) numbers and row \(odd) has \(rows[odd].count).")
        }
        self.init(shape: [rows.count, width]) { buffer in
            for (k, row) in rows.enumerated() {
                _ = buffer.extracting(k * width..<(k + 1) * width).initialize(fromContentsOf: row)
            }
        }
    }

    /// Points from SIMD vectors, `(points, lanes)`: `Tensor([SIMD3<Float>])` has shape (count, 3).
    public init<Point: SIMD>(_ points: [Point]) where Point.Scalar == Element {
        self.init(shape: [points.count, Point.scalarCount]) { buffer in
            for (k, point) in points.enumerated() {
                for lane in 0..<Point.scalarCount { buffer[k * Point.scalarCount + lane] = point[lane] }
            }
        }
    }

    /// One number, of shape [].
    public init(_ number: Element) { self.init(repeating: number, shape: []) }

    /// One number everywhere.
    public init(repeating number: Element, shape: [Int]) { self.init(shape: shape) { $0.initialize(repeating: number) } }

    // MARK: Access

    /// How many axes there are.
    public var rank: Int { shape.count }
    /// How many numbers there are.
    public var count: Int { shape.reduce(1, *) }

    /// The numbers in row-major order, copied.
    public var elements: [Element] { withUnsafeBufferPointer { Array($0) } }

    /// The numbers where they lie, valid until the closure returns.
    public func withUnsafeBufferPointer<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeBufferPointer(start: storage.base.assumingMemoryBound(to: Element.self), count: count))
    }

    /// The number at a position, one index per axis.
    public subscript(indices: Int...) -> Element {
        precondition(
            indices.count == rank && zip(indices, shape).allSatisfy { (0..<$1).contains($0) },
            "Index \(indices) is outside of shape \(shape).")
        let offset = zip(indices, shape).reduce(0) { $0 * $1.1 + $1.0 }
        return withUnsafeBufferPointer { $0[offset] }
    }

    /// The only number of a tensor that holds one.
    public var scalar: Element {
        precondition(count == 1, "A tensor of shape \(shape) is not a single number.")
        return withUnsafeBufferPointer { $0[0] }
    }

    /// The same memory for the engine to read, of the same or another shape.
    func inputArray(shape: [Int]? = nil) -> InputArray where Element: TensorScalar {
        InputArray(storage.base, type: Element.scalarType, shape: shape ?? self.shape)
    }
}

/// What tensors hold. Memory of zero bytes is that many zeros.
public protocol TensorElement: BitwiseCopyable, Sendable, Equatable {}

extension Int: TensorElement {}
extension Int64: TensorElement {}
extension Bool: TensorElement {}

/// Numbers that tensors calculate with: Float and Double.
public protocol TensorScalar: TensorElement, KhufuScalar, Real, BinaryFloatingPoint {}

extension Float: TensorScalar {}
extension Double: TensorScalar {}

extension Tensor: Equatable {
    /// The same shape and the same numbers. As for numbers, NaN equals nothing and -0 equals 0.
    public static func == (a: Tensor, b: Tensor) -> Bool {
        a.shape == b.shape && a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { b in a.elementsEqual(b) } }
    }
}

/// Something wrong with what tensors are asked to do, in one sentence that names what was expected and what came.
public struct TensorError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}
