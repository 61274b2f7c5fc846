/// Reads tokens by operator precedence (E. W. Dijkstra's shunting yard), with Python's precedence:
///
///     comparison  <  >  <=  >=  ==  !=      not chained
///     bar         |                         the scalar product
///     sum         +  -
///     product     *  /
///     sign        -  +                      before its operand
///     power       **                        right-associative: -x**2 is -(x**2), x**-2 is x**(-2)
///     postfix     f[m]  f[m:n]
///     atom        number, name, name(…), (…), [ … ]
///
/// What is begun and not yet ended stands on an explicit stack. A printed formula may be nested as deeply as formulas are,
/// thousands of levels, which a recursive descent could not read back within a thread's stack.
struct Parser {
    /// The deepest nesting of brackets: above what the deepest formula prints, two for each operation.
    static let maximumNesting = 10_000

    private var lexer: Lexer
    private var token: Token
    private var previousEnd = 0
    private var nodes: [Syntax.Node] = []
    private var stack: [Frame] = []
    private var nesting = 0
    /// Where the operand that ended last began.
    private var operand = Mark(byte: 0, node: 0)

    /// Where a node starts: in the text, and in the array of nodes.
    private struct Mark {
        var byte: Int
        var node: Int
    }

    /// What waits for an operand, or for the end of its brackets.
    private enum Frame {
        case sign(Syntax.Kind, Mark)
        case infix(Syntax.Operator, Precedence, left: Mark)
        case group(Group)
    }

    private struct Group {
        /// Nil for parentheses, which leave no node where they only group.
        var kind: Syntax.Kind?
        var close: Token.Symbol
        var mark: Mark
        var open: Range<Int>
        var count = 0
        var hasComma = false
    }

    private enum Precedence: Int {
        case comparison, bar, sum, product, sign, power
    }

    private init(_ text: String) throws(FormulaError) {
        lexer = try Lexer(text)
        token = try lexer.next()
    }

    static func parse(_ text: String) throws(FormulaError) -> Syntax {
        var parser = try Parser(text)
        if parser.token.kind == .end { throw parser.error("This text is empty; a formula was expected.") }
        var expectsOperand = true
        repeat {
            expectsOperand = try expectsOperand ? parser.readOperand() : parser.readAfterOperand()
        } while expectsOperand || !parser.isFinished
        return Syntax(tree: Syntax.Tree(source: text, nodes: parser.nodes), index: parser.nodes.count - 1)
    }
}

extension Syntax {
    /// Reads a text. Names are not looked up.
    package init(parsing text: String) throws(FormulaError) { self = try Parser.parse(text) }
}

// MARK: - Where an operand is due

extension Parser {
    /// Reads a token that begins an operand. Returns whether one is still due.
    private mutating func readOperand() throws(FormulaError) -> Bool {
        let mark = mark
        switch token.kind {
        case .integer(let magnitude):
            try leaf(.integer(magnitude), mark)
        case .decimal(let value):
            try leaf(.decimal(value), mark)
        case .name(let name):
            try advance()
            if token.kind == .symbol(.openParenthesis) {
                try open(.call(name), .closeParenthesis, mark)
                return true
            }
            emit(.name(name), 0, from: mark)
        case .symbol(.openBracket):
            try open(.list, .closeBracket, mark)
            return true
        case .symbol(.openParenthesis):
            try open(nil, .closeParenthesis, mark)
            return true
        case .symbol(.minus), .symbol(.plus):
            stack.append(.sign(token.kind == .symbol(.minus) ? .minus : .plus, mark))
            try advance()
            return true
        default:
            // Brackets may end before their first element, and after a comma.
            if case .group(let group)? = stack.last, token.kind == .symbol(group.close), group.count == 0 || group.hasComma {
                try close(group)
                return false
            }
            throw error("A formula was expected here: a number, a name, `(` or `[`; this is \(token.kind).")
        }
        return false
    }

    private mutating func leaf(_ kind: Syntax.Kind, _ mark: Mark) throws(FormulaError) {
        try advance()
        emit(kind, 0, from: mark)
    }

    private mutating func open(_ kind: Syntax.Kind?, _ close: Token.Symbol, _ mark: Mark) throws(FormulaError) {
        guard nesting < Self.maximumNesting else {
            throw error("This is nested \(Self.maximumNesting + 1) brackets deep; the most is \(Self.maximumNesting).")
        }
        nesting += 1
        stack.append(.group(Group(kind: kind, close: close, mark: mark, open: token.range)))
        try advance()
    }
}

// MARK: - Where an operand has ended

extension Parser {
    private var isFinished: Bool { stack.isEmpty && token.kind == .end }

