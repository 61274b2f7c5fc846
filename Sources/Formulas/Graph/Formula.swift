/// A symbolic vector `F(p, x_i, y_j)` of `dimension` numbers: an immutable expression graph.
///
/// Formulas are hash-consed: two formulas built in the same way are one object, so that equality is identity, common
/// subexpressions are shared for free, and everything computed from a graph is linear in its number of distinct nodes.
/// Shapes are checked when a formula is built; what exists is well formed.
public struct Formula: Sendable {
    let node: Node

    /// How many numbers the vector has.
    public var dimension: Int { node.dimension }
    /// Which operation the root is, with its integer attributes.
    public var operation: any Operation { node.operation }
    public var arguments: [Formula] { node.arguments }
    /// The indices whose values enter.
    public var dependence: Dependence { node.dependence }
    /// The longest path from here to a leaf.
    public var depth: Int { node.depth }

    /// A node checked for shape and simplified: the one way in which formulas are made.
    ///
    /// - Throws: a sentence that names the operation, the dimensions that it needs and those that came.
    public init(_ operation: some Operation, _ arguments: [Formula]) throws(FormulaError) {
        guard arguments.allSatisfy({ $0.depth < Self.maximumDepth }) else {
            throw FormulaError("This formula is nested more than \(Self.maximumDepth) operations deep.")
        }
        try self.init(ofAnyDepth: operation, arguments)
    }

    /// The same while a rule is at work, whose result is checked as a whole.
    private init(ofAnyDepth operation: some Operation, _ arguments: [Formula]) throws(FormulaError) {
        let dimension = try operation.dimension(arguments)
        guard dimension <= Self.maximumDimension else {
            throw FormulaError(
                "\(type(of: operation).name) would have dimension \(dimension); the largest is \(Self.maximumDimension).")
        }
        if let simpler = try operation.simplified(arguments) {
            self = simpler
        } else {
            self = InternTable.shared.formula(operation, arguments, dimension: dimension)
        }
    }

    /// The largest dimension that any vector in a formula may have, 2^20.
    public static let maximumDimension = 1 << 20

    /// The deepest nesting that a formula may have. Walks are iterative or shallow, but a class graph is released recursively.
    public static let maximumDepth = 4_000

    final class Node: Sendable {
        let operation: any Operation
        let arguments: [Formula]
        let dimension: Int
        let dependence: Dependence
        let depth: Int

        init(_ operation: any Operation, _ arguments: [Formula], dimension: Int) {
            self.operation = operation
            self.arguments = arguments
            self.dimension = dimension
            self.depth = 1 + (arguments.lazy.map(\.depth).max() ?? 0)
            self.dependence = arguments.reduce(operation.ownDependence) { $0.union($1.dependence) }
        }
    }
}

extension Formula: Hashable {
    public static func == (a: Formula, b: Formula) -> Bool { a.node === b.node }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(node)) }
}

// MARK: - Leaves

extension Formula {
    public init(_ variable: Variable) throws(FormulaError) {
        try self.init(VariableLeaf(variable: variable), [])
    }

    public init(_ number: Number) {
        self = number == .zero ? .zero(1) : .trusted(ConstantLeaf(number: number))
    }

    static func zero(_ dimension: Int) -> Formula { .trusted(Zero(count: dimension)) }

    /// The variable where this is one.
    public var variable: Variable? { (operation as? VariableLeaf)?.variable }

    /// The number where this is a constant of dimension 1.
    public var number: Number? {
        if let constant = operation as? ConstantLeaf { return constant.number }
        return isZero && dimension == 1 ? .zero : nil
    }

    /// Whether this is known, from how it was built, to be identically zero.
    public var isZero: Bool { operation is Zero }

    /// A node that is right by construction, for rules written in this module.
    static func trusted(_ operation: some Operation, _ arguments: Formula...) -> Formula {
        do {
            return try Formula(ofAnyDepth: operation, arguments)
        } catch {
            preconditionFailure("A rule built an ill-formed \(type(of: operation).name): \(error)")
        }
    }
}

// MARK: - Walks

extension Formula {
    /// Every distinct node once, arguments before those that use them. Iterative: depth costs no stack.
    public static func topologicalOrder(_ roots: [Formula]) -> [Formula] {
        var order: [Formula] = []
        var finished: Set<Formula> = []
        var stack: [(formula: Formula, expanded: Bool)] = roots.reversed().map { ($0, false) }
        while let (formula, expanded) = stack.popLast() {
            if expanded {
                order.append(formula)
            } else if finished.insert(formula).inserted {
                stack.append((formula, true))
                for argument in formula.arguments.reversed() where !finished.contains(argument) {
                    stack.append((argument, false))
                }
            }
        }
        return order
    }

    /// The distinct variables, in order of index.
    public var variables: [Variable] {
        Self.topologicalOrder([self]).compactMap(\.variable)
            .sorted { ($0.index, $0.category.rawValue, $0.dimension) < ($1.index, $1.category.rawValue, $1.dimension) }
    }

    /// The same formula with some nodes replaced by others of the same dimension, and simplified again.
    public func substituting(_ replacements: [Formula: Formula]) throws(FormulaError) -> Formula {
        var results = replacements
        for formula in Self.topologicalOrder([self]) where results[formula] == nil {
            let arguments = formula.arguments.map { results[$0]! }
            results[formula] =
                arguments == formula.arguments ? formula : try formula.operation.formula(arguments)
        }
        return results[self]!
    }
}
