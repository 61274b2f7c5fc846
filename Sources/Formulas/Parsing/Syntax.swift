/// A formula's text as a tree: what was written, before anything is looked up.
///
/// The tree is one array in which every node follows its arguments. A text of a hundred thousand terms makes a tree as
/// deep, and with nodes that own each other it would be built, walked and released by as deep a recursion; here all three
/// are loops. A subtree is a contiguous run of the array that ends in its root.
///
/// Other modules read texts such as `Sum_Reduction(f, 0)` through it: they match on ``kind``, take ``arguments`` apart and
/// turn those that are formulas into formulas with a ``Scope``.
package struct Syntax: Sendable {
    /// The whole tree that this is part of.
    let tree: Tree
    /// The root of this part.
    let index: Int

    package enum Kind: Hashable, Sendable {
        /// A whole number without its sign; see ``Syntax/integer``.
        case integer(UInt)
        case decimal(Double)
        case name(String)
        /// `name(arguments)`.
        case call(String)
        /// `[a, b]`
        case list
        /// `(a, b)`, `(a,)`, `()`
        case tuple
        /// `-a`, `+a`
        case minus, plus
        /// Two arguments and a sign between them.
        case infix(Operator)
        /// `a[m]`
        case element(Int)
        /// `a[m:n]`; an end that is left out is nil.
        case slice(Int?, Int?)
    }

    package enum Operator: String, Hashable, Sendable, CaseIterable {
        case power = "**"
        case times = "*"
        case over = "/"
        case plus = "+"
        case minus = "-"
        case bar = "|"
        case less = "<"
        case greater = ">"
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case equal = "=="
        case notEqual = "!="
    }

    struct Tree: Sendable {
        let source: String
        var nodes: [Node] = []
    }

    struct Node: Sendable {
        var kind: Kind
        /// The first node of the subtree that ends here.
        var first: Int
        var argumentCount: Int
        /// Bytes of the text.
        var range: Range<Int>
    }
}

extension Syntax {
    private var node: Node { tree.nodes[index] }

    package var kind: Kind { node.kind }

    package var arguments: [Syntax] { tree.arguments(of: index).map { Syntax(tree: tree, index: $0) } }

    /// The value where this is a whole number with any number of signs before it; nil also where it does not fit in an Int.
    package var integer: Int? { tree.integer(at: index) }

    /// An error that points here.
    package func error(_ message: String) -> FormulaError { tree.error(message, at: node.range) }

    /// The text of this part, as written.
    package var text: String {
        String(decoding: Array(tree.source.utf8)[node.range], as: UTF8.self)
    }
}

extension Syntax.Tree {
    func arguments(of index: Int) -> [Int] {
        var result: [Int] = []
        result.reserveCapacity(nodes[index].argumentCount)
        var last = index - 1
        for _ in 0..<nodes[index].argumentCount {
            result.append(last)
            last = nodes[last].first - 1
        }
        return result.reversed()
    }

    /// The least Int has a magnitude that no positive Int has, so the sign is part of the literal.
    func integer(at index: Int) -> Int? {
        var (index, isNegative) = (index, false)
        while [.minus, .plus].contains(nodes[index].kind) {
            isNegative = isNegative != (nodes[index].kind == .minus)
            index -= 1
        }
        guard case .integer(let magnitude) = nodes[index].kind else { return nil }
        if isNegative { return magnitude == Int.min.magnitude ? .min : Int(exactly: magnitude).map { -$0 } }
        return Int(exactly: magnitude)
    }

    func error(_ message: String, at range: Range<Int>) -> FormulaError {
        FormulaError(message, place: .init(source: source, bytes: range))
    }
}
