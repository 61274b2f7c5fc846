import Formulas

extension ArrayExpression {
    /// The gradient of Σ self · cotangent, in the shape of the target.
    ///
    /// Reverse accumulation over the expression (A. Griewank and A. Walther, *Evaluating Derivatives*, 2008, chapter 3):
    /// what each array contributes to its operands is given by ``Reduction/gradient(withRespectTo:cotangentCategory:firstExtraIndex:)``.
    /// - Parameters:
    ///   - target: an array that this expression is computed from; zeros result where it is not.
    ///   - cotangent: of this expression's shape, or one vector for all its points.
    /// - Throws: where the expression has indices in place of values, or where an operation of a formula has no derivative.
    public func gradient(
        withRespectTo target: ArrayExpression, cotangent: ArrayExpression
    ) throws(FormulaError) -> ArrayExpression {
        let order = inOrder
        var dependent: Set<ObjectIdentifier> = [ObjectIdentifier(target)]
        for node in order where node.operands.contains(where: { dependent.contains(ObjectIdentifier($0)) }) {
            dependent.insert(ObjectIdentifier(node))
        }
        var contributions: [ObjectIdentifier: [ArrayExpression]] = [ObjectIdentifier(self): [cotangent]]
        for node in order.reversed() where node !== target && dependent.contains(ObjectIdentifier(node)) {
            let parts = contributions.removeValue(forKey: ObjectIdentifier(node)) ?? []
            guard !parts.isEmpty else { continue }
            let e = parts.count == 1 ? parts[0] : ArrayExpression(totalOf: parts, like: node)
            for (operand, contribution) in try node.contributions(e, where: { dependent.contains(ObjectIdentifier($0)) }) {
                contributions[ObjectIdentifier(operand), default: []].append(contribution)
            }
        }
        return ArrayExpression(totalOf: contributions[ObjectIdentifier(target)] ?? [], like: target)
    }

    /// The derivative along a direction of the target, in the shape of this expression.
    ///
    /// The gradient is linear in its cotangent e; its own gradient with respect to e, along the direction, is the forward
    /// derivative, whatever e is.
    public func tangent(
        withRespectTo target: ArrayExpression, direction: ArrayExpression
    ) throws(FormulaError) -> ArrayExpression {
        let e = ArrayExpression(totalOf: [], like: self)
        return try gradient(withRespectTo: target, cotangent: e).gradient(withRespectTo: e, cotangent: direction)
    }

    /// What a cotangent of this array adds to the cotangents of its operands.
    private func contributions(
        _ e: ArrayExpression, where isWanted: (ArrayExpression) -> Bool
    ) throws(FormulaError) -> [(operand: ArrayExpression, contribution: ArrayExpression)] {
        switch definition {
        case .input: return []
        case .total(let terms, _): return terms.filter(isWanted).map { ($0, e) }
        case .reduction(let reduction, let arguments, let support):
            // Made once, so that the terms share them.
            var others: [Reduction: ArrayExpression] = [reduction: self]
            func result(of other: Reduction) -> ArrayExpression {
                if let known = others[other] { return known }
                let made = ArrayExpression(other, arguments: arguments, support: support)
                others[other] = made
                return made
            }
            func array(_ source: ReductionGradient.ExtraInput.Source) -> ArrayExpression {
                switch source {
                case .cotangent: e
                case .result: self
                case .reduction(let other): result(of: other)
                }
            }
            var results: [(ArrayExpression, ArrayExpression)] = []
            for argument in arguments where isWanted(argument.array) {
                let gradient = try reduction.gradient(
                    withRespectTo: argument.variable, cotangentCategory: e.category,
                    firstExtraIndex: 1 + (arguments.map(\.variable.index).max() ?? -1))
                let terms = gradient.terms.map { term in
                    let extra = term.extraInputs.map { Argument(variable: $0.variable, array: array($0.source)) }
                    let support: Support =
                        switch term.support {
                        case .allPairs: support
                        case .winners(let selection, let slot): .winners(selection: result(of: selection), slot: slot)
                        }
                    return ArrayExpression(term.reduction, arguments: arguments + extra, support: support)
                }
                if !terms.isEmpty { results.append((argument.array, ArrayExpression(totalOf: terms, like: argument.array))) }
            }
            return results
        }
    }
}
