import FormulaGeneration
import Testing

@testable import Formulas

private let x = Variable(index: 0, dimension: 3, category: .i)
private let y = Variable(index: 1, dimension: 3, category: .j)
private let s = Variable(index: 2, dimension: 1, category: .parameter)
private let names = ["x": x, "y": y, "s": s]

@Suite struct PrintingTests {
    /// Texts that print as they were written.
    @Test(arguments: [
        "x + y", "x - y", "x * y", "x / y", "-x", "1/x", "x**2", "x**3", "x**-2", "x**s", "x**0.3", "x**-0.3", "x**(1/3)",
        "s**-x",
        "x | y", "(x | y) * x", "(x | y)**2", "Exp(x | y)", "(x | y) < s", "x < y", "x <= y", "x == y", "x != y", "(x < y) * s",
        "x[0]", "x[0:2]", "(x * y)[1]", "Exp(x)[1:3]", "[x, y]", "[x, s, y]", "[x, [s, y]]", "[x, x | y]",
        "-(x * y)", "-x**2", "x * (y * s)", "x * y * s", "x * (y + s)", "x + (y + s)", "x - (y - s)", "x / (y / s)",
        "x / (y * s)",
        "1/(x * y)", "1/x**2", "x * (1/y)", "1/x * y", "(1/x)**2", "(x + y)**2", "3 * x", "-3 * x", "1/3 * x", "-1/3 * x",
        "0.1 * x", "1/3 + x", "x - -3", "x**y**3", "(x**y)**3", "Exp(-x)", "Elem(x, 1)[0]", "2**x", "(1/3)**x", "(-2)**x",
        "Round(x, -2)", "TensorDot(x, y, [3], [3], [0], [0], [])", "IfElse(s, x, y)", "5e-324 * x", "1e+300 * x",
        "9223372036854775807 * x", "-9223372036854775808 * x",
    ])
    func isMinimal(_ text: String) throws {
        let formula = try Formula(parsing: text, variables: names)
        let expected = text == "Elem(x, 1)[0]" ? "x[1]" : text
        #expect(formula.text(names: [x: "x", y: "y", s: "s"]) == expected)
        #expect(try Formula(parsing: formula.description) == formula)
    }

    @Test func variables() throws {
        let formula = try Formula(parsing: "x * y", variables: names)
        #expect(formula.description == "Var(0,3,0) * Var(1,3,1)")
        #expect("\(formula)" == formula.description)
        #expect(formula.text(names: [x: "x"]) == "x * Var(1,3,1)")
    }

    /// A graph of 60 nodes with 2^60 paths.
    @Test func sharedPartsAreCutOff() throws {
        var formula = try Formula(x)
        for _ in 0..<60 { formula = try Formula(Atan2(), [formula, formula]) }
        let text = formula.description
        #expect(text.utf8.count < 150_000)
        #expect(text.contains("…"))
        #expect(formula.text(limit: 5) == "Atan2(…, …)")
    }

    /// Towers of every shape, as deep as formulas are, print and read back without recursion.
    @Test(arguments: [
        "Exp(#)", "-Sin(#)", "1/(# + 1)", "x * (y - #)", "[#, s][0:1] * s", "s**#", "#**s", "(#)**3",
        "Grad(Var(9,1,0)*s, Var(9,1,0), #)",
    ])
    func deepFormulasRoundTrip(_ step: String) throws {
        let parts = step.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
        var (text, depth) = ("s", 0)
        while depth < 950 {
            text = parts[0] + text + parts[1]
            depth += 1
        }
        let formula = try Formula(parsing: text, variables: names)
        #expect(try Formula(parsing: formula.text(limit: nil)) == formula)
    }
}

@Suite struct PrintingRoundTripTests {
    @Test func generatorCoversTheCatalogue() {
        #expect(Set(FormulaGenerator.recipes.keys) == Set(Catalogue.entries.map(\.name)))
    }

    /// Every entry of the catalogue can be called, and what it builds prints as text that builds it again.
    @Test(arguments: Catalogue.entries.map(\.name))
    func everyEntry(_ name: String) throws {
        for style in [FormulaGenerator.Style.anything, .tame, .smooth] {
            for seed in 0..<6 {
                var generator = FormulaGenerator(seed: seed, style: style)
                let inputs = generator.variables(count: 4)
                try expectRoundTrip(generator.formula(calling: name, depth: 2, variables: inputs))
            }
        }
    }

    @Test(arguments: 0..<20)
    func randomFormulas(_ seed: Int) throws {
        var generator = FormulaGenerator(seed: seed)
        for _ in 0..<50 {
            let inputs = generator.variables(count: generator.random.int(1...5))
            let dimension = generator.random.int(1...6)
            let formula = generator.formula(dimension: dimension, depth: generator.random.int(0...5), variables: inputs)
            #expect(formula.dimension == dimension)
            try expectRoundTrip(formula)
        }
    }

    private func expectRoundTrip(_ formula: Formula) throws {
        let text = formula.text(limit: 4_000)
        if text.contains("…") { return }
        let again = try Formula(parsing: text)
        #expect(again == formula, "\(text) reads back as \(again)")
    }
}
