import ArgumentParser
import ArrayFiles
import Formulas
import Kernels

/// The formula language, printed from the definitions themselves.
struct OperationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operations", abstract: "Lists the operations that formulas can call.")

    @Argument(help: "Only operations whose name or description has this word.")
    var word: String?

    @Flag(help: "As a table in Markdown.")
    var markdown = false

    func run() throws {
        let matching = Catalogue.entries.filter { entry in
            word.map { word in
                [entry.name, entry.summary].contains { $0.lowercased().contains(word.lowercased()) }
            } ?? true
        }
        guard !matching.isEmpty else {
            throw Failure(.dataError, "No operation has the word \(quoted(word ?? "")) in its name or description.")
        }
        guard !markdown || word != nil else { return print(Catalogue.markdown, terminator: "") }
        if markdown {
            print("| Call | What it is |\n|---|---|")
            for entry in matching {
                print("| `\(entry.signature)` | \(entry.summary.replacing("|", with: "\\|")) |")
            }
            return
        }
        var sheet = Sheet()
        for entry in matching { sheet.add(entry.signature, entry.summary) }
        print(sheet.text())
        print(
            "\nOperators: a + b, a - b, a * b, a / b, a ** b, -a, a | b (scalar product), <, <=, >, >=, ==, !=, f[m], f[m:n], [f, g]."
        )
    }
}

/// The reductions and what each returns.
struct ReductionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reductions", abstract: "Lists the reductions that --reduction takes.")

    func run() {
        var sheet = Sheet()
        for kind in Reduction.Kind.allCases { sheet.add(kind.name, kind.summary) }
        print(sheet.text())
        let others = Reduction.Kind.names.filter { name in !Reduction.Kind.allCases.contains { $0.name == name } }
        print("\nAlso accepted: \(others.joined(separator: ", ")), and every name with _Reduction behind it.")
    }
}

extension Reduction.Kind {
    /// What it computes, in a line; F is the formula, g the weight, of dimension d.
    fileprivate var summary: String {
        switch self {
        case .sum: "Σ F."
        case .logSumExp: "log Σ e^F, or log Σ e^F g with --weight g."
        case .sumSoftMax: "Σ e^F g / Σ e^F with --weight g."
        case .maxSumShiftExp: "m = max F, then Σ e^(F - m) g: what the two above are made from."
        case .min: "The least F, component by component."
        case .max: "The greatest F, component by component."
        case .argMin: "The index of the least F."
        case .argMax: "The index of the greatest F."
        case .minArgMin: "The least F, and its index."
        case .maxArgMax: "The greatest F, and its index."
        case .kMin: "The --k least F, in ascending order."
        case .argKMin: "The indices of the --k least F."
        case .kMinArgKMin: "The --k least F, and their indices."
        case .zero: "Zeros of the formula's dimension."
        }
    }
}
