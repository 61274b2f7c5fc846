import RealModule

struct Sin: UnaryFunction {
    static let name = "Sin"
    static let summary = "The sine of an angle in radians."

    static func value(_ x: Double) -> Double { .sin(x) }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { x.cos }
    static func emit(_ x: Value) -> Value { x.apply(.sin) }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { context.oscillation(of: x[0], range: -1...1) { $0.sin } }
}

struct Cos: UnaryFunction {
    static let name = "Cos"
    static let summary = "The cosine of an angle in radians."

    static func value(_ x: Double) -> Double { .cos(x) }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { -x.sin }
    static func emit(_ x: Value) -> Value { x.apply(.cos) }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { context.oscillation(of: x[0], range: -1...1) { $0.cos } }
}

struct Asin: MonotoneFunction {
    static let name = "Asin"
    static let summary = "The arc sine, in [-π/2, π/2]. Its derivative at ±1 is taken as 0."

    static func value(_ x: Double) -> Double { .asin(x) }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { (1 - x.squared).reciprocalSquareRoot }
    static func emit(_ x: Value) -> Value { x.apply(.arcsin) }
    static let monotonicity = Monotonicity.increasing
}

struct Acos: MonotoneFunction {
    static let name = "Acos"
    static let summary = "The arc cosine, in [0, π]. Its derivative at ±1 is taken as 0."

    static func value(_ x: Double) -> Double { .acos(x) }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { -(1 - x.squared).reciprocalSquareRoot }
    static func emit(_ x: Value) -> Value { x.apply(.arccos) }
    static let monotonicity = Monotonicity.decreasing
    static let sign: Bounds.Sign? = .nonNegative
}

struct Atan: MonotoneFunction {
    static let name = "Atan"
    static let summary = "The arc tangent, in [-π/2, π/2]."

    static func value(_ x: Double) -> Double { .atan(x) }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { (x.squared + 1).inverse }
    static func emit(_ x: Value) -> Value { x.apply(.arctan) }
    static let monotonicity = Monotonicity.increasing
}

struct Atan2: BinaryFunction {
    static let name = "Atan2"
    static let summary = "The angle of the point (g, f), in [-π, π]: the ordinate comes first."

    static func value(_ y: Double, _ x: Double) -> Double { .atan2(y: y, x: x) }
    static func derivatives(_ y: Formula, _ x: Formula, result: Formula) -> (Formula?, Formula?) {
        let squaredRadius = y.squared + x.squared
        return (x / squaredRadius, -(y / squaredRadius))
    }
    static func emit(_ y: Value, _ x: Value) -> Value { y.apply(.arctan2, x) }

    /// Where the half-line on which the angle jumps is out of reach, the extrema are at corners of the box.
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        let (y, x) = (x[0], x[1])
        let angles = [y.lower, y.upper].flatMap { y in [x.lower, x.upper].map { x in Formula.trusted(Atan2(), y, x) } }
        let isContinuous = Formula.zero(1).isLess(than: x.lower.atLeast(y.lower.atLeast(-y.upper)))
        let pi = Formula(Number(Double.pi)!)
        let result = Bounds(
            isContinuous.choose(context.least(angles), else: -pi), isContinuous.choose(context.greatest(angles), else: pi))
        return context.bounds(
            context.widened(result, by: BoundsContext.functionRoundings), unlessNaN: x.probe + y.probe)
    }
}

struct SinXDivX: UnaryFunction {
    static let name = "SinXDivX"
    static let summary = "sin(f) / f, and 1 at 0."

    static func value(_ x: Double) -> Double { SphericalBessel.value(0, x) }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { -.trusted(SphericalBessel(order: 1), x) }
    static func emit(_ x: Value) -> Value {
        let zero = x.emitter.constant(0)
        return (x == zero).select(x.emitter.constant(1), x.apply(.sin) / x)
    }

