/// How rules of this module write formulas. Their shapes are right by construction: a mismatch is a mistake in a rule.
extension Formula {
    static func + (a: Formula, b: Formula) -> Formula { .trusted(Add(), a, b) }
    static func - (a: Formula, b: Formula) -> Formula { .trusted(Subtract(), a, b) }
    static func * (a: Formula, b: Formula) -> Formula { .trusted(Mult(), a, b) }
    static func / (a: Formula, b: Formula) -> Formula { .trusted(Divide(), a, b) }
    static prefix func - (a: Formula) -> Formula { .trusted(Minus(), a) }

    static func + (a: Formula, b: Int) -> Formula { a + Formula(Number(b)) }
    static func - (a: Formula, b: Int) -> Formula { a - Formula(Number(b)) }
    static func - (a: Int, b: Formula) -> Formula { Formula(Number(a)) - b }
    static func * (a: Int, b: Formula) -> Formula { Formula(Number(a)) * b }
    static func / (a: Int, b: Formula) -> Formula { Formula(Number(a)) / b }

    var inverse: Formula { .trusted(Inv(), self) }
    var squared: Formula { .trusted(Square(), self) }
    var squareRoot: Formula { .trusted(Sqrt(), self) }
    var reciprocalSquareRoot: Formula { .trusted(Rsqrt(), self) }
    var exp: Formula { .trusted(Exp(), self) }
    var log: Formula { .trusted(Log(), self) }
    var sin: Formula { .trusted(Sin(), self) }
    var cos: Formula { .trusted(Cos(), self) }
    var sign: Formula { .trusted(Sign(), self) }
    var absolute: Formula { .trusted(Abs(), self) }
    var floor: Formula { .trusted(Floor(), self) }
    var step: Formula { .trusted(Step(), self) }
    /// An integer power. The largest exponents are so far beyond what has a derivative of use that the one next to them serves.
    func power(_ exponent: Int) -> Formula {
        .trusted(Pow(exponent: max(-Pow.largestExponent, min(Pow.largestExponent, exponent))), self)
    }

    /// Where this is ≥ 0 the first, else the second.
    func ifNonNegative(_ a: Formula, else b: Formula) -> Formula { .trusted(IfElse(), self, a, b) }

    /// The sum of the components.
    var sum: Formula { .trusted(Sum(), self) }
    /// The scalar product.
    func dot(_ other: Formula) -> Formula { .trusted(Scalprod(), self, other) }
    /// A vector of dimension 1 repeated; one that already has the dimension is left as it is.
    func repeated(_ count: Int) -> Formula { dimension == count ? self : .trusted(SumT(count: count), self) }
    func extracted(_ start: Int, _ count: Int) -> Formula {
        count == dimension ? self : .trusted(Extract(start: start, count: count), self)
    }
    func placed(at start: Int, of count: Int) -> Formula {
        count == dimension ? self : .trusted(ExtractT(start: start, count: count), self)
    }
    func component(_ k: Int) -> Formula { dimension == 1 ? self : .trusted(Elem(position: k), self) }
    func concatenated(_ other: Formula) -> Formula { .trusted(Concat(), self, other) }
    func oneHot(_ count: Int) -> Formula { .trusted(OneHot(count: count), self) }
    func matrixTimes(_ vector: Formula) -> Formula { .trusted(MatVecMult(), self, vector) }
    func timesMatrix(_ matrix: Formula) -> Formula { .trusted(VecMatMult(), self, matrix) }
    func outer(_ other: Formula) -> Formula { .trusted(TensorProd(), self, other) }
}
