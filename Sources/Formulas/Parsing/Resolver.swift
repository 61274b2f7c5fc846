/// Turns the nodes of a syntax tree into formulas, arguments first: one loop over the array, with a stack of values.
struct Resolver {
    let tree: Syntax.Tree
    var scope: Scope

    /// What a node stands for. What its use decides on, whole numbers and lists, is kept as written.
    enum Value {
        case formula(Formula)
        case integer
        case elements([Item], isTuple: Bool)
    }

    struct Item {
        var node: Int
        var value: Value
    }

    mutating func formula(_ root: Int) throws(FormulaError) -> Formula {
        var stack: [Item] = []
        for node in tree.nodes[root].first...root {
            let count = tree.nodes[node].argumentCount
            let arguments = Array(stack.suffix(count))
            stack.removeLast(count)
            stack.append(Item(node: node, value: try value(node, arguments)))
        }
        return try formula(stack[0])
    }

    private mutating func value(_ node: Int, _ arguments: [Item]) throws(FormulaError) -> Value {
        switch tree.nodes[node].kind {
        case .integer: return .integer
        case .decimal(let value): return .formula(Formula(Number(value)!))
        case .name(let name): return .formula(try named(name, node))
        case .list: return .elements(try flat(arguments), isTuple: false)
        case .tuple: return .elements(try flat(arguments), isTuple: true)
        case .minus, .plus:
            if case .integer = arguments[0].value { return .integer }
            let operand = try formula(arguments[0])
            if tree.nodes[node].kind == .plus { return .formula(operand) }
            return .formula(try build(node) { () throws(FormulaError) in try Formula(Minus(), [operand]) })
        case .infix(let sign): return .formula(try infix(sign, node, arguments))
        case .element(let position):
            let operand = try formula(arguments[0])
            return .formula(try build(node) { () throws(FormulaError) in try Formula(Elem(position: position), [operand]) })
        case .slice(let start, let end):
            return .formula(try slice(try formula(arguments[0]), start ?? 0, end, node))
        case .call(let name): return .formula(try call(name, node, arguments))
        }
    }
}

// MARK: - Values in their uses

extension Resolver {
    /// A list inside a list can only be a formula. Values that nest would be released by recursion.
    private func flat(_ items: [Item]) throws(FormulaError) -> [Item] {
        var result = items
        for (k, item) in items.enumerated() {
            if case .elements = item.value { result[k].value = .formula(try formula(item)) }
        }
        return result
    }

    /// A value where a formula is wanted.
    func formula(_ item: Item) throws(FormulaError) -> Formula {
        switch item.value {
        case .formula(let formula): return formula
        case .integer: return Formula(Number(try integer(item)))
        case .elements(_, isTuple: true):
            throw error("A formula was expected here, not a tuple; formulas are joined by brackets, `[f, g]`.", item.node)
        case .elements(let elements, isTuple: false):
            guard let first = elements.first else { throw error("An empty list is no formula.", item.node) }
            var joined = try formula(first)
            for element in elements.dropFirst() {
                let next = try formula(element)
                joined = try build(item.node) { () throws(FormulaError) in try Formula(Concat(), [joined, next]) }
            }
            return joined
        }
    }

    /// A value that is written as a whole number.
    private func integer(_ item: Item) throws(FormulaError) -> Int {
        guard let value = tree.integer(at: item.node) else { throw error("This integer does not fit in 64 bits.", item.node) }
        return value
    }

    func integer(_ item: Item, for parameter: String) throws(FormulaError) -> Int {
        if case .integer = item.value { return try integer(item) }
        if let truth = truth(item) { return truth }
        throw error("\(parameter) must be a whole number, written out.", item.node)
    }

    func integers(_ item: Item, for parameter: String) throws(FormulaError) -> [Int] {
        guard case .elements(let elements, _) = item.value else {
            throw error("\(parameter) must be a list of whole numbers, such as [2, 3].", item.node)
        }
        var values: [Int] = []
        for element in elements { values.append(try integer(element, for: "An entry of \(parameter)")) }
        return values
    }

    /// `True` and `False`, which Python's users write for 1 and 0.
    private func truth(_ item: Item) -> Int? {
        guard case .name(let name) = tree.nodes[item.node].kind, scope.formulas[name] == nil else { return nil }
        return ["True": 1, "False": 0][name]
    }

    private mutating func named(_ name: String, _ node: Int) throws(FormulaError) -> Formula {
        if let formula = scope.formulas[name] { return try build(node) { () throws(FormulaError) in formula } }
        switch name {
        case "True": return .one
        case "False": return .zero(1)
        default: throw error(scope.unknown(name), node)
        }
    }
}

// MARK: - Operators

extension Resolver {
    private mutating func infix(_ sign: Syntax.Operator, _ node: Int, _ arguments: [Item]) throws(FormulaError) -> Formula {
        let f = try formula(arguments[0])
        if sign == .power, case .integer = arguments[1].value {
            let exponent = try integer(arguments[1])
            return try build(node) { () throws(FormulaError) in try Formula(Pow(exponent: exponent), [f]) }
        }
        let g = try formula(arguments[1])
        return try build(node) { () throws(FormulaError) in
            switch sign {
            case .power: try Formula(Powf(), [f, g])
            case .times: try Formula(Mult(), [f, g])
            case .over: try Formula(Divide(), [f, g])
            case .plus: try Formula(Add(), [f, g])
            case .minus: try Formula(Subtract(), [f, g])
            case .bar: try Formula(Scalprod(), [f, g])
            case .less: try Formula(LessThan(), [f, g])
            case .greater: try Formula(LessThan(), [g, f])
            case .lessOrEqual: try Formula(LessOrEqual(), [f, g])
            case .greaterOrEqual: try Formula(LessOrEqual(), [g, f])
            case .equal: try Formula(Equal(), [f, g])
            case .notEqual: try Formula(NotEqual(), [f, g])
            }
        }
    }

    private func slice(_ f: Formula, _ start: Int, _ end: Int?, _ node: Int) throws(FormulaError) -> Formula {
        let end = end ?? f.dimension
        guard start < end, end <= f.dimension else {
            throw error(
                "The components \(start):\(end) are no part of this vector of dimension \(f.dimension); `f[m:n]` takes 0 ≤ m < n ≤ \(f.dimension).",
                node)
        }
        return try build(node) { () throws(FormulaError) in try Formula(Extract(start: start, count: end - start), [f]) }
    }

    /// Builds a formula; what is wrong with it is wrong at a node of the text.
    func build(_ node: Int, _ formula: () throws(FormulaError) -> Formula) throws(FormulaError) -> Formula {
        do {
            return try formula().checkedDepth()
        } catch {
            throw error.place == nil ? self.error(error.message, node) : error
        }
    }

    func error(_ message: String, _ node: Int) -> FormulaError { tree.error(message, at: tree.nodes[node].range) }
}
