extension Resolver {
    /// `name(arguments)`.
    mutating func call(_ name: String, _ node: Int, _ arguments: [Item]) throws(FormulaError) -> Formula {
        if let category = Category(constructor: name) { return try input(category, name, node, arguments) }
        guard let entry = Catalogue.entriesByName[name] else {
            let start = tree.nodes[node].range.lowerBound
            throw tree.error(scope.unknownOperation(name), at: start..<start + name.utf8.count)
        }
        let needed = entry.parameters.prefix { !$0.isOptional }.count
        guard (needed...entry.parameters.count).contains(arguments.count) else {
            throw error("\(entry.signature) takes \(entry.countOfArguments); this call has \(arguments.count).", node)
        }
        var values: [Catalogue.Argument] = []
        for (parameter, argument) in zip(entry.parameters, arguments) {
            values.append(try value(argument, for: parameter, of: entry))
        }
        let formula = try build(node) { () throws(FormulaError) in
            let formula = try entry.build(values)
            return entry.isDerivative ? try formula.checkedSize() : formula
        }
        if let variable = formula.variable { try use(variable, node) }
        return formula
    }

    private func value(
        _ item: Item, for parameter: Parameter, of entry: Catalogue.Entry
    ) throws(FormulaError) -> Catalogue.Argument {
        let name = "\(parameter.name) of \(entry.signature)"
        switch parameter.kind {
        case .integer: return .integer(try integer(item, for: name))
        case .integers: return .integers(try integers(item, for: name))
        case .formula: return .formula(try formula(item))
        case .variable:
            let formula = try formula(item)
            guard formula.variable != nil else {
                throw error("\(name) must be a variable, such as a name or Var(0,3,0); this is another formula.", item.node)
            }
            return .formula(formula)
        }
    }

    /// `Vi(index, dimension)` and its kin.
    private mutating func input(
        _ category: Category, _ name: String, _ node: Int, _ arguments: [Item]
    ) throws(FormulaError) -> Formula {
        guard arguments.count == 2 else {
            throw error(
                arguments.count == 1
                    ? "In a formula an input needs its position too, as \(name)(index, dim); or declare `x = \(name)(dim)` and write `x`."
                    : "\(name)(index, dim) takes 2 arguments; this call has \(arguments.count).", node)
        }
        let variable = Variable(
            index: try integer(arguments[0], for: "index of \(name)(index, dim)"),
            dimension: try integer(arguments[1], for: "dim of \(name)(index, dim)"), category: category)
        let formula = try build(node) { () throws(FormulaError) in try Formula(variable) }
        try use(variable, node)
        return formula
    }

    private mutating func use(_ variable: Variable, _ node: Int) throws(FormulaError) {
        do {
            try scope.note(variable)
        } catch {
            throw self.error(error.message, node)
        }
    }
}

extension Category {
    /// `Vi`, `Vj`, `Pm`, and the first generation's `Vx`, `Vy`.
    init?(constructor: String) {
        switch constructor {
        case "Vi", "Vx": self = .i
        case "Vj", "Vy": self = .j
        case "Pm": self = .parameter
        default: return nil
        }
    }
}

extension Catalogue.Entry {
    /// How it is called: `Grad(f, v[, e])`.
    public var signature: String {
        var text = name + "("
        for (k, parameter) in parameters.enumerated() {
            let name = k == 0 ? parameter.name : ", " + parameter.name
            text += parameter.isOptional ? "[\(name)]" : name
        }
        return text + ")"
    }

    /// "2 or 3 arguments".
    fileprivate var countOfArguments: String {
        let least = parameters.prefix { !$0.isOptional }.count
        let most = parameters.count
        if least == most { return most == 1 ? "1 argument" : "\(most) arguments" }
        return "\(least) \(most == least + 1 ? "or" : "to") \(most) arguments"
    }

    /// Whether the result may be many times as large as the arguments.
    fileprivate var isDerivative: Bool { parameters.contains { $0.kind == .variable } }
}

extension Formula {
    /// The most distinct nodes that a text may make with derivatives. Nested derivatives grow by a factor each.
    static let maximumSize = 100_000

    fileprivate func checkedSize() throws(FormulaError) -> Formula {
        let size = Formula.topologicalOrder([self]).count
        guard size <= Self.maximumSize else {
            throw FormulaError("This derivative has \(size) operations; the most is \(Self.maximumSize).")
        }
        return self
    }
}
