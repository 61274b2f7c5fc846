/// One operation of the formula language: everything that the project knows of it, in one place.
///
/// The parser, the printer, the documentation table, the interpreter, the lowering and the property tests are driven from
/// these definitions. To add an operation, conform a type (most often to ``UnaryFunction``) and list it in ``Catalogue``.
public protocol Operation: Sendable {
    /// The name in formulas.
    static var name: String { get }
    /// One line for the documentation: what it computes, and its conventions at special points.
    static var summary: String { get }
    /// What it is called with: formulas first, then integers.
    static var parameters: [Parameter] { get }

    /// The operation with the integers that follow the formulas in a call.
    init(attributes: [Attribute]) throws(FormulaError)
    /// What tells this operation from others of its type.
    var attributes: [Attribute] { get }

    /// The indices that it varies with by itself, apart from its arguments: variables only.
    var ownDependence: Dependence { get }

    /// The dimension of the result.
    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int

    /// A simpler formula of the same value and dimension, where there is one.
    func simplified(_ arguments: [Formula]) throws(FormulaError) -> Formula?

    /// Reverse derivative: for each argument x, (∂result/∂x)ᵀ `cotangent`, or nil where that is zero.
    ///
    /// - Parameter wanted: for which arguments it is needed; what is returned for others is ignored.
    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) throws(FormulaError)
        -> [Formula?]

    /// Forward derivative: Σ over arguments x of (∂result/∂x) times the tangent of x; a nil tangent is zero.
    func pushforward(of tangents: [Formula?], _ arguments: [Formula], result: Formula) throws(FormulaError) -> Formula

    /// In which arguments it is linear.
    var linearity: Linearity { get }

    /// The definition in Double that everything generated is tested against.
    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double]

    /// Bounds of every value that may be computed where the arguments' values lie within theirs; nil where none are known.
    func bounds(_ arguments: [Bounds], _ context: BoundsContext) -> Bounds?

    /// How generated code computes it.
    func lowering(_ dimensions: [Int]) -> Lowering
}

/// What an operation is called with.
public struct Parameter: Hashable, Sendable {
    public enum Kind: Hashable, Sendable { case formula, variable, integer, integers }
    public var name: String
    public var kind: Kind
    /// What an omitted last argument means.
    public var isOptional: Bool = false

    public static func formula(_ name: String) -> Parameter { Parameter(name: name, kind: .formula) }
    public static func variable(_ name: String) -> Parameter { Parameter(name: name, kind: .variable) }
    public static func integer(_ name: String) -> Parameter { Parameter(name: name, kind: .integer) }
    public static func integers(_ name: String) -> Parameter { Parameter(name: name, kind: .integers) }
    public var optional: Parameter { Parameter(name: name, kind: kind, isOptional: true) }
}

/// What is known of an operation when a formula is built, beside its formulas.
public enum Attribute: Hashable, Sendable {
    case integer(Int)
    case integers([Int])
    case number(Number)
}

extension Operation {
    public var ownDependence: Dependence { [] }
    public var linearity: Linearity { .none }
    public func bounds(_ arguments: [Bounds], _ context: BoundsContext) -> Bounds? { nil }
    public func simplified(_ arguments: [Formula]) throws(FormulaError) -> Formula? { nil }

    /// The formula that applies this operation.
    func formula(_ arguments: [Formula]) throws(FormulaError) -> Formula { try Formula(self, arguments) }
}

/// An operation with no integers in its call.
public protocol PlainOperation: Operation {
    init()
}

extension PlainOperation {
    public init(attributes: [Attribute]) { self.init() }
    public var attributes: [Attribute] { [] }
}

/// An operation that is linear in each argument while the others are held: its forward derivative is the product rule.
public protocol MultilinearOperation: Operation {}

extension MultilinearOperation {
    public var linearity: Linearity { .inEach }

    public func pushforward(
        of tangents: [Formula?], _ arguments: [Formula], result: Formula
    ) throws(FormulaError) -> Formula {
        var total = Formula.zero(result.dimension)
        for (k, tangent) in tangents.enumerated() {
            guard let tangent else { continue }
            var replaced = arguments
            replaced[k] = tangent
            total = total + (try formula(replaced))
        }
        return total
    }
}

extension [Attribute] {
    /// The integer at a position. The parser has checked kinds and counts already.
    func integer(_ position: Int) -> Int {
        guard position < count, case .integer(let value) = self[position] else { preconditionFailure("integer expected") }
        return value
    }

    func integers(_ position: Int) -> [Int] {
        guard position < count, case .integers(let values) = self[position] else { preconditionFailure("list expected") }
        return values
    }
}
