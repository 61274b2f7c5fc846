import FormulaGeneration
import RandomNumbers
import Testing

@testable import Formulas

/// How close bounds are, by exact numbers, and whether values reach them: a rule that is loose prunes nothing, and a rule that
/// is wrong shows only where values come near to what it says.
@Suite struct BoundsTightnessTests {
    private static let x = Variable(index: 0, dimension: 2, category: .i)
    private static let y = Variable(index: 1, dimension: 2, category: .j)
    private static let p = Variable(index: 2, dimension: 2, category: .parameter)
    private static let names = ["x": x, "y": y, "p": p]
    private static let boxes: [Variable: BoundsTests.Box] = [
        x: ([1, -1], [2, 0]), y: ([4, -3], [5, 1]), p: ([2, 3], [2, 3]),
    ]

    /// On x in [1, 2] × [-1, 0], y in [4, 5] × [-3, 1] and p = (2, 3).
    private static func bounds(_ text: String) throws -> (lower: [Double], upper: [Double]) {
        let formula = try Formula(parsing: text, variables: names)
        let subject = try #require(try BoundsCase(formula, roundoff: 0x1p-53), "\(text)")
        var corners: [Variable: [Double]] = [:]
        for (variable, ends) in subject.variables {
            corners[ends?.lower ?? variable] = boxes[variable]!.lower
            corners[ends?.upper ?? variable] = boxes[variable]!.upper
        }
        let values = BoundsTests.value(subject.bounds, corners)
        return (Array(values[..<formula.dimension]), Array(values[formula.dimension...]))
    }

    private static let cases: [(String, [Double], [Double])] = [
        ("x - y", [-4, -2], [-2, 3]), ("x + y", [5, -4], [7, 1]), ("-x", [-2, 0], [-1, 1]), ("3 - 2*x", [-1, 3], [1, 5]),
        ("SqDist(x, y)", [4], [25]), ("Norm2(x - y)", [2], [5]), ("SqNorm2(x)", [1], [5]), ("Sum(Abs(x - y))", [2], [7]),
        ("Max(Abs(x - y))", [2], [4]), ("WeightedSqDist(p, x, y)", [8], [59]), ("WeightedSqDist(p[0], x, y)", [8], [50]),
        ("Exp(-SqDist(x, y))", [.exp(-25)], [.exp(-4)]), ("Exp(-SqDist(x, y)*p[0])", [.exp(-50)], [.exp(-8)]),
        ("Exp(-SqDist(x, y)/p[0]**2)", [.exp(-6.25)], [.exp(-1)]),
        ("Exp(-Norm2(x - y)/3)*y[0]", [4 * .exp(-5 / 3)], [5 * .exp(-2 / 3)]),
        ("Exp(-SqDist(x, y))*y[1]", [-3 * .exp(-4)], [.exp(-4)]), ("1/(1 + SqDist(x, y))", [1 / 26], [1 / 5]),
        ("Rsqrt(1 + SqDist(x, y))", [1 / .sqrt(26)], [1 / .sqrt(5)]),
        ("x | y", [3], [13]), ("x * y", [4, -1], [10, 3]), ("p * x", [2, -3], [4, 0]), ("x / y", [0.2, .nan], [0.5, .nan]),
        ("y[1] / x[0]", [-3], [1]), ("Log(x[0])", [0], [.log(2)]), ("Log(x)", [0, .nan], [.log(2), .nan]),
        ("Sqrt(y[0])", [2], [.sqrt(5)]),
        ("x**2", [1, 0], [4, 1]), ("x**3", [1, -1], [8, 0]), ("Pow(x, 4)", [1, 0], [16, 1]),
        ("Pow(x, -2)", [0.25, .nan], [1, .nan]),
        ("x[0]**1.5", [1], [.pow(2, 1.5)]), ("Abs(x - y)**0.3", [.pow(2, 0.3), 0], [.pow(4, 0.3), .pow(3, 0.3)]),
        ("x[0]**y[1]", [0.125], [2]), ("XLogX(x[0]/4)", [-Double.exp(-1)], [-0.5 * .log(2)]),
        ("Abs(x)", [1, 0], [2, 1]), ("Sign(x - y)", [-1, -1], [-1, 1]), ("Step(x - y)", [0, 0], [0, 1]),
        ("x < y", [1, 0], [1, 1]),
        ("y <= x", [0, 0], [0, 1]), ("x == y", [0, 0], [0, 1]), ("x != y", [1, 0], [1, 1]), ("x[0] == p[0]", [0], [1]),
        ("p[0] == 2", [1], [1]), ("ReLU(x - y)", [0, 0], [0, 3]), ("Floor(x/2)", [0, -1], [1, 0]),
        ("Round(x, 0)", [1, -1], [2, 0]),
        ("Clamp(x, -0.5, 1.5)", [1, -0.5], [1.5, 0]), ("ClampInt(y, -1, 4)", [4, -1], [4, 1]),
        ("DiffClampInt(y, -3, 1)", [0, 1], [0, 1]),
        ("IfElse(y - x, x, 7)", [1, -1], [2, 7]), ("IfElse((x - y)[0], Log(x[1]), 0)", [0], [0]),
        ("IfElse(y[0] - x[0], p, y)", [2, 3], [2, 3]),
        ("IfElse(25.5 - SqDist(x, y), 0, SoftDTW_SqDist(x, y, p[0]))", [0], [0]), ("Maximum(x, y)", [4, -1], [5, 1]),
        ("Minimum(x, y[0])", [1, -1], [2, 0]),
        ("Max(y)", [4], [5]), ("Min(x)", [-1], [0]), ("ArgMax(x)", [0], [1]), ("OneHot(y[0] - 4, 3)", [0, 0, 0], [1, 1, 1]),
        ("OneHot(p[0], 3)", [0, 0, 1], [0, 0, 1]), ("[x, y][1:3]", [-1, 4], [0, 5]),
        ("ElemT(x[0], 3, 1)", [0, 1, 0], [0, 2, 0]),
        ("MatVecMult([p, p], x)", [-1, -1], [4, 4]), ("VecMatMult(x, [p, p])", [0, 0], [4, 6]),
        ("TensorProd(x, y)", [4, -6, -5, -1], [10, 2, 0, 3]),
        ("Mod(x, 4, 0)", [1, 0], [2, 4]), ("Mod(y[1], 10, -4)", [-3], [1]), ("Atan2(x[1], x[0])", [-.pi / 4], [0]),
        ("Atan2(x[0], x[1])", [.pi / 2], [.pi * 3 / 4]),
        ("Atan2(x[1], y[1])", [-.pi], [.pi]), ("Acos(x[1])", [.pi / 2], [.pi]), ("Asin(x[1])", [-.pi / 2], [0]),
        ("Asin(x[0])", [.nan], [.nan]),
        ("ComplexSquareAbs(x - y)", [4], [25]), ("ComplexAngle(x)", [-.pi / 4], [0]), ("Conj(x)", [1, 0], [2, 1]),
        ("Cos(y[1])", [-1], [1]),
    ]

