import FormulaGeneration
import RandomNumbers
import Testing

@testable import Formulas

/// Whatever the text, the parser ends with a formula or an error that can be printed.
@Suite struct FuzzTests {
    private static let names = [
        "x": Variable(index: 0, dimension: 3, category: .i), "y": Variable(index: 1, dimension: 3, category: .j),
        "s": Variable(index: 2, dimension: 1, category: .parameter),
    ]

    private func survive(_ text: String) {
        do {
            let formula = try Formula(parsing: text, variables: Self.names)
            let printed = formula.text(limit: 30_000)
            if !printed.contains("…") { #expect((try? Formula(parsing: printed)) == formula, "\(text)") }
        } catch {
            #expect(!error.message.isEmpty)
            if let place = error.place {
                #expect(place.range.lowerBound >= 0 && place.range.upperBound <= place.source.count, "\(text)")
                #expect(error.description.contains("^"))
            }
        }
    }

    private static let tokens =
        Token.Symbol.allCases.map(\.rawValue) + Catalogue.entries.map(\.name) + ["x", "y", "s", "x", "y", "s", "z", "True"]
        + ["0", "1", "2", "3", "-1", "0.5", "1e-3", ".5", "2.", "1e400", "9223372036854775807", "9223372036854775808", "1048577"]
        + [" ", "\n", "\u{0}", "é", "🙂", "\u{301}", "\u{202E}", "[0]", "[1:2]", "Var(0,3,0)", "Vi(0,3)", "(", "(", ")", ")", ","]

    @Test(arguments: 0..<8)
    func tokenSoup(_ seed: Int) {
        var random = RandomSource(seed: seed)
        for _ in 0..<500 {
            survive((0..<random.int(1...30)).map { _ in random.pick(Self.tokens) }.joined(separator: random.pick(["", " "])))
        }
    }

    /// Calls that are right in form, with arguments of any kind.
    @Test(arguments: 0..<8)
    func randomCalls(_ seed: Int) {
        var random = RandomSource(seed: 1_000 + seed)
        let integers = [
            "0", "1", "2", "3", "-1", "64", "1048576", "1048577", "9007199254740993", "9223372036854775807",
            "-9223372036854775808",
        ]
        let formulas = [
            "x", "y", "s", "0", "1", "-2", "0.5", "1e-300", "Zero(3)", "[x, s]", "[s, s]", "x - y", "Exp(s)", "Var(3,9,2)",
            "SumT(s, 4)",
        ]
        func argument(_ parameter: Parameter, _ depth: Int) -> String {
            switch parameter.kind {
            case .formula: return depth > 0 && random.chance(1 / 2) ? call(depth - 1) : random.pick(formulas)
            case .variable: return random.pick(["x", "y", "s", "x", "y", "s", "x + y"])
            case .integer: return random.pick(integers)
            case .integers: return "[" + (0..<random.int(0...3)).map { _ in random.pick(integers) }.joined(separator: ",") + "]"
            }
        }
        func call(_ depth: Int) -> String {
            let entry = random.pick(Catalogue.entries)
            let count = entry.parameters.count - (entry.parameters.last!.isOptional && random.chance(1 / 2) ? 1 : 0)
            return entry.name + "(" + entry.parameters.prefix(count).map { argument($0, depth) }.joined(separator: ", ") + ")"
        }
        for _ in 0..<1_500 { survive(call(2)) }
    }

    @Test(arguments: 0..<4)
    func randomBytes(_ seed: Int) {
        var random = RandomSource(seed: 2_000 + seed)
        for _ in 0..<1_000 {
            let bytes = (0..<random.int(0...40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            survive(String(decoding: bytes, as: UTF8.self))
            survive(String(decoding: bytes.map { 0x20 + $0 % 0x60 }, as: UTF8.self))
        }
    }

    /// Right formulas with a few characters deleted, doubled, swapped or replaced.
    @Test(arguments: 0..<8)
    func mutations(_ seed: Int) {
        var generator = FormulaGenerator(seed: 3_000 + seed)
        for _ in 0..<60 {
            let inputs = generator.variables(count: 3)
            let text = Array(generator.text(dimension: 1, depth: 3, variables: inputs))
            for _ in 0..<10 {
                var mutated = text
                for _ in 0..<generator.random.int(1...3) where !mutated.isEmpty {
                    let k = generator.random.int(0...mutated.count - 1)
                    switch generator.random.int(0...3) {
                    case 0: mutated.remove(at: k)
                    case 1: mutated.insert(mutated[k], at: k)
                    case 2: mutated.swapAt(k, generator.random.int(0...mutated.count - 1))
                    default: mutated[k] = generator.random.pick(Array("()[],:+-*/|<>=!.0123456789exVarj \u{0}"))
                    }
                }
                survive(String(mutated.prefix(5_000)))
            }
        }
    }

    /// Texts of the largest size, and one beyond.
    @Test(arguments: ["(", "-", "x**", "s+", "x|", "Exp(", "x[0]", "1", "1.", "🙂", "\n", "[x,"])
    func hugeTexts(_ unit: String) {
        let count = Lexer.maximumLength / unit.utf8.count
        survive(String(repeating: unit, count: count))
        survive(String(repeating: unit, count: count / 50) + "x")
        survive(String(repeating: unit, count: count + 1))
    }

    /// Nesting and chains up to every limit.
    @Test(arguments: [10, 1_000, 3_990, 4_010, 10_010, 20_000])
    func deepTexts(_ depth: Int) {
        for (open, middle, close) in [
            ("(", "x", ")"), ("[", "x", "]"), ("Exp(", "x", ")"), ("-(", "x", ")"), ("Sum([", "x", "])"), ("1/(1+", "x", ")"),
        ]
        where (open + close).utf8.count * depth < Lexer.maximumLength {
            survive(String(repeating: open, count: depth) + middle + String(repeating: close, count: depth))
            survive(String(repeating: open, count: depth) + middle)
        }
        for unit in ["s**", "x-", "x*s+", "-", "- -", "x|x|"] where unit.utf8.count * depth < Lexer.maximumLength {
            survive(String(repeating: unit, count: depth) + "x")
        }
    }
}
