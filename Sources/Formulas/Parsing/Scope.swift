/// What names in a text mean, and which inputs it has been seen to use: turns syntax into formulas.
///
/// One scope serves all parts of a text, so that `Sum_Reduction(f, 0, g)` cannot use input 0 with dimension 3 in f and
/// dimension 4 in g.
package struct Scope: Sendable {
    /// What names stand for: inputs, or formulas made before.
    package let formulas: [String: Formula]
    private var checksResults = true
    /// Every input declared or met so far, by index.
    package private(set) var inputs: [Int: Variable] = [:]

    /// The largest index of an input in a text. It bounds arithmetic on indices and tables over them.
    package static let maximumIndex = 1_000_000

    package init(_ variables: [String: Variable] = [:]) throws(FormulaError) {
        var formulas: [String: Formula] = [:]
        for (name, variable) in variables { formulas[name] = try Formula(variable) }
        self.formulas = formulas
        for (name, variable) in variables.sorted(by: { $0.key < $1.key }) {
            do {
                try note(variable)
            } catch {
                throw FormulaError("\(quoted(name)): \(error.message)")
            }
        }
    }

    /// Names for formulas. Whether these agree on their inputs is seen when a reduction is made of the whole: looking through them at each
    /// step would take quadratic time.
    package init(formulas: [String: Formula]) {
        self.formulas = formulas
        checksResults = false
    }

    /// The formula that a part of a text stands for.
    package mutating func formula(_ syntax: Syntax) throws(FormulaError) -> Formula {
        var resolver = Resolver(tree: syntax.tree, scope: self)
        let formula = try resolver.formula(syntax.index)
        self = resolver.scope
        guard checksResults else { return formula }
        // Some operations bring inputs of their own: Grad without a cotangent takes the next one.
        for variable in formula.variables {
            do {
                try note(variable)
            } catch {
                throw syntax.error(error.message)
            }
        }
        return formula
    }

    /// The variable that a part of a text stands for.
    package mutating func variable(_ syntax: Syntax, parameter: String = "This") throws(FormulaError) -> Variable {
        let formula = try formula(syntax)
        guard let variable = formula.variable else {
            throw syntax.error("\(parameter) must be a variable, such as a name or Var(0,3,0); this is another formula.")
        }
        return variable
    }

    /// Records the use of an input. An input is one array, so each index stands for one variable.
    mutating func note(_ variable: Variable) throws(FormulaError) {
        guard (0...Self.maximumIndex).contains(variable.index) else {
            throw FormulaError("The index of an input is 0 to \(Self.maximumIndex); this is \(variable.index).")
        }
        if let other = inputs[variable.index], other != variable {
            throw FormulaError("Input \(variable.index) is both \(other) and \(variable).")
        }
        inputs[variable.index] = variable
    }
}

// MARK: - The front door

extension Formula {
    /// Reads a formula.
    ///
    ///     try Formula(parsing: "Exp(-g * SqDist(x, y)) * b", variables: [
    ///         "x": Variable(index: 0, dimension: 3, category: .i),
    ///         …
    ///     ])
    ///
    /// - Parameters:
    ///   - text: operators with Python's precedence, operations of the ``Catalogue`` by name, numbers, `f[m]`, `f[m:n]`,
    ///     `[f, g]`, names, and inputs by position as `Var(index,dimension,category)` or `Vi(index,dimension)`, `Vj`, `Pm`.
    ///   - variables: what names stand for. A name may be that of an operation, which can still be called.
    /// - Throws: a sentence and the place in the text, for mistakes of writing and for dimensions that do not match.
    public init(parsing text: String, variables: [String: Variable] = [:]) throws(FormulaError) {
        var scope = try Scope(variables)
        self = try scope.formula(try Syntax(parsing: text))
    }

    /// Reads a formula in which names stand for other formulas.
    public init(parsing text: String, formulas: [String: Formula]) throws(FormulaError) {
        var scope = Scope(formulas: formulas)
        self = try scope.formula(try Syntax(parsing: text))
    }

    /// Reads a formula whose inputs are declared as in KeOps: `["x = Vi(3)", "y = Vj(3)"]`; see ``Declaration``.
    public init(parsing text: String, aliases: [String]) throws(FormulaError) {
        var scope = try Scope(declarations: try Declaration.list(parsing: aliases))
        self = try scope.formula(try Syntax(parsing: text))
    }
}

extension Scope {
    /// The scope of a list of declarations, unnamed ones included.
    package init(declarations: [Declaration]) throws(FormulaError) {
        var names: [String: Variable] = [:]
        for declaration in declarations {
            if let name = declaration.name { names[name] = declaration.variable }
        }
        try self.init(names)
        for declaration in declarations { try note(declaration.variable) }
    }
}
