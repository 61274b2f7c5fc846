import Testing

@testable import Formulas

private let x = Variable(index: 0, dimension: 3, category: .i)
private let y = Variable(index: 1, dimension: 3, category: .j)
private let s = Variable(index: 2, dimension: 1, category: .parameter)
private let t = Variable(index: 3, dimension: 1, category: .i)
private let names = ["x": x, "y": y, "s": s, "t": t]

private func parse(_ text: String) throws -> Formula { try Formula(parsing: text, variables: names) }

@Suite struct ParsingGrammarTests {
    /// Each text and the calls that it stands for.
    @Test(arguments: [
        ("x + y * s", "Add(x, Mult(y, s))"),
        ("x - y - s", "Subtract(Subtract(x, y), s)"),
        ("x / y / s", "Divide(Divide(x, y), s)"),
        ("x / y * s", "Mult(Divide(x, y), s)"),
        ("-x**2", "Minus(Pow(x, 2))"),
        ("(-x)**3", "Pow(Minus(x), 3)"),
        ("x**-2", "Pow(x, -2)"),
        ("x**-s", "Powf(x, Minus(s))"),
        ("s**t**2", "Powf(s, Pow(t, 2))"),
        ("(s**t)**3", "Pow(Powf(s, t), 3)"),
        ("x**-y**2", "Powf(x, Minus(Pow(y, 2)))"),
        ("2**3**2", "Powf(2, Pow(3, 2))"),
        ("-x * y", "Mult(Minus(x), y)"),
        ("x * -y", "Mult(x, Minus(y))"),
        ("x - -y", "Subtract(x, Minus(y))"),
        ("x * -s**2 + y", "Add(Mult(x, Minus(Square(s))), y)"),
        ("--x", "x"), ("+x", "x"), ("-+-x", "x"),
        ("x + y | x - y", "Scalprod(Add(x, y), Subtract(x, y))"),
        ("(x | y) * s", "Mult(Scalprod(x, y), s)"),
        ("x | y < s", "LessThan(Scalprod(x, y), s)"),
        ("x < y + s", "LessThan(x, Add(y, s))"),
        ("x > y", "LessThan(y, x)"), ("x >= y", "LessOrEqual(y, x)"), ("x <= y", "LessOrEqual(x, y)"),
        ("x == y", "Equal(x, y)"), ("x != y", "NotEqual(x, y)"),
        ("(x < y) * (y < x)", "Mult(LessThan(x, y), LessThan(y, x))"),
        ("x[1]", "Elem(x, 1)"), ("-x[1]", "Minus(Elem(x, 1))"), ("s**x[1]", "Powf(s, Elem(x, 1))"),
        ("(x + y)[2]", "Elem(Add(x, y), 2)"), ("Exp(x)[0]", "Elem(Exp(x), 0)"), ("x[1]**2", "Square(Elem(x, 1))"),
        ("x[0:2]", "Extract(x, 0, 2)"), ("x[1:]", "Extract(x, 1, 2)"), ("x[:2]", "Extract(x, 0, 2)"), ("x[:]", "x"),
        ("x[0:2][1]", "Elem(x, 1)"),
        ("[x, y]", "Concat(x, y)"), ("[x, s, y]", "Concat(Concat(x, s), y)"), ("[x]", "x"), ("[x, y,]", "Concat(x, y)"),
        ("[1, 2][0]", "1"), ("[[x, y], s]", "Concat(Concat(x, y), s)"), ("Exp([s, t])", "Exp(Concat(s, t))"),
        ("x**2", "Square(x)"), ("x**1", "x"), ("x**0.5", "Sqrt(x)"), ("x**(1/2)", "Sqrt(x)"), ("x**-0.5", "Rsqrt(x)"),
        ("x**-1", "Inv(x)"), ("1/x", "Inv(x)"), ("x**0.3", "Powf(x, 0.3)"), ("x**(1/3)", "Powf(x, RatCst(1, 3))"),
        ("x**(4/2)", "Square(x)"), ("x**True", "x"),
        ("1/3*x", "Mult(RatCst(1, 3), x)"), ("x/3", "Mult(IntInv(3), x)"), ("2*3*x", "Mult(6, x)"),
        ("True + False", "1"), ("3", "IntCst(3)"), ("0", "Zero(1)"), ("007", "7"), ("2.", "2"), (".5 + .5", "1"),
        ("1e3", "1000"), ("1E-3 + 0.", "0.001"), ("2.5e+1", "25"),
        (" x\t+\r\n y ", "Add(x, y)"), ("((((x))))", "x"),
        ("Vi(0, 3) + Vj(1,3)", "Add(x, y)"), ("Pm(2,1)", "s"), ("Vx(0,3)", "x"), ("Vy(1,3)", "y"), ("Var(7,2,1)", "Vj(7,2)"),
        ("TensorDot(x, y, [3], (3,), [0], (0,))", "TensorDot(x, y, [3], [3], [0], [0], [])"),
        ("TensorDot(x, y, (3,), [+3], (), [])", "TensorDot(x, y, [3], [3], [], [], [0, 1])"),
        ("Round(x, -1)", "Round(x, - 1)"), ("Elem(x, True)", "x[1]"), ("Elem(x, (2))", "x[2]"),
    ])
    func means(_ text: String, _ calls: String) throws {
        let (formula, expected) = (try parse(text), try parse(calls))
        #expect(formula == expected)
    }

