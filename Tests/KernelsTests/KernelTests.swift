import Formulas
import Testing

@testable import Kernels

/// Where work is placed, and what reaches the generated source.
struct KernelTests {
    private func kernel(
        _ formula: String, _ aliases: [String], _ kind: Reduction.Kind = .sum, over: ReducedIndex = .j,
        storage: ScalarType = .float32
    ) throws -> Kernel {
        let reduction = try Reduction(kind, of: try Formula(parsing: formula, aliases: aliases), over: over)
        return try Kernel(lowering: reduction, precision: Precision(storage: storage))
    }

    private func instructions(_ kernel: Kernel, _ section: Kernel.Section) -> [Instruction] {
        kernel.sections[section, default: []].flattened.compactMap {
            if case .define(_, .apply(let instruction, _)) = $0 { instruction } else { nil }
        }
    }

    @Test func workIsDoneAtTheEarliestStage() throws {
        let aliases = ["p = Pm(3)", "x = Vi(3)", "y = Vj(3)"]
        let kernel = try kernel("Exp(p|p) * Sin(x|x) * Log(y|y) * Cos(x|y)", aliases)
        #expect(instructions(kernel, .call).contains(.exp))
        #expect(instructions(kernel, .row).contains(.sin))
        #expect(instructions(kernel, .column).contains(.log))
        #expect(instructions(kernel, .pair).contains(.cos))
        for function in [Instruction.exp, .sin, .log] { #expect(!instructions(kernel, .pair).contains(function)) }
        #expect(kernel.columnTableWidth == 1)
    }

    /// A sum of terms with a common factor is multiplied by it once, in the row stage.
    @Test func commonFactorsLeaveTheSum() throws {
        let kernel = try kernel("-2 * x * g * Exp(x*y) * b / g", ["x = Vi(1)", "y = Vj(1)", "b = Vj(1)", "g = Pm(1)"])
        // x y, its exponential, times b, added up.
        #expect(instructions(kernel, .pair) == [.multiply, .exp, .multiply, .add])
        #expect(instructions(kernel, .finish) == [.multiply])
    }

    @Test(arguments: [
        ("Exp(-g*SqDist(x,y))", true), ("Exp(-SqDist(x,y)/g)", true), ("Exp(x|y)", false), ("Exp(-SqDist(x,y))", true),
        ("Exp(-Norm2(x-y))", false), ("Exp(-Norm2(x-y)/2)", true),
    ])
    func exponentsAreScaledAtAnEarlierStage(formula: String, isScaled: Bool) throws {
        let kernel = try kernel(formula, ["x = Vi(3)", "y = Vj(3)", "g = Pm(1)"])
        #expect(instructions(kernel, .pair).contains(.exp2) == isScaled)
        #expect(instructions(kernel, .pair).contains(.exp) == !isScaled)
        #expect(!instructions(kernel, .pair).contains(.negate) || !isScaled)
    }

    /// Loops count as often as they turn; products fuse with the sums that they enter.
    @Test func costsOfAPair() throws {
        func cost(_ formula: String, _ d: Int, _ kind: Reduction.Kind = .sum) throws -> PairCost {
            try kernel(formula, ["x = Vi(\(d))", "y = Vj(\(d))", "b = Vj(1)"], kind).pairCost
        }
        for d in [3, 100] {
            let dot = try cost("(x|y)*b", d)
            #expect(dot.arithmetic == d + 1 && dot.columnNumbers == d + 1 && dot.functions.isEmpty)
            // A difference and a square each; a comparison and its question.
            let nearest = try cost("SqDist(x,y)", d, .argMin)
            #expect(nearest.arithmetic == 2 * d + 3 && nearest.columnNumbers == d)
        }
        #expect(try cost("Exp(x+y)*Sin(x*y)", 1).functions == ["exp": 1, "sin": 1])
    }

    /// Long distances are inner products where that is asked for, unless the difference is needed for itself.
    @Test func longDistancesAreInnerProducts() throws {
        func kernel(_ formula: String, _ d: Int, _ form: SquaredDistances = .inner) throws -> Kernel {
            let aliases = ["x = Vi(\(d))", "y = Vj(\(d))", "s = Pm(\(d))", "b = Vj(\(d))"]
            return try Kernel(
                lowering: try Reduction(.argMin, of: try Formula(parsing: formula, aliases: aliases)),
                precision: Precision(storage: .float32), squaredDistances: form)
        }
        for formula in ["SqDist(x,y)", "Norm2(y-x)", "Exp(-(x-y|x-y))", "SqDist(Sin(x),s*y)", "SqDist(x,y)+SqDist(x,b)"] {
            #expect(try kernel(formula, 16).usesInnerProducts, "\(formula)")
            #expect(!(try kernel(formula, 15).usesInnerProducts), "\(formula)")
            #expect(!(try kernel(formula, 16, .direct).usesInnerProducts), "\(formula)")
        }
        for formula in ["SqDist(x,s)", "SqDist(y,b)", "SqDist(x+y,b)", "SqDist(x,y)*Norm2(Exp(x-y))", "Sum(Abs(x-y))", "(x|y)"] {
            #expect(!(try kernel(formula, 16).usesInnerProducts), "\(formula)")
        }
        let cost = try kernel("SqDist(x,y)", 100).pairCost
        // The product, three sums, two comparisons and their questions; the components and two norms.
        #expect(cost.arithmetic == 100 + 3 + 6 && cost.columnNumbers == 102)
        let source = { (d: Int) in CSource(try kernel("SqDist(x,y)", d), vectorBytes: 64) }
        #expect(try source(100_000).text.count - source(100).text.count < 200)
        #expect(try source(100).block == RegisterBlock(rowVectors: 1, columns: 8))
    }

    @Test func registerBlocksFitTheRegisters() throws {
        let aliases = ["x = Vi(100)", "y = Vj(100)"]
        let plain = try kernel("Exp(x|y)", ["x = Vi(3)", "y = Vj(3)"])
        #expect(CSource(plain, vectorBytes: 64).block == RegisterBlock(rowVectors: 1, columns: 1))
        for (formula, wide, narrow) in [("Exp(x|y)", 8, 4), ("Exp(x|y)*Norm2(x-y)*Norm2(x+y)*Sum(Abs(x-y))", 4, 2)] {
            let kernel = try kernel(formula, aliases)
            #expect(CSource(kernel, vectorBytes: 64).block == RegisterBlock(rowVectors: 1, columns: wide))
            #expect(CSource(kernel, vectorBytes: 32).block == RegisterBlock(rowVectors: 2, columns: narrow))
        }
    }

    @Test func reducingOverTheOtherIndexExchangesTheStages() throws {
        let kernel = try kernel("Sin(x) * Log(y)", ["x = Vi(1)", "y = Vj(1)"], over: .i)
        #expect(instructions(kernel, .row).contains(.log))
        #expect(instructions(kernel, .column).contains(.sin))
    }

    @Test func commonSubexpressionsAreComputedOnce() throws {
        let kernel = try kernel("Exp(x|y) + Square(Exp(x|y))", ["x = Vi(4)", "y = Vj(4)"])
        #expect(instructions(kernel, .pair).filter { $0 == .exp }.count == 1)
    }

    /// The text of loops does not grow with what they run over.
    @Test func sourceDoesNotGrowWithTheDimension() throws {
        func length(_ dimension: Int) throws -> Int {
            let kernel = try kernel("Exp(-SqDist(x,y))", ["x = Vi(\(dimension))", "y = Vj(\(dimension))"])
            return CSource(kernel, vectorBytes: 64).text.count
        }
        #expect(try length(100_000) - length(100) < 100)
    }

    @Test func namesOfUsersStayOutOfTheSource() throws {
        let kernel = try kernel("Exp(evil_name * wicked)", ["evil_name = Vi(1)", "wicked = Vj(1)"])
        let text = CSource(kernel, vectorBytes: 32).text
        #expect(!text.contains("evil") && !text.contains("wicked"))
    }

    @Test func halfPrecisionColumnsAreConvertedOnce() throws {
        let kernel = try kernel("x * y", ["x = Vi(2)", "y = Vj(2)"], storage: .float16)
        #expect(kernel.columnTableWidth == 2)
    }

    // MARK: Reductions

    @Test(arguments: Reduction.Kind.allCases) func textsParseBack(kind: Reduction.Kind) throws {
        let f = try Formula(parsing: "SqDist(x,y)", aliases: ["x = Vi(2)", "y = Vj(2)"])
        let takesK = [.kMin, .argKMin, .kMinArgKMin].contains(kind)
        let formula = kind == .zero ? try Formula(parsing: "Zero(4)") : f
        let reduction = try Reduction(
            kind, of: formula, weight: kind == .sumSoftMax ? f : nil, k: takesK ? 3 : 1, over: .i)
        #expect(try Reduction(parsing: reduction.text) == reduction)
    }

    /// 13 names of the engine, 16 of Genred.
    @Test func allNamesOfKeOpsAreKnown() throws {
        let engine = [
            "Sum", "Max_SumShiftExp", "Max_SumShiftExpWeight", "Max", "Min", "ArgMax", "ArgMin", "Max_ArgMax", "Min_ArgMin",
            "KMin", "ArgKMin", "KMin_ArgKMin", "Zero",
        ]
        for name in engine { _ = try Reduction.Kind(named: name) }
        let front = [
            "Sum", "LogSumExp", "LogSumExpWeight", "SumSoftMaxWeight", "SoftMax", "Max_SumShiftExp", "Max_SumShiftExpWeight",
            "Min", "Max", "ArgMin", "ArgMax", "Min_ArgMin", "Max_ArgMax", "KMin", "ArgKMin", "KMin_ArgKMin",
        ]
        for name in front { _ = try Reduction.Kind(named: name) }
    }

    @Test(arguments: [
        ("Sum_Reduction(x*y)", "is called as Sum_Reduction(formula, tag)"),
        ("Sum_Reduction(x*y, 2)", "The tag is 0"),
        ("KMin_Reduction(x*y, 0, 1)", "K of at least 1"),
        ("Prod_Reduction(x*y, 0)", "no reduction named Prod"),
        ("x*y", "A reduction is a call"),
        ("LogSumExp_Reduction([x,x], 0)", "a formula of dimension 1"),
        ("Grad_WithSavedForward(Min_Reduction(x*y, 0), x, e, e)", "winners"),
    ])
    func mistakesAreNamed(text: String, part: String) throws {
        let declarations = try Declaration.list(parsing: ["x = Vi(1)", "y = Vj(1)", "e = Vi(1)"])
        let error = #expect(throws: FormulaError.self) { try Reduction(parsing: text, declarations: declarations) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test func savedForwardDerivativesAreReductions() throws {
        let declarations = try Declaration.list(parsing: ["x = Vi(2)", "y = Vj(2)", "e = Vi(1)", "a = Vi(1)"])
        let gradient = try Reduction(
            parsing: "Grad_WithSavedForward(Sum_Reduction(x|y, 0), y, e, a)", declarations: declarations)
        #expect(gradient.over == .i)
        #expect(gradient.formula == (try Formula(parsing: "e*x", aliases: ["x = Vi(0,2)", "e = Vi(2,1)"])))
    }

    @Test func optionsThatDoNotApplyAreRefused() throws {
        let f = try Formula(parsing: "x*y", aliases: ["x = Vi(1)", "y = Vj(1)"])
        #expect(throws: FormulaError.self) { try Reduction(.min, of: f, accumulation: .init(scheme: .kahan)) }
        #expect(throws: FormulaError.self) { try Reduction(.sum, of: f, weight: f) }
        #expect(throws: FormulaError.self) { try Reduction(.sum, of: f, k: 2) }
    }
}
