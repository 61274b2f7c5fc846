extension BoundsContext {
    /// Room for one rounding: see ``BoundsContext``.
    static let oneRounding = 8

    /// Bounds of a product, component by component or as another multiplication pairs them; what is known of signs saves half
    /// of the products.
    func product(
        _ a: Bounds, _ b: Bounds, by multiply: (Formula, Formula) -> Formula = { $0 * $1 }
    ) -> Bounds {
        let result = withoutHiddenInfinities(a, b, corners(a, b, multiply))
        // What underflow may leave is not left by a factor that is 0.
        return [a, b].filter(\.isMask).reduce(result) { result, mask in
            Bounds(result.lower * mask.presence, result.upper * mask.presence, result.sign).mask
        }
    }

    /// 0 times an infinity is NaN, but a bound that is the number 0 makes every product with it 0 when formulas are built.
    private func withoutHiddenInfinities(_ a: Bounds, _ b: Bounds, _ result: Bounds) -> Bounds {
        let others = [(a, b), (b, a)].filter { $0.hasZero && !$1.isNumber }.map { $1 }
        return others.reduce(result) { bounds($0, where: .trusted(Max(), $1.magnitude).isLess(orEqual: largest)) }
    }

    private func corners(_ a: Bounds, _ b: Bounds, _ multiply: (Formula, Formula) -> Formula) -> Bounds {
        // An infinity times 0 is NaN: the infinity shows in a bound of the product.
        let isExact = a.isNumber || b.isNumber || (a.isPoint && b.isPoint)
        switch (a.sign, b.sign) {
        case (.nonPositive, _): return -corners(-a, b, multiply)
        case (_, .nonPositive): return -corners(a, -b, multiply)
        case (.nonNegative, .nonNegative):
            let ends = Bounds(multiply(a.lower, b.lower), multiply(a.upper, b.upper), .nonNegative)
            let result = widened(ends, by: Self.oneRounding)
            return isExact ? result : bounds(result, where: result.upper.isLess(orEqual: largest))
        case (.nonNegative, nil):
            let lowers = [a.lower, a.upper].map { multiply($0, b.lower) }
            let uppers = [a.lower, a.upper].map { multiply($0, b.upper) }
            return bounds(lowers, uppers, isExact: isExact)
        case (nil, .nonNegative): return corners(b, a) { multiply($1, $0) }
        case (nil, nil):
            let corners = [a.lower, a.upper].flatMap { a in [b.lower, b.upper].map { b in multiply(a, b) } }
            return bounds(corners, corners, isExact: isExact)
        }
    }

    private func bounds(_ lowers: [Formula], _ uppers: [Formula], isExact: Bool) -> Bounds {
        let result = widened(Bounds(least(lowers), greatest(uppers)), by: Self.oneRounding)
        return isExact ? result : bounds(result, unlessNaN: result.probe)
    }

    /// The least of some formulas, component by component.
    func least(_ formulas: [Formula]) -> Formula { formulas.dropFirst().reduce(formulas[0]) { $0.atMost($1) } }
    func greatest(_ formulas: [Formula]) -> Formula { formulas.dropFirst().reduce(formulas[0]) { $0.atLeast($1) } }

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
        if x.sign != nil {
            let wide = widened(result, by: roundings)
            return x.isMask ? Bounds(wide.lower * x.presence, wide.upper * x.presence, wide.sign).mask : wide
        }
        let room = Formula(error(roundings)) * x.magnitude.sum
        return Bounds(result.lower - room, result.upper + room)
    }

    /// Bounds of an operation that is linear in each of two arguments, as sums of so many products: the value at the middles
    /// of the boxes, more or less what is half a width away.
    func bilinear(_ a: Bounds, _ b: Bounds, terms: Int, _ operation: (Formula, Formula) -> Formula) -> Bounds {
        let boxes = (a, b)
        let (a, b) = (Ball(a, smallest: smallest), Ball(b, smallest: smallest))
        // |ab - āb̄| ≤ |ā| r + s (|b̄| + r) for radii s of a and r of b.
        let roundings = Self.oneRounding * (terms + 2)
        var room = Formula(error(roundings)) * operation(a.magnitude, b.magnitude) + roundings * smallest
        if let radius = b.radius { room = room + operation(a.middle.absolute, radius) }
        if let radius = a.radius { room = room + operation(radius, b.magnitude) }
        let value = operation(a.middle, b.middle)
        return withoutHiddenInfinities(boxes.0, boxes.1, Bounds(value - room, value + room))
    }
}

/// The middle of an interval and how far it reaches.
struct Ball {
    var middle: Formula
    /// Nil stands for 0.
    var radius: Formula?
    var magnitude: Formula

    /// - Parameter smallest: what the middle may be off where halving underflows.
    init(_ x: Bounds, smallest: Formula) {
        let half = Formula(Number(1, over: 2)!)
        middle = x.isPoint ? x.lower : half * (x.lower + x.upper)
        radius = x.isPoint ? nil : half * (x.upper - x.lower) + smallest
        magnitude = radius.map { [middle] in middle.absolute + $0 } ?? middle.absolute
    }
}

extension Bounds {
    fileprivate var isNumber: Bool { isPoint && lower.number != nil }
    fileprivate var hasZero: Bool { lower.isZero || upper.isZero }

    /// 1 where some component may be other than 0, else 0.
    fileprivate var presence: Formula { Formula.trusted(Max(), magnitude).sign }

    /// The largest size that a value may have.
    var magnitude: Formula {
        switch sign {
        case .nonNegative: upper
        case .nonPositive: -lower
        case nil: isPoint ? lower.absolute : (-lower).atLeast(upper)
        }
    }
}
