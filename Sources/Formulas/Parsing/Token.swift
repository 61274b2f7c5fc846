/// The smallest piece of a formula's text, and where it is.
struct Token: Equatable, Sendable {
    var kind: Kind
    /// Bytes of the text in UTF-8.
    var range: Range<Int>

    enum Kind: Equatable, Sendable {
        /// A whole number, without its sign; at most 2^63, the magnitude of the least Int.
        case integer(UInt)
        case decimal(Double)
        case name(String)
        case symbol(Symbol)
        case end
    }

    enum Symbol: String, Sendable, CaseIterable {
        case openParenthesis = "("
        case closeParenthesis = ")"
        case openBracket = "["
        case closeBracket = "]"
        case comma = ","
        case colon = ":"
        case plus = "+"
        case minus = "-"
        case times = "*"
        case over = "/"
        case power = "**"
        case bar = "|"
        case less = "<"
        case greater = ">"
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case equal = "=="
        case notEqual = "!="
        /// Belongs to declarations; no formula has one.
        case assign = "="
    }
}

extension Token.Kind: CustomStringConvertible {
    /// How messages name what was found.
    var description: String {
        switch self {
        case .integer(let magnitude): "the number \(magnitude)"
        case .decimal(let value): "the number \(value)"
        case .name(let name): "the name \(quoted(name))"
        case .symbol(let symbol): quoted(symbol.rawValue)
        case .end: "the end of the text"
        }
    }
}

/// Text of the user's in a message: quoted, and short whatever its length.
func quoted(_ text: String) -> String {
    text.utf8.count <= 60 ? "`\(text)`" : "`\(text.prefix(40))…`"
}
