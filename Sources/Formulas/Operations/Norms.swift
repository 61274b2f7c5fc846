// Norms and distances: names for formulas in other operations.

extension Formula {
    static func squaredNorm(_ f: Formula) -> Formula { f.squared.sum }
    static func norm(_ f: Formula) -> Formula { f.squared.sum.squareRoot }
    static func normalized(_ f: Formula) -> Formula { f.squared.sum.reciprocalSquareRoot * f }

    static func squaredDistance(_ f: Formula, _ g: Formula) throws(FormulaError) -> Formula {
        squaredNorm(try Formula(Subtract(), [f, g]))
    }

    static func isotropicSquaredNorm(_ s: Formula, _ f: Formula) throws(FormulaError) -> Formula {
        try Formula(Mult(), [s, squaredNorm(f)])
    }

    static func diagonalSquaredNorm(_ s: Formula, _ f: Formula) throws(FormulaError) -> Formula {
        (try Formula(Mult(), [s, f.squared])).sum
    }

    /// fᵀ A f.
    static func symmetricSquaredNorm(_ matrix: Formula, _ f: Formula) throws(FormulaError) -> Formula {
        try Formula(Scalprod(), [f, try Formula(MatVecMult(), [matrix, f])])
    }

    /// The squared norm for one weight, one weight per component, or a matrix of weights.
    static func weightedSquaredNorm(_ s: Formula, _ f: Formula) throws(FormulaError) -> Formula {
        let d = f.dimension
        switch s.dimension {
        case 1: return try isotropicSquaredNorm(s, f)
        case d: return try diagonalSquaredNorm(s, f)
        case d.multipliedReportingOverflow(by: d).partialValue: return try symmetricSquaredNorm(s, f)
        default:
            throw FormulaError(
                "WeightedSqNorm takes 1, \(d) or \(d)·\(d) weights for a vector of dimension \(d); these are \(s.dimension).")
        }
    }

    static func weightedSquaredDistance(_ s: Formula, _ f: Formula, _ g: Formula) throws(FormulaError) -> Formula {
        try weightedSquaredNorm(s, try Formula(Subtract(), [f, g]))
    }
}
