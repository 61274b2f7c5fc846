// Derivatives of formulas are formulas. Reverse mode walks the graph once, from the result to the leaves, and visits each
// shared node once, so that a gradient's graph is a small multiple of the formula's, at every order.

extension Formula {
    /// (∂self/∂variable)ᵀ `cotangent`: the gradient of the scalar product of this formula with the cotangent.
    ///
    /// - Parameters:
    ///   - variable: any variable; the result has its dimension, and is zero where the formula does not depend on it.
    ///   - cotangent: a formula of this formula's dimension.
    /// - Throws: where the dimensions differ, where an operation on the way has no derivative, and where the result would
    ///   be nested too deeply.
    public func gradient(withRespectTo variable: Variable, cotangent: Formula) throws(FormulaError) -> Formula {
        guard cotangent.dimension == dimension else {
            throw FormulaError(
                "The gradient of a formula of dimension \(dimension) takes a cotangent of that dimension; it has \(cotangent.dimension)."
            )
        }
        return try gradients(withRespectTo: [try Formula(variable)], cotangent: cotangent)[0]
    }

    /// The same for several leaves at once, sharing the walk.
    func gradients(withRespectTo leaves: [Formula], cotangent: Formula) throws(FormulaError) -> [Formula] {
        let order = Formula.topologicalOrder([self])
        var active = Set(leaves)
        for formula in order where formula.arguments.contains(where: active.contains) { active.insert(formula) }

        var adjoints: [Formula: Formula] = [self: cotangent]
        for formula in order.reversed() where active.contains(formula) {
            guard let adjoint = adjoints[formula], !adjoint.isZero, !formula.arguments.isEmpty else { continue }
            let wanted = formula.arguments.map(active.contains)
            let contributions = try formula.operation.pullback(
                of: adjoint, formula.arguments, result: formula, wanted: wanted)
            for (argument, (contribution, isWanted)) in zip(formula.arguments, zip(contributions, wanted)) {
                guard isWanted, let contribution else { continue }
                adjoints[argument] = adjoints[argument].map { $0 + contribution } ?? contribution
            }
        }
        var results: [Formula] = []
        for leaf in leaves {
            let result = active.contains(self) ? adjoints[leaf] ?? .zero(leaf.dimension) : .zero(leaf.dimension)
            results.append(try result.checkedDepth())
        }
        return results
    }

    /// The transposed Jacobian matrix as one vector: block k, of the variable's dimension, is the gradient of component k.
    func gradientMatrix(withRespectTo variable: Variable) throws(FormulaError) -> Formula {
        try checkUnrolled("GradMatrix")
        var matrix: Formula?
        for k in 0..<dimension {
            let basis = Formula.trusted(ElemT(count: dimension, position: k), .one)
            let block = try gradient(withRespectTo: variable, cotangent: basis)
            matrix = try matrix.map { (rows) throws(FormulaError) in try Formula(Concat(), [rows, block]) } ?? block
        }
        return matrix!
    }

    /// A formula that is too deep would be released by too deep a recursion.
    func checkedDepth() throws(FormulaError) -> Formula {
        guard depth <= Self.maximumDepth else {
            throw FormulaError("This formula is nested \(depth) operations deep; the most is \(Self.maximumDepth).")
        }
        return self
    }

    /// A guard for operators that expand into one derivative per component.
    func checkUnrolled(_ name: String) throws(FormulaError) {
        let nodeCount = Formula.topologicalOrder([self]).count
        guard dimension <= 512, nodeCount * dimension <= 100_000 else {
            throw FormulaError(
                "\(name) forms one derivative per component, \(dimension) of a formula with \(nodeCount) operations here; that is too much."
            )
        }
    }

    /// A variable that stands for a formula until it is substituted. Parsed formulas never contain one.
    static func placeHolder(_ k: Int, of dimension: Int) -> Formula {
        .trusted(VariableLeaf(variable: Variable(index: -1 - k, dimension: dimension, category: .parameter)))
    }
}
