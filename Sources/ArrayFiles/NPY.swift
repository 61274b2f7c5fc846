/// NumPy's `.npy` files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
enum NPY {
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// Headers are about a hundred bytes; formats 2 and 3 could announce four gigabytes.
    private static let longestHeader = 65_535

    /// Reads format 1.0, 2.0 or 3.0 in either byte order and either index order.
    ///
    /// The size that the header announces is compared with the file's length before memory is allocated.
    static func read(_ path: String) throws(FileError) -> PointArray {
        let reader = try FileReader(path)
        let (header, dataStart) = try readHeader(reader)
        let type = try ElementType(header.type, path: path)
        guard let count = PointArray.count(of: header.shape), count <= Int.max / type.size else {
            throw FileError(path, at: .header, expected: "a size that fits the address space", found: "\(header.shape)")
        }
        guard count * type.size == reader.size - dataStart else {
            throw FileError(
                path, expected: "\(count * type.size) bytes of data for shape \(header.shape) of \(quoted(header.type))",
                found: "\(reader.size - dataStart) bytes")
        }
        let storage = try type.load(count, from: reader)
        return PointArray(shape: header.shape, storage: header.isColumnMajor ? storage.rowMajor(header.shape) : storage)
    }

    private static func readHeader(_ reader: borrowing FileReader) throws(FileError) -> (NPYHeader, dataStart: Int) {
        let start = try reader.bytes(8)
        guard start.starts(with: magic) else {
            throw FileError(
                reader.path, expected: "an .npy file, which starts with \\x93NUMPY",
                found: start.isEmpty ? "an empty file" : "something else")
        }
        guard start.count == 8, 1...3 ~= start[6], start[7] == 0 else {
            let version = start.count == 8 ? "\(start[6]).\(start[7])" : "the end of the file"
            throw FileError(reader.path, expected: "format version 1.0, 2.0 or 3.0", found: version)
        }
        let lengthSize = start[6] == 1 ? 2 : 4
        let lengthField = try reader.bytes(lengthSize)
        guard lengthField.count == lengthSize else {
            throw FileError(reader.path, expected: "a header", found: "the end of the file")
        }
        let length = lengthField.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= longestHeader else {
            throw FileError(reader.path, expected: "a header of at most \(longestHeader) bytes", found: "\(length)")
        }
        let text = try reader.bytes(length)
        guard text.count == length else {
            throw FileError(reader.path, expected: "a header of \(length) bytes", found: "the end of the file")
        }
        return (try NPYHeader(parsing: text, path: reader.path), 8 + lengthSize + length)
    }

    /// Writes format 1.0, the data aligned to 64 bytes as numpy does, in the processor's byte order.
    static func write(_ array: PointArray, to path: String) throws(FileError) {
        let type =
            switch array.storage {
            case .float32: "f4"
            case .float64: "f8"
            case .int64: "i8"
            }
        let order = Int(littleEndian: 1) == 1 ? "<" : ">"
        let shape = array.shape.map { "\($0)," }.joined(separator: " ")
        // numpy writes (3,) and (3, 4): only a single axis keeps its comma.
        let tuple = array.shape.count == 1 ? shape : String(shape.dropLast())
        var header = Array("{'descr': '\(order)\(type)', 'fortran_order': False, 'shape': (\(tuple)), }".utf8)
        let unpadded = magic.count + 4 + header.count + 1
        header += Array(repeating: UInt8(ascii: " "), count: (64 - unpadded % 64) % 64) + [UInt8(ascii: "\n")]

        var writer = try FileWriter(path)
        try writer.write(magic + [1, 0, UInt8(header.count & 0xff), UInt8(header.count >> 8)] + header)
        switch array.storage {
        case .float32(let values): try writer.write(values)
        case .float64(let values): try writer.write(values)
        case .int64(let values): try writer.write(values)
        }
        try writer.finish()
    }
}
