import Formulas

/// The gradient of Σ result · cotangent with respect to one input of a reduction, as reductions whose results add up to it.
///
/// Each term is a sum that follows the variable's index. For a parameter, which follows none, the terms follow the
/// reduction's output index and are to be added up over it.
public struct ReductionGradient: Sendable {
    public var terms: [Term]

    public struct Term: Sendable {
        public var reduction: Reduction
        /// Inputs beside those of the original reduction, numbered on from them: all follow its output index.
        public var extraInputs: [ExtraInput]
        /// Which pairs enter.
        public var support: Support
    }

    public struct ExtraInput: Hashable, Sendable {
        public enum Source: Hashable, Sendable {
            /// Components of the cotangent, from a first one on.
            case cotangent(first: Int)
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
    /// - Parameter variable: any input, used or not.
    /// - Throws: for indices, which have no derivative, and where an operation of the formula has none.
    public func gradient(withRespectTo variable: Variable) throws(FormulaError) -> ReductionGradient {
        guard valueCount > 0 else {
            throw FormulaError("\(name) returns indices, which have no derivative; its values are those of \(name.dropFirst(3)).")
        }
        var builder = GradientBuilder(reduction: self, variable: variable)
        switch kind {
        case .zero: break
        case .sum:
            let e = try builder.cotangent(valueCount)
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
    var terms: [ReductionGradient.Term] = []
    private var extraInputs: [ReductionGradient.ExtraInput] = []

    init(reduction: Reduction, variable: Variable) {
        self.reduction = reduction
        self.variable = variable
    }

    private var formula: Formula { reduction.formula }

    // MARK: Inputs

    private mutating func extraInput(
        _ source: ReductionGradient.ExtraInput.Source, dimension: Int
    ) throws(FormulaError) -> Formula {
        let first = 1 + max(variable.index, reduction.variables.map(\.index).max() ?? -1)
        let input = Variable(
            index: first + extraInputs.count, dimension: dimension, category: reduction.over.outputCategory)
        extraInputs.append(ReductionGradient.ExtraInput(source: source, variable: input))
        return try Formula(input)
    }

    mutating func cotangent(_ dimension: Int, from first: Int = 0) throws(FormulaError) -> Formula {
        try extraInput(.cotangent(first: first), dimension: dimension)
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
        let dimension = reduction.valueCount
        let e = try cotangent(dimension)
        let result = try finite(try extraInput(.result, dimension: dimension))
        let share = try product(e, try exponential(formula, minus: result))
        guard let weight = reduction.weight else {
            return try add(formula.gradient(withRespectTo: variable, cotangent: share))
        }
        try add(try gradient(ofFormula: try scalarProduct(share, weight), ofWeight: share))
    }

    /// ∂ (Σ p g) = Σ p ((g - result) ∂F + ∂g), with p = e^(F - log Σ e^F).
    mutating func addSoftMaxMean() throws(FormulaError) {
        guard let weight = reduction.weight else { preconditionFailure("checked when the reduction was made") }
        let e = try cotangent(reduction.valueCount)
        let result = try extraInput(.result, dimension: reduction.valueCount)
        let total = try Reduction(.logSumExp, of: formula, over: reduction.over, accumulation: reduction.accumulation)
        let logTotal = try finite(try extraInput(.reduction(total), dimension: 1))
        let share = try product(try exponential(formula, minus: logTotal), e)
        let deviation = try apply("Subtract", [.formula(weight), .formula(result)])
        try add(try gradient(ofFormula: try scalarProduct(share, deviation), ofWeight: share))
    }

    /// ∂s = Σ e^(F - m) (g ∂F + ∂g) - s ∂m, and m is the value at the winner.
    mutating func addShiftedPair() throws(FormulaError) {
        let dimension = reduction.valueCount - 1
        let weight = reduction.weight ?? Formula(.one)
        let e = try cotangent(dimension, from: 1)
        let result = try extraInput(.result, dimension: dimension + 1)
        let shift = try finite(try apply("Elem", [.formula(result), .integer(0)]))
        let share = try product(e, try exponential(formula, minus: shift))
        try add(try gradient(ofFormula: try scalarProduct(share, weight), ofWeight: share))

        let own = try cotangent(1, from: 0)
        let sums = try cotangent(dimension, from: 1)
        let pair = try extraInput(.result, dimension: dimension + 1)
        let s = try apply("Extract", [.formula(pair), .integer(1), .integer(dimension)])
        let atWinner = try apply("Subtract", [.formula(own), .formula(try scalarProduct(sums, s))])
        let winner = try Reduction(.maxArgMax, of: formula, over: reduction.over)
        try add(
            formula.gradient(withRespectTo: variable, cotangent: atWinner), on: .winners(selection: winner, slot: 0))
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
            let component = try apply("Elem", [.formula(formula), .integer(slot % formula.dimension)])
            let e = try cotangent(1, from: slot)
            try add(
                component.gradient(withRespectTo: variable, cotangent: e), on: .winners(selection: selection, slot: slot))
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

    private func apply(_ name: String, _ arguments: [Catalogue.Argument]) throws(FormulaError) -> Formula {
        try Catalogue.formula(name, arguments)
    }
}
