/// Two formulas between which the values of a third lie, component by component.
///
/// A bound that is NaN says nothing. A value that may be NaN has bounds that say nothing: the lower one is -inf or NaN, the
/// upper one inf or NaN.
public struct Bounds: Sendable {
    public var lower: Formula
    public var upper: Formula
    /// What is known of the values' signs without looking at numbers. The bounds have that sign too, or are NaN.
    var sign: Sign?
    /// Whether the value is often exactly 0 on a box, as that of a mask: products with it then are too, which costs an operation to say.
    var isMask = false

    /// Zero counts as either.
    enum Sign: Sendable { case nonNegative, nonPositive }

    /// - Parameters:
    ///   - lower: of the dimension of what is bounded.
    ///   - upper: of the same dimension.
    public init(lower: Formula, upper: Formula) { self.init(lower, upper) }

    init(_ lower: Formula, _ upper: Formula, _ sign: Sign? = nil) { (self.lower, self.upper, self.sign) = (lower, upper, sign) }

    /// A formula that is computed alike wherever it stands: a leaf.
    init(exactly leaf: Formula) {
        self.init(leaf, leaf)
        if leaf.isZero {
            sign = .nonNegative
        } else if let number = leaf.number {
            sign = number.isNegative ? .nonPositive : .nonNegative
        }
    }

    var dimension: Int { lower.dimension }

    /// Whether both bounds are one formula.
    var isPoint: Bool { lower == upper }

    /// Both bounds through a function that is the same for each.
    func map(_ function: (Formula) -> Formula) -> Bounds {
        var result = Bounds(function(lower), function(upper), sign)
        result.isMask = isMask
        return result
    }

    /// The same, known to be a mask's.
    var mask: Bounds {
        var result = self
        result.isMask = true
        return result
    }

    static prefix func - (a: Bounds) -> Bounds {
        var result = Bounds(-a.upper, -a.lower, a.sign.map { $0 == .nonNegative ? .nonPositive : .nonNegative })
        result.isMask = a.isMask
        return result
    }

    // Rounding to nearest is monotone: the computed sum of two numbers is at least the computed sum of two smaller ones, and
    // an exact product that is added without being rounded first lies within its bounds as well. Nothing is widened.

    static func + (a: Bounds, b: Bounds) -> Bounds {
        Bounds(a.lower + b.lower, a.upper + b.upper, a.sign == b.sign ? a.sign : nil)
    }

    static func - (a: Bounds, b: Bounds) -> Bounds {
        let isOpposite = a.sign != nil && b.sign != nil && a.sign != b.sign
        return Bounds(a.lower - b.upper, a.upper - b.lower, isOpposite ? a.sign : nil)
    }
}
