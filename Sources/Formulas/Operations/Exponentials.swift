import RealModule

struct Exp: UnaryFunction {
    static let name = "Exp"
    static let summary = "The exponential."

    static func value(_ x: Double) -> Double { .exp(x) }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { result }
    static func emit(_ x: Value) -> Value { x.apply(.exp) }

    /// Generated code may multiply the argument by a rounded constant, for a power of two.
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        context.image(
            of: context.widened(x[0], by: BoundsContext.oneRounding), .increasing, roundings: BoundsContext.functionRoundings,
            sign: .nonNegative
        ) { $0.exp }
    }
}

struct Log: MonotoneFunction {
    static let name = "Log"
    static let summary = "The natural logarithm: -inf at 0, NaN below."

    static func value(_ x: Double) -> Double { .log(x) }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { x.inverse }
    static func emit(_ x: Value) -> Value { x.apply(.log) }
    static let monotonicity = Monotonicity.increasing
}

struct XLogX: MonotoneFunction {
    static let name = "XLogX"
    static let summary = "f log f, and 0 at 0, where its derivative is -inf."

    static func value(_ x: Double) -> Double { x == 0 ? 0 : x * .log(x) }
    static func derivative(_ x: Formula, result: Formula) -> Formula? { x.log + 1 }
    static let monotonicity = Monotonicity.valley(at: Number(1 / Double.exp(1))!)
    static func emit(_ x: Value) -> Value {
        let zero = x.emitter.constant(0)
        return (x == zero).select(zero, x * x.apply(.log))
    }
}
