import RealModule

struct Abs: MonotoneFunction {
    static let name = "Abs"
    static let summary = "|f|. Its derivative at 0 is 0."

    static func value(_ x: Double) -> Double { abs(x) }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { x.sign }
    static func emit(_ x: Value) -> Value { x.apply(.absolute) }
    static let monotonicity = Monotonicity.valley(at: .zero)
    static let roundings = 0
    static let sign: Bounds.Sign? = .nonNegative
}

struct Sign: MonotoneFunction {
    static let name = "Sign"
    static let summary = "-1, 0 or 1 with the sign of f."

    static func value(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : x }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { nil }
    static func emit(_ x: Value) -> Value {
        let zero = x.emitter.constant(0)
        return (x > zero).select(x.emitter.constant(1), (x < zero).select(x.emitter.constant(-1), x))
    }
    static let monotonicity = Monotonicity.increasing
    static let roundings = 0
}

struct Step: UnaryFunction {
    static let name = "Step"
    static let summary = "0 where f < 0, else 1; 1 at 0."

    static func value(_ x: Double) -> Double { x < 0 ? 0 : 1 }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { nil }
    static func emit(_ x: Value) -> Value {
        (x < x.emitter.constant(0)).select(x.emitter.constant(0), x.emitter.constant(1))
    }

    /// 1 on NaN.
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        Bounds(Formula.zero(1).isLess(orEqual: x[0].lower), 1 - x[0].upper.isLess(than: .zero(1)), .nonNegative).mask
    }
}

struct ReLU: MonotoneFunction {
    static let name = "ReLU"
    static let summary = "0 where f < 0, else f. Its derivative at 0 is 1."

    static func value(_ x: Double) -> Double { x < 0 ? 0 : x }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { x.step }
    static func emit(_ x: Value) -> Value { (x < x.emitter.constant(0)).select(x.emitter.constant(0), x) }
    static let monotonicity = Monotonicity.increasing
    static let roundings = 0
    static let sign: Bounds.Sign? = .nonNegative
}

struct Floor: MonotoneFunction {
    static let name = "Floor"
    static let summary = "The largest integer that is not above f."

    static func value(_ x: Double) -> Double { x.rounded(.down) }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { nil }
    static func emit(_ x: Value) -> Value { x.apply(.floor) }
    static let monotonicity = Monotonicity.increasing
    static let roundings = 0
}

struct Round: ElementwiseOperation {
    static let name = "Round"
    static let summary = "f rounded to d decimals (d may be negative), halves away from zero."
    static let parameters: [Parameter] = [.formula("f"), .integer("d")]

    let decimals: Int

    init(attributes: [Attribute]) throws(FormulaError) {
        decimals = attributes.integer(0)
        guard abs(decimals.clamped(-400, 400)) <= 300 else {
            throw FormulaError("Round takes -300 to 300 decimals; this is \(decimals).")
        }
    }
    var attributes: [Attribute] { [.integer(decimals)] }

    private var scale: Double { .pow(10, abs(decimals)) }

    // Scaling by an exact power of ten in both directions: 10^-2 has no exact binary value, 10^2 has.
    func value(_ x: [Double]) -> Double {
        if decimals == 0 { return x[0].rounded(.toNearestOrAwayFromZero) }
        return decimals > 0
            ? (x[0] * scale).rounded(.toNearestOrAwayFromZero) / scale
            : (x[0] / scale).rounded(.toNearestOrAwayFromZero) * scale
    }

    func derivatives(_ x: [Formula], result: Formula) -> [Formula?] { [nil] }

    func emit(_ x: [Value], _ emitter: any Emitter) -> Value {
        let scale = emitter.constant(scale)
        if decimals == 0 { return x[0].apply(.round) }
        return decimals > 0 ? (x[0] * scale).apply(.round) / scale : (x[0] / scale).apply(.round) * scale
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        context.image(of: x[0], .increasing, roundings: decimals == 0 ? 0 : BoundsContext.functionRoundings) {
            .trusted(self, $0)
        }
    }
}

extension Int {
    fileprivate func clamped(_ low: Int, _ high: Int) -> Int { Swift.max(low, Swift.min(high, self)) }
}

