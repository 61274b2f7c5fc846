extension Formula {
    /// (∂self/∂variable) `tangent`: the derivative in a direction.
    ///
    /// - Parameter tangent: a formula of the variable's dimension.
    public func differential(
        withRespectTo variable: Variable, tangent: Formula
    ) throws(FormulaError) -> Formula {
        guard tangent.dimension == variable.dimension else {
            throw FormulaError(
                "The derivative along a variable of dimension \(variable.dimension) takes a tangent of that dimension; it has \(tangent.dimension)."
            )
        }
        return try differential(along: [try Formula(variable): tangent])
    }

    /// The derivative along several leaves at once: Σ (∂self/∂leaf) tangent.
    func differential(along tangents: [Formula: Formula]) throws(FormulaError) -> Formula {
        var results = tangents
        for formula in Formula.topologicalOrder([self]) where results[formula] == nil {
            let own = formula.arguments.map { results[$0] }
            guard own.contains(where: { $0 != nil }) else { continue }
            let result = try formula.operation.pushforward(of: own, formula.arguments, result: formula)
            if !result.isZero { results[formula] = result }
        }
        return try (results[self] ?? .zero(dimension)).checkedDepth()
    }
}