    /// Reads what may follow an operand. Returns whether another is due.
    private mutating func readAfterOperand() throws(FormulaError) -> Bool {
        if token.kind == .symbol(.openBracket) {
            try readPosition()
            return false
        }
        if let (sign, precedence) = infix() {
            reduce(above: precedence)
            if precedence == .comparison, case .infix(_, .comparison, _)? = stack.last {
                throw error("Comparisons are not chained; `a < b < c` is written `(a < b) * (b < c)`.")
            }
            stack.append(.infix(sign, precedence, left: operand))
            try advance()
            return true
        }
        reduce(above: nil)
        guard case .group(var group)? = stack.last else {
            if token.kind == .end { return false }
            throw unexpected(in: nil)
        }
        switch token.kind {
        case .symbol(group.close):
            group.count += 1
            try close(group)
            return false
        case .symbol(.comma):
            group.count += 1
            group.hasComma = true
            stack[stack.count - 1] = .group(group)
            try advance()
            return true
        case .end:
            throw lexer.error(
                "This bracket is never closed; \(quoted(group.close.rawValue)) was expected before the end of the text.",
                group.open)
        default: throw unexpected(in: group)
        }
    }

    private func infix() -> (Syntax.Operator, Precedence)? {
        guard case .symbol(let symbol) = token.kind, let sign = Syntax.Operator(rawValue: symbol.rawValue) else { return nil }
        switch sign {
        case .power: return (sign, .power)
        case .times, .over: return (sign, .product)
        case .plus, .minus: return (sign, .sum)
        case .bar: return (sign, .bar)
        case .less, .greater, .lessOrEqual, .greaterOrEqual, .equal, .notEqual: return (sign, .comparison)
        }
    }

    /// Ends the operators that hold the last operand at least as tightly as the next operator; with nil, all of them.
    private mutating func reduce(above next: Precedence?) {
        while let top = stack.last {
            switch top {
            case .group: return
            case .sign(let kind, let mark):
                if let next, next.rawValue > Precedence.sign.rawValue { return }
                stack.removeLast()
                emit(kind, 1, from: mark)
            case .infix(let sign, let precedence, let left):
                // Powers associate to the right; comparisons not at all.
                if let next,
                    next.rawValue > precedence.rawValue || next == .power || next == .comparison && precedence == .comparison
                {
                    return
                }
                stack.removeLast()
                emit(.infix(sign), 2, from: left)
            }
        }
    }

    private mutating func close(_ group: Group) throws(FormulaError) {
        stack.removeLast()
        nesting -= 1
        try advance()
        if let kind = group.kind {
            emit(kind, group.count, from: group.mark)
        } else if group.count != 1 || group.hasComma {
            emit(.tuple, group.count, from: group.mark)
        } else {
            operand = group.mark
        }
    }

    /// `[m]`, `[m:n]`
    private mutating func readPosition() throws(FormulaError) {
        try advance()
        let start = token.kind == .symbol(.colon) ? nil : try position()
        let isSlice = token.kind == .symbol(.colon)
        var end: Int?
        if isSlice {
            try advance()
            end = token.kind == .symbol(.closeBracket) ? nil : try position()
        }
        guard token.kind == .symbol(.closeBracket) else {
            throw error("\(isSlice || start == nil ? "`]`" : "`]` or `:`") was expected after a position; this is \(token.kind).")
        }
        try advance()
        emit(isSlice ? .slice(start, end) : .element(start!), 1, from: operand)
    }

    private mutating func position() throws(FormulaError) -> Int {
        guard case .integer(let magnitude) = token.kind, let position = Int(exactly: magnitude) else {
            throw error("A position in brackets is a whole number from 0, as in `f[2]` or `f[0:3]`; this is \(token.kind).")
        }
        try advance()
        return position
    }
}

// MARK: - Steps

extension Parser {
    private var mark: Mark { Mark(byte: token.range.lowerBound, node: nodes.count) }

    private mutating func emit(_ kind: Syntax.Kind, _ argumentCount: Int, from mark: Mark) {
        nodes.append(Syntax.Node(kind: kind, first: mark.node, argumentCount: argumentCount, range: mark.byte..<previousEnd))
        operand = mark
    }

    private mutating func advance() throws(FormulaError) {
        previousEnd = token.range.upperBound
        token = try lexer.next()
    }

    private func error(_ message: String) -> FormulaError { lexer.error(message, token.range) }

    /// A formula has ended, and what follows cannot.
    private func unexpected(in group: Group?) -> FormulaError {
        if token.kind == .symbol(.assign) {
            return error(
                group == nil
                    ? "`=` belongs to declarations such as `x = Vi(3)`; equality is written `==`."
                    : "Arguments have no names in formulas, only their order; equality is written `==`.")
        }
        let expected = group.map { "an operator, `,` or \(quoted($0.close.rawValue))" } ?? "an operator or the end of the text"
        return error("After a formula, \(expected) was expected; this is \(token.kind).")
    }
}
