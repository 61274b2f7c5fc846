import Formulas

/// An array that reductions compute from input arrays and from each other's results.
///
/// The gradient of a reduction is a sum of reductions, of which some read the result of the reduction itself. Expressions
/// are what is closed under that: the gradient of one is another, so that derivatives of any order are one operation,
/// applied again.
///
/// Expressions are equal where they are the same object: what several of them share is computed once.
public final class ArrayExpression: Sendable {
    public let definition: Definition
    /// The index that its points are numbered by; a parameter is one vector.
    public let category: Category
    /// Numbers per point.
    public let dimension: Int

    public enum Definition: Sendable {
        /// An array of the caller's, by its position.
        case input(Int)
        case reduction(Reduction, arguments: [Argument], support: Support)
        /// The sum of arrays, in the shape of another: where a term has more batch items or points than that, they are
        /// summed; where it has one for many, it is repeated.
        case total([ArrayExpression], like: ArrayExpression)
    }

    /// An array that stands for a variable of a reduction's formulas, or counts points and batch items only.
    public struct Argument: Sendable {
        public var variable: Variable
        public var array: ArrayExpression

        public init(variable: Variable, array: ArrayExpression) {
            self.variable = variable
            self.array = array
        }
    }

    /// Which pairs enter a reduction.
    public enum Support: Sendable {
        case allPairs
        /// Each point meets only its winner in one slot of a selection, which is an expression of a reduction with indices.
        case winners(selection: ArrayExpression, slot: Int)
    }

    private init(_ definition: Definition, category: Category, dimension: Int) {
        self.definition = definition
        self.category = category
        self.dimension = dimension
    }

    // MARK: Making

    /// The input at a position.
    public convenience init(input position: Int, _ variable: Variable) {
        self.init(.input(position), category: variable.category, dimension: variable.dimension)
    }

    /// - Parameter arguments: one for each variable of the reduction, and others that count points.
    public convenience init(_ reduction: Reduction, arguments: [Argument], support: Support = .allPairs) {
        self.init(
            .reduction(reduction, arguments: arguments, support: support), category: reduction.over.outputCategory,
            dimension: reduction.valueCount)
    }

    /// Without terms: zeros.
    convenience init(totalOf terms: [ArrayExpression], like other: ArrayExpression) {
        self.init(.total(terms, like: other), category: other.category, dimension: other.dimension)
    }

    // MARK: Taking apart

    /// The arrays whose numbers it is computed from.
    public var operands: [ArrayExpression] {
        switch definition {
        case .input: []
        case .reduction(_, let arguments, _): arguments.map(\.array)
        case .total(let terms, _): terms
        }
    }

    /// All reductions of the expression, selections and those that are used for their shape only included.
    public var reductions: [ArrayExpression] {
        var seen: Set<ObjectIdentifier> = []
        var found: [ArrayExpression] = []
        func visit(_ node: ArrayExpression) {
            guard seen.insert(ObjectIdentifier(node)).inserted else { return }
            node.operands.forEach(visit)
            switch node.definition {
            case .input: break
            case .total(_, let other): visit(other)
            case .reduction(_, _, let support):
                if case .winners(let selection, _) = support { visit(selection) }
                found.append(node)
            }
        }
        visit(self)
        return found
    }

    /// This expression and all that it is computed from, each after its operands.
    var inOrder: [ArrayExpression] {
        var seen: Set<ObjectIdentifier> = []
        var order: [ArrayExpression] = []
        func visit(_ node: ArrayExpression) {
            guard seen.insert(ObjectIdentifier(node)).inserted else { return }
            for operand in node.operands { visit(operand) }
            order.append(node)
        }
        visit(self)
        return order
    }
}
