/// An input: one vector per row, per column, or one for all.
struct VariableLeaf: Operation {
    static let name = "Var"
    static let summary = "Input number `index`, a vector of `dim` numbers; category 0 follows i, 1 follows j, 2 is a parameter."
    static let parameters: [Parameter] = [.integer("index"), .integer("dim"), .integer("category")]

    let variable: Variable

    init(variable: Variable) { self.variable = variable }

    init(attributes: [Attribute]) throws(FormulaError) {
        guard let category = Category(rawValue: attributes.integer(2)) else {
            throw FormulaError(
                "The category of a Var is 0 (follows i), 1 (follows j) or 2 (a parameter); this is \(attributes.integer(2)).")
        }
        variable = Variable(index: attributes.integer(0), dimension: attributes.integer(1), category: category)
    }

    var attributes: [Attribute] {
        [.integer(variable.index), .integer(variable.dimension), .integer(variable.category.rawValue)]
    }

    var ownDependence: Dependence { variable.category.dependence }

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        guard variable.dimension >= 1 else {
            throw FormulaError("The dimension of a variable is at least 1; this is \(variable.dimension).")
        }
        return variable.dimension
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] { [] }
    func pushforward(of tangents: [Formula?], _ arguments: [Formula], result: Formula) -> Formula { .zero(result.dimension) }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        preconditionFailure("variables are bound to data, not evaluated")
    }

    func lowering(_ dimensions: [Int]) -> Lowering { preconditionFailure("variables are loaded, not lowered") }
}

/// A number.
struct ConstantLeaf: Operation {
    static let name = "IntCst"
    static let summary = "The integer n. Plain literals (`3`, `0.5`, `1/3`) mean the same and are exact in every type."
    static let parameters: [Parameter] = [.integer("n")]

    let number: Number

    init(number: Number) { self.number = number }
    init(attributes: [Attribute]) { number = Number(attributes.integer(0)) }
    var attributes: [Attribute] { [.number(number)] }

    func dimension(_ arguments: [Formula]) -> Int { 1 }
    func simplified(_ arguments: [Formula]) -> Formula? { number == .zero ? .zero(1) : nil }
    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] { [] }
    func pushforward(of tangents: [Formula?], _ arguments: [Formula], result: Formula) -> Formula { .zero(1) }
    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] { [number.value] }

    func lowering(_ dimensions: [Int]) -> Lowering {
        .inline { [number] _, _, emitter in emitter.constant(number.value) }
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { Bounds(exactly: Formula(number)) }
}

/// A vector of zeros.
struct Zero: Operation {
    static let name = "Zero"
    static let summary = "A vector of n zeros."
    static let parameters: [Parameter] = [.integer("n")]

    let count: Int

    init(count: Int) { self.count = count }
    init(attributes: [Attribute]) { count = attributes.integer(0) }
    var attributes: [Attribute] { [.integer(count)] }

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        guard count >= 1 else { throw FormulaError("The dimension of Zero is at least 1; this is \(count).") }
        return count
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] { [] }
    func pushforward(of tangents: [Formula?], _ arguments: [Formula], result: Formula) -> Formula { result }
    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] { Array(repeating: 0, count: count) }

    func lowering(_ dimensions: [Int]) -> Lowering {
        .inline { _, _, emitter in emitter.constant(0) }
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { Bounds(exactly: .zero(count)) }
}
