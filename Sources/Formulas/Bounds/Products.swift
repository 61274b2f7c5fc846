extension BoundsContext {
    /// Room for one rounding: see ``BoundsContext``.
    static let oneRounding = 8

    /// Bounds of a product, component by component; what is known of signs saves half of the products.
    func product(_ a: Bounds, _ b: Bounds) -> Bounds {
        switch (a.sign, b.sign) {
        case (.nonPositive, _): return -product(-a, b)
        case (_, .nonPositive): return -product(a, -b)
        case (nil, .nonNegative): return product(b, a)
        case (.nonNegative, .nonNegative):
            let result = widened(
                Bounds(a.lower * b.lower, a.upper * b.upper, .nonNegative), by: Self.oneRounding)
            if a.isNumber || b.isNumber || (a.isPoint && b.isPoint) { return result }
            // 0 · inf is NaN.
            return bounds(result, where: result.upper.isLess(orEqual: largest))
        case (.nonNegative, nil):
            let result = widened(
                Bounds((a.lower * b.lower).atMost(a.upper * b.lower), (a.lower * b.upper).atLeast(a.upper * b.upper)),
                by: Self.oneRounding)
            return a.isNumber || (a.isPoint && b.isPoint) ? result : bounds(result, unlessNaN: result.probe)
        case (nil, nil):
            let (lowers, uppers) = ((a.lower * b.lower, a.lower * b.upper), (a.upper * b.lower, a.upper * b.upper))
            let result = widened(
                Bounds(
                    lowers.0.atMost(lowers.1).atMost(uppers.0.atMost(uppers.1)),
                    lowers.0.atLeast(lowers.1).atLeast(uppers.0.atLeast(uppers.1))), by: Self.oneRounding)
            return a.isPoint && b.isPoint ? result : bounds(result, unlessNaN: result.probe)
        }
    }

    /// Bounds of 1/x: NaN where x may be 0, whose sign decides between the infinities.
    func reciprocal(_ x: Bounds) -> Bounds {
        if x.lower.isZero || x.upper.isZero { return unknown(x.dimension) }
        let isNonzero =
            switch x.sign {
            case .nonNegative: Formula.zero(1).isLess(than: x.lower)
            case .nonPositive: x.upper.isLess(than: .zero(1))
            case nil: Formula.zero(1).isLess(than: x.lower * x.upper)
            }
        return bounds(widened(Bounds(x.upper.inverse, x.lower.inverse, x.sign), by: Self.oneRounding), where: isNonzero)
    }

    /// Bounds of the sum of the components.
    func sum(_ x: Bounds) -> Bounds {
        guard x.dimension > 1 else { return x }
        let roundings = Self.oneRounding * (x.dimension + 2)
        let result = Bounds(x.lower.sum, x.upper.sum, x.sign)
        if x.sign != nil { return widened(result, by: roundings) }
        let room = Formula(error(roundings)) * (-x.lower).atLeast(x.upper).sum
        return Bounds(result.lower - room, result.upper + room)
    }

    /// Bounds of an operation that is linear in each of two arguments, as sums of at most `terms` products: the value at the
    /// middles of the boxes, more or less what is half a width away.
    func bilinear(_ a: Bounds, _ b: Bounds, terms: Int, _ operation: (Formula, Formula) -> Formula) -> Bounds {
        let (a, b) = (Ball(a), Ball(b))
        // |ab - āb̄| ≤ |ā| r + s (|b̄| + r) for radii s of a and r of b.
        var room = Formula(error(Self.oneRounding * (terms + 2))) * operation(a.magnitude, b.magnitude) + smallest
        if let radius = b.radius { room = room + operation(a.middle.absolute, radius) }
        if let radius = a.radius { room = room + operation(radius, b.magnitude) }
        let value = operation(a.middle, b.middle)
        return Bounds(value - room, value + room)
    }

    private struct Ball {
        var middle: Formula
        /// Nil stands for 0.
        var radius: Formula?
        var magnitude: Formula

        init(_ x: Bounds) {
            let half = Formula(Number(1, over: 2)!)
            middle = x.isPoint ? x.lower : half * (x.lower + x.upper)
            radius = x.isPoint ? nil : half * (x.upper - x.lower)
            magnitude = radius.map { [middle] in middle.absolute + $0 } ?? middle.absolute
        }
    }
}

extension Bounds {
    fileprivate var isNumber: Bool { isPoint && lower.number != nil }
}
