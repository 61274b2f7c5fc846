/// Every name that a formula can call: the parser, the documentation and the tests go through this list.
public enum Catalogue {
    /// A name, how it is called, and what it builds.
    public struct Entry: Sendable {
        public let name: String
        public let summary: String
        public let parameters: [Parameter]
        /// Builds the formula from arguments that match `parameters` in kind and count.
        let build: @Sendable ([Argument]) throws(FormulaError) -> Formula
    }

    /// An argument of a call.
    public enum Argument: Hashable, Sendable {
        case formula(Formula)
        case integer(Int)
        case integers([Int])
    }

    public static let entries: [Entry] = leaves + elementwise + vectors + norms + matrices + complex + derivatives

    /// The formula that a call builds: how other modules write formulas.
    ///
    /// - Parameter arguments: as many, and of the kinds, as the entry's parameters.
    package static func formula(_ name: String, _ arguments: [Argument]) throws(FormulaError) -> Formula {
        guard let entry = entriesByName[name] else { throw FormulaError("There is no operation named \(name).") }
        return try entry.build(arguments)
    }

    static let entriesByName = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })

    // MARK: - Variables and constants

    private static let leaves: [Entry] = [
        Entry(VariableLeaf.self),
        Entry(ConstantLeaf.self),
        Entry("RatCst", "The fraction p/q.", [.integer("p"), .integer("q")]) { a throws(FormulaError) in
            try fraction("RatCst", a.integer(0), a.integer(1))
        },
        Entry("IntInv", "The fraction 1/n.", [.integer("n")]) { a throws(FormulaError) in try fraction("IntInv", 1, a.integer(0))
        },
        Entry(Zero.self),
    ]

    private static func fraction(_ name: String, _ p: Int, _ q: Int) throws(FormulaError) -> Formula {
        guard let number = Number(p, over: q) else {
            throw FormulaError(
                "\(name) takes a denominator other than 0, and parts that fit in 64 bits; these are \(p) and \(q).")
        }
        return Formula(number)
    }

    // MARK: - Component by component

    private static let elementwise: [Entry] = [
        Entry(Add.self), Entry(Subtract.self), Entry(Minus.self), Entry(Mult.self), Entry(Divide.self),
        Entry(Inv.self), Entry(Square.self), Entry(Sqrt.self), Entry(Rsqrt.self), Entry(Pow.self), Entry(Powf.self),
        Entry(Exp.self), Entry(Log.self), Entry(XLogX.self),
        Entry(Sin.self), Entry(Cos.self), Entry(Asin.self), Entry(Acos.self), Entry(Atan.self), Entry(Atan2.self),
        Entry(SinXDivX.self), Entry(SphericalBessel.self),
        Entry(Maximum.self), Entry(Minimum.self), Entry(Abs.self), Entry(Sign.self), Entry(Step.self), Entry(ReLU.self),
        Entry(Floor.self), Entry(Round.self),
        Entry(Clamp.self), Entry(ClampInt.self), Entry(DiffClampInt.self), Entry(IfElse.self), Entry(Mod.self),
        Entry(Equal.self), Entry(NotEqual.self), Entry(LessThan.self), Entry(LessOrEqual.self),
    ]

    // MARK: - Vectors

    private static let vectors: [Entry] = [
        Entry(Sum.self), Entry(SumT.self), Entry(Scalprod.self),
        Entry(Max.self), Entry(Min.self), Entry(ArgMax.self), Entry(ArgMin.self),
        Entry(Elem.self), Entry(ElemT.self), Entry(Extract.self), Entry(ExtractT.self), Entry(Concat.self), Entry(OneHot.self),
        Entry(
            "BSpline", "The K - order - 1 B-spline basis functions of K knots at the number x.",
            [.formula("knots"), .formula("x"), .integer("order")]
        ) { a throws(FormulaError) in try .bSpline(knots: a.formula(0), at: a.formula(1), order: a.integer(2)) },
    ]

    // MARK: - Norms and distances

    private static let norms: [Entry] = [
        Entry("SqNorm2", "|f|².", [.formula("f")]) { a in .squaredNorm(a.formula(0)) },
        Entry("Norm2", "|f|; gradient 0 at 0.", [.formula("f")]) { a in .norm(a.formula(0)) },
        Entry("Normalize", "f/|f|, and 0 where f is 0.", [.formula("f")]) { a in .normalized(a.formula(0)) },
        Entry("SqDist", "|f - g|².", [.formula("f"), .formula("g")]) { a throws(FormulaError) in
            try .squaredDistance(a.formula(0), a.formula(1))
        },
        Entry("SqNormIso", "s |f|².", [.formula("s"), .formula("f")]) { a throws(FormulaError) in
            try .isotropicSquaredNorm(a.formula(0), a.formula(1))
        },
        Entry("SqNormDiag", "Σ s_k f_k².", [.formula("s"), .formula("f")]) { a throws(FormulaError) in
            try .diagonalSquaredNorm(a.formula(0), a.formula(1))
        },
        Entry("SymSqNorm", "fᵀ A f for a matrix A.", [.formula("A"), .formula("f")]) { a throws(FormulaError) in
            try .symmetricSquaredNorm(a.formula(0), a.formula(1))
        },
        Entry(
            "WeightedSqNorm", "SqNormIso, SqNormDiag or SymSqNorm, by the dimension of s.", [.formula("s"), .formula("f")]
        ) { a throws(FormulaError) in try .weightedSquaredNorm(a.formula(0), a.formula(1)) },
        Entry(
            "WeightedSqDist", "WeightedSqNorm(s, f - g).", [.formula("s"), .formula("f"), .formula("g")]
        ) { a throws(FormulaError) in try .weightedSquaredDistance(a.formula(0), a.formula(1), a.formula(2)) },
    ]

    // MARK: - Matrices, tensors, series

    private static let matrices: [Entry] = [
        Entry(MatVecMult.self), Entry(VecMatMult.self), Entry(TensorProd.self), Entry(TensorDot.self),
        Entry(
            "Kron", "The Kronecker product of tensors of shapes dimsf and dimsg, as numpy.kron.",
            [.formula("f"), .formula("g"), .integers("dimsf"), .integers("dimsg")]
        ) { a throws(FormulaError) in try .kronecker(a.formula(0), a.formula(1), a.integers(2), a.integers(3)) },
        Entry(SoftDTW.self), Entry(GradSoftDTW.self),
    ]

    // MARK: - Complex vectors

    private static let complex: [Entry] = [
        Entry(Complex.self), Entry(ComplexReal.self), Entry(ComplexImag.self),
        Entry("Real2Complex", "f + 0i.", [.formula("f")]) { a throws(FormulaError) in try .complexFromReal(a.formula(0)) },
        Entry("Imag2Complex", "0 + f i.", [.formula("f")]) { a throws(FormulaError) in
            try .complexFromImaginary(a.formula(0))
        },
        Entry("Conj", "The conjugate.", [.formula("f")]) { a throws(FormulaError) in try .complexConjugate(a.formula(0)) },
        Entry("ComplexAdd", "f + g.", [.formula("f"), .formula("g")]) { a throws(FormulaError) in
            try .complexAdd(a.formula(0), a.formula(1))
        },
        Entry("ComplexSubtract", "f - g.", [.formula("f"), .formula("g")]) { a throws(FormulaError) in
            try .complexSubtract(a.formula(0), a.formula(1))
        },
        Entry("ComplexMult", "f g.", [.formula("f"), .formula("g")]) { a throws(FormulaError) in
            try .complexMultiply(a.formula(0), a.formula(1))
        },
        Entry("ComplexDivide", "f / g.", [.formula("f"), .formula("g")]) { a throws(FormulaError) in
            try .complexDivide(a.formula(0), a.formula(1))
        },
        Entry("ComplexRealScal", "A real number times a complex vector.", [.formula("f"), .formula("g")]) {
            a throws(FormulaError) in
            try .complexScaled(a.formula(0), a.formula(1))
        },
        Entry("ComplexSquareAbs", "|f|², real.", [.formula("f")]) { a throws(FormulaError) in
            try .complexSquaredModulus(a.formula(0))
        },
        Entry("ComplexAbs", "|f|, real.", [.formula("f")]) { a throws(FormulaError) in try .complexModulus(a.formula(0)) },
        Entry("ComplexAngle", "The argument of f, in [-π, π].", [.formula("f")]) { a throws(FormulaError) in
            try .complexAngle(a.formula(0))
        },
        Entry("ComplexExp", "e^f.", [.formula("f")]) { a throws(FormulaError) in try .complexExp(a.formula(0)) },
        Entry("ComplexExp1j", "e^{if} for a real f.", [.formula("f")]) { a throws(FormulaError) in try .complexCis(a.formula(0))
        },
        Entry("ComplexSum", "The sum of the complex components.", [.formula("f")]) { a throws(FormulaError) in
            try .complexSum(a.formula(0))
        },
        Entry("ComplexSumT", "One complex number repeated to n real slots.", [.formula("f"), .integer("n")]) {
            a throws(FormulaError) in
            try .complexRepeated(a.formula(0), a.integer(1))
        },
    ]

    // MARK: - Derivatives and linear maps

    private static let derivatives: [Entry] = [
        Entry(
            "Grad", "(∂f/∂v)ᵀ e. Without e, the cotangent is the next input, which follows the other index than v.",
            [.formula("f"), .variable("v"), .formula("e").optional]
        ) { a throws(FormulaError) in
            let (f, v) = (a.formula(0), a.variable(1))
            return try f.gradient(withRespectTo: v, cotangent: a.count > 2 ? a.formula(2) : nextInput(for: f, v))
        },
        Entry(
            "GradMatrix", "The transposed Jacobian matrix of f in v, flat: block k is the gradient of component k.",
            [.formula("f"), .variable("v")]
        ) {
            a throws(FormulaError) in try a.formula(0).gradientMatrix(withRespectTo: a.variable(1))
        },
        Entry("Diff", "(∂f/∂v) u.", [.formula("f"), .variable("v"), .formula("u")]) { a throws(FormulaError) in
            try a.formula(0).differential(withRespectTo: a.variable(1), tangent: a.formula(2))
        },
        Entry("Divergence", "Σ_k ∂f_k/∂v_k.", [.formula("f"), .variable("v")]) { a throws(FormulaError) in
            try a.formula(0).divergence(withRespectTo: a.variable(1))
        },
        Entry("Laplacian", "Σ_k ∂²f/∂v_k².", [.formula("f"), .variable("v")]) { a throws(FormulaError) in
            try a.formula(0).laplacian(withRespectTo: a.variable(1))
        },
        Entry("TraceOperator", "The trace of f as a linear map of v.", [.formula("f"), .variable("v")]) {
            a throws(FormulaError) in
            try a.formula(0).traceOperator(a.variable(1))
        },
        Entry(
            "AdjointOperator", "The adjoint of f as a linear map of v, applied to u.",
            [.formula("f"), .variable("v"), .formula("u")]
        ) {
            a throws(FormulaError) in try a.formula(0).adjointOperator(a.variable(1), a.formula(2))
        },
        Entry(
            "SumLinOperator", "The sum of the entries of the matrix of f as a linear map of v, weighted by rows and columns.",
            [.formula("f"), .variable("v"), .formula("rows").optional, .formula("columns").optional]
        ) { a throws(FormulaError) in
            try a.formula(0).sumOfLinearOperator(
                a.variable(1), left: a.count > 2 ? a.formula(2) : nil, right: a.count > 3 ? a.formula(3) : nil)
        },
        Entry(
            "Factorize", "f. Subexpressions are always shared; the name is kept for formulas written for KeOps.",
            [.formula("f"), .formula("g")]
        ) {
            a in a.formula(0)
        },
        Entry(
            "AutoFactorize", "f. Subexpressions are always shared; the name is kept for formulas written for KeOps.",
            [.formula("f")]
        ) {
            a in a.formula(0)
        },
    ]

    private static func nextInput(for f: Formula, _ v: Variable) throws(FormulaError) -> Formula {
        let category: Category
        switch v.category {
        case .i: category = .j
        case .j: category = .i
        case .parameter: throw FormulaError("Grad with respect to a parameter takes the cotangent as its third argument.")
        }
        let index = 1 + max(v.index, f.variables.map(\.index).max() ?? -1)
        return try Formula(Variable(index: index, dimension: f.dimension, category: category))
    }
}

