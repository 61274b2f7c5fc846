/// Where a function of one number rises and where it falls: all that its bounds need.
enum Monotonicity: Sendable {
    case increasing, decreasing
    /// Decreasing up to there, increasing from there on.
    case valley(at: Number)
}

/// A function of one number whose bounds are its values at the ends of an interval, or at the bottom of a valley.
protocol MonotoneFunction: UnaryFunction {
    static var monotonicity: Monotonicity { get }
    /// By how many roundings its values may err; 0 where they are exact.
    static var roundings: Int { get }
    /// The sign of all its values.
    static var sign: Bounds.Sign? { get }
}

extension MonotoneFunction {
    static var roundings: Int { BoundsContext.functionRoundings }
    static var sign: Bounds.Sign? { nil }

    func bounds(_ arguments: [Bounds], _ context: BoundsContext) -> Bounds? {
        context.image(of: arguments[0], Self.monotonicity, roundings: Self.roundings, sign: Self.sign) { .trusted(Self(), $0) }
    }
}

extension BoundsContext {
    /// Room for a function of ``VectorMath``, which errs by 3 units in the last place, 6 roundings, at most.
    static let functionRoundings = 32

    /// Bounds of a function's values.
    ///
    /// - Parameters:
    ///   - roundings: by how many the function may err.
    ///   - sign: of all its values.
    func image(
        of x: Bounds, _ monotonicity: Monotonicity, roundings: Int, sign: Bounds.Sign? = nil, _ function: (Formula) -> Formula
    ) -> Bounds {
        var result: Bounds
        switch monotonicity {
        case .increasing: result = Bounds(function(x.lower), function(x.upper), sign)
        case .decreasing: result = Bounds(function(x.upper), function(x.lower), sign)
        case .valley(let bottom):
            let ends = (function(x.lower), function(x.upper))
            switch bottom == .zero ? x.sign : nil {
            case .nonNegative: result = Bounds(ends.0, ends.1, sign)
            case .nonPositive: result = Bounds(ends.1, ends.0, sign)
            case nil:
                // The point of the box that is nearest to the bottom.
                let lowest = x.isPoint ? x.lower : x.lower.atLeast(x.upper.atMost(Formula(bottom)))
                result = Bounds(function(lowest), ends.0.atLeast(ends.1), sign)
            }
        }
        result = widened(result, by: roundings)
        // Outside of its domain a function is NaN at one end.
        return x.isPoint ? result : bounds(result, unlessNaN: x.probe + result.probe)
    }
}

extension BoundsContext {
    /// Bounds of a function whose derivative is between -1 and 1, on a narrow interval; the function's range on a wide one.
    func oscillation(of x: Bounds, range: ClosedRange<Double>, _ function: (Formula) -> Formula) -> Bounds {
        let ball = Ball(x, smallest: smallest)
        let error = error(Self.functionRoundings)
        var room = Formula(error) * (ball.magnitude + 1)
        if let radius = ball.radius { room = room + radius }
        let value = function(ball.middle)
        return Bounds(
            (value - room).atLeast(Formula(Number(range.lowerBound - error.value)!)),
            (value + room).atMost(Formula(Number(range.upperBound + error.value)!)))
    }
}
