/// Cuts a text into tokens, on demand, in time linear in the text.
///
/// It works on bytes: everything that a formula may contain is ASCII, so that any other byte is a mistake, reported with
/// the whole character that it belongs to. Positions are bytes until an error turns them into characters.
struct Lexer: Sendable {
    /// The longest text, in bytes: a thousand times what people write, and still parsed in a second.
    static let maximumLength = 1_000_000

    let source: String
    private let bytes: [UInt8]
    private var position = 0

    init(_ source: String) throws(FormulaError) {
        guard source.utf8.count <= Self.maximumLength else {
            throw FormulaError(
                "The text of a formula has at most \(Self.maximumLength) characters; this has \(source.utf8.count).")
        }
        self.source = source
        self.bytes = Array(source.utf8)
    }

    /// The next token; `.end` for ever after the last.
    mutating func next() throws(FormulaError) -> Token {
        while let byte = peek(), byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
        guard let byte = peek() else { return Token(kind: .end, range: position..<position) }
        if byte.isDigit || byte == UInt8(ascii: ".") { return try number() }
        if byte.isLetter { return name() }
        return try symbol(byte)
    }

    func error(_ message: String, _ range: Range<Int>) -> FormulaError {
        FormulaError(message, place: .init(source: source, bytes: range))
    }

    private func peek(_ offset: Int = 0) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    private func text(from start: Int) -> String { String(decoding: bytes[start..<position], as: UTF8.self) }

    private mutating func name() -> Token {
        let start = position
        while let byte = peek(), byte.isLetter || byte.isDigit { position += 1 }
        return Token(kind: .name(text(from: start)), range: start..<position)
    }
}

// MARK: - Numbers

extension Lexer {
    /// `3`, `0.5`, `.5`, `2.`, `1e-3`.
    private mutating func number() throws(FormulaError) -> Token {
        let start = position
        skipDigits()
        var isDecimal = false
        if peek() == UInt8(ascii: ".") {
            position += 1
            guard skipDigits() > 0 || position - start > 1 else {
                throw error("A `.` here is no number and no operator; digits were expected beside it.", start..<position)
            }
            isDecimal = true
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            let exponent = position
            position += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            guard skipDigits() > 0 else {
                position = exponent
                throw letterAfterNumber(start)
            }
            isDecimal = true
        }
        guard peek()?.isLetter != true else { throw letterAfterNumber(start) }
        return Token(kind: isDecimal ? try decimal(start) : try integer(start), range: start..<position)
    }

    @discardableResult
    private mutating func skipDigits() -> Int {
        let start = position
        while peek()?.isDigit == true { position += 1 }
        return position - start
    }

    private func letterAfterNumber(_ start: Int) -> FormulaError {
        error("A letter follows a number directly; a product is written `\(quotedNumber(start)) * x`.", start..<position + 1)
    }

    private func quotedNumber(_ start: Int) -> String { position - start <= 20 ? text(from: start) : "2" }

    private func integer(_ start: Int) throws(FormulaError) -> Token.Kind {
        guard let magnitude = UInt(text(from: start)), magnitude <= Int.min.magnitude else {
            throw error(
                "An integer here is at most \(Int.max); beyond that, numbers are written with an exponent, as 1e30.",
                start..<position)
        }
        return .integer(magnitude)
    }

    private func decimal(_ start: Int) throws(FormulaError) -> Token.Kind {
        guard let value = Double(text(from: start)), value.isFinite else {
            throw error("This number is beyond the range of a float64.", start..<position)
        }
        return .decimal(value)
    }
}

// MARK: - Symbols

extension Lexer {
    private mutating func symbol(_ byte: UInt8) throws(FormulaError) -> Token {
        let start = position
        if let next = peek(1), next < 0x80, let symbol = Token.Symbol(rawValue: String(decoding: [byte, next], as: UTF8.self)) {
            position += 2
            return Token(kind: .symbol(symbol), range: start..<position)
        }
        if byte < 0x80, let symbol = Token.Symbol(rawValue: String(decoding: [byte], as: UTF8.self)) {
            position += 1
            return Token(kind: .symbol(symbol), range: start..<position)
        }
        throw unknownCharacter()
    }

    private func unknownCharacter() -> FormulaError {
        let scalar = source.unicodeScalars[source.utf8.index(source.startIndex, offsetBy: position)]
        let range = position..<position + UTF8.width(scalar)
        if let hint = Self.hints[scalar] { return error("\(quoted(String(scalar))) is not part of formulas; \(hint).", range) }
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        // A control or combining character would spoil the message that shows it.
        let isVisible = scalar.properties.isGraphemeBase
        return error("The character \(isVisible ? "`\(scalar)` (\(code))" : code) is not part of formulas.", range)
    }

    /// What people type for something else that exists.
    private static let hints: [Unicode.Scalar: String] = [
        "^": "a power is written `**`", "²": "a square is written `**2`", "³": "a cube is written `**3`",
        "×": "a product is written `*`", "·": "a product is written `*`", "−": "a minus is the ASCII `-`",
        "–": "a minus is the ASCII `-`", "≤": "it is written `<=`", "≥": "it is written `>=`", "≠": "it is written `!=`",
        "!": "only `!=` has one", "\"": "names stand without quotes", "'": "names stand without quotes",
        "{": "only ( ) and [ ] group", "}": "only ( ) and [ ] group", "%": "the operation Mod(f, n, d) computes a remainder",
        "@": "the operations MatVecMult and VecMatMult multiply matrices", "&": "conditions are joined by `*`",
    ]
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    /// What may start a name.
    fileprivate var isLetter: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) || self == UInt8(ascii: "_")
    }
}
