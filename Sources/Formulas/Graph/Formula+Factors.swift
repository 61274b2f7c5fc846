extension Formula {
    /// This formula as a product of two: what a condition holds for, and the rest.
    ///
    /// Looks through products, quotients and signs, so that a sum over j of `e * g * Exp(…) * (x - y)` can be multiplied by
    /// `e * g` once.
    /// - Returns: no factor where the condition holds for none, or for all of the formula.
    public func separatingFactor(
        where condition: (Formula) -> Bool
    ) -> (rest: Formula, factor: Formula?) {
        let (rest, factor) = split(condition)
        guard let rest else { return (self, nil) }
        return (rest, factor)
    }

    /// Nil stands for 1.
    private func split(_ condition: (Formula) -> Bool) -> (rest: Formula?, factor: Formula?) {
        if condition(self) { return (nil, self) }
        switch operation {
        case is Mult:
            let (a, b) = (arguments[0].split(condition), arguments[1].split(condition))
            return (Self.product(a.rest, b.rest), Self.product(a.factor, b.factor))
        case is Divide where condition(arguments[1]):
            let numerator = arguments[0].split(condition)
            return (numerator.rest, (numerator.factor ?? Formula(.one)) / arguments[1])
        case is Minus:
            let inner = arguments[0].split(condition)
            return (inner.rest, -(inner.factor ?? Formula(.one)))
        default: return (self, nil)
        }
    }

    private static func product(_ a: Formula?, _ b: Formula?) -> Formula? {
        guard let a else { return b }
        guard let b else { return a }
        return a * b
    }
}
