import Formulas

// Reductions as KeOps' engine writes them: `Sum_Reduction(formula, tag)`, `KMin_Reduction(formula, K, tag)`,
// `Max_SumShiftExpWeight_Reduction(formula, tag, weight)`, `Zero_Reduction(dim, tag)`. The tag is the category of the
// result: 0 follows i (and reduces over j), 1 follows j.

extension Reduction {
    /// Reads a reduction.
    ///
    /// - Parameters:
    ///   - text: one of the calls above, for any name of ``Reduction/Kind/names`` followed by `_Reduction`; or
    ///     `Grad_WithSavedForward(reduction, v, e, out)` and `Diff_WithSavedForward(reduction, v, u, out)`, KeOps'
    ///     derivatives of a reduction whose result `out` is an input.
    ///   - declarations: the inputs that names stand for.
    /// - Throws: a sentence and the place in the text.
    public init(parsing text: String, declarations: [Declaration] = []) throws(FormulaError) {
        var reader = ReductionReader(scope: try Scope(declarations: declarations))
        self = try reader.reduction(try Syntax(parsing: text))
    }

    /// A reduction of formulas given as text, which share their inputs.
    ///
    /// - Parameter declarations: the inputs that names stand for.
    /// - Throws: a sentence and, for what does not parse, the place in the text.
    public init(
        _ kind: Kind, of formula: String, weight: String? = nil, k: Int = 1, over: ReducedIndex = .j,
        accumulation: Accumulation = .init(), declarations: [Declaration]
    ) throws(FormulaError) {
        var scope = try Scope(declarations: declarations)
        let formula = try scope.formula(try Syntax(parsing: formula))
        var weightFormula: Formula?
        if let weight { weightFormula = try scope.formula(try Syntax(parsing: weight)) }
        try self.init(kind, of: formula, weight: weightFormula, k: k, over: over, accumulation: accumulation)
    }

    /// The text that reads as this reduction.
    public var text: String {
        let tag = over == .j ? 0 : 1
        var arguments = [kind == .zero ? "\(formula.dimension)" : formula.text(limit: nil)]
        if kind.takesK { arguments.append("\(k)") }
        arguments.append("\(tag)")
        if let weight { arguments.append(weight.text(limit: nil)) }
        return "\(name)_Reduction(\(arguments.joined(separator: ", ")))"
    }
}

private struct ReductionReader {
    var scope: Scope
    private var depth = 0

    init(scope: Scope) { self.scope = scope }

    mutating func reduction(_ syntax: Syntax) throws(FormulaError) -> Reduction {
        guard case .call(let name) = syntax.kind else {
            throw syntax.error("A reduction is a call such as Sum_Reduction(formula, 0).")
        }
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumOrder else {
            throw syntax.error("Derivatives of derivatives are read up to order \(Self.maximumOrder).")
        }
        switch name {
        case "Grad_WithSavedForward", "Diff_WithSavedForward": return try derivative(name, syntax)
        default: return try named(name, syntax)
        }
    }

    private static let maximumOrder = 16

    private mutating func named(_ name: String, _ syntax: Syntax) throws(FormulaError) -> Reduction {
        let suffix = "_Reduction"
        guard name.hasSuffix(suffix) else {
            throw syntax.error("\(name) is no reduction; their names end in \(suffix), as in Sum_Reduction(formula, 0).")
        }
        let kind: Reduction.Kind
        do {
            kind = try Reduction.Kind(named: String(name.dropLast(suffix.count)))
        } catch {
            throw syntax.error(error.message)
        }
        let arguments = syntax.arguments
        let required = kind.takesK ? 3 : 2
        let takesWeight = kind == .logSumExp || kind == .sumSoftMax || kind == .maxSumShiftExp
        guard arguments.count == required || (takesWeight && arguments.count == required + 1) else {
            let form =
                kind == .zero ? "dim, tag" : "formula, " + (kind.takesK ? "K, " : "") + "tag" + (takesWeight ? "[, weight]" : "")
            throw syntax.error("\(name) is called as \(name)(\(form)); this has \(arguments.count) arguments.")
        }
        let formula: Formula
        if kind == .zero {
            formula = try Catalogue.formula("Zero", [.integer(try integer(arguments[0], "dim"))])
        } else {
            formula = try scope.formula(arguments[0])
        }
        let k = kind.takesK ? try integer(arguments[1], "K") : 1
        let tag = try integer(arguments[required - 1], "tag")
        guard tag == 0 || tag == 1 else {
            throw arguments[required - 1].error("The tag is 0 where the result follows i, 1 where it follows j; this is \(tag).")
        }
        let weight = arguments.count > required ? try scope.formula(arguments[required]) : nil
        do {
            return try Reduction(kind, of: formula, weight: weight, k: k, over: tag == 0 ? .j : .i)
        } catch {
            throw syntax.error(error.message)
        }
    }

