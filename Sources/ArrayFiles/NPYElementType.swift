/// The element types of `.npy` files that can be read, and how each becomes one of the three that we keep.
///
/// Integers and truth values become 64-bit integers, half precision becomes single. Unsigned 64-bit integers and complex
/// numbers have no exact counterpart here and are refused.
struct ElementType {
    private enum Kind: String, CaseIterable {
        case float16 = "f2", float32 = "f4", float64 = "f8"
        case int8 = "i1", int16 = "i2", int32 = "i4", int64 = "i8"
        case uint8 = "u1", uint16 = "u2", uint32 = "u4"
        case bool = "b1"
    }

    private let kind: Kind
    private let isBigEndian: Bool
    /// Bytes of one element in the file.
    let size: Int

    init(_ name: String, path: String) throws(FileError) {
        guard let order = name.first, "<>|=".contains(order), let kind = Kind(rawValue: String(name.dropFirst())) else {
            throw FileError(
                path, at: .header, expected: "real numbers of type f2, f4, f8, i1 to i8, u1 to u4 or b1", found: quoted(name))
        }
        self.kind = kind
        isBigEndian = order == ">" || (order == "=" && Int(bigEndian: 1) == 1)
        size = kind.rawValue.last!.wholeNumberValue!
    }

    func load(_ count: Int, from reader: borrowing FileReader) throws(FileError) -> PointArray.Storage {
        switch kind {
        case .float16: .float32(try load(count, reader) { (bits: UInt16) in Float(halfPrecisionBits: bits) })
        case .float32: .float32(try load(count, reader) { (bits: UInt32) in Float(bitPattern: bits) })
        case .float64: .float64(try load(count, reader) { (bits: UInt64) in Double(bitPattern: bits) })
        case .int8: .int64(try load(count, reader) { (value: Int8) in Int64(value) })
        case .int16: .int64(try load(count, reader) { (value: Int16) in Int64(value) })
        case .int32: .int64(try load(count, reader) { (value: Int32) in Int64(value) })
        case .int64: .int64(try load(count, reader) { (value: Int64) in value })
        case .uint8: .int64(try load(count, reader) { (value: UInt8) in Int64(value) })
        case .uint16: .int64(try load(count, reader) { (value: UInt16) in Int64(value) })
        case .uint32: .int64(try load(count, reader) { (value: UInt32) in Int64(value) })
        case .bool: .int64(try load(count, reader) { (value: UInt8) in value == 0 ? 0 : 1 })
        }
    }

    /// Reads through a buffer that stays in cache, so that memory holds the converted array and nothing else of size.
    private func load<Raw: FixedWidthInteger & BitwiseCopyable, Element>(
        _ count: Int, _ reader: borrowing FileReader, _ convert: (Raw) -> Element
    ) throws(FileError) -> [Element] {
        var result: [Element] = []
        result.reserveCapacity(count)
        var buffer = [Raw](repeating: 0, count: min(count, 1 << 14))
        while result.count < count {
            let wanted = min(buffer.count, count - result.count)
            if wanted < buffer.count { buffer.removeLast(buffer.count - wanted) }
            guard try reader.fill(&buffer) == wanted * MemoryLayout<Raw>.size else {
                throw FileError(reader.path, expected: "\(count) elements", found: "a file that shrank while it was read")
            }
            if isBigEndian {
                for raw in buffer { result.append(convert(Raw(bigEndian: raw))) }
            } else {
                for raw in buffer { result.append(convert(Raw(littleEndian: raw))) }
            }
        }
        return result
    }
}

extension Float {
    /// The value of an IEEE half-precision number. `Float16` itself does not exist on Intel Macs.
    init(halfPrecisionBits bits: UInt16) {
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

extension PointArray.Storage {
    /// Column-major (Fortran) values put into row-major order.
    func rowMajor(_ shape: [Int]) -> Self {
        switch self {
        case .float32(let values): .float32(Self.rowMajor(values, shape))
        case .float64(let values): .float64(Self.rowMajor(values, shape))
        case .int64(let values): .int64(Self.rowMajor(values, shape))
        }
    }

    private static func rowMajor<Element>(_ values: [Element], _ shape: [Int]) -> [Element] {
        guard shape.count > 1, !values.isEmpty else { return values }
        // Walks the result in order, like a mileage counter, keeping the place of the same element in `values`.
        let strides = shape.reduce(into: [1]) { $0.append($0.last! * $1) }
        var index = [Int](repeating: 0, count: shape.count)
        var place = 0
        return values.indices.map { _ in
            let value = values[place]
            for axis in shape.indices.reversed() {
                index[axis] += 1
                place += strides[axis]
                if index[axis] < shape[axis] { break }
                place -= strides[axis] * shape[axis]
                index[axis] = 0
            }
            return value
        }
    }
}
