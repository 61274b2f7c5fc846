/// PNG files (https://www.w3.org/TR/png/) with 8-bit RGB pixels.
enum PNG {
    /// The bytes of a file for `pixels`, three bytes each, row by row from the top.
    ///
    /// Each row is stored as the difference from the row above (filter 2): our pictures are areas of one colour, so most
    /// bytes become 0 and the simplest compression does nearly as well as the best.
    static func encode(_ pixels: [UInt8], width: Int, height: Int) -> [UInt8] {
        precondition(pixels.count == width * height * 3 && width > 0 && height > 0, "a PNG needs three bytes a pixel")
        let stride = width * 3
        var filtered: [UInt8] = []
        filtered.reserveCapacity((stride + 1) * height)
        for row in 0..<height {
            filtered.append(2)
            for index in row * stride..<(row + 1) * stride {
                filtered.append(pixels[index] &- (row == 0 ? 0 : pixels[index - stride]))
            }
        }
        let header = bigEndian(width) + bigEndian(height) + [8, 2, 0, 0, 0]
        return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
            + chunk("IHDR", header) + chunk("IDAT", zlib(filtered)) + chunk("IEND", [])
    }

    private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
        let content = Array(name.utf8) + data
        return bigEndian(data.count) + content + bigEndian(Int(crc32(content)))
    }

    private static func bigEndian(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private static let crcTable: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
    }

    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(0xffff_ffff) { crcTable[Int(($0 ^ UInt32($1)) & 0xff)] ^ $0 >> 8 }
    }

    static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return b << 16 | a
    }

    /// A zlib stream (RFC 1950) around deflate data.
    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var bits = BitWriter()
        bits.deflate(bytes)
        return [0x78, 0x01] + bits.finish() + bigEndian(Int(adler32(bytes)))
    }
}

/// Deflate (RFC 1951) in one block with the fixed codes, where the only repetitions looked for are runs of one byte.
private struct BitWriter {
    private var bytes: [UInt8] = []
    private var buffer: UInt32 = 0
    private var count: UInt32 = 0

    mutating func deflate(_ input: [UInt8]) {
        add(1, bits: 1)  // the last block
        add(1, bits: 2)  // fixed codes
        var index = 0
        while index < input.count {
            let byte = input[index]
            literal(Int(byte))
            index += 1
            while true {
                var length = 0
                while length < 258, index + length < input.count, input[index + length] == byte { length += 1 }
                guard length >= 3 else { break }
                repetition(length)
                index += length
            }
        }
        literal(256)  // the end of the block
    }

    mutating func finish() -> [UInt8] {
        if count > 0 { add(0, bits: 8 - count) }
        return bytes
    }

    /// The low `bits` of `value`, lowest first.
    private mutating func add(_ value: UInt32, bits: UInt32) {
        buffer |= value << count
        count += bits
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: buffer))
            buffer >>= 8
            count -= 8
        }
    }

    /// A Huffman code, which unlike numbers goes highest bit first.
    private mutating func code(_ value: UInt32, bits: UInt32) {
        var reversed: UInt32 = 0
        for bit in 0..<bits where value >> bit & 1 == 1 { reversed |= 1 << (bits - 1 - bit) }
        add(reversed, bits: bits)
    }

    /// The fixed code of a literal or length symbol (RFC 1951, 3.2.6).
    private mutating func literal(_ symbol: Int) {
        let value = UInt32(symbol)
        switch symbol {
        case ..<144: code(0x30 + value, bits: 8)
        case ..<256: code(0x190 + value - 144, bits: 9)
        case ..<280: code(value - 256, bits: 7)
        default: code(0xc0 + value - 280, bits: 8)
        }
    }

    /// "Repeat the last byte `length` times": lengths of 3 to 257 share symbols in groups that double in size every four.
    private mutating func repetition(_ length: Int) {
        if length == 258 {
            literal(285)
        } else if length < 11 {
            literal(254 + length)
        } else {
            let offset = UInt32(length - 3)
            let extraBits = UInt32(29 - offset.leadingZeroBitCount)
            literal(Int(257 + 4 * extraBits + offset >> extraBits))
            add(offset & (1 << extraBits - 1), bits: extraBits)
        }
        code(0, bits: 5)  // distance 1
    }
}
