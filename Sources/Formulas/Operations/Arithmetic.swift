// Sum, difference, product and quotient, with the rewriting rules that keep formulas small. Every rule lowers the number
// of operations or moves constants left and exponentials right, so that rewriting ends.

struct Add: BinaryFunction {
    static let name = "Add"
    static let summary = "f + g; written `f + g`."
    var linearity: Linearity { .jointly }

    static func value(_ x: Double, _ y: Double) -> Double { x + y }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) { (.one, .one) }
    static func emit(_ x: Value, _ y: Value) -> Value { x + y }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { x[0] + x[1] }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let (a, b) = (arguments[0], arguments[1])
        let dimension = max(a.dimension, b.dimension)
        if a.isZero { return b.repeated(dimension) }
        if b.isZero { return a.repeated(dimension) }
        if a == b { return 2 * a }
        if let m = a.number, let n = b.number, let sum = m + n { return Formula(sum) }
        if let (g, c) = a.negated.map({ (b, $0) }) {
            return b.negated.map { -(c + $0) } ?? g - c
        }
        if let g = b.negated { return a - g }
        // Constants stand on the left, where they meet.
        if b.number != nil { return b + a }
        return constantsTogether(a, b) ?? commonFactor(a, b, combine: +)
    }

    /// c + (r ± g) = (c + r) ± g.
    private func constantsTogether(_ c: Formula, _ other: Formula) -> Formula? {
        guard let m = c.number else { return nil }
        if let (r, g) = other.parts(Add.self), let n = r.number, let sum = m + n { return Formula(sum) + g }
        if let (r, g) = other.parts(Subtract.self), let n = r.number, let sum = m + n { return Formula(sum) - g }
        return nil
    }
}

struct Subtract: BinaryFunction {
    static let name = "Subtract"
    static let summary = "f - g; written `f - g`."
    var linearity: Linearity { .jointly }

    static func value(_ x: Double, _ y: Double) -> Double { x - y }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) { (.one, -.one) }
    static func emit(_ x: Value, _ y: Value) -> Value { x - y }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { x[0] - x[1] }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let (a, b) = (arguments[0], arguments[1])
        let dimension = max(a.dimension, b.dimension)
        if a.isZero { return (-b).repeated(dimension) }
        if b.isZero { return a.repeated(dimension) }
        if a == b { return .zero(dimension) }
        if let m = a.number, let n = b.number, let difference = m - n { return Formula(difference) }
        if let g = b.negated { return a + g }
        if let m = a.number {
            if let (r, g) = b.parts(Add.self), let n = r.number, let difference = m - n { return Formula(difference) - g }
            if let (r, g) = b.parts(Subtract.self), let n = r.number, let difference = m - n { return Formula(difference) + g }
        }
        if let m = b.number {
            if let (r, g) = a.parts(Add.self), let n = r.number, let difference = n - m { return Formula(difference) + g }
            if let (r, g) = a.parts(Subtract.self), let n = r.number, let difference = n - m { return Formula(difference) - g }
            if let (g, r) = a.parts(Subtract.self), let n = r.number, let sum = n + m { return g - Formula(sum) }
        }
        return commonFactor(a, b, combine: -)
    }
}

struct Minus: UnaryFunction {
    static let name = "Minus"
    static let summary = "-f; written `-f`."
    var linearity: Linearity { .jointly }

    static func value(_ x: Double) -> Double { -x }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { -.one }
    static func emit(_ x: Value) -> Value { -x }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { -x[0] }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let f = arguments[0]
        if f.isZero { return f }
        if let g = f.negated { return g }
        if let number = f.number, let opposite = -number { return Formula(opposite) }
        if let (a, b) = f.parts(Subtract.self) { return b - a }
        if let (c, g) = f.parts(Mult.self), let number = c.number, let opposite = -number { return Formula(opposite) * g }
        return nil
    }
}

struct Mult: BinaryFunction {
    static let name = "Mult"
    static let summary = "f * g; written `f * g`."
    var linearity: Linearity { .inEach }