    /// The smallest value is at 4.49, where the derivative is first 0 beyond 0.
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        context.oscillation(of: x[0], range: -0.2173...1) { .trusted(SinXDivX(), $0) }
    }
}

/// The spherical Bessel function of the first kind j_n; j_0 is sin(x)/x. The family is closed under differentiation without
/// a division by x (NIST DLMF 10.51.1), so that every derivative of j_0 is finite and accurate at 0, where
/// (cos x - sin x / x) / x is not.
struct SphericalBessel: ElementwiseOperation {
    static let name = "SphericalBessel"
    static let summary = "The spherical Bessel function j_n of f, 0 ≤ n ≤ 30: the derivatives of SinXDivX."
    static let parameters: [Parameter] = [.formula("f"), .integer("n")]

    let order: Int

    init(order: Int) { self.order = order }
    init(attributes: [Attribute]) { order = attributes.integer(0) }
    var attributes: [Attribute] { [.integer(order)] }

    func simplified(_ arguments: [Formula]) throws(FormulaError) -> Formula? {
        guard (0...30).contains(order) else {
            throw FormulaError("The order of SphericalBessel is 0 to 30; this is \(order).")
        }
        return order == 0 ? .trusted(SinXDivX(), arguments[0]) : nil
    }

    func value(_ x: [Double]) -> Double { Self.value(order, x[0]) }

    /// (2n+1) j_n' = n j_{n-1} - (n+1) j_{n+1}.
    func derivatives(_ x: [Formula], result: Formula) throws(FormulaError) -> [Formula?] {
        let lower = Formula.trusted(SphericalBessel(order: order - 1), x[0])
        let upper = try Formula(SphericalBessel(order: order + 1), x)
        return [Formula(Number(order, over: 2 * order + 1)!) * lower - Formula(Number(order + 1, over: 2 * order + 1)!) * upper]
    }

    /// Below this the power series (DLMF 10.53.1) is used, above it the upward recurrence (10.51.1), which is stable there.
    private static func seriesBound(_ order: Int) -> Double { Double(order) + 1 }
    private static func seriesLength(_ order: Int) -> Int { 12 + order / 2 }

    /// j_n(x) = xⁿ/(2n+1)!! Σ_k (-x²/2)^k / (k! (2n+3)(2n+5)…(2n+2k+1)).
    private static func seriesFactor(_ order: Int, _ k: Int) -> Double { -0.5 / (Double(k) * Double(2 * order + 2 * k + 1)) }
    private static func leadingFactor(_ order: Int) -> Double {
        stride(from: 1, through: 2 * order + 1, by: 2).reduce(1) { $0 / Double($1) }
    }

    static func value(_ order: Int, _ x: Double) -> Double {
        guard abs(x) >= seriesBound(order) else {
            var sum = 1.0
            for k in (1...seriesLength(order)).reversed() { sum = 1 + x * x * seriesFactor(order, k) * sum }
            return sum * leadingFactor(order) * .pow(x, order)
        }
        var (previous, current) = (Double.cos(x) / x, Double.sin(x) / x)
        for n in 0..<order { (previous, current) = (current, Double(2 * n + 1) / x * current - previous) }
        return current
    }

    func emit(_ x: [Value], _ emitter: any Emitter) -> Value {
        let x = x[0]
        func real(_ value: Double) -> Value { emitter.constant(value) }
        let square = x * x
        var series = real(1)
        for k in (1...Self.seriesLength(order)).reversed() {
            series = real(1) + square * real(Self.seriesFactor(order, k)) * series
        }
        series = series * real(Self.leadingFactor(order)) * Pow(exponent: order).emit([x], emitter)

        let inverse = real(1) / x
        var (previous, current) = (x.apply(.cos) * inverse, x.apply(.sin) * inverse)
        for n in 0..<order { (previous, current) = (current, real(Double(2 * n + 1)) * inverse * current - previous) }
        return (x.apply(.absolute) < real(Self.seriesBound(order))).select(series, current)
    }
}