    @Test(arguments: cases.indices) func exactNumbers(_ number: Int) throws {
        let (text, lower, upper) = Self.cases[number]
        let bounds = try Self.bounds(text)
        for (found, expected) in zip(bounds.lower + bounds.upper, lower + upper) {
            let isThere = expected.isNaN ? found.isNaN : abs(found - expected) <= 1e-13 * (1 + abs(expected))
            #expect(isThere, "\(text) has bounds \(bounds), not \(lower) to \(upper)")
        }
    }

    /// Narrow boxes: whatever the range, a function's bounds move apart no faster than the box grows.
    @Test(arguments: ["Sin(x)", "Cos(3*x)", "SinXDivX(x)", "Cos(x | y)", "Exp(-SqDist(x, y))*Cos(x[0])"])
    func narrowBoxes(_ text: String) throws {
        let formula = try Formula(parsing: text, variables: Self.names)
        let subject = try #require(try BoundsCase(formula, roundoff: 0x1p-53))
        for width in [1e-2, 1e-4, 1e-6] {
            var corners: [Variable: [Double]] = [:]
            for (variable, ends) in subject.variables {
                corners[ends?.lower ?? variable] = [0.3, -0.8]
                if let ends { corners[ends.upper] = [0.3 + width, -0.8 + width] }
            }
            let values = BoundsTests.value(subject.bounds, corners)
            for k in 0..<formula.dimension { #expect(values[k + formula.dimension] - values[k] <= 6 * width) }
        }
    }

    /// Where each variable occurs once, values fill the interval that the bounds say. A rule with a wrong factor, sign or end
    /// is wider or narrower than that.
    @Test(arguments: [
        "a + b", "a - b", "a * b", "a / (b**2 + 1)", "-a", "1/(a + 4)", "a**2", "a**3", "a**4", "Pow(a + 4, -3)", "Sqrt(a + 3)",
        "Rsqrt(a + 4)", "Exp(a)",
        "Log(a + 4)", "XLogX(a + 3)", "Asin(a/3)", "Acos(a/3)", "Atan(a)", "Atan2(a, b + 4)", "Abs(a)", "ReLU(a)",
        "Clamp(a, -1, b + 3)", "Maximum(a, b)",
        "Minimum(a, b)", "IfElse(a, b, 5)", "(a + 4)**b", "Sum([a, b])", "[a, 2] | [b, 3]", "Max([a, b])", "Norm2([a, b])",
        "SqDist([a, b], [1, 2])",
        "MatVecMult([1, -2], [a, b])", "TensorProd([a, 1], b)[0]", "Mod(a, 1, 0)",
    ])
    func valuesReachTheBounds(_ text: String) throws {
        let (a, b) = (Variable(index: 0, dimension: 1, category: .i), Variable(index: 1, dimension: 1, category: .j))
        let formula = try Formula(parsing: text, variables: ["a": a, "b": b])
        let subject = try #require(try BoundsCase(formula, roundoff: 0x1p-53))
        var random = BoxGenerator(seed: 1, isSingle: false)
        for _ in 0..<20 {
            let boxes = [a, b].map { _ in random.box(1, sorts: [.wide]) }
            var corners: [Variable: [Double]] = [:]
            for (variable, ends) in subject.variables {
                (corners[ends!.lower], corners[ends!.upper]) = boxes[variable.index]
            }
            let bounds = BoundsTests.value(subject.bounds, corners)
            var (least, greatest) = (Double.infinity, -Double.infinity)
            for step in 0...400 {
                func place(_ k: Int, _ t: Double) -> [Double] {
                    [boxes[k].lower[0] + (boxes[k].upper[0] - boxes[k].lower[0]) * t]
                }
                // Finely along a for each end of b, and coarsely all over.
                let (s, t) =
                    step <= 200
                    ? (Double(step % 101) / 100, step <= 100 ? 0.0 : 1) : (Double(step % 14) / 13, Double(step / 14 % 14) / 13)
                let value = BoundsTests.value(formula, [a: place(0, s), b: place(1, t)])[0]
                (least, greatest) = (min(least, value), max(greatest, value))
            }
            let room = 0.05 * (bounds[1] - bounds[0]) + 1e-12
            #expect(
                least - bounds[0] <= room && bounds[1] - greatest <= room,
                "\(text) on \(boxes): \(bounds), values \(least) to \(greatest)")
        }
    }

