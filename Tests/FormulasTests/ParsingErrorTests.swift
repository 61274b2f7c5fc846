import Testing

@testable import Formulas

private let names = [
    "x": Variable(index: 0, dimension: 3, category: .i), "y": Variable(index: 1, dimension: 3, category: .j),
    "scale": Variable(index: 2, dimension: 1, category: .parameter),
]

@Suite struct ParsingErrorTests {
    /// A text, what the sentence contains, and carets under the text.
    @Test(arguments: [
        ("", "empty", "^"),
        ("   ", "empty", "   ^"),
        ("x +", "the end of the text", "   ^"),
        ("x + * y", "this is `*`", "    ^"),
        ("(x + y", "never closed; `)`", "^"),
        ("[x, y", "never closed; `]`", "^"),
        ("Exp(x", "never closed", "   ^"),
        ("x)", "end of the text was expected; this is `)`", " ^"),
        ("(x]", "`)` was expected; this is `]`", "  ^"),
        ("x y", "this is the name `y`", "  ^"),
        ("2 3", "this is the number 3", "  ^"),
        ("1.2.3", "this is the number 0.3", "   ^^"),
        ("3x", "`3 * x`", "^^"),
        ("0x10", "letter follows a number", "^^"),
        ("1e", "letter follows a number", "^^"),
        ("x.y", "digits were expected", " ^"),
        (".", "digits were expected", "^"),
        ("x ^ 2", "a power is written `**`", "  ^"),
        ("x² + y", "a square is written `**2`", " ^"),
        ("x × y", "a product is written `*`", "  ^"),
        ("x = y", "equality is written `==`", "  ^"),
        ("Var(0,3,cat=0)", "Arguments have no names", "           ^"),
        ("x ! y", "only `!=`", "  ^"),
        ("\"x\"", "without quotes", "^"),
        ("é", "`é` (U+00E9)", "^"),
        ("x + \u{0}", "U+0000", "    ^"),
        ("x\u{301}", "U+0301", "^"),
        ("x + 🙂", "U+1F642", "    ^"),
        ("x < y < x", "not chained", "      ^"),
        ("x == y != x", "not chained", "       ^^"),
        ("x[-1]", "whole number from 0", "  ^"),
        ("x[y]", "whole number from 0", "  ^"),
        ("x[]", "whole number from 0", "  ^"),
        ("x[0,1]", "`]` or `:`", "   ^"),
        ("x[0:1:2]", "`]` was expected", "     ^"),
        ("2 * x[3]", "from 0 to 2", "    ^^^^"),
        ("x[2:2]", "0 ≤ m < n ≤ 3", "^^^^^^"),
        ("x[0:4]", "0 ≤ m < n ≤ 3", "^^^^^^"),
        ("z", "the variables are: scale, x, y", "^"),
        ("scael + 1", "`scale` is near", "^^^^^"),
        ("Exp + 1", "called as Exp(f)", "^^^"),
        ("x * Epx(y)", "`Exp` is near", "    ^^^"),
        ("sqdist(x, y)", "`SqDist` is near", "^^^^^^"),
        ("eval(x)", "no operation `eval`", "^^^^"),
        ("x(2)", "is a variable and cannot be called", "^"),
        ("Exp(Sum_Reduction(x, 0))", "reduction", "    ^^^^^^^^^^^^^"),
        ("y + Exp(x, y)", "Exp(f) takes 1 argument; this call has 2", "    ^^^^^^^^^"),
        ("Grad(x)", "Grad(f, v[, e]) takes 2 or 3 arguments; this call has 1", "^^^^^^^"),
        ("Grad(x, x + y)", "v of Grad(f, v[, e]) must be a variable", "        ^^^^^"),
        ("Elem(x, y)", "m of Elem(f, m) must be a whole number", "        ^"),
        ("Elem(x, 0.5)", "must be a whole number", "        ^^^"),
        ("Elem(x, 1 + 1)", "must be a whole number", "        ^^^^^"),
        ("Elem(x, 99999999999999999999)", "at most 9223372036854775807", "        ^^^^^^^^^^^^^^^^^^^^"),
        ("Elem(x, 9223372036854775808)", "does not fit", "        ^^^^^^^^^^^^^^^^^^^"),
        ("Kron(x, y, 3, [3])", "must be a list of whole numbers", "           ^"),
        ("Kron(x, y, [3], [y])", "must be a whole number", "                 ^"),
        ("Exp((x, y))", "not a tuple", "    ^^^^^^"),
        ("Exp([])", "empty list", "    ^^"),
        ("x + ()", "not a tuple", "    ^^"),
        ("x * (y + [x, y])", "these have 3 and 6", "     ^^^^^^^^^^"),
        ("1 + SumT(x, 2)", "dimension 1", "    ^^^^^^^^^^"),
        ("x / 0", "constant zero", "^^^^^"),
        ("Vi(3)", "needs its position", "^^^^^"),
        ("Vi(0,3,1)", "takes 2 arguments", "^^^^^^^^^"),
        ("Vi(0,x)", "whole number", "     ^"),
        ("x + Var(0,4,0)", "Input 0 is both Var(0,3,0) and Var(0,4,0)", "    ^^^^^^^^^^"),
        ("Var(5,1,0) * Vj(5,1)", "Var(5,1,0) and Var(5,1,1)", "             ^^^^^^^"),
        ("Var(-1,3,0)", "index of an input is 0 to", "^^^^^^^^^^^"),
        ("Var(5,0,0)", "at least 1", "^^^^^^^^^^"),
        ("Var(5,3,3)", "category", "^^^^^^^^^^"),
        ("Grad(x*y, x)", "Input 2 is both", "^^^^^^^^^^^^"),
        ("1e999", "range of a float64", "^^^^^"),
        ("OneHot(scale, 99999999999)", "the largest is 1048576", "^^^^^^^^^^^^^^^^^^^^^^^^^^"),
        ("Zero(-1)", "at least 1", "^^^^^^^^"),
    ])
    func points(_ text: String, _ words: String, _ carets: String) throws {
        let error = #expect(throws: FormulaError.self) { try Formula(parsing: text, variables: names) }
        guard let error else { return }
        #expect(error.message.contains(words), "\(error)")
        #expect(error.place?.source == text)
        #expect(error.description.split(separator: "\n").last.map(String.init) == "  " + carets, "\(error)")
    }