/// What Clamp and ClampInt share.
private func emitClamp(_ x: Value, _ low: Value, _ high: Value) -> Value {
    (x < low).select(low, (x > high).select(high, x))
}

struct Clamp: ElementwiseOperation, PlainOperation {
    static let name = "Clamp"
    static let summary = "a where f < a, b where f > b, else f; differentiable in all three, with derivative 1 in f at both ends."
    static let parameters: [Parameter] = [.formula("f"), .formula("a"), .formula("b")]

    func value(_ x: [Double]) -> Double { x[0] < x[1] ? x[1] : x[0] > x[2] ? x[2] : x[0] }

    func derivatives(_ x: [Formula], result: Formula) -> [Formula?] {
        let (f, a, b) = (x[0], x[1], x[2])
        let isBelow = Formula.trusted(LessThan(), f, a)
        let isAbove = (1 - isBelow) * .trusted(LessThan(), b, f)
        return [1 - isBelow - isAbove, isBelow, isAbove]
    }

    func emit(_ x: [Value], _ emitter: any Emitter) -> Value { emitClamp(x[0], x[1], x[2]) }

    /// Between the lesser of a and b and the larger, whichever that is; and as the value is, where a ≤ b.
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        let (f, a, b) = (x[0], x[1], x[2])
        let isOrdered = a.upper.isLess(orEqual: b.lower)
        let result = Bounds(
            isOrdered.choose(a.lower.atLeast(b.lower.atMost(f.lower)), else: a.lower.atMost(b.lower)),
            isOrdered.choose(a.upper.atLeast(b.upper.atMost(f.upper)), else: a.upper.atLeast(b.upper)),
            a.sign == .nonNegative && b.sign == .nonNegative ? .nonNegative : nil)
        return context.bounds(result, unlessNaN: f.probe)
    }
}

struct ClampInt: ElementwiseOperation {
    static let name = "ClampInt"
    static let summary = "f clamped to [a, b] for integers a and b; derivative 1 at both ends."
    static let parameters: [Parameter] = [.formula("f"), .integer("a"), .integer("b")]

    let low: Int
    let high: Int

    init(attributes: [Attribute]) { (low, high) = (attributes.integer(0), attributes.integer(1)) }
    var attributes: [Attribute] { [.integer(low), .integer(high)] }

    func value(_ x: [Double]) -> Double { x[0] < Double(low) ? Double(low) : x[0] > Double(high) ? Double(high) : x[0] }
    func derivatives(_ x: [Formula], result: Formula) -> [Formula?] { [.trusted(DiffClampInt(low: low, high: high), x[0])] }
    func emit(_ x: [Value], _ emitter: any Emitter) -> Value {
        emitClamp(x[0], emitter.constant(low), emitter.constant(high))
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        Clamp().bounds(x + [low, high].map { Bounds(exactly: Formula(Number($0))) }, context)
    }
}

struct DiffClampInt: ElementwiseOperation {
    static let name = "DiffClampInt"
    static let summary = "1 where a ≤ f ≤ b, else 0: the derivative of ClampInt."
    static let parameters: [Parameter] = [.formula("f"), .integer("a"), .integer("b")]

    let low: Int
    let high: Int

    init(low: Int, high: Int) { (self.low, self.high) = (low, high) }
    init(attributes: [Attribute]) { self.init(low: attributes.integer(0), high: attributes.integer(1)) }
    var attributes: [Attribute] { [.integer(low), .integer(high)] }

    func value(_ x: [Double]) -> Double { x[0] >= Double(low) && x[0] <= Double(high) ? 1 : 0 }
    func derivatives(_ x: [Formula], result: Formula) -> [Formula?] { [nil] }
    func emit(_ x: [Value], _ emitter: any Emitter) -> Value {
        (x[0] >= emitter.constant(low) && x[0] <= emitter.constant(high)).select(emitter.constant(1), emitter.constant(0))
    }

    /// 0 on NaN.
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        let (low, high) = (Formula(Number(low)), Formula(Number(high)))
        return Bounds(
            low.isLess(orEqual: x[0].lower) * x[0].upper.isLess(orEqual: high),
            (1 - x[0].upper.isLess(than: low)) * (1 - high.isLess(than: x[0].lower)), .nonNegative
        ).mask
    }
}