    /// The check finds a bound that is wrong by a millionth.
    @Test func wrongBoundsAreFound() {
        #expect(BoundsCase.violation(1, 1.000001, 2) != nil)
        #expect(BoundsCase.violation(1, 0, 0.999999) != nil)
        #expect(BoundsCase.violation(.nan, 0, .infinity) != nil)
        #expect(BoundsCase.violation(.nan, -.infinity, .nan) == nil)
        #expect(BoundsCase.violation(.infinity, 0, 1) != nil)
        #expect(BoundsCase.violation(1, .nan, .nan) == nil)
        #expect(BoundsCase.violation(1, 1, 1) == nil)
    }

    /// Shared parts are bounded once.
    @Test func boundsAreAsLargeAsTheFormula() throws {
        var formula = try Formula(Self.x)
        for _ in 0..<60 { formula = formula * formula.sin + formula }
        let subject = try #require(try BoundsCase(formula, roundoff: 0x1p-24))
        let (size, bounded) = (Formula.topologicalOrder([formula]).count, Formula.topologicalOrder([subject.bounds]).count)
        #expect(bounded < 60 * size, "\(bounded) operations bound \(size)")
        // Too deep for bounds, not for a formula.
        for _ in 0..<1_500 { formula = formula.exp + formula }
        #expect(try BoundsCase(formula, roundoff: 0x1p-24) == nil)
    }

    @Test func dimensionsOfBoxesAreChecked() throws {
        let x = try Formula(Self.x)
        #expect(throws: FormulaError.self) {
            _ = try x.bounds(of: [Self.x: Bounds(lower: Formula(.one), upper: x)], roundoff: Number(0x1p-24)!)
        }
    }
}
