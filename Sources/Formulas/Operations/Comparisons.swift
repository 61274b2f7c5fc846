// Comparisons yield 1 or 0. They are false on NaN, but NotEqual.

struct Equal: BinaryFunction {
    static let name = "Equal"
    static let summary = "1 where f = g, else 0; written `f == g`."

    static func value(_ x: Double, _ y: Double) -> Double { x == y ? 1 : 0 }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) { (nil, nil) }
    static func emit(_ x: Value, _ y: Value) -> Value { (x == y).oneOrZero }
}

struct NotEqual: BinaryFunction {
    static let name = "NotEqual"
    static let summary = "1 where f ≠ g, else 0; written `f != g`."

    static func value(_ x: Double, _ y: Double) -> Double { x != y ? 1 : 0 }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) { (nil, nil) }
    static func emit(_ x: Value, _ y: Value) -> Value { (x != y).oneOrZero }
}

struct LessThan: BinaryFunction {
    static let name = "LessThan"
    static let summary = "1 where f < g, else 0; written `f < g`."

    static func value(_ x: Double, _ y: Double) -> Double { x < y ? 1 : 0 }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) { (nil, nil) }
    static func emit(_ x: Value, _ y: Value) -> Value { (x < y).oneOrZero }
}

struct LessOrEqual: BinaryFunction {
    static let name = "LessOrEqual"
    static let summary = "1 where f ≤ g, else 0; written `f <= g`."

    static func value(_ x: Double, _ y: Double) -> Double { x <= y ? 1 : 0 }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) { (nil, nil) }
    static func emit(_ x: Value, _ y: Value) -> Value { (x <= y).oneOrZero }
}

extension Value {
    var oneOrZero: Value { select(emitter.constant(1), emitter.constant(0)) }
}
