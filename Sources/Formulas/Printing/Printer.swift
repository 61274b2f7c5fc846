extension Formula: CustomStringConvertible {
    /// Text that the parser reads back as this very formula, cut off beyond 100,000 characters; see ``text(names:limit:)``.
    public var description: String { text() }

    /// The formula in the formula language, with no more parentheses than it needs.
    ///
    /// The text reads back as the identical formula: each node is written as the operator or the call that builds it, and a
    /// node that exists is one that its operation did not simplify. Not read back are texts beyond the parser's limits, a
    /// million characters, and place holders, which are variables of negative index.
    ///
    /// - Parameters:
    ///   - names: what to write for variables; the others are written `Var(index,dimension,category)`.
    ///   - limit: a length beyond which all further parts are written `…`. A formula shares its parts and a text cannot, so
    ///     that the text of a small formula may be longer than any memory. With nil there is no limit.
    public func text(names: [Variable: String] = [:], limit: Int? = 100_000) -> String {
        var printer = Printer(names: names, limit: limit ?? .max)
        return printer.text(of: self)
    }
}

/// Writes formulas, with a stack of what is still to be written instead of recursion.
struct Printer {
    let names: [Variable: String]
    let limit: Int

    /// How tightly a text holds together, from loose to tight: the parser's levels.
    enum Precedence: Int, Comparable {
        case comparison, bar, sum, product, sign, power, atom
        static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    enum Piece {
        case text(String)
        /// A formula, in parentheses where its text is looser than this.
        case formula(Formula, Precedence)
    }

    mutating func text(of formula: Formula) -> String {
        var output = ""
        var stack: [Piece] = [.formula(formula, .comparison)]
        while let piece = stack.popLast() {
            switch piece {
            case .text(let text): output += text
            case .formula where output.utf8.count >= limit: output += "…"
            case .formula(let formula, let needed):
                let (precedence, pieces) = pieces(formula)
                if precedence < needed {
                    output += "("
                    stack.append(.text(")"))
                }
                stack.append(contentsOf: pieces.reversed())
            }
        }
        return output
    }
}

// MARK: - The notation of each operation

extension Printer {
    private func pieces(_ formula: Formula) -> (Precedence, [Piece]) {
        switch formula.operation {
        case let leaf as VariableLeaf: (.atom, [.text(names[leaf.variable] ?? "\(leaf.variable)")])
        case let leaf as ConstantLeaf: number(leaf.number)
        case is Add: infix(formula, " + ", .sum)
        case is Subtract: infix(formula, " - ", .sum)
        case is Mult: infix(formula, " * ", .product)
        case is Divide: infix(formula, " / ", .product)
        case is Scalprod: infix(formula, " | ", .bar)
        case is LessThan: comparison(formula, " < ")
        case is LessOrEqual: comparison(formula, " <= ")
        case is Equal: comparison(formula, " == ")
        case is NotEqual: comparison(formula, " != ")
        case is Minus: (.sign, [.text("-"), .formula(formula.arguments[0], .sign)])
        case is Inv: (.product, [.text("1/"), .formula(formula.arguments[0], .sign)])
        case is Square: power(formula, [.text("2")])
        case let power as Pow: self.power(formula, [.text("\(power.exponent)")])
        case is Powf: power(formula, [.formula(formula.arguments[1], .sign)])
        case let elem as Elem: (.atom, [.formula(formula.arguments[0], .atom), .text("[\(elem.position)]")])
        case let extract as Extract:
            (.atom, [.formula(formula.arguments[0], .atom), .text("[\(extract.start):\(extract.start + extract.count)]")])
        case is Concat: list(formula)
        default: call(formula)
        }
    }

    /// Operators of one precedence read from left to right, so that the right operand needs to hold tighter.
    private func infix(_ formula: Formula, _ sign: String, _ precedence: Precedence) -> (Precedence, [Piece]) {
        let tighter = Precedence(rawValue: precedence.rawValue + 1)!
        return (
            precedence,
            [.formula(formula.arguments[0], precedence), .text(sign), .formula(formula.arguments[1], tighter)]
        )
    }

    /// Comparisons are not chained; and `a | b < c` would leave readers to guess.
    private func comparison(_ formula: Formula, _ sign: String) -> (Precedence, [Piece]) {
        (.comparison, [.formula(formula.arguments[0], .sum), .text(sign), .formula(formula.arguments[1], .sum)])
    }

    private func power(_ formula: Formula, _ exponent: [Piece]) -> (Precedence, [Piece]) {
        (.power, [.formula(formula.arguments[0], .atom), .text("**")] + exponent)
    }

    private func number(_ number: Number) -> (Precedence, [Piece]) {
        let precedence: Precedence = number.isQuotient ? .product : number.isNegative ? .sign : .atom
        return (precedence, [.text("\(number)")])
    }

    /// `[a, b, c]` joins from the left.
    private func list(_ formula: Formula) -> (Precedence, [Piece]) {
        var (elements, head) = ([Formula](), formula)
        while let (rest, last) = head.parts(Concat.self) {
            elements.append(last)
            head = rest
        }
        elements.append(head)
        return (.atom, [.text("[")] + separated(elements.reversed().map { [.formula($0, .comparison)] }) + [.text("]")])
    }

    private func call(_ formula: Formula) -> (Precedence, [Piece]) {
        let formulas = formula.arguments.map { [Piece.formula($0, .comparison)] }
        let attributes = formula.operation.attributes.map { attribute -> [Piece] in
            switch attribute {
            case .integer(let value): [.text("\(value)")]
            case .integers(let values): [.text("[" + values.map(String.init).joined(separator: ", ") + "]")]
            case .number(let number): [.text("\(number)")]
            }
        }
        let name = type(of: formula.operation).name
        return (.atom, [.text(name + "(")] + separated(formulas + attributes) + [.text(")")])
    }

    private func separated(_ items: [[Piece]]) -> [Piece] { Array(items.joined(separator: [.text(", ")])) }
}