    @Test(arguments: [
        "Pow(x, 9223372036854775807)", "Pow(x, -9223372036854775808)", "x**9223372036854775807", "x**(9223372036854775807+0)",
        "Round(x, -9223372036854775808)", "Round(x, 9223372036854775807)", "Zero(9223372036854775807)", "Zero(3)**(0-1)",
        "SphericalBessel(x, -1)", "BSpline(x, scale, 9223372036854775807)", "ElemT(scale, 9223372036854775807, 0)",
        "Extract(x, 9223372036854775807, 9223372036854775807)", "ExtractT(x, 9223372036854775807, 9223372036854775807)",
        "Kron(x, y, [3, 9223372036854775807], [3, 1])", "TensorDot(x, y, [3], [3], [-1], [7])", "IntInv(0)",
        "RatCst(1, -9223372036854775808)", "Real2Complex(Zero(1048576))", "ComplexExp1j(Zero(1048576))",
        "Imag2Complex(Zero(1048576))", "ComplexDivide([scale, scale], Zero(2))", "ComplexSumT([1, 2], 9223372036854775806)",
        "TensorProd(Zero(1048576), Zero(1048576))", "Concat(Zero(1048576), x)", "Mod(x, 0, 0)", "Inv(Zero(3))",
        "Grad(SoftDTW_SqDist(Var(9,1048576,0), scale, scale), scale, 1)", "Var(9223372036854775807,3,0)",
        "-(-9223372036854775808)",
        "Grad(Var(1000000,3,0), Var(1000000,3,0))",
    ])
    func hostileNumbersAreErrors(_ text: String) {
        let error = #expect(throws: FormulaError.self) { try Formula(parsing: text, variables: names) }
        #expect(error?.place != nil)
    }

    @Test func variablesAreChecked() {
        #expect(throws: FormulaError.self) {
            try Formula(
                parsing: "a",
                variables: [
                    "a": Variable(index: 0, dimension: 3, category: .i), "b": Variable(index: 0, dimension: 2, category: .i),
                ])
        }
        #expect(throws: FormulaError.self) {
            try Formula(parsing: "a", variables: ["a": Variable(index: -1, dimension: 3, category: .i)])
        }
        #expect(throws: FormulaError.self) {
            try Formula(parsing: "a", variables: ["a": Variable(index: 0, dimension: 0, category: .i)])
        }
    }

    @Test func nearestNames() {
        #expect(nearest(to: "exp", among: ["Exp", "Sqrt"]) == "Exp")
        #expect(nearest(to: "Elm", among: ["Elem", "Sum"]) == "Elem")
        #expect(nearest(to: "q", among: ["x", "y"]) == nil)
        #expect(nearest(to: "Exponential", among: ["Exp"]) == nil)
        #expect(editDistance("kitten", "sitting") == 3)
        #expect(editDistance("", "ab") == 2)
        #expect(editDistance("Epx", "Exp") == 1)
    }
}
