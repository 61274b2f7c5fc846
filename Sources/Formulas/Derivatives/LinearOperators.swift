/// In which of its arguments an operation is linear.
public enum Linearity: Sendable {
    case none
    /// In all of them together, as a sum.
    case jointly
    /// In each while the others are held, as a product.
    case inEach
    /// In the first while the others are held, as a quotient.
    case inFirst
}

extension Formula {
    /// Whether this is known, from its operations, to be a linear map of a leaf.
    func isLinear(in leaf: Formula) -> Bool {
        var dependent: Set<Formula> = [leaf]
        var linear: Set<Formula> = [leaf]
        for formula in Formula.topologicalOrder([self]) where formula != leaf {
            let arguments = formula.arguments
            let active = arguments.filter(dependent.contains)
            if formula.isZero { linear.insert(formula) }
            guard !active.isEmpty else { continue }
            dependent.insert(formula)
            guard active.allSatisfy(linear.contains) else { continue }
            let isLinear =
                switch formula.operation.linearity {
                case .none: false
                case .jointly: arguments.allSatisfy(linear.contains)
                case .inEach: active.count == 1 && arguments.filter { $0 == active[0] }.count == 1
                case .inFirst: active == [arguments[0]]
                }
            if isLinear { linear.insert(formula) }
        }
        return linear.contains(self)
    }

    private func checkLinear(_ name: String, in variable: Formula) throws(FormulaError) {
        guard isLinear(in: variable) else {
            throw FormulaError("\(name) takes a formula that is linear in its variable; this one is not known to be.")
        }
    }

    /// The adjoint of the linear map variable ↦ self, applied to `argument`.
    func adjointOperator(_ variable: Variable, _ argument: Formula) throws(FormulaError) -> Formula {
        try checkLinear("AdjointOperator", in: try Formula(variable))
        return try gradient(withRespectTo: variable, cotangent: argument)
    }

    /// The trace of the linear map variable ↦ self.
    func traceOperator(_ variable: Variable) throws(FormulaError) -> Formula {
        let leaf = try Formula(variable)
        try checkLinear("TraceOperator", in: leaf)
        guard dimension == variable.dimension else {
            throw FormulaError(
                "TraceOperator takes a formula of its variable's dimension; these have \(dimension) and \(variable.dimension).")
        }
        return try trace(leaf).checkedDepth()
    }

    /// The sum of the entries of the matrix of variable ↦ self, weighted by row and column: leftᵀ A right.
    func sumOfLinearOperator(
        _ variable: Variable, left: Formula?, right: Formula?
    ) throws(FormulaError) -> Formula {
        let leaf = try Formula(variable)
        try checkLinear("SumLinOperator", in: leaf)
        let right = right ?? .one.repeated(variable.dimension)
        guard right.dimension == variable.dimension else {
            throw FormulaError(
                "SumLinOperator takes column weights of the variable's dimension; these have \(right.dimension) and \(variable.dimension)."
            )
        }
        let image = try substituting([leaf: right])
        return try left.map { (left) throws(FormulaError) in try Formula(Scalprod(), [left, image]) } ?? image.sum
    }

    /// Σ_k ∂self_k/∂variable_k.
    func divergence(withRespectTo variable: Variable) throws(FormulaError) -> Formula {
        guard dimension == variable.dimension else {
            throw FormulaError(
                "Divergence takes a formula of its variable's dimension; these have \(dimension) and \(variable.dimension).")
        }
        let direction = Formula.placeHolder(0, of: variable.dimension)
        return try (try differential(along: [try Formula(variable): direction])).trace(direction).checkedDepth()
    }

    /// Σ_k ∂²self/∂variable_k².
    func laplacian(withRespectTo variable: Variable) throws(FormulaError) -> Formula {
        guard dimension == 1 else {
            throw FormulaError("Laplacian takes a formula of dimension 1; this has dimension \(dimension).")
        }
        return try gradient(withRespectTo: variable, cotangent: .one).divergence(withRespectTo: variable)
    }

    /// The trace of a linear map, in closed form where the rules below reach the leaf, else one derivative per component.
    private func trace(_ leaf: Formula) throws(FormulaError) -> Formula {
        var dependent: Set<Formula> = [leaf]
        for formula in Formula.topologicalOrder([self]) where formula.arguments.contains(where: dependent.contains) {
            dependent.insert(formula)
        }
        return try trace(leaf, dependent)
    }

    private func trace(_ leaf: Formula, _ dependent: Set<Formula>) throws(FormulaError) -> Formula {
        if self == leaf { return Formula(Number(dimension)) }
        if !dependent.contains(self) { return .zero(1) }
        if let g = negated { return -(try g.trace(leaf, dependent)) }
        if let (a, b) = parts(Add.self), a.dimension == b.dimension {
            return try a.trace(leaf, dependent) + b.trace(leaf, dependent)
        }
        if let (a, b) = parts(Subtract.self), a.dimension == b.dimension {
            return try a.trace(leaf, dependent) - b.trace(leaf, dependent)
        }
        if let (a, b) = parts(Mult.self) {
            let (map, factor) = dependent.contains(a) ? (a, b) : (b, a)
            if map == leaf { return factor.dimension == 1 ? dimension * factor : factor.sum }
            if factor.dimension == 1, map.dimension == dimension { return factor * (try map.trace(leaf, dependent)) }
            // A rank-one map, factor ⊗ functional.
            if map.dimension == 1 {
                return factor.dot(try map.gradients(withRespectTo: [leaf], cotangent: .one)[0])
            }
        }
        try checkUnrolled("A trace")
        var total = Formula.zero(1)
        for k in 0..<dimension {
            let basis = Formula.trusted(ElemT(count: dimension, position: k), .one)
            total = total + (try differential(along: [leaf: basis])).component(k)
        }
        return total
    }
}