extension Catalogue.Entry {
    /// An operation under its own name.
    fileprivate init<O: Operation>(_ type: O.Type) {
        let formulaCount = O.parameters.count { $0.kind == .formula }
        self.init(name: O.name, summary: O.summary, parameters: O.parameters) { arguments throws(FormulaError) in
            let attributes = arguments[formulaCount...].map { argument in
                switch argument {
                case .integer(let value): Attribute.integer(value)
                case .integers(let values): Attribute.integers(values)
                case .formula: preconditionFailure("\(O.name) lists its formulas first")
                }
            }
            return try Formula(try O(attributes: attributes), (0..<formulaCount).map(arguments.formula))
        }
    }

    /// A name for a formula in other operations.
    fileprivate init(
        _ name: String, _ summary: String, _ parameters: [Parameter],
        build: @escaping @Sendable ([Catalogue.Argument]) throws(FormulaError) -> Formula
    ) {
        self.init(name: name, summary: summary, parameters: parameters, build: build)
    }
}

extension [Catalogue.Argument] {
    // The parser has matched kinds and counts with the entry's parameters.
    fileprivate func formula(_ k: Int) -> Formula {
        guard case .formula(let formula) = self[k] else { preconditionFailure("formula expected") }
        return formula
    }

    fileprivate func variable(_ k: Int) -> Variable {
        guard let variable = formula(k).variable else { preconditionFailure("variable expected") }
        return variable
    }

    fileprivate func integer(_ k: Int) -> Int {
        guard case .integer(let value) = self[k] else { preconditionFailure("integer expected") }
        return value
    }

    fileprivate func integers(_ k: Int) -> [Int] {
        guard case .integers(let values) = self[k] else { preconditionFailure("list expected") }
        return values
    }
}