struct IfElse: ElementwiseOperation, PlainOperation {
    static let name = "IfElse"
    static let summary = "a where f ≥ 0, else b; no derivative through f."
    static let parameters: [Parameter] = [.formula("f"), .formula("a"), .formula("b")]

    func value(_ x: [Double]) -> Double { x[0] >= 0 ? x[1] : x[2] }

    func derivatives(_ x: [Formula], result: Formula) -> [Formula?] {
        [nil, x[0].ifNonNegative(.one, else: .zero(1)), x[0].ifNonNegative(.zero(1), else: .one)]
    }

    /// The cotangent is selected, not multiplied by 0 or 1: an infinity in the branch not taken stays out.
    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        let zero = Formula.zero(1)
        let branches = [
            arguments[0].ifNonNegative(cotangent, else: zero), arguments[0].ifNonNegative(zero, else: cotangent),
        ]
        return [nil] + zip(arguments.dropFirst(), branches).map { $0.dimension < result.dimension ? $1.sum : $1 }
    }

    func pushforward(of tangents: [Formula?], _ arguments: [Formula], result: Formula) -> Formula {
        arguments[0].ifNonNegative(tangents[1] ?? .zero(1), else: tangents[2] ?? .zero(1)).repeated(result.dimension)
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        arguments[1] == arguments[2] && arguments[0].dimension <= arguments[1].dimension ? arguments[1] : nil
    }

    func emit(_ x: [Value], _ emitter: any Emitter) -> Value { (x[0] >= emitter.constant(0)).select(x[1], x[2]) }

    /// One branch alone where the condition is decided: the other may be anything.
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        let (f, a, b) = (x[0], x[1], x[2])
        let isNegative = f.upper.isLess(than: .zero(1))
        func choose(_ a: Formula, _ b: Formula, _ either: Formula) -> Formula {
            f.lower.ifNonNegative(a, else: isNegative.choose(b, else: either))
        }
        var result = Bounds(
            choose(a.lower, b.lower, a.lower.atMost(b.lower)), choose(a.upper, b.upper, a.upper.atLeast(b.upper)),
            a.sign == b.sign ? a.sign : nil)
        result.isMask = [a, b].contains { $0.isMask || ($0.isPoint && $0.lower.isZero) }
        return result
    }
}

struct Mod: ElementwiseOperation, PlainOperation {
    static let name = "Mod"
    static let summary = "f - n·floor((f - d)/n): f modulo n, in [d, d + n)."
    static let parameters: [Parameter] = [.formula("f"), .formula("n"), .formula("d")]

    func value(_ x: [Double]) -> Double { x[0] - x[1] * ((x[0] - x[2]) / x[1]).rounded(.down) }
    func derivatives(_ x: [Formula], result: Formula) -> [Formula?] { [.one, -((x[0] - x[2]) / x[1]).floor, nil] }

    func simplified(_ arguments: [Formula]) throws(FormulaError) -> Formula? {
        if arguments[1].isZero { throw FormulaError("Mod takes a remainder of a division by a constant zero.") }
        return nil
    }

    func emit(_ x: [Value], _ emitter: any Emitter) -> Value { x[0] - x[1] * ((x[0] - x[2]) / x[1]).apply(.floor) }

    /// What the parts allow, and where n is positive no less than d and no more than d + n, but for rounding; unless something
    /// overflows.
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        let (f, n, d) = (x[0], x[1], x[2])
        guard let quotient = Floor().bounds([context.product(f - d, context.reciprocal(n))], context) else { return nil }
        let parts = f - context.product(n, quotient)
        let size = f.magnitude + n.magnitude + d.magnitude
        let room = Formula(context.error(BoundsContext.functionRoundings)) * size
        let isPositive = Formula.zero(1).isLess(than: n.lower)
        let result = Bounds(
            isPositive.choose(parts.lower.atLeast(d.lower - room), else: parts.lower),
            isPositive.choose(parts.upper.atMost(d.upper + n.upper + room), else: parts.upper))
        return context.bounds(result, where: (size + parts.magnitude).isLess(orEqual: context.largest))
    }
}
