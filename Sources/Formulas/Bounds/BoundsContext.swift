/// What rules of bounds are written with: room for rounding, and bounds of functions, products and sums.
///
/// Rounding. A basic operation errs by at most one unit roundoff u relative to its result, n of them by
/// γ_n = n u / (1 - n u) (N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2002, chapter 3), a sum of n terms in any
/// order by γ_n Σ |x_k|. The generated code does not compute a formula step by step: products are fused into sums,
/// factors are moved out of sums and into exponentials, quotients become products with reciprocals, long squared distances
/// are taken from inner products. Each of these costs a few roundings where the formula has one, and the bounds are rounded
/// themselves. Rules therefore widen by 8 u where an operation rounds once, and by twice the stated error, and more, of
/// functions: that much is never seen in what is pruned, and a bound that is wrong once is worth nothing.
///
/// Underflow. Where a result is below the normal numbers, errors are absolute, or it is flushed to zero: rules widen by the
/// smallest normal numbers too.
public struct BoundsContext: Sendable {
    let roundoff: Number
    /// Twice the smallest normal number of the type.
    let smallest: Formula
    /// Half of what overflows.
    let largest: Formula

    init(roundoff: Number) {
        self.roundoff = roundoff
        let isSingle = roundoff.value > 0x1p-40
        smallest = Formula(Number(isSingle ? 0x1p-125 : 0x1p-1021)!)
        largest = Formula(Number(isSingle ? 0x1p127 : 0x1p1023)!)
    }

    /// A number of roundings, as a factor.
    func error(_ roundings: Int) -> Number { Number(Double(roundings) * roundoff.value)! }

    /// Bounds with room for so many roundings of what they bound, and of themselves.
    func widened(_ bounds: Bounds, by roundings: Int) -> Bounds {
        guard roundings > 0 else { return bounds }
        let error = error(roundings)
        let (less, more) = (Formula(Number(max(0, 1 - error.value))!), Formula(Number(1 + error.value)!))
        switch bounds.sign {
        case .nonNegative:
            let lower = (less * bounds.lower - smallest).atLeast(.zero(1))
            return Bounds(lower, more * bounds.upper + smallest, .nonNegative)
        case .nonPositive: return -widened(-bounds, by: roundings)
        case nil:
            func room(_ bound: Formula) -> Formula { Formula(error) * bound.absolute + smallest }
            return Bounds(bounds.lower - room(bounds.lower), bounds.upper + room(bounds.upper))
        }
    }

    // MARK: What is not known

    /// NaN. No number of a formula is, but the square root of one.
    var nan: Formula { Formula(Number(-1)).squareRoot }

    func unknown(_ dimension: Int) -> Bounds { Bounds(exactly: nan.repeated(dimension)) }

    /// The bounds, or NaN where the probe is NaN. A sum of two bounds is where one is, and on the whole line.
    func bounds(_ bounds: Bounds, unlessNaN probe: Formula) -> Bounds {
        bounds.map { probe.absolute.ifNonNegative($0, else: nan) }
    }

    /// The bounds, or NaN where the condition, of zeros and ones, is 0.
    func bounds(_ bounds: Bounds, where condition: Formula) -> Bounds {
        bounds.map { condition.choose($0, else: nan) }
    }
}

extension Formula {
    /// The larger one, component by component.
    func atLeast(_ other: Formula) -> Formula { .trusted(Maximum(), self, other) }
    /// The smaller one.
    func atMost(_ other: Formula) -> Formula { .trusted(Minimum(), self, other) }

    /// 1 where this is less than the other, else 0, on NaN too.
    func isLess(than other: Formula) -> Formula { .trusted(LessThan(), self, other) }
    func isLess(orEqual other: Formula) -> Formula { .trusted(LessOrEqual(), self, other) }

    /// The first where this is 1, the second where it is 0.
    func choose(_ a: Formula, else b: Formula) -> Formula { (self - 1).ifNonNegative(a, else: b) }
}

extension Bounds {
    /// NaN on the whole line and where a bound is NaN, which is wherever a value may be NaN. Functions whose limits at
    /// infinity are finite, and those that are even, would hide it.
    var probe: Formula { lower + upper }

    func repeated(_ dimension: Int) -> Bounds { map { $0.repeated(dimension) } }
}
