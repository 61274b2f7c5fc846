/// One of NumPy's `.npy` files, open for reading: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
///
/// Format 1.0, 2.0 or 3.0, in either byte order and either index order.
package struct NPYFile: ~Copyable {
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// Headers are about a hundred bytes; formats 2 and 3 could announce four gigabytes.
    private static let longestHeader = 65_535

    package let type: NPYType
    package let shape: [Int]
    /// Whether the first index varies fastest. A vector lies the same way in either order.
    private let isColumnMajor: Bool
    package let count: Int
    private let reader: FileReader
    private let dataStart: Int

    /// Reads the header. The size that it announces is compared with the file's length, before memory is allocated.
    package init(_ path: String) throws(FileError) {
        let reader = try FileReader(path)
        let (header, dataStart) = try Self.readHeader(reader)
        let type = try NPYType(header.type, path: path)
        guard let count = PointArray.count(of: header.shape), count <= Int.max / type.size else {
            throw FileError(path, at: .header, expected: "a size that fits the address space", found: "\(header.shape)")
        }
        guard count * type.size == reader.size - dataStart else {
            throw FileError(
                path, expected: "\(count * type.size) bytes of data for shape \(header.shape) of \(quoted(header.type))",
                found: "\(reader.size - dataStart) bytes")
        }
        self.type = type
        shape = header.shape
        isColumnMajor = header.isColumnMajor && header.shape.count > 1
        self.count = count
        self.reader = reader
        self.dataStart = dataStart
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

    /// Reads the numbers in row-major order, converted where the file has another type.
    ///
    /// - Parameter result: of ``count`` numbers.
    package func read<Element: NPYElement>(into result: UnsafeMutableBufferPointer<Element>) throws(FileError) {
        guard isColumnMajor else { return try type.load(into: result, from: reader) }
        let numbers = UnsafeMutableBufferPointer<Element>.allocate(capacity: count)
        defer { numbers.deallocate() }
        try type.load(into: numbers, from: reader)
        rearrange(numbers, shape, into: result)
    }

    /// The same as an array.
    package func numbers<Element: NPYElement>(as: Element.Type = Element.self) throws(FileError) -> [Element] {
        try [Element](unsafeUninitializedCapacity: count) {
            (buffer: inout UnsafeMutableBufferPointer<Element>, initialized: inout Int) throws(FileError) in
            try read(into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        }
    }

    /// The whole file mapped into memory, to be given to ``FileReader/unmap(_:)``, and where its numbers start.
    ///
    /// - Throws: ``FileError`` for numbers that lie in the file otherwise than an element type's do in memory.
    package func map<Element: NPYElement>(as: Element.Type) throws(FileError) -> (file: UnsafeRawBufferPointer, start: Int) {
        guard type.isLayout(of: Element.self) else {
            let order = Int(littleEndian: 1) == 1 ? "<" : ">"
            throw FileError(
                reader.path, at: .header, expected: "'\(order)\(Element.npyCode)' to map, which converts nothing",
                found: quoted(type.name))
        }
        guard !isColumnMajor else {
            throw FileError(reader.path, at: .header, expected: "row-major numbers to map", found: "Fortran order")
        }
        guard dataStart.isMultiple(of: MemoryLayout<Element>.alignment) else {
            throw FileError(
                reader.path, at: .header,
                expected: "numbers that start at a multiple of \(MemoryLayout<Element>.alignment) bytes to map",
                found: "a start at byte \(dataStart)")
        }
        return (try reader.map(), dataStart)
    }

    /// Writes format 1.0, the data aligned to 64 bytes as numpy does, in the processor's byte order.
    package static func write<Element: NPYElement>(
        _ numbers: UnsafeBufferPointer<Element>, shape: [Int], to path: String
    ) throws(FileError) {
        let order = Int(littleEndian: 1) == 1 ? "<" : ">"
        let lengths = shape.map { "\($0)," }.joined(separator: " ")
        // numpy writes (3,) and (3, 4): only a single axis keeps its comma.
        let tuple = shape.count == 1 ? lengths : String(lengths.dropLast())
        var header = Array("{'descr': '\(order)\(Element.npyCode)', 'fortran_order': False, 'shape': (\(tuple)), }".utf8)
        let unpadded = magic.count + 4 + header.count + 1
        header += Array(repeating: UInt8(ascii: " "), count: (64 - unpadded % 64) % 64) + [UInt8(ascii: "\n")]

        var writer = try FileWriter(path)
        try writer.write(magic + [1, 0, UInt8(header.count & 0xff), UInt8(header.count >> 8)] + header)
        try writer.write(UnsafeRawBufferPointer(numbers))
        try writer.finish()
    }
}

/// Column-major (Fortran) numbers put into row-major order.
private func rearrange<Element>(
    _ numbers: UnsafeMutableBufferPointer<Element>, _ shape: [Int], into result: UnsafeMutableBufferPointer<Element>
) {
    // Walks the result in order, like a mileage counter, keeping the place of the same number in the file.
    let strides = shape.reduce(into: [1]) { $0.append($0.last! * $1) }
    var index = [Int](repeating: 0, count: shape.count)
    var place = 0
    for k in result.indices {
        result[k] = numbers[place]
        for axis in shape.indices.reversed() {
            index[axis] += 1
            place += strides[axis]
            if index[axis] < shape[axis] { break }
            place -= strides[axis] * shape[axis]
            index[axis] = 0
        }
    }
}
