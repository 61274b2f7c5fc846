import Formulas

/// The gradient of Σ result · cotangent with respect to one input of a reduction, as reductions whose results add up to it.
///
/// Each term is a sum that follows the variable's index. For a parameter, which follows none, the terms follow the
/// reduction's output index and are to be added up over it.
public struct ReductionGradient: Sendable {
    public var terms: [Term]

    public struct Term: Sendable {
        public var reduction: Reduction
        /// Inputs beside those of the original reduction, numbered on from them. Those that are results follow its output
        /// index; so does the cotangent, or it is one vector for all points.
        public var extraInputs: [ExtraInput]
        /// Which pairs enter.
        public var support: Support
    }

    public struct ExtraInput: Hashable, Sendable {
        public enum Source: Hashable, Sendable {
            /// One number per number of the result.
            case cotangent
            /// The values of the original reduction.
            case result
            /// The values of another reduction of the same inputs.
            case reduction(Reduction)
        }
        public var source: Source
        public var variable: Variable
    }

    public enum Support: Hashable, Sendable {
        case allPairs
        /// Each point meets only the winner in one slot of a selection with the same inputs.
        case winners(selection: Reduction, slot: Int)
    }
}

extension Reduction {
    /// The reduction's reverse derivative.
    ///
    /// - Parameters:
    ///   - variable: any input, used or not.
    ///   - cotangentCategory: the index that the cotangent follows, by default the result's; `.parameter` where all points
    ///     have one cotangent.
    ///   - firstExtraIndex: the number of the first extra input, by default one more than that of any input of the formula.
    /// - Throws: for indices, which have no derivative, and where an operation of the formula has none.
    public func gradient(
        withRespectTo variable: Variable, cotangentCategory: Category? = nil, firstExtraIndex: Int? = nil
    ) throws(FormulaError) -> ReductionGradient {
        guard valueCount > 0 else {
            throw FormulaError("\(name) returns indices, which have no derivative; its values are those of \(name.dropFirst(3)).")
        }
        var builder = GradientBuilder(
            reduction: self, variable: variable, cotangentCategory: cotangentCategory ?? over.outputCategory,
            firstExtraIndex: firstExtraIndex ?? 1 + max(variable.index, variables.last?.index ?? -1))
        switch kind {
        case .zero: break
        case .sum:
            let e = try builder.cotangent()
            try builder.add(formula.gradient(withRespectTo: variable, cotangent: e))
        case .logSumExp: try builder.addLogSumExp()
        case .sumSoftMax: try builder.addSoftMaxMean()
        case .maxSumShiftExp: try builder.addShiftedPair()
        case .min, .max, .minArgMin, .maxArgMax, .kMin, .kMinArgKMin: try builder.addWinners()
        case .argMin, .argMax, .argKMin: preconditionFailure("has no values")
        }
        return ReductionGradient(terms: builder.terms)
    }
}

/// Writes the terms for each kind.
private struct GradientBuilder {
    let reduction: Reduction
    let variable: Variable
    let cotangentCategory: Category
    let firstExtraIndex: Int
    private(set) var terms: [ReductionGradient.Term] = []
    private var extraInputs: [ReductionGradient.ExtraInput] = []

    init(reduction: Reduction, variable: Variable, cotangentCategory: Category, firstExtraIndex: Int) {
        self.reduction = reduction
        self.variable = variable
        self.cotangentCategory = cotangentCategory
        self.firstExtraIndex = firstExtraIndex
    }

    private var formula: Formula { reduction.formula }

    // MARK: Inputs

    private mutating func extraInput(
        _ source: ReductionGradient.ExtraInput.Source, dimension: Int, category: Category
    ) throws(FormulaError) -> Formula {
        if let known = extraInputs.first(where: { $0.source == source }) { return try Formula(known.variable) }
        let input = Variable(index: firstExtraIndex + extraInputs.count, dimension: dimension, category: category)
        extraInputs.append(ReductionGradient.ExtraInput(source: source, variable: input))
        return try Formula(input)
    }

    mutating func cotangent() throws(FormulaError) -> Formula {
        try extraInput(.cotangent, dimension: reduction.valueCount, category: cotangentCategory)
    }

    private mutating func result() throws(FormulaError) -> Formula {
        try extraInput(.result, dimension: reduction.valueCount, category: reduction.over.outputCategory)
    }

    private mutating func result(of other: Reduction) throws(FormulaError) -> Formula {
        try extraInput(.reduction(other), dimension: other.valueCount, category: other.over.outputCategory)
    }

    // MARK: Terms

    /// A term: the sum of a formula over the index that the variable does not follow.
    mutating func add(_ gradient: Formula, on support: ReductionGradient.Support = .allPairs) throws(FormulaError) {
        defer { extraInputs = [] }
        guard !gradient.isZero else { return }
        let over: ReducedIndex =
            switch variable.category {
            case .i: .j
            case .j: .i
            case .parameter: reduction.over
            }
        let sum = try Reduction(.sum, of: gradient, over: over, accumulation: reduction.accumulation)
        terms.append(ReductionGradient.Term(reduction: sum, extraInputs: extraInputs, support: support))
    }

