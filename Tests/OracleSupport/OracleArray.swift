import Engines
import Kernels

/// An input's numbers, rounded to the type that they are stored in, and the memory that holds them.
package final class OracleArray: @unchecked Sendable {
    package let type: ScalarType
    package let shape: [Int]
    /// What is stored, as Double.
    package let values: [Double]
    private let memory: UnsafeMutableRawPointer

    package init(_ values: [Double], type: ScalarType, shape: [Int]) {
        precondition(values.count == shape.reduce(1, *))
        self.type = type
        self.shape = shape
        memory = .allocate(byteCount: max(64, values.count * type.byteCount), alignment: 64)
        for (k, value) in values.enumerated() { type.write(value, memory, k) }
        var stored: [Double] = []
        for k in values.indices { stored.append(type.read(memory, k)) }
        self.values = stored
    }

    deinit { memory.deallocate() }

    package var input: InputArray { InputArray(memory, type: type, shape: shape) }
}

extension ScalarType {
    /// The largest relative error of a number stored in this type.
    package var unitRoundoff: Double {
        switch self {
        case .float16: 0x1p-11
        case .bfloat16: 0x1p-8
        case .float32: 0x1p-24
        case .float64: 0x1p-53
        }
    }

    package var smallestStep: Double {
        switch self {
        case .float16: 0x1p-24
        case .bfloat16: 0x1p-133
        case .float32: 0x1p-149
        case .float64: 0x1p-1074
        }
    }

    package var largest: Double {
        switch self {
        case .float16: 65_504
        case .bfloat16: 0x1.FEp127
        case .float32: Double(Float.greatestFiniteMagnitude)
        case .float64: .greatestFiniteMagnitude
        }
    }

    package func write(_ value: Double, _ memory: UnsafeMutableRawPointer, _ k: Int) {
        switch self {
        case .float16: memory.storeBytes(of: Float16(value).bitPattern, toByteOffset: 2 * k, as: UInt16.self)
        case .bfloat16: memory.storeBytes(of: Self.brainHalf(value), toByteOffset: 2 * k, as: UInt16.self)
        case .float32: memory.storeBytes(of: Float(value), toByteOffset: 4 * k, as: Float.self)
        case .float64: memory.storeBytes(of: value, toByteOffset: 8 * k, as: Double.self)
        }
    }

    /// The nearest of the two numbers beside, and of two that are as near the one with an even last bit.
    private static func brainHalf(_ value: Double) -> UInt16 {
        guard value.isFinite else { return UInt16(Float(value).bitPattern >> 16) | (value.isNaN ? 0x40 : 0) }
        func number(_ bits: UInt16) -> Double { Double(Float(bitPattern: UInt32(bits) << 16)) }
        let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
        var below: UInt16 = 0
        for bit in (0..<15).reversed() where number(below | 1 << bit) <= value.magnitude { below |= 1 << bit }
        guard below < 0x7F7F else { return sign | (value.magnitude >= 0x1.FFp127 ? 0x7F80 : 0x7F7F) }
        let (low, high) = (value.magnitude - number(below), number(below + 1) - value.magnitude)
        return sign | (low < high || (low == high && below & 1 == 0) ? below : below + 1)
    }

    package func read(_ memory: UnsafeRawPointer, _ k: Int) -> Double {
        switch self {
        case .float16: Double(Float16(bitPattern: memory.load(fromByteOffset: 2 * k, as: UInt16.self)))
        case .bfloat16: Double(Float(bitPattern: UInt32(memory.load(fromByteOffset: 2 * k, as: UInt16.self)) << 16))
        case .float32: Double(memory.load(fromByteOffset: 4 * k, as: Float.self))
        case .float64: memory.load(fromByteOffset: 8 * k, as: Double.self)
        }
    }
}

extension Array where Element == Int {
    /// Shapes broadcast together, aligned at the right.
    package static func broadcasting(_ shapes: [[Int]]) -> [Int] {
        var result = Array(repeating: 1, count: shapes.map(\.count).max() ?? 0)
        for shape in shapes {
            for (k, length) in shape.reversed().enumerated() where length != 1 { result[result.count - 1 - k] = length }
        }
        return result
    }

    /// Which item of an array of this shape belongs to an item of a broadcast shape.
    package func item(of flat: Int, in broadcast: [Int]) -> Int {
        var (rest, item, stride) = (flat, 0, 1)
        for (k, length) in broadcast.reversed().enumerated() {
            let counter = rest % length
            rest /= length
            guard k < count else { continue }
            let own = self[count - 1 - k]
            if own != 1 { item += counter * stride }
            stride *= own
        }
        return item
    }
}