    @Test func constantsAreExact() throws {
        #expect(try parse("0.1").number == Number(0.1))
        #expect(try parse("1/3").number == Number(1, over: 3))
        #expect(try parse("9223372036854775807").number == Number(Int.max))
        #expect(try parse("-9223372036854775808").number == Number(Int.min))
        #expect(try parse("1e300").number == Number(1e300))
        #expect(try parse("123456789.123456789").number == Number(123456789.123456789))
    }

    @Test func aliasMayShadowAnOperation() throws {
        let exp = Variable(index: 0, dimension: 2, category: .i)
        #expect(try Formula(parsing: "Exp(Exp) * Exp", variables: ["Exp": exp]) == Formula(parsing: "Exp(Vi(0,2)) * Vi(0,2)"))
    }

    /// Grad without a cotangent takes the next input, on the other side.
    @Test func gradientsNextInput() throws {
        #expect(try Formula(parsing: "Grad(Vi(0,3)*Vj(1,3), Vi(0,3))") == Formula(parsing: "Vj(2,3) * Vj(1,3)"))
    }

    @Test func syntaxTreesCanBeTakenApart() throws {
        let syntax = try Syntax(parsing: "Sum_Reduction(Exp(x) + y, -1, [2, 3])")
        #expect(syntax.kind == .call("Sum_Reduction"))
        let arguments = syntax.arguments
        #expect(arguments.count == 3)
        #expect(arguments[0].kind == .infix(.plus))
        #expect(arguments[0].text == "Exp(x) + y")
        #expect(arguments[0].arguments.map(\.text) == ["Exp(x)", "y"])
        #expect(arguments[1].integer == -1)
        #expect(arguments[2].arguments.map(\.integer) == [2, 3])
        var scope = try Scope(names)
        #expect(try scope.formula(arguments[0]) == parse("Exp(x) + y"))
        #expect(try scope.variable(arguments[0].arguments[1]) == y)
        #expect(throws: FormulaError.self) { try scope.variable(arguments[0]) }
    }

    /// Parts of one text share their inputs.
    @Test func scopeRemembersInputs() throws {
        let syntax = try Syntax(parsing: "f(Var(9,3,0), Var(9,4,0))")
        var scope = try Scope()
        _ = try scope.formula(syntax.arguments[0])
        #expect(throws: FormulaError.self) { try scope.formula(syntax.arguments[1]) }
    }
}

@Suite struct ParsingCatalogueTests {
    @Test(arguments: Catalogue.entries.map(\.name))
    func signatureNamesTheCall(_ name: String) throws {
        let entry = try #require(Catalogue.entriesByName[name])
        #expect(entry.signature.hasPrefix(name + "("))
        #expect(Catalogue.markdown.contains("| `\(name)` | `\(entry.signature)` |"))
    }

    /// Calls with the wrong number of arguments say what the operation takes.
    @Test(arguments: Catalogue.entries.map(\.name))
    func countsArguments(_ name: String) throws {
        let entry = try #require(Catalogue.entriesByName[name])
        let tooMany = Array(repeating: "x", count: entry.parameters.count + 1).joined(separator: ", ")
        for text in ["\(name)()", "\(name)(\(tooMany))"] {
            let error = #expect(throws: FormulaError.self) { try parse(text) }
            #expect(error?.message.contains("takes") == true)
            #expect(error?.message.contains(entry.signature) == true)
            #expect(error?.place?.range == 0..<text.count)
        }
    }

    @Test func tableHasOneRowPerEntry() {
        let rows = Catalogue.markdown.split(separator: "\n")
        #expect(rows.count == Catalogue.entries.count + 2)
        // Bars inside cells are escaped.
        for row in rows { #expect(row.replacing("\\|", with: "").count { $0 == "|" } == 4, "\(row)") }
    }
}