    static func value(_ x: Double, _ y: Double) -> Double { x * y }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) { (y, x) }
    static func emit(_ x: Value, _ y: Value) -> Value { x * y }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { context.product(x[0], x[1]) }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let (f, g) = (arguments[0], arguments[1])
        let dimension = max(f.dimension, g.dimension)
        if f.isZero || g.isZero { return .zero(dimension) }
        if let m = f.number, let n = g.number, let product = m * n { return Formula(product) }
        if let m = f.number { return scaled(m, f, g) }
        if g.number != nil { return g * f }
        return signs(f, g) ?? constantFactors(f, g) ?? (f == g ? f.squared : nil) ?? repetitions(f, g)
            ?? exponentials(f, g)
    }

    /// A number times something.
    private func scaled(_ m: Number, _ f: Formula, _ g: Formula) -> Formula? {
        if m == .one { return g }
        if m == Number(-1) { return -g }
        if let h = g.negated, let opposite = -m { return Formula(opposite) * h }
        if let (c, h) = g.parts(Mult.self), let n = c.number, let product = m * n { return Formula(product) * h }
        return nil
    }

    private func signs(_ f: Formula, _ g: Formula) -> Formula? {
        switch (f.negated, g.negated) {
        case (let a?, let b?): a * b
        case (let a?, nil): -(a * g)
        case (nil, let b?): -(f * b)
        case (nil, nil): nil
        }
    }

    private func constantFactors(_ f: Formula, _ g: Formula) -> Formula? {
        if let (c, h) = g.parts(Mult.self), c.number != nil { return c * (f * h) }
        if let (c, h) = f.parts(Mult.self), c.number != nil { return c * (h * g) }
        return nil
    }

    /// Products of repeated scalars are repeated products; a vector needs no repetition beside it.
    private func repetitions(_ f: Formula, _ g: Formula) -> Formula? {
        switch (f.repeatedScalar, g.repeatedScalar) {
        case (let a?, let b?): (a * b).repeated(f.dimension)
        case (let a?, nil): g.dimension == 1 ? (a * g).repeated(f.dimension) : a * g
        case (nil, let b?): f.dimension == 1 ? (f * b).repeated(g.dimension) : f * b
        case (nil, nil): nil
        }
    }

    /// Exponentials meet on the right and merge, unless that would move work to a later stage: Exp(x_i) · Exp(y_j) costs
    /// nothing per pair, Exp(x_i + y_j) does.
    private func exponentials(_ f: Formula, _ g: Formula) -> Formula? {
        func merge(_ a: Formula, _ b: Formula) -> Formula? {
            let together = a.dependence.union(b.dependence).intersection(.pair)
            let isFree = together == a.dependence.intersection(.pair) || together == b.dependence.intersection(.pair)
            return isFree ? (a + b).exp : nil
        }
        if let a = f.exponent {
            if let b = g.exponent { return merge(a, b) }
            if a.dimension >= g.dimension { return g * f }
        }
        if let (u, last) = f.parts(Mult.self), let a = last.exponent {
            if let b = g.exponent { return merge(a, b).map { u * $0 } }
            if let (v, other) = g.parts(Mult.self), let b = other.exponent, let merged = merge(a, b) {
                return (u * v) * merged
            }
            if g.dimension <= a.dimension { return (u * g) * last }
        }
        if let (u, last) = g.parts(Mult.self), last.exponent != nil { return (f * u) * last }
        return nil
    }
}

struct Divide: BinaryFunction {
    static let name = "Divide"
    static let summary = "f / g; written `f / g`."
    var linearity: Linearity { .inFirst }

    static func value(_ x: Double, _ y: Double) -> Double { x / y }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) {
        (y.inverse, -(result * y.inverse))
    }
    static func emit(_ x: Value, _ y: Value) -> Value { x / y }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        context.product(x[0], context.reciprocal(x[1]))
    }

    func simplified(_ arguments: [Formula]) throws(FormulaError) -> Formula? {
        let (f, g) = (arguments[0], arguments[1])
        if g.isZero { throw FormulaError("This divides by a constant zero.") }
        if f.isZero { return f.repeated(max(f.dimension, g.dimension)) }
        if let n = g.number, let inverse = Number.one / n { return Formula(inverse) * f }
        if f.number == .one { return g.inverse }
        return nil
    }
}

// MARK: - Patterns

extension Formula {
    static var one: Formula { Formula(Number.one) }

    /// The two arguments where this is a node of that type.
    func parts<O: Operation>(_ type: O.Type) -> (Formula, Formula)? {
        operation is O && arguments.count == 2 ? (arguments[0], arguments[1]) : nil
    }

    /// g where this is -g.
    var negated: Formula? { operation is Minus ? arguments[0] : nil }

    /// g where this is Exp(g).
    var exponent: Formula? { operation is Exp ? arguments[0] : nil }

    /// g where this is a scalar g, repeated.
    var repeatedScalar: Formula? { operation is SumT ? arguments[0] : nil }
}

/// a·b ± a·d = a·(b ± d) in its four arrangements, and n·f ± f = (n ± 1)·f.
private func commonFactor(_ f: Formula, _ g: Formula, combine: (Formula, Formula) -> Formula) -> Formula? {
    if let (a, b) = f.parts(Mult.self) {
        if let (c, d) = g.parts(Mult.self) {
            if a == c { return a * combine(b, d) }
            if a == d { return a * combine(b, c) }
            if b == c { return b * combine(a, d) }
            if b == d { return combine(a, c) * b }
        }
        if b == g, a.number != nil { return combine(a, .one) * g }
    }
    if let (c, d) = g.parts(Mult.self), d == f, c.number != nil { return combine(.one, c) * f }
    return nil
}