    private func integer(_ syntax: Syntax, _ name: String) throws(FormulaError) -> Int {
        guard let value = syntax.integer else { throw syntax.error("\(name) must be a whole number.") }
        return value
    }

    // MARK: Derivatives in KeOps' form

    private mutating func derivative(_ name: String, _ syntax: Syntax) throws(FormulaError) -> Reduction {
        let arguments = syntax.arguments
        guard arguments.count == 4 else {
            throw syntax.error(
                "\(name) is called as \(name)(reduction, v, direction, out); this has \(arguments.count) arguments.")
        }
        let original = try reduction(arguments[0])
        let variable = try scope.variable(arguments[1], parameter: "v")
        let direction = try scope.formula(arguments[2])
        let saved = try scope.formula(arguments[3])
        let isGradient = name == "Grad_WithSavedForward"
        let count = original.valueCount + original.indexCount
        let expected = isGradient ? count : variable.dimension
        guard direction.dimension == expected else {
            throw arguments[2].error("The direction has dimension \(direction.dimension); \(expected) was expected.")
        }
        guard saved.dimension == count else {
            throw arguments[3].error("The saved result has dimension \(saved.dimension); \(count) was expected.")
        }
        do {
            return isGradient
                ? try original.keopsGradient(variable, direction, saved)
                : try original.keopsDifferential(variable, direction, saved)
        } catch {
            throw syntax.error(error.message)
        }
    }
}

extension Reduction {
    /// A sum that follows the variable's index; for a parameter, i.
    fileprivate func keopsGradient(_ variable: Variable, _ e: Formula, _ saved: Formula) throws(FormulaError) -> Reduction {
        let over: ReducedIndex = variable.category == .j ? .i : .j
        switch kind {
        case .sum:
            return try Reduction(.sum, of: try formula.gradient(withRespectTo: variable, cotangent: e), over: over)
        case .maxSumShiftExp:
            let terms = try shiftedTerms(saved)
            let sums = try Catalogue.formula("Extract", [.formula(e), .integer(1), .integer(terms.dimension)])
            return try Reduction(.sum, of: try terms.gradient(withRespectTo: variable, cotangent: sums), over: over)
        case .argMin, .argMax, .argKMin, .zero:
            return try Reduction(.zero, of: try Catalogue.formula("Zero", [.integer(variable.dimension)]), over: over)
        default:
            throw FormulaError(
                "Grad_WithSavedForward knows sums, Max_SumShiftExp and indices; the gradient of \(name) is a sum over its winners."
            )
        }
    }

    fileprivate func keopsDifferential(_ variable: Variable, _ u: Formula, _ saved: Formula) throws(FormulaError) -> Reduction {
        switch kind {
        case .sum:
            return try Reduction(.sum, of: try formula.differential(withRespectTo: variable, tangent: u), over: over)
        case .maxSumShiftExp:
            let change = try shiftedTerms(saved).differential(withRespectTo: variable, tangent: u)
            let zero = try Catalogue.formula("Zero", [.integer(1)])
            return try Reduction(.sum, of: try Catalogue.formula("Concat", [.formula(zero), .formula(change)]), over: over)
        case .argMin, .argMax, .argKMin, .zero:
            return try Reduction(
                .zero, of: try Catalogue.formula("Zero", [.integer(valueCount + indexCount)]), over: over)
        default:
            throw FormulaError("Diff_WithSavedForward knows sums, Max_SumShiftExp and indices, not \(name).")
        }
    }

    /// e^(F - m) g with m from the saved pair, held constant.
    private func shiftedTerms(_ saved: Formula) throws(FormulaError) -> Formula {
        let shift = try Catalogue.formula("Elem", [.formula(saved), .integer(0)])
        let difference = try Catalogue.formula("Subtract", [.formula(formula), .formula(shift)])
        let terms = try Catalogue.formula("Exp", [.formula(difference)])
        guard let weight else { return terms }
        return try Catalogue.formula("Mult", [.formula(terms), .formula(weight)])
    }
}
