/// An input as users declare it: `x = Vi(3)`.
///
///     x = Vi(3)        the declaration's place in the list is the input's position
///     x = Vi(0, 3)     position 0, dimension 3
///     x = Var(0, 3, 0) position, dimension, category
///     Vj(3)            unnamed: for formulas that write Var(1,3,1)
///
/// `Vi` follows i, `Vj` follows j, `Pm` is a parameter; `Vx` and `Vy` are old spellings of the first two.
public struct Declaration: Hashable, Sendable {
    public var name: String?
    public var variable: Variable

    public init(name: String? = nil, variable: Variable) {
        self.name = name
        self.variable = variable
    }

    /// - Parameter position: the input's position, where the text has none.
    public init(parsing text: String, position: Int) throws(FormulaError) {
        var reader = try DeclarationReader(text)
        self = try reader.declaration(position: position)
    }

    /// Reads a list, each declaration's place being its default position.
    ///
    /// - Throws: also where two declarations disagree about one position or one name.
    public static func list(parsing texts: [String]) throws(FormulaError) -> [Declaration] {
        var declarations: [Declaration] = []
        var byPosition: [Int: Declaration] = [:]
        var byName: [String: Declaration] = [:]
        for (position, text) in texts.enumerated() {
            let declaration = try Declaration(parsing: text, position: position)
            let whole = FormulaError.Place(source: text, bytes: 0..<text.utf8.count)
            if let other = byPosition[declaration.variable.index], other.variable != declaration.variable {
                throw FormulaError(
                    "Input \(declaration.variable.index) is declared as \(other) and as \(declaration).", place: whole)
            }
            if let name = declaration.name, let other = byName[name], other.variable != declaration.variable {
                throw FormulaError("The name \(quoted(name)) is declared twice, as \(other) and as \(declaration).", place: whole)
            }
            byPosition[declaration.variable.index] = declaration
            if let name = declaration.name { byName[name] = declaration }
            declarations.append(declaration)
        }
        return declarations
    }
}

extension Declaration: CustomStringConvertible {
    public var description: String {
        let input = "\(variable.category.keyword)(\(variable.index),\(variable.dimension))"
        return name.map { "\($0) = \(input)" } ?? input
    }
}

/// Reads `[name =] constructor(integers)`.
private struct DeclarationReader {
    private var lexer: Lexer
    private var token: Token

    init(_ text: String) throws(FormulaError) {
        lexer = try Lexer(text)
        token = try lexer.next()
    }

    mutating func declaration(position: Int) throws(FormulaError) -> Declaration {
        var name: String?
        var constructor = try identifier()
        if token.kind == .symbol(.assign) {
            name = constructor.text
            token = try lexer.next()
            constructor = try identifier()
        } else if token.kind != .symbol(.openParenthesis) {
            throw error("`=` was expected after the name of an input, as in `x = Vi(3)`; this is \(token.kind).")
        }
        guard constructor.text == "Var" || Category(constructor: constructor.text) != nil else {
            throw lexer.error(
                "\(quoted(constructor.text)) declares no input; Vi, Vj, Pm and Var do.", constructor.range)
        }
        let integers = try integers()
        guard token.kind == .end else { throw error("The end of the declaration was expected; this is \(token.kind).") }
        let whole = constructor.range.lowerBound..<token.range.lowerBound
        return Declaration(name: name, variable: try variable(constructor.text, integers, position, whole))
    }

    private func variable(
        _ constructor: String, _ integers: [Int], _ position: Int, _ range: Range<Int>
    ) throws(FormulaError) -> Variable {
        let variable: Variable
        switch (Category(constructor: constructor), integers.count) {
        case (let category?, 1): variable = Variable(index: position, dimension: integers[0], category: category)
        case (let category?, 2): variable = Variable(index: integers[0], dimension: integers[1], category: category)
        case (nil, 3):
            guard let category = Category(rawValue: integers[2]) else {
                throw lexer.error("A category is 0 (follows i), 1 (follows j) or 2 (a parameter); this is \(integers[2]).", range)
            }
            variable = Variable(index: integers[0], dimension: integers[1], category: category)
        case (nil, let count): throw lexer.error("Var(index, dim, category) takes 3 numbers; these are \(count).", range)
        case (_, let count):
            throw lexer.error(
                "\(constructor)(dim) and \(constructor)(index, dim) take 1 or 2 numbers; these are \(count).", range)
        }
        guard (0...Scope.maximumIndex).contains(variable.index) else {
            throw lexer.error("A position is 0 to \(Scope.maximumIndex); this is \(variable.index).", range)
        }
        guard (1...Formula.maximumDimension).contains(variable.dimension) else {
            throw lexer.error("A dimension is 1 to \(Formula.maximumDimension); this is \(variable.dimension).", range)
        }
        return variable
    }

    private mutating func identifier() throws(FormulaError) -> (text: String, range: Range<Int>) {
        guard case .name(let text) = token.kind else {
            throw error("A declaration such as `x = Vi(3)` was expected; this is \(token.kind).")
        }
        let range = token.range
        token = try lexer.next()
        return (text, range)
    }

    private mutating func integers() throws(FormulaError) -> [Int] {
        try expect(.openParenthesis)
        var integers = [try integer()]
        while token.kind == .symbol(.comma) {
            token = try lexer.next()
            integers.append(try integer())
        }
        try expect(.closeParenthesis)
        return integers
    }

    private mutating func integer() throws(FormulaError) -> Int {
        let isNegative = token.kind == .symbol(.minus)
        if isNegative { token = try lexer.next() }
        guard case .integer(let magnitude) = token.kind, let value = Int(exactly: magnitude) else {
            throw error("A whole number was expected; this is \(token.kind).")
        }
        token = try lexer.next()
        return isNegative ? -value : value
    }

    private mutating func expect(_ symbol: Token.Symbol) throws(FormulaError) {
        guard token.kind == .symbol(symbol) else {
            throw error("\(quoted(symbol.rawValue)) was expected; this is \(token.kind).")
        }
        token = try lexer.next()
    }

    private func error(_ message: String) -> FormulaError { lexer.error(message, token.range) }
}
