import Formulas
import Kernels

/// Which parts of a reduction's formulas are computed when: once, per point of either index, or per pair.
///
/// Parts that are finished before the pairs meet get a name (`r1` for the first of the row), so that the pair's work reads
/// as what is really left to do.
struct Stages {
    enum Stage: Int, CaseIterable, Comparable {
        case call, row, column, pair, result
        static func < (a: Stage, b: Stage) -> Bool { a.rawValue < b.rawValue }
    }

    /// The steps of each stage, as lines of text.
    private(set) var steps: [Stage: [String]] = [:]
    private let reduction: Reduction

    init(_ reduction: Reduction, _ declarations: [Declaration]) throws(FormulaError) {
        self.reduction = reduction
        let (formula, factor) = reduction.separatingCommonFactor()
        let roots = [formula] + (reduction.weight.map { [$0] } ?? [])
        let order = Formula.topologicalOrder(roots + (factor.map { [$0] } ?? []))
        var names = declarations.namesByVariable
        var labels: [Formula: Formula] = [:]
        var counts: [Stage: Int] = [:]

        let ends = Set(roots + (factor.map { [$0] } ?? []))
        for formula in order where isHoisted(formula, order, ends) {
            let stage = stage(formula)
            counts[stage, default: 0] += 1
            let letter = [Stage.call: "p", .row: "r", .column: "c"][stage]!
            let variable = Variable(
                index: Self.firstLabel + labels.count, dimension: formula.dimension, category: category(of: stage))
            names[variable] = "\(letter)\(counts[stage]!)"
            steps[stage, default: []].append("\(names[variable]!) = \(try text(formula, labels, names))")
            labels[formula] = try Formula(variable)
        }
        for root in roots { steps[.pair, default: []].append(try text(root, labels, names)) }
        if let factor { steps[.result] = ["sum × \(try text(factor, labels, names))"] }
    }

    /// Numbers beyond all inputs of a text.
    private static let firstLabel = 2_000_000

    private func text(
        _ formula: Formula, _ labels: [Formula: Formula], _ names: [Variable: String]
    ) throws(FormulaError) -> String {
        try formula.substituting(labels).text(names: names, limit: 2_000)
    }

    // MARK: What depends on what

    private func stage(_ formula: Formula) -> Stage {
        let row = reduction.over.outputCategory.dependence
        let column = reduction.over.reducedCategory.dependence
        return switch (formula.dependence.contains(row), formula.dependence.contains(column)) {
        case (true, true): .pair
        case (true, false): .row
        case (false, true): .column
        case (false, false): .call
        }
    }

    private func category(of stage: Stage) -> Category {
        switch stage {
        case .row: reduction.over.outputCategory
        case .column: reduction.over.reducedCategory
        default: .parameter
        }
    }

    /// Whether a part is kept for a later stage: real work, and used by something that depends on more.
    private func isHoisted(_ formula: Formula, _ order: [Formula], _ ends: Set<Formula>) -> Bool {
        let stage = stage(formula)
        guard stage != .pair, !formula.arguments.isEmpty else { return false }
        return ends.contains(formula) || order.contains { $0.arguments.contains(formula) && self.stage($0) != stage }
    }
}

extension Kernel {
    /// How many operations on numbers a run of some sections does: loops counted as often as they turn, and what is rare not.
    func operationCount(_ sections: [Section]) -> Int {
        sections.reduce(0) { $0 + Self.operations(self.sections[$1, default: []]) }
    }

    private static func operations(_ statements: [Statement]) -> Int {
        statements.reduce(0) { sum, statement in
            switch statement {
            case .define(_, .apply): sum + 1
            case .loop(_, let count, let body): sum + count * operations(body)
            default: sum
            }
        }
    }
}
