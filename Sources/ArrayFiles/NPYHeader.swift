/// The text between an NPY file's length field and its data: a Python dict literal with exactly three keys.
///
/// numpy hands it to Python's own literal parser; here is a parser of just what numpy writes. It neither recurses nor
/// allocates by what a number in the text says, so a hostile header costs its own length and ends in a sentence.
struct NPYHeader: Equatable {
    /// The element type in numpy's notation, such as `<f4`.
    let type: String
    /// Fortran order: the first index varies fastest.
    let isColumnMajor: Bool
    let shape: [Int]

    /// numpy's own limit on the number of axes.
    static let largestRank = 64

    init(parsing text: [UInt8], path: String) throws(FileError) {
        var parser = Parser(text: text, path: path)
        var type: String?
        var isColumnMajor: Bool?
        var shape: [Int]?
        try parser.expect("{")
        while !parser.accept("}") {
            let key = try parser.string("a key in quotation marks")
            try parser.expect(":")
            switch key {
            case "descr" where type == nil: type = try parser.elementType()
            case "fortran_order" where isColumnMajor == nil: isColumnMajor = try parser.truth()
            case "shape" where shape == nil: shape = try parser.tuple()
            default: throw parser.mismatch("the keys descr, fortran_order and shape, once each", found: quoted(key))
            }
            if !parser.accept(",") {
                try parser.expect("}")
                break
            }
        }
        try parser.expectEnd()
        guard let type, let isColumnMajor, let shape else {
            throw parser.mismatch("the keys descr, fortran_order and shape", found: "not all of them")
        }
        self.type = type
        self.isColumnMajor = isColumnMajor
        self.shape = shape
    }
}

private struct Parser {
    let text: [UInt8]
    let path: String
    var position = 0

    func mismatch(_ expected: String, found: String? = nil) -> FileError {
        let rest = String(decoding: text[min(position, text.count)...].prefix(20), as: UTF8.self)
        return FileError(path, at: .header, expected: expected, found: found ?? (rest.isEmpty ? "its end" : quoted(rest)))
    }

    private mutating func skipSpace() {
        while position < text.count, text[position] == UInt8(ascii: " ") || text[position] == UInt8(ascii: "\n") {
            position += 1
        }
    }

    mutating func accept(_ word: StaticString) -> Bool {
        skipSpace()
        let isHere = word.withUTF8Buffer { text[position...].starts(with: $0) }
        if isHere { position += word.utf8CodeUnitCount }
        return isHere
    }

    mutating func expect(_ word: StaticString) throws(FileError) {
        guard accept(word) else { throw mismatch("'\(word)'") }
    }

    mutating func expectEnd() throws(FileError) {
        skipSpace()
        guard position == text.count else { throw mismatch("nothing after the closing brace") }
    }

    mutating func string(_ what: String) throws(FileError) -> String {
        skipSpace()
        guard position < text.count, text[position] == UInt8(ascii: "'") || text[position] == UInt8(ascii: "\"") else {
            throw mismatch(what)
        }
        let rest = text[(position + 1)...]
        guard let end = rest.firstIndex(of: text[position]), !rest[..<end].contains(UInt8(ascii: "\\")) else {
            throw mismatch(what)
        }
        position = end + 1
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    mutating func elementType() throws(FileError) -> String {
        skipSpace()
        if position < text.count, text[position] == UInt8(ascii: "[") {
            throw mismatch("one number type for all elements", found: "records of several fields")
        }
        return try string("an element type such as '<f4'")
    }

    mutating func truth() throws(FileError) -> Bool {
        if accept("True") { return true }
        if accept("False") { return false }
        throw mismatch("True or False")
    }

    mutating func tuple() throws(FileError) -> [Int] {
        var axes: [Int] = []
        try expect("(")
        while !accept(")") {
            guard axes.count < NPYHeader.largestRank else {
                throw mismatch("at most \(NPYHeader.largestRank) axes", found: "more")
            }
            axes.append(try axis())
            if !accept(",") {
                try expect(")")
                break
            }
        }
        return axes
    }

    private mutating func axis() throws(FileError) -> Int {
        skipSpace()
        let digits = text[position...].prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard !digits.isEmpty else { throw mismatch("a length that is a whole number") }
        guard let value = Int(String(decoding: digits, as: UTF8.self)) else {
            throw mismatch("a length below 2^63", found: quoted(String(decoding: digits, as: UTF8.self)))
        }
        position += digits.count
        // Python 2 wrote long integers as 3L.
        if position < text.count, text[position] == UInt8(ascii: "L") { position += 1 }
        return value
    }
}
