// Bounds of formulas are formulas, as derivatives are: of the corners of the boxes that the variables lie in. They are
// interval arithmetic (R. E. Moore, "Interval Analysis", 1966), one rule with each operation's definition, and are compiled
// and vectorised like any formula. The graph is walked once, so that bounds are a small multiple of the formula.

extension Formula {
    /// Bounds of every value that may be computed for this formula where its variables lie in boxes.
    ///
    /// The bounds are to be computed in the type in which the formula is. Rounding, in the formula and in the bounds, is
    /// allowed for; see ``BoundsContext``.
    ///
    /// - Parameters:
    ///   - variables: for each variable that is not exact the corners of its box, of its dimension. No number in a box is
    ///     NaN; corners may be infinite.
    ///   - roundoff: the unit roundoff of the type that is computed in, 2^-24 or 2^-53.
    /// - Returns: nil where nothing can be said: an operation of the formula has no useful bounds.
    public func bounds(of variables: [Variable: Bounds], roundoff: Number) throws(FormulaError) -> Bounds? {
        for (variable, box) in variables {
            guard box.lower.dimension == variable.dimension, box.upper.dimension == variable.dimension else {
                throw FormulaError(
                    "The bounds of a variable have its dimension, \(variable.dimension); these have \(box.lower.dimension) and \(box.upper.dimension)."
                )
            }
        }
        let context = BoundsContext(roundoff: roundoff)
        var results: [Formula: Bounds] = [:]
        for formula in Formula.topologicalOrder([self]) {
            if let variable = formula.variable {
                results[formula] = variables[variable] ?? Bounds(exactly: formula)
                continue
            }
            let known = formula.arguments.map { results[$0] }
            // A condition may keep out what is unknown, nothing else does.
            guard formula.operation is IfElse || known.allSatisfy({ $0 != nil }) else { continue }
            let arguments = zip(formula.arguments, known).map { $1 ?? context.unknown($0.dimension) }
            guard let result = formula.operation.bounds(arguments, context)?.repeated(formula.dimension) else { continue }
            // Bounds are nested several times as deep as the formula; see `checkedDepth`.
            guard max(result.lower.depth, result.upper.depth) <= Self.maximumDepth else { return nil }
            results[formula] = result
        }
        return results[self]
    }
}
