struct Sum: MultilinearOperation, PlainOperation {
    static let name = "Sum"
    static let summary = "The sum of the components of f."
    static let parameters: [Parameter] = [.formula("f")]

    func dimension(_ arguments: [Formula]) -> Int { 1 }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let f = arguments[0]
        if f.dimension == 1 { return f }
        if f.isZero { return .zero(1) }
        if let g = f.repeatedScalar { return f.dimension * g }
        if let g = f.negated { return -g.sum }
        if let (a, b) = f.parts(Mult.self) {
            if a.dimension == 1 { return a * b.sum }
            if b.dimension == 1 { return b * a.sum }
            return a.dot(b)
        }
        return nil
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        [cotangent.repeated(arguments[0].dimension)]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] { [arguments[0].reduce(0, +)] }

    func lowering(_ dimensions: [Int]) -> Lowering {
        .scalar { arguments, emitter in emitter.sum(dimensions[0]) { arguments[0][$0] } }
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { context.sum(x[0]) }
}

struct SumT: MultilinearOperation {
    static let name = "SumT"
    static let summary = "The number f repeated n times: the adjoint of Sum."
    static let parameters: [Parameter] = [.formula("f"), .integer("n")]

    let count: Int

    init(count: Int) { self.count = count }
    init(attributes: [Attribute]) { count = attributes.integer(0) }
    var attributes: [Attribute] { [.integer(count)] }

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        guard arguments[0].dimension == 1 else {
            throw FormulaError("SumT repeats an argument of dimension 1; this has dimension \(arguments[0].dimension).")
        }
        guard count >= 1 else { throw FormulaError("SumT repeats at least once; n is \(count).") }
        return count
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        count == 1 ? arguments[0] : arguments[0].isZero ? .zero(count) : nil
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        [cotangent.sum]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] { Array(repeating: arguments[0][0], count: count) }

    func lowering(_ dimensions: [Int]) -> Lowering { .inline { _, arguments, _ in arguments[0][0] } }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { x[0].repeated(count) }
}

struct Scalprod: MultilinearOperation, PlainOperation {
    static let name = "Scalprod"
    static let summary = "The scalar product of f and g; written `(f | g)`."
    static let parameters: [Parameter] = [.formula("f"), .formula("g")]

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        guard arguments[0].dimension == arguments[1].dimension || arguments.contains(where: { $0.dimension == 1 }) else {
            throw FormulaError("Scalprod takes two arguments of one dimension; these have \(sentence(arguments)).")
        }
        return 1
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let (f, g) = (arguments[0], arguments[1])
        if f.isZero || g.isZero { return .zero(1) }
        if f.dimension == 1 { return f * g.sum }
        if g.dimension == 1 { return f.sum * g }
        if f == g { return f.squared.sum }
        if let (scalar, vector) = f.scalarFactor { return scalar * vector.dot(g) }
        if let (scalar, vector) = g.scalarFactor { return scalar * f.dot(vector) }
        if let h = f.negated { return -h.dot(g) }
        if let h = g.negated { return -f.dot(h) }
        if let s = f.repeatedScalar { return s * g.sum }
        if let s = g.repeatedScalar { return s * f.sum }
        return nil
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        [cotangent * arguments[1], cotangent * arguments[0]]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        [zip(arguments[0], arguments[1]).reduce(0) { $0 + $1.0 * $1.1 }]
    }

    func lowering(_ dimensions: [Int]) -> Lowering {
        .scalar { arguments, emitter in emitter.sum(dimensions[0]) { arguments[0][$0] * arguments[1][$0] } }
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { context.sum(context.product(x[0], x[1])) }
}

extension Formula {
    /// (s, v) where this is a product of a scalar s and a vector v.
    fileprivate var scalarFactor: (Formula, Formula)? {
        guard dimension > 1, let (a, b) = parts(Mult.self) else { return nil }
        return a.dimension == 1 ? (a, b) : b.dimension == 1 ? (b, a) : nil
    }
}