    /// ∂ log Σ e^F g = Σ e^(F - result) (g ∂F + ∂g), per component of g.
    mutating func addLogSumExp() throws(FormulaError) {
        let e = try cotangent()
        let share = try product(e, try exponential(formula, minus: try finite(try result())))
        guard let weight = reduction.weight else {
            return try add(formula.gradient(withRespectTo: variable, cotangent: share))
        }
        try add(try gradient(ofFormula: try scalarProduct(share, weight), ofWeight: share))
    }

    /// ∂ (Σ p g) = Σ p ((g - result) ∂F + ∂g), with p = e^(F - log Σ e^F).
    mutating func addSoftMaxMean() throws(FormulaError) {
        guard let weight = reduction.weight else { preconditionFailure("checked when the reduction was made") }
        let e = try cotangent()
        let total = try Reduction(.logSumExp, of: formula, over: reduction.over, accumulation: reduction.accumulation)
        let logTotal = try finite(try result(of: total))
        let share = try product(try exponential(formula, minus: logTotal), e)
        let deviation = try apply("Subtract", [.formula(weight), .formula(try result())])
        try add(try gradient(ofFormula: try scalarProduct(share, deviation), ofWeight: share))
    }

    /// ∂s = Σ e^(F - m) (g ∂F + ∂g) - s ∂m, and m is the value at the winner.
    mutating func addShiftedPair() throws(FormulaError) {
        let weight = reduction.weight ?? Formula(.one)
        let share = try product(
            try sums(of: try cotangent()), try exponential(formula, minus: try finite(try shift(of: try result()))))
        try add(try gradient(ofFormula: try scalarProduct(share, weight), ofWeight: share))

        let (e, pair) = (try cotangent(), try result())
        let atWinner = try apply(
            "Subtract", [.formula(try shift(of: e)), .formula(try scalarProduct(try sums(of: e), try sums(of: pair)))])
        let winner = try Reduction(.maxArgMax, of: formula, over: reduction.over)
        try add(
            formula.gradient(withRespectTo: variable, cotangent: atWinner), on: .winners(selection: winner, slot: 0))
    }

    private func shift(of pair: Formula) throws(FormulaError) -> Formula { try component(0, of: pair) }

    private func sums(of pair: Formula) throws(FormulaError) -> Formula {
        try apply("Extract", [.formula(pair), .integer(1), .integer(pair.dimension - 1)])
    }

    /// The value in a slot is the formula's at the winner, so its derivative is too.
    mutating func addWinners() throws(FormulaError) {
        var selection = reduction
        selection.kind =
            switch reduction.kind {
            case .min, .minArgMin: .minArgMin
            case .max, .maxArgMax: .maxArgMax
            default: .kMinArgKMin
            }
        for slot in 0..<reduction.valueCount {
            let value = try component(slot % formula.dimension, of: formula)
            let e = try component(slot, of: try cotangent())
            try add(value.gradient(withRespectTo: variable, cotangent: e), on: .winners(selection: selection, slot: slot))
        }
    }

    // MARK: Formulas

    private func gradient(ofFormula e: Formula, ofWeight w: Formula) throws(FormulaError) -> Formula {
        let first = try formula.gradient(withRespectTo: variable, cotangent: e)
        guard let weight = reduction.weight else { return first }
        let second = try weight.gradient(withRespectTo: variable, cotangent: w)
        return try apply("Add", [.formula(first), .formula(second)])
    }

    /// Points with no column, or only columns of weight 0, have a logarithm of -inf: kept finite, e^(F - it) is 0 there,
    /// not e^(inf - inf). The bounds are representable in every type that computes.
    private func finite(_ logarithm: Formula) throws(FormulaError) -> Formula {
        let bound = Number(3e38)!
        return try apply(
            "Clamp", [.formula(logarithm), .formula(Formula(Number(-bound.value)!)), .formula(Formula(bound))])
    }

    private func exponential(_ f: Formula, minus g: Formula) throws(FormulaError) -> Formula {
        try apply("Exp", [.formula(try apply("Subtract", [.formula(f), .formula(g)]))])
    }

    private func product(_ f: Formula, _ g: Formula) throws(FormulaError) -> Formula {
        try apply("Mult", [.formula(f), .formula(g)])
    }

    private func scalarProduct(_ f: Formula, _ g: Formula) throws(FormulaError) -> Formula {
        try apply("Scalprod", [.formula(f), .formula(g)])
    }

    private func component(_ index: Int, of f: Formula) throws(FormulaError) -> Formula {
        try apply("Elem", [.formula(f), .integer(index)])
    }

    private func apply(_ name: String, _ arguments: [Catalogue.Argument]) throws(FormulaError) -> Formula {
        try Catalogue.formula(name, arguments)
    }
}
