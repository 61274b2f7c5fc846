import RealModule

struct Inv: UnaryFunction {
    static let name = "Inv"
    static let summary = "1 / f; written `1/f`."

    static func value(_ x: Double) -> Double { 1 / x }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { -result.squared }
    static func emit(_ x: Value) -> Value { x.emitter.constant(1) / x }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { context.reciprocal(x[0]) }

    func simplified(_ arguments: [Formula]) throws(FormulaError) -> Formula? {
        if arguments[0].isZero { throw FormulaError("This divides by a constant zero.") }
        if let number = arguments[0].number, let inverse = Number.one / number { return Formula(inverse) }
        return nil
    }
}

struct Square: MonotoneFunction {
    static let name = "Square"
    static let summary = "f²; written `f**2`."

    static func value(_ x: Double) -> Double { x * x }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { 2 * x }
    static func emit(_ x: Value) -> Value { x * x }
    static let monotonicity = Monotonicity.valley(at: .zero)
    static let roundings = BoundsContext.oneRounding
    static let sign: Bounds.Sign? = .nonNegative

    func simplified(_ arguments: [Formula]) -> Formula? {
        let f = arguments[0]
        if f.isZero { return f }
        if let number = f.number, let square = number * number { return Formula(square) }
        if let g = f.negated { return g.squared }
        return nil
    }
}

struct Sqrt: MonotoneFunction {
    static let name = "Sqrt"
    static let summary = "√f. Its derivative at 0 is taken as 0, so that norms have gradient 0 at 0."

    static func value(_ x: Double) -> Double { x.squareRoot() }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { Formula(Number(1, over: 2)!) * x.reciprocalSquareRoot }
    static func emit(_ x: Value) -> Value { x.apply(.squareRoot) }
    static let monotonicity = Monotonicity.increasing
    static let sign: Bounds.Sign? = .nonNegative
}

struct Rsqrt: UnaryFunction {
    static let name = "Rsqrt"
    static let summary = "1/√f, and 0 at 0, where its derivative is 0 too."

    static func value(_ x: Double) -> Double { x == 0 ? 0 : 1 / x.squareRoot() }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { Formula(Number(-1, over: 2)!) * result.power(3) }
    static func emit(_ x: Value) -> Value { x.apply(.reciprocalSquareRoot) }

    /// Near 0 it is anything from 0 to infinity.
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        let f = x[0]
        let isNormal = context.smallest.isLess(than: f.lower)
        let result = Bounds(
            isNormal.choose(f.upper.reciprocalSquareRoot, else: f.lower.squareRoot.atMost(.zero(1))),
            isNormal.choose(f.lower.reciprocalSquareRoot, else: context.nan), .nonNegative)
        return context.widened(result, by: BoundsContext.functionRoundings)
    }
}

/// An integer power.
struct Pow: ElementwiseOperation {
    static let name = "Pow"
    static let summary = "f to the integer power m; written `f**m`."
    static let parameters: [Parameter] = [.formula("f"), .integer("m")]

    let exponent: Int

    /// Larger exponents are no exact Doubles.
    static let largestExponent = 1 << 53

    init(exponent: Int) { self.exponent = exponent }
    init(attributes: [Attribute]) { exponent = attributes.integer(0) }
    var attributes: [Attribute] { [.integer(exponent)] }

    func value(_ x: [Double]) -> Double { .pow(x[0], exponent) }

    func derivatives(_ x: [Formula], result: Formula) -> [Formula?] {
        exponent == 0 ? [nil] : [exponent * x[0].power(exponent - 1)]
    }

    func simplified(_ arguments: [Formula]) throws(FormulaError) -> Formula? {
        guard exponent.magnitude <= Self.largestExponent else {
            throw FormulaError("The exponent \(exponent) of a power is beyond 2^53.")
        }
        return switch exponent {
        case 1: arguments[0]
        case 2: arguments[0].squared
        case -1: try Formula(Inv(), arguments)
        default: nil
        }
    }

    /// Small powers by products: at most 4 multiplications, hence at most 4 roundings.
    func emit(_ x: [Value], _ emitter: any Emitter) -> Value {
        let one = emitter.constant(1)
        guard exponent != 0 else { return one }
        guard exponent.magnitude <= 8 else { return emitter.apply(.power, [x[0], emitter.constant(exponent)]) }
        var power = x[0]
        for bit in String(exponent.magnitude, radix: 2).dropFirst() {
            power = power * power
            if bit == "1" { power = power * x[0] }
        }
        return exponent < 0 ? one / power : power
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        if exponent == 0 { return Bounds(exactly: .one) }
        let isEven = exponent.isMultiple(of: 2)
        let power = context.image(
            of: x[0], isEven ? .valley(at: .zero) : .increasing, roundings: BoundsContext.functionRoundings,
            sign: isEven ? .nonNegative : x[0].sign
        ) { $0.power(Int(exponent.magnitude)) }
        return exponent > 0 ? power : context.reciprocal(power)
    }
}

/// A real power.
struct Powf: BinaryFunction {
    static let name = "Powf"
    static let summary = "f to the power g; written `f**g`."

    static func value(_ x: Double, _ y: Double) -> Double { realPower(x, y) }
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?) {
        (y * .trusted(Powf(), x, y - 1), y.number == nil ? x.log * result : nil)
    }
    static func emit(_ x: Value, _ y: Value) -> Value { x.apply(.power, y) }

    /// For a positive base the extrema are at the corners; other bases have integer powers only, or 0.
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        let (f, g) = (x[0], x[1])
        if f.lower.isZero || f.upper.isZero { return nil }
        let powers = [f.lower, f.upper].flatMap { f in [g.lower, g.upper].map { g in Formula.trusted(Powf(), f, g) } }
        let isDefined =
            g.sign == .nonNegative ? Formula.zero(1).isLess(orEqual: f.lower) : Formula.zero(1).isLess(than: f.lower)
        let result = context.widened(
            Bounds(context.least(powers), context.greatest(powers), .nonNegative), by: BoundsContext.functionRoundings)
        return context.bounds(context.bounds(result, where: isDefined), unlessNaN: f.probe + g.probe)
    }

    func simplified(_ arguments: [Formula]) throws(FormulaError) -> Formula? {
        guard let exponent = arguments[1].number else { return nil }
        if let integer = exponent.integer { return try Formula(Pow(exponent: integer), [arguments[0]]) }
        return switch exponent.value {
        case 0.5: arguments[0].squareRoot
        case -0.5: arguments[0].reciprocalSquareRoot
        default: nil
        }
    }
}

/// C's `pow`. The one of swift-numerics is NaN on every negative base; an integer exponent has a value there.
private func realPower(_ x: Double, _ y: Double) -> Double {
    if let integer = Int(exactly: y) { return .pow(x, integer) }
    return y == 0 || x == 1 ? 1 : .pow(x, y)
}
