import ArrayFiles
import Engines
import Formulas
import Kernels

/// A reduction described for people.
struct Explanation {
    private let reduction: Reduction
    private let declarations: [Declaration]
    private let precision: Precision
    private let kernel: Kernel

    init(_ reduction: Reduction, _ declarations: [Declaration], _ precision: Precision) throws {
        self.reduction = reduction
        self.declarations = declarations
        self.precision = precision
        kernel = try Kernel(onThisMachine: reduction, precision)
    }

    func text(of written: String) throws -> String {
        var sheet = Sheet()
        sheet.add("formula", printable(written, limit: 4_000))
        sheet.add("simplified", reduction.text(reduction.formula, declarations))
        if let weight = reduction.weight { sheet.add("weight", reduction.text(weight, declarations)) }
        sheet.add(
            "dimension", "\(reduction.formula.dimension)\(reduction.weight.map { ", of the weight \($0.dimension)" } ?? "")")
        sheet.add("inputs", inputs)
        sheet.add("reduction", summary)
        return sheet.text(width: 10) + "\n\n" + (try stages())
    }

    private var inputs: String {
        let used = Set(reduction.variables)
        let undeclared = reduction.variables.filter { variable in !declarations.contains { $0.variable == variable } }
        let all = declarations + undeclared.map { Declaration(variable: $0) }
        guard !all.isEmpty else { return "none" }
        return all.map { declaration in
            let variable = declaration.variable
            let per = variable.category == .parameter ? "in all" : "per \(variable.category == .i ? "i" : "j")"
            return "\(declaration.name ?? "\(variable)"): \(counted(variable.dimension, "number")) \(per)"
                + (used.contains(variable) ? "" : ", not used by the formula")
        }.joined(separator: "\n")
    }

    private var summary: String {
        let values = reduction.valueCount > 0 ? [counted(reduction.valueCount, "number")] : []
        let indices =
            reduction.indexCount > 0
            ? [reduction.indexCount == 1 ? "1 index" : "\(counted(reduction.indexCount)) indices"] : []
        let per = reduction.over == .j ? "i" : "j"
        let result = (values + indices).joined(separator: " and ")
        return "\(reduction.name) over \(reduction.over.rawValue), in \(precision.storage.rawValue): \(result) per \(per)"
    }

    /// Each stage's steps and how many operations they take.
    func stages() throws -> String {
        let stages = try Stages(reduction, declarations)
        let (i, j) = reduction.over == .j ? ("i", "j") : ("j", "i")
        let rows: [(Stages.Stage, String, [Kernel.Section])] = [
            (.call, "once", [.call]), (.row, "for each \(i)", [.row]), (.column, "for each \(j)", [.column]),
            (.pair, "for each pair", [.pair]), (.result, "at the end", [.finish]),
        ]
        var sheet = Sheet()
        for (stage, title, sections) in rows {
            guard let steps = stages.steps[stage] else { continue }
            let count = counted(kernel.operationCount(sections), "operation")
            // Where nothing is done ahead, the pair's part is the formula that stands above.
            let isAll = stage == .pair && stages.steps.count == 1
            sheet.add(title, isAll ? "all of it: \(count)" : (steps + ["→ \(count)"]).joined(separator: "\n"))
        }
        if kernel.usesInnerProducts {
            sheet.add("distances", "by inner products, anew where they cancel")
        }
        let source = SourceText(kernel)
        sheet.add("at a time", source.block)
        sheet.add("a pair costs", kernel.pairCost.text)
        sheet.add("pruning", pruning)
        return sheet.text(width: 13)
    }

    private var pruning: String {
        switch reduction.pruningOutlook(precision.storage) {
        case .none: "none, for want of bounds"
        case .exact: "pairs that bounds exclude are left out, where that pays; the result is the same"
        case .withinTolerance: "with --tolerance, pairs that bounds say matter less"
        case .lattice: "with --tolerance, by way of a lattice, or pairs that bounds say matter less"
        }
    }

    // MARK: Gradients

    /// The gradient with respect to a named input: the reductions that add up to it.
    static func text(
        of gradient: ReductionGradient, name: String, _ declarations: [Declaration], _ precision: Precision
    ) throws -> String {
        let title = "gradient of Σ result × cotangent with respect to \(name)"
        guard !gradient.terms.isEmpty else { return title + ": zero" }
        var parts = [title]
        for (number, term) in gradient.terms.enumerated() {
            let extra = extraDeclarations(term)
            let explanation = try Explanation(term.reduction, declarations + extra.map(\.declaration), precision)
            var sheet = Sheet()
            sheet.add(
                gradient.terms.count > 1 ? "term \(number + 1)" : "is",
                term.reduction.sentence(declarations + extra.map(\.declaration)))
            if case .winners(let selection, let slot) = term.support {
                sheet.add("pairs", "only the winners of \(selection.name), place \(slot + 1)")
            }
            for (declaration, meaning) in extra { sheet.add("with", "\(declaration.name ?? "") = \(meaning)") }
            parts.append(sheet.text(width: 6, indent: "  ") + "\n\n" + (try explanation.stages()))
        }
        let isParameter = declarations.contains { $0.name == name && $0.variable.category == .parameter }
        if isParameter { parts.append("added up over all points: \(name) is a parameter") }
        return parts.joined(separator: "\n\n")
    }

    /// Names for the inputs that a term brings along.
    private static func extraDeclarations(_ term: ReductionGradient.Term) -> [(declaration: Declaration, meaning: String)] {
        term.extraInputs.map { input in
            let name: String
            let meaning: String
            switch input.source {
            case .cotangent: (name, meaning) = ("e", "the cotangent")
            case .result: (name, meaning) = ("result", "the values of the reduction itself")
            case .reduction(let other): (name, meaning) = ("other", "the values of \(other.name) of the same formula")
            }
            return (Declaration(name: name, variable: input.variable), meaning)
        }
    }
}
