import ArrayFiles
import Engines
import Foundation
import Kernels

/// Numbers in memory of their own, in the type and shape that the engine wants.
final class NumberArray: @unchecked Sendable {
    let type: ScalarType
    let shape: [Int]
    private let memory: UnsafeMutableRawBufferPointer

    /// Room for a shape's numbers, all 0.
    ///
    /// - Throws: where there are more than this machine's memory holds; the system would grant it, and end the process later.
    init(type: ScalarType, shape: [Int]) throws(Failure) {
        self.type = type
        self.shape = shape
        // Never empty, so that there is an address to give. Fresh pages are zero, and untouched until they are used.
        let size = max(try Self.checkedCount(shape, type) * type.byteCount, 1)
        guard let base = calloc(size, 1) else {
            throw Failure(.dataError, "There is no memory for an array of \(readable(shape: shape)) numbers.")
        }
        memory = UnsafeMutableRawBufferPointer(start: base, count: size)
    }

    /// The number of elements of a shape that fits in memory.
    static func checkedCount(_ shape: [Int], _ type: ScalarType) throws(Failure) -> Int {
        let limit = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        guard let count = PointArray.count(of: shape), count <= limit / type.byteCount else {
            throw Failure(
                .dataError,
                "An array of \(readable(shape: shape)) numbers does not fit in the \(readable(bytes: limit)) of memory of this machine."
            )
        }
        return count
    }

    deinit { free(memory.baseAddress) }

    convenience init(_ array: PointArray, type: NumberType, shape: [Int]) throws(Failure) {
        try self.init(type: type.scalar, shape: shape)
        switch type {
        case .float32: array.floats.withUnsafeBytes { memory.copyMemory(from: $0) }
        case .float64: array.doubles.withUnsafeBytes { memory.copyMemory(from: $0) }
        }
    }

    convenience init(_ values: [Double], type: NumberType = .float64, shape: [Int]) throws(Failure) {
        try self.init(PointArray(shape: shape, storage: .float64(values)), type: type, shape: shape)
    }

    var count: Int { shape.reduce(1, *) }

    /// For reading by an engine. Swift may release an object after its last use, so the memory is lent for a call.
    func withInput<Result>(_ body: (InputArray) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(input) }
    }

    /// For writing by an engine.
    func withOutput<Result>(_ body: (UnsafeMutableRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(bytes) }
    }

    fileprivate var input: InputArray { InputArray(memory.baseAddress!, type: type, shape: shape) }

    private var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: memory[..<(count * type.byteCount)])
    }

    /// A copy to keep or to write to a file.
    var points: PointArray {
        withExtendedLifetime(self) {
            switch type {
            case .float64: PointArray(shape: shape, storage: .float64(Array(bytes.bindMemory(to: Double.self))))
            default: PointArray(shape: shape, storage: .float32(Array(bytes.bindMemory(to: Float.self))))
            }
        }
    }
}

extension [NumberArray] {
    /// All arrays for reading by an engine.
    func withInputs<Result>(_ body: ([InputArray]) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(self) { try body(map(\.input)) }
    }
}
