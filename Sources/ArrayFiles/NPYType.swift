/// The types of number that `.npy` files hold and that can be read.
///
/// Unsigned 64-bit integers and complex numbers have no exact counterpart here and are refused.
package struct NPYType {
    private enum Kind: String {
        case float16 = "f2", float32 = "f4", float64 = "f8"
        case int8 = "i1", int16 = "i2", int32 = "i4", int64 = "i8"
        case uint8 = "u1", uint16 = "u2", uint32 = "u4"
        case bool = "b1"
    }

    /// The type in numpy's notation, such as `<f4`.
    package let name: String
    private let kind: Kind
    private let isBigEndian: Bool
    /// Bytes of one number in the file.
    package let size: Int

    init(_ name: String, path: String) throws(FileError) {
        guard let order = name.first, "<>|=".contains(order), let kind = Kind(rawValue: String(name.dropFirst())) else {
            throw FileError(
                path, at: .header, expected: "real numbers of type f2, f4, f8, i1 to i8, u1 to u4 or b1", found: quoted(name))
        }
        self.name = name
        self.kind = kind
        isBigEndian = order == ">" || (order == "=" && Int(bigEndian: 1) == 1)
        size = kind.rawValue.last!.wholeNumberValue!
    }

    /// Whether these are whole numbers or truth values.
    package var isInteger: Bool { !kind.rawValue.hasPrefix("f") }

    /// Whether numbers lie in the file as an element type's do in memory.
    func isLayout<Element: NPYElement>(of: Element.Type) -> Bool {
        kind.rawValue == Element.npyCode && isBigEndian == (Int(bigEndian: 1) == 1)
    }

    /// Reads as many numbers as fit.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    @specialized(where Element == Int)
    @specialized(where Element == Int64)
    func load<Element: NPYElement>(
        into result: UnsafeMutableBufferPointer<Element>, from reader: borrowing FileReader
    ) throws(FileError) {
        switch kind {
        case .float16: try load(result, reader) { (bits: UInt16) in Element(Float(halfPrecisionBits: bits)) }
        case .float32: try load(result, reader) { (bits: UInt32) in Element(Float(bitPattern: bits)) }
        case .float64: try load(result, reader) { (bits: UInt64) in Element(Double(bitPattern: bits)) }
        case .int8: try load(result, reader) { (value: Int8) in Element(Int64(value)) }
        case .int16: try load(result, reader) { (value: Int16) in Element(Int64(value)) }
        case .int32: try load(result, reader) { (value: Int32) in Element(Int64(value)) }
        case .int64: try load(result, reader) { (value: Int64) in Element(value) }
        case .uint8: try load(result, reader) { (value: UInt8) in Element(Int64(value)) }
        case .uint16: try load(result, reader) { (value: UInt16) in Element(Int64(value)) }
        case .uint32: try load(result, reader) { (value: UInt32) in Element(Int64(value)) }
        case .bool: try load(result, reader) { (value: UInt8) in Element(value == 0 ? 0 : 1 as Int64) }
        }
    }

    /// Reads through a buffer that stays in cache, so that memory holds the converted numbers and nothing else of size.
    @inline(__always)
    private func load<Raw: FixedWidthInteger & BitwiseCopyable, Element>(
        _ result: UnsafeMutableBufferPointer<Element>, _ reader: borrowing FileReader, _ convert: (Raw) -> Element
    ) throws(FileError) {
        var buffer = [Raw](repeating: 0, count: min(result.count, 1 << 14))
        var place = 0
        while place < result.count {
            let wanted = min(buffer.count, result.count - place)
            if wanted < buffer.count { buffer.removeLast(buffer.count - wanted) }
            guard try reader.fill(&buffer) == wanted * MemoryLayout<Raw>.size else {
                throw FileError(reader.path, expected: "\(result.count) elements", found: "a file that shrank while it was read")
            }
            for k in 0..<wanted {
                result[place + k] = convert(isBigEndian ? Raw(bigEndian: buffer[k]) : Raw(littleEndian: buffer[k]))
            }
            place += wanted
        }
    }
}

/// The types of number that `.npy` files are read into and written from: Float, Double and Int.
public protocol NPYElement: BitwiseCopyable, Sendable {
    /// numpy's name of the type, without the byte order.
    static var npyCode: String { get }
    init(_ number: Float)
    init(_ number: Double)
    init(_ number: Int64)
}

extension Float: NPYElement {
    public static var npyCode: String { "f4" }
}

extension Double: NPYElement {
    public static var npyCode: String { "f8" }
}

extension Int: NPYElement {
    public static var npyCode: String { "i8" }
}

extension Int64: NPYElement {
    public static var npyCode: String { "i8" }
}

extension Float {
    /// The value of an IEEE half-precision number. `Float16` itself does not exist on Intel Macs.
    package init(halfPrecisionBits bits: UInt16) {
        let sign = UInt32(bits & 0x8000) << 16
        let magnitude = UInt32(bits & 0x7fff)
        if magnitude >= 0x7c00 {
            self.init(bitPattern: sign | 0x7f80_0000 | (magnitude & 0x3ff) << 13)
        } else {
            // With the exponent's bias moved by a multiplication, subnormals need no case of their own.
            let scaled = Float(bitPattern: magnitude << 13) * 0x1p112
            self.init(bitPattern: sign | scaled.bitPattern)
        }
    }
}

extension NPYElement {
    /// Whether fractions would be lost.
    package static var isInteger: Bool { npyCode.hasPrefix("i") }
}
