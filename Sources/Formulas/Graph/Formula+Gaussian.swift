/// A formula that is a Gaussian of the distance between something of the rows and something of the columns, times factors:
/// `rowFactor · columnFactor · Exp(rowExponent + columnExponent - Σ_a weight_a (rows_a - columns_a)²)`, and where it has terms, times
/// `(rowTerm + columnTerm)`, as its derivatives are.
///
/// What follows neither index counts as following the rows.
public struct GaussianProduct: Sendable {
    /// Vectors of one dimension, each of one index only.
    public var rows: Formula
    public var columns: Formula
    /// Of their dimension or of dimension 1; follows no index.
    public var weight: Formula
    /// Nil stands for 1.
    public var rowFactor: Formula?
    public var columnFactor: Formula?
    /// Nil stands for 0.
    public var rowExponent: Formula?
    public var columnExponent: Formula?
    /// Both, of one dimension, or none.
    public var rowTerm: Formula?
    public var columnTerm: Formula?
}

extension Formula {
    /// This formula as a Gaussian with factors; nil where it is none, or is not seen to be.
    public func gaussianProduct(rows: Category, columns: Category) -> GaussianProduct? {
        let (own, rowFactor) = separatingFactor { !$0.dependence.contains(columns.dependence) }
        let (rest, columnFactor) = own.separatingFactor { !$0.dependence.contains(rows.dependence) }
        let (bell, sum) = rest.separatingFactor { $0.terms(rows, columns) != nil }
        guard let exponent = bell.exponent, var result = exponent.gaussianExponent(rows: rows, columns: columns) else {
            return nil
        }
        if let sum {
            // Of two sums it would be their product.
            guard let terms = sum.terms(rows, columns) else { return nil }
            (result.rowTerm, result.columnTerm) = terms
        }
        result.rowFactor = rowFactor
        result.columnFactor = columnFactor
        return result
    }

    /// What follows the rows and what follows the columns, where this is the sum of the two.
    private func terms(_ rows: Category, _ columns: Category) -> (rows: Formula, columns: Formula)? {
        if let inner = negated { return inner.terms(rows, columns).map { (-$0.rows, -$0.columns) } }
        guard let (a, b) = parts(Add.self) ?? parts(Subtract.self).map({ ($0, -$1) }) else { return nil }
        let (own, other) = a.dependence.contains(rows.dependence) ? (a, b) : (b, a)
        guard own.dependence.contains(rows.dependence), !own.dependence.contains(columns.dependence),
            other.dependence.contains(columns.dependence), !other.dependence.contains(rows.dependence)
        else { return nil }
        return (own.repeated(dimension), other.repeated(dimension))
    }

    /// The same for the exponent of an exponential.
    public func gaussianExponent(rows: Category, columns: Category) -> GaussianProduct? {
        guard dimension == 1 else { return nil }
        var found: GaussianProduct?
        var exponents: (rows: Formula?, columns: Formula?)
        var open = [(formula: self, scale: Formula.one)]
        while let (formula, scale) = open.popLast() {
            if !formula.dependence.contains(columns.dependence) {
                exponents.rows = exponents.rows.map { $0 + scale * formula } ?? scale * formula
            } else if !formula.dependence.contains(rows.dependence) {
                exponents.columns = exponents.columns.map { $0 + scale * formula } ?? scale * formula
            } else if let (a, b) = formula.parts(Add.self) {
                open += [(a, scale), (b, scale)]
            } else if let (a, b) = formula.parts(Subtract.self) {
                open += [(a, scale), (b, -scale)]
            } else if let inner = formula.negated {
                open.append((inner, -scale))
            } else if let (factor, inner) = formula.partsScaled {
                open.append((inner, scale * factor))
            } else if found == nil, let quadratic = formula.weightedSquaredDistance(rows, columns) {
                found = quadratic
                found!.weight = -scale * quadratic.weight
            } else {
                return nil
            }
        }
        found?.rowExponent = exponents.rows
        found?.columnExponent = exponents.columns
        return found
    }

    /// Σ_a weight_a (rows_a - columns_a)².
    private func weightedSquaredDistance(_ rows: Category, _ columns: Category) -> GaussianProduct? {
        var square = operation is Sum ? arguments[0] : self
        var weight = Formula.one
        if let (a, b) = parts(Scalprod.self) { (weight, square) = a.dependence.isDisjoint(with: .pair) ? (a, b) : (b, a) }
        guard square.operation is Square, weight.dependence.isDisjoint(with: .pair) else { return nil }
        var difference = square.arguments[0]
        while true {
            if let (factor, rest) = difference.partsScaled {
                (weight, difference) = (weight * factor.squared, rest)
            } else if let inner = difference.negated {
                difference = inner
            } else {
                break
            }
        }
        // A sum is the difference from the negative.
        guard let (a, b) = difference.parts(Subtract.self) ?? difference.parts(Add.self).map({ ($0, -$1) }) else { return nil }
        let (own, other) = a.dependence.contains(rows.dependence) ? (a, b) : (b, a)
        guard !own.dependence.contains(columns.dependence), !other.dependence.contains(rows.dependence),
            own.dependence.contains(rows.dependence), other.dependence.contains(columns.dependence)
        else { return nil }
        return GaussianProduct(
            rows: own.repeated(square.dimension), columns: other.repeated(square.dimension), weight: weight)
    }

    /// A factor that follows no index, and what it is a factor of.
    private var partsScaled: (factor: Formula, rest: Formula)? {
        if let (a, b) = parts(Mult.self) {
            if a.dependence.isDisjoint(with: .pair) { return (a, b) }
            if b.dependence.isDisjoint(with: .pair) { return (b, a) }
        }
        if let (a, b) = parts(Divide.self), b.dependence.isDisjoint(with: .pair) { return (b.inverse, a) }
        return nil
    }
}
