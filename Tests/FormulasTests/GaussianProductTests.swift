@testable import Formulas
import Testing

/// Which formulas are seen to be Gaussians, and of what. That their parts make up the formula is held to numbers where they are used.
@Suite struct GaussianProductTests {
    private static let aliases = ["x = Vi(3)", "y = Vj(3)", "a = Vi(1)", "b = Vj(1)", "c = Vj(2)", "g = Pm(1)", "w = Pm(3)"]

    private func product(_ text: String) throws -> GaussianProduct? {
        try Formula(parsing: text, aliases: Self.aliases).gaussianProduct(rows: .i, columns: .j)
    }

    @Test(arguments: [
        "Exp(-SqDist(x, y))", "Exp(-g * SqDist(x, y) / 3) * b", "c * (a * Exp(-SqNorm2((y - x) / g)))",
        "Exp(-WeightedSqDist(w, x, y))",
        "Exp(-SqNorm2(w * (x + y))) / a", "Exp(a - g * SqDist(2 * x, y) + b * g)", "Exp(-Square(x[0:1] - b))",
        "Exp(-SqDist(x, y)) * Exp(b)", "(x - y) * Exp(-SqDist(x, y))", "a * Exp(-SqDist(x, y) / g) * (-(2 * y + x)) * c[0:1] * 3",
        "Exp(-SqDist(x, y)) * (a - b)", "Exp(-SqDist(x, y)) * (x - b)",
    ]) func areSeen(_ text: String) throws { #expect(try product(text) != nil) }

    @Test(arguments: [
        "Exp(-Norm2(x - y))", "Exp(-SqDist(x, y)) + b", "Exp(-SqDist(x, y) * a)", "Exp(-SqDist(x, y)) * (x | y)", "SqDist(x, y)",
        "Exp(-SqDist(x, y) - SqDist(2 * x, y))", "Exp(-SqDist(x * a, x - y))", "(x - y) * Exp(-SqDist(x, y)) * (a - b)",
        "Exp(x | y)",
        "(x - y + w) * Exp(-Norm2(x - y))", "Exp(-SqDist(x, y)) * (a * b - b)", "Exp(-SqDist(x, y)) * Square(x - y)",
        "Exp(b)",
        "Exp(-SqNorm2(a * (x - y)))",
    ]) func areNot(_ text: String) throws { #expect(try product(text) == nil) }

    @Test func parts() throws {
        func formula(_ text: String) throws -> Formula { try Formula(parsing: text, aliases: Self.aliases) }
        let found = try #require(try product("a * g * Exp(b - 3 * SqDist(x, 2 * y)) * c"))
        #expect(try found.rows == formula("x") && found.columns == formula("2 * y"))
        #expect(try found.weight == formula("3"))
        #expect(try found.rowFactor == formula("a * g") && found.columnFactor == formula("c"))
        #expect(try found.rowExponent == nil && found.columnExponent == formula("b"))
        #expect(found.rowTerm == nil && found.columnTerm == nil)
        let derivative = try #require(try product("Exp(-SqDist(x, y)) * -(2 * y - a) * a"))
        #expect(try derivative.rowTerm == formula("a").repeated(3) && derivative.columnTerm == formula("-(2 * y)"))
        #expect(try derivative.rowFactor == formula("a"))
    }
}
