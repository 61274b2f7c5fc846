import ArgumentParser
import Engines
import Formulas
import Kernels

/// The options that say what is computed; shared by `reduce` and `explain`.
struct ReductionOptions: ParsableArguments {
    @Option(help: "What is accumulated; `khufu reductions` lists them.", transform: ReductionOptions.kind)
    var reduction: Reduction.Kind = .sum

    @Option(help: "The index that is reduced over; the result follows the other: i or j.")
    var over: ReducedIndex = .j

    @Option(name: .customLong("k"), help: "How many of the least values KMin, ArgKMin and KMin_ArgKMin keep.")
    var k: Int = 1

    @Option(help: "The second formula, of LogSumExp, SumSoftMaxWeight and Max_SumShiftExpWeight.")
    var weight: String?

    private static func kind(_ name: String) throws -> Reduction.Kind {
        let suffix = "_Reduction"
        do {
            return try Reduction.Kind(named: name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name)
        } catch {
            throw ValidationError(error.message)
        }
    }

    /// Parses the formulas in one scope, so that an input means the same in both.
    func reduction(of formula: String, _ declarations: [Declaration]) throws(FormulaError) -> Reduction {
        var scope = try Scope(declarations: declarations)
        let parsed = try scope.formula(Syntax(parsing: formula))
        var parsedWeight: Formula?
        if let weight { parsedWeight = try scope.formula(Syntax(parsing: weight)) }
        return try Reduction(reduction, of: parsed, weight: parsedWeight, k: k, over: over)
    }
}

extension ReducedIndex: ExpressibleByArgument {}

/// The types that the tool computes in. (The library also stores float16, for which few files have a use.)
enum NumberType: String, CaseIterable, ExpressibleByArgument {
    case float32, float64

    var scalar: ScalarType { self == .float32 ? .float32 : .float64 }
}

extension Reduction {
    /// Variables under the names of their declarations.
    func text(_ formula: Formula, _ declarations: [Declaration]) -> String {
        formula.text(names: declarations.namesByVariable, limit: 4_000)
    }

    /// "LogSumExp over j of F, with weight g".
    func sentence(_ declarations: [Declaration]) -> String {
        let counted = [.kMin, .argKMin, .kMinArgKMin].contains(kind) ? " with k = \(k)" : ""
        let weighted = weight.map { ", weighted with \(text($0, declarations))" } ?? ""
        return "\(name)\(counted) over \(over.rawValue) of \(text(formula, declarations))\(weighted)"
    }
}

extension [Declaration] {
    var namesByVariable: [Variable: String] {
        Dictionary(compactMap { declaration in declaration.name.map { (declaration.variable, $0) } }) { first, _ in first }
    }
}
