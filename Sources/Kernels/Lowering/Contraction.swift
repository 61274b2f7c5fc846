import Formulas

/// An inner product of a row's vector and a column's vector, both long. For a tile of rows and columns it is a product of two matrices.
public struct Contraction: Hashable, Sendable {
    /// The row's vector: all of an array of the row section.
    var row: ArrayReference
    /// Where the column's vector is, and its first component there.
    var column: ColumnSource
    var first: Int
    /// Whether numbers of 16 bits are multiplied as they are: their products are exact.
    var isOfHalves = false

    /// How many components.
    public var count: Int { row.count }

    /// The least count for which the steps around the product of matrices pay.
    static let leastCount = 16
}

/// Vectors of columns, all with one weight per pair: of all pairs of a tile, their weighted sums are a product of two matrices.
public struct Weighting: Hashable, Sendable {
    /// Where the vector is, and its first component there.
    var column: ColumnSource
    var first: Int
    /// How many components, or those of a chunk.
    public var count: Int

    /// The least count for which the steps around the product of matrices pay.
    static let leastCount = 16
}

extension Reduction {
    /// The vector that depends on the column only, and what it is multiplied by or, where exponentials are summed, the exponent of that.
    var weightedVector: (weight: Formula, vector: Formula)? {
        guard scheme != .kahan else { return nil }
        let parts: (weight: Formula, vector: Formula?) =
            kind == .sum
            ? formula.separatingFactor { !$0.dependence.contains(over.outputCategory.dependence) } : (formula, weight)
        guard let vector = parts.vector, vector.dimension >= Weighting.leastCount, parts.weight.dimension == 1,
            vector.dependence.contains(over.reducedCategory.dependence),
            !vector.dependence.contains(over.outputCategory.dependence)
        else { return nil }
        return (parts.weight, vector)
    }
}

extension Kernel {
    /// Whether factors of the contraction are split, as numbers of 11 bits would be less exact.
    var splitsContraction: Bool { precision.innerProducts == .accurate && contraction?.isOfHalves == false }
    /// The same of weights and the vectors that they weight.
    var splitsWeights: Bool { precision.innerProducts == .accurate }
}

extension FormulaLowering {
    /// The longest inner product of a row and a column, of squared distances too.
    func longestContraction(_ order: [Formula]) -> Formula? {
        var longest: (formula: Formula, count: Int)?
        for formula in order {
            let count = distances[formula]?.row.dimension ?? factors(of: formula)?.row.dimension ?? 0
            if count >= Contraction.leastCount, count > longest?.count ?? 0 { longest = (formula, count) }
        }
        return longest?.formula
    }

    /// The vectors of an inner product of a row and a column.
    func factors(of formula: Formula) -> (row: Formula, column: Formula)? {
        guard stage(formula) == .pair, formula.dimension == 1 else { return nil }
        let product = formula.argument(of: "Sum") ?? formula
        guard ["Scalprod", "Mult"].contains(type(of: product.operation).name), (product == formula) == (product.dimension == 1)
        else { return nil }
        let (u, v) = (product.arguments[0], product.arguments[1])
        guard u.dimension == v.dimension else { return nil }
        switch (stage(u), stage(v)) {
        case (.row, .column): return (u, v)
        case (.column, .row): return (v, u)
        default: return nil
        }
    }

    /// The inner product of kept vectors.
    func emitContraction(_ row: Formula, _ column: Formula) -> Value? {
        guard let array = array(of: row), let (source, first) = source(of: column),
            let product = builder.contract(
                Contraction(row: array, column: source, first: first, isOfHalves: isHalf(row) && isHalf(column)))
        else { return nil }
        // Factors are split into parts: what is infinite is so computed as NaN, and what nearly overflows may be.
        let isFinite = product.apply(.absolute) <= builder.constant(builder.largestFiniteNumber)
        let (u, v) = (operand(row), operand(column))
        return builder.replacing(product, where: isFinite.apply(.not)) { builder.sum(row.dimension) { k in u[k] * v[k] } }
    }

    private func isHalf(_ formula: Formula) -> Bool {
        formula.variable != nil && builder.kernel.precision.storage.isHalf
    }
}
