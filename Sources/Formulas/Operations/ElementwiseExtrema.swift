// The larger and the smaller of two numbers. The first wins a tie, and NaN wins over numbers, as in Max and Min.

struct Maximum: BinaryFunction {
    static let name = "Maximum"
    static let summary =
        "The larger of f and g, component by component; NaN where one is. The derivative flows to it, to f where they are equal."

    static func value(_ x: Double, _ y: Double) -> Double { x >= y || x.isNaN ? x : y }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) {
        (y.isLess(orEqual: x), 1 - y.isLess(orEqual: x))
    }
    static func emit(_ x: Value, _ y: Value) -> Value { (x >= y || x.isNaN).select(x, y) }

    func simplified(_ arguments: [Formula]) -> Formula? {
        simplifiedExtremum(arguments) { $0.value >= $1.value }
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        let sign: Bounds.Sign? =
            x.contains { $0.sign == .nonNegative } ? .nonNegative : x.allSatisfy { $0.sign == .nonPositive } ? .nonPositive : nil
        return context.bounds(
            Bounds(x[0].lower.atLeast(x[1].lower), x[0].upper.atLeast(x[1].upper), sign), unlessNaN: x[0].probe + x[1].probe)
    }
}

struct Minimum: BinaryFunction {
    static let name = "Minimum"
    static let summary =
        "The smaller of f and g, component by component; NaN where one is. The derivative flows to it, to f where they are equal."

    static func value(_ x: Double, _ y: Double) -> Double { x <= y || x.isNaN ? x : y }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) {
        (x.isLess(orEqual: y), 1 - x.isLess(orEqual: y))
    }
    static func emit(_ x: Value, _ y: Value) -> Value { (x <= y || x.isNaN).select(x, y) }

    func simplified(_ arguments: [Formula]) -> Formula? {
        simplifiedExtremum(arguments) { $0.value <= $1.value }
    }

    /// min(f, g) = -max(-f, -g).
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        Maximum().bounds(x.map { -$0 }, context).map { -$0 }
    }
}

private func simplifiedExtremum(_ arguments: [Formula], _ wins: (Number, Number) -> Bool) -> Formula? {
    let (f, g) = (arguments[0], arguments[1])
    if f == g { return f }
    if let m = f.number, let n = g.number { return wins(m, n) ? f : g }
    return nil
}
