import Testing

@testable import Formulas

@Suite struct ParsingDeclarationTests {
    @Test(
        arguments: [
            ("x = Vi(3)", "x", 5, 3, Category.i), ("x=Vj(3)", "x", 5, 3, .j), (" x  =  Pm( 3 ) ", "x", 5, 3, .parameter),
            ("x = Vx(3)", "x", 5, 3, .i), ("x = Vy(3)", "x", 5, 3, .j), ("x = Vi(0,3)", "x", 0, 3, .i),
            ("_a1 = Pm(7, 2)", "_a1", 7, 2, .parameter), ("x = Var(0,3,1)", "x", 0, 3, .j), ("Vi(3)", nil, 5, 3, .i),
            ("Vj(0,3)", nil, 0, 3, .j), ("Var(0,3,2)", nil, 0, 3, .parameter), ("Exp = Vi(2)", "Exp", 5, 2, .i),
        ] as [(String, String?, Int, Int, Category)])
    func reads(_ text: String, _ name: String?, _ index: Int, _ dimension: Int, _ category: Category) throws {
        let declaration = try Declaration(parsing: text, position: 5)
        #expect(declaration.name == name)
        #expect(declaration.variable == Variable(index: index, dimension: dimension, category: category))
        #expect(try Declaration(parsing: declaration.description, position: 0) == declaration)
    }

    @Test(arguments: [
        ("", "^"), ("x", " ^"), ("x =", "   ^"), ("= Vi(3)", "^"), ("3 = Vi(3)", "^"), ("x = Vk(3)", "    ^^"),
        ("x = Vi", "      ^"), ("x = Vi(", "       ^"), ("x = Vi()", "       ^"), ("x = Vi(3", "        ^"),
        ("x = Vi(3))", "         ^"),
        ("x = Vi(0)", "    ^^^^^"), ("x = Vi(-1,3)", "    ^^^^^^^^"), ("x = Vi(0,3,0)", "    ^^^^^^^^^"),
        ("Var(0,3)", "^^^^^^^^"),
        ("Var(0,3,3)", "^^^^^^^^^^"), ("x = Vi(1.5)", "       ^^^"), ("x = Vi(n)", "       ^"), ("é = Vi(3)", "^"),
        ("x y = Vi(3)", "  ^"),
        ("x = Vi(9223372036854775808)", "       ^^^^^^^^^^^^^^^^^^^"), ("x = Vi(2000000)", "    ^^^^^^^^^^^"),
        ("x = Vi(-9223372036854775808)", "        ^^^^^^^^^^^^^^^^^^^"),
    ])
    func refuses(_ text: String, _ carets: String) {
        let error = #expect(throws: FormulaError.self) { try Declaration(parsing: text, position: 0) }
        #expect(error?.description.split(separator: "\n").last.map(String.init) == "  " + carets, "\(error!)")
    }

    @Test func positionsComeFromTheList() throws {
        let list = try Declaration.list(parsing: ["x = Vi(3)", "Vj(2)", "p = Pm(1)", "q = Pm(2, 1)"])
        #expect(list.map(\.variable.index) == [0, 1, 2, 2])
        let formula = try Formula(
            parsing: "x * p + Var(9,1,1) * q * Vj(1,2)[0]", aliases: ["x = Vi(3)", "Vj(2)", "p = Pm(1)", "q = Pm(2, 1)"])
        #expect(formula.variables.map(\.index) == [0, 1, 2, 9])
    }

    @Test func disagreementsAreErrors() {
        #expect(throws: FormulaError.self) { try Declaration.list(parsing: ["x = Vi(3)", "y = Vj(0, 3)"]) }
        #expect(throws: FormulaError.self) { try Declaration.list(parsing: ["x = Vi(3)", "x = Vi(3)"]) }
        // Unnamed declarations bind formulas too.
        #expect(throws: FormulaError.self) { try Formula(parsing: "Var(0,4,0)", aliases: ["Vi(3)"]) }
    }
}
