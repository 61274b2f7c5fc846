// Comparisons yield 1 or 0. They are false on NaN, but NotEqual. Their bounds are 0 and 1, or one of them where the arguments'
// bounds decide.

struct Equal: BinaryFunction {
    static let name = "Equal"
    static let summary = "1 where f = g, else 0; written `f == g`."

    static func value(_ x: Double, _ y: Double) -> Double { x == y ? 1 : 0 }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) { (nil, nil) }
    static func emit(_ x: Value, _ y: Value) -> Value { (x == y).oneOrZero }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        let (f, g) = (x[0], x[1])
        let isSure = f.isSurelyLess(orEqual: g) * g.isSurelyLess(orEqual: f)
        let isPossible = (1 - f.upper.isLess(than: g.lower)) * (1 - g.upper.isLess(than: f.lower))
        return Bounds(isSure, isPossible, .nonNegative).mask
    }
}

struct NotEqual: BinaryFunction {
    static let name = "NotEqual"
    static let summary = "1 where f ≠ g, else 0; written `f != g`."

    static func value(_ x: Double, _ y: Double) -> Double { x != y ? 1 : 0 }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) { (nil, nil) }
    static func emit(_ x: Value, _ y: Value) -> Value { (x != y).oneOrZero }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        Equal().bounds(x, context).map { Bounds(1 - $0.upper, 1 - $0.lower, .nonNegative).mask }
    }
}

struct LessThan: BinaryFunction {
    static let name = "LessThan"
    static let summary = "1 where f < g, else 0; written `f < g`."

    static func value(_ x: Double, _ y: Double) -> Double { x < y ? 1 : 0 }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) { (nil, nil) }
    static func emit(_ x: Value, _ y: Value) -> Value { (x < y).oneOrZero }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        Bounds(x[0].upper.isLess(than: x[1].lower), 1 - x[1].upper.isLess(orEqual: x[0].lower), .nonNegative).mask
    }
}

struct LessOrEqual: BinaryFunction {
    static let name = "LessOrEqual"
    static let summary = "1 where f ≤ g, else 0; written `f <= g`."

    static func value(_ x: Double, _ y: Double) -> Double { x <= y ? 1 : 0 }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) { (nil, nil) }
    static func emit(_ x: Value, _ y: Value) -> Value { (x <= y).oneOrZero }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        Bounds(x[0].isSurelyLess(orEqual: x[1]), 1 - x[1].upper.isLess(than: x[0].lower), .nonNegative).mask
    }
}

extension Value {
    var oneOrZero: Value { select(emitter.constant(1), emitter.constant(0)) }
}

extension Bounds {
    /// 1 where no value is larger than one of the other's. Between equal infinities, where values may be NaN, it is 0.
    fileprivate func isSurelyLess(orEqual other: Bounds) -> Formula {
        Formula.zero(1).isLess(orEqual: other.lower - upper)
    }
}
