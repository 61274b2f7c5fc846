// Components, slices, their adjoints, and joining.

struct Elem: MultilinearOperation {
    static let name = "Elem"
    static let summary = "Component m of f, from 0; also written `f[m]`."
    static let parameters: [Parameter] = [.formula("f"), .integer("m")]

    let position: Int

    init(position: Int) { self.position = position }
    init(attributes: [Attribute]) { position = attributes.integer(0) }
    var attributes: [Attribute] { [.integer(position)] }

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        guard (0..<arguments[0].dimension).contains(position) else {
            throw FormulaError(
                "Elem takes a position from 0 to \(arguments[0].dimension - 1) in this vector of dimension \(arguments[0].dimension); it is \(position)."
            )
        }
        return 1
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let f = arguments[0]
        if f.dimension == 1 { return f }
        if f.isZero { return .zero(1) }
        if let (a, b) = f.parts(Concat.self) {
            return position < a.dimension ? a.component(position) : b.component(position - a.dimension)
        }
        if let extract = f.operation as? Extract { return f.arguments[0].component(extract.start + position) }
        return f.repeatedScalar
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        [.trusted(ElemT(count: arguments[0].dimension, position: position), cotangent)]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] { [arguments[0][position]] }
    func lowering(_ dimensions: [Int]) -> Lowering { .inline { [position] _, arguments, _ in arguments[0][position] } }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { x[0].map { .trusted(self, $0) } }
}

struct ElemT: MultilinearOperation {
    static let name = "ElemT"
    static let summary = "A vector of n zeros but f at position m: the adjoint of Elem."
    static let parameters: [Parameter] = [.formula("f"), .integer("n"), .integer("m")]

    let count: Int
    let position: Int

    init(count: Int, position: Int) { (self.count, self.position) = (count, position) }
    init(attributes: [Attribute]) { self.init(count: attributes.integer(0), position: attributes.integer(1)) }
    var attributes: [Attribute] { [.integer(count), .integer(position)] }

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        guard arguments[0].dimension == 1 else {
            throw FormulaError("ElemT places an argument of dimension 1; this has dimension \(arguments[0].dimension).")
        }
        guard count >= 1, (0..<count).contains(position) else {
            throw FormulaError(
                "ElemT takes a length of at least 1 and then a position inside it; these are \(count) and \(position).")
        }
        return count
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        count == 1 ? arguments[0] : arguments[0].isZero ? .zero(count) : nil
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        [cotangent.component(position)]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        var result = Array(repeating: 0.0, count: count)
        result[position] = arguments[0][0]
        return result
    }

    func lowering(_ dimensions: [Int]) -> Lowering { placing(at: position, 1, of: count) }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { x[0].map { .trusted(self, $0) } }
}

struct Extract: MultilinearOperation {
    static let name = "Extract"
    static let summary = "The d components of f from position m on."
    static let parameters: [Parameter] = [.formula("f"), .integer("m"), .integer("d")]

    let start: Int
    let count: Int

    init(start: Int, count: Int) { (self.start, self.count) = (start, count) }
    init(attributes: [Attribute]) { self.init(start: attributes.integer(0), count: attributes.integer(1)) }
    var attributes: [Attribute] { [.integer(start), .integer(count)] }

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        let dimension = arguments[0].dimension
        guard count >= 1, start >= 0, count <= dimension, start <= dimension - count else {
            throw FormulaError(
                "Extract takes a start and a count inside this vector of dimension \(dimension); these are \(start) and \(count)."
            )
        }
        return count
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let f = arguments[0]
        if count == f.dimension { return f }
        if f.isZero { return .zero(count) }
        if count == 1 { return f.component(start) }
        if let inner = f.operation as? Extract { return f.arguments[0].extracted(inner.start + start, count) }
        if let (a, b) = f.parts(Concat.self) {
            if start + count <= a.dimension { return a.extracted(start, count) }
            if start >= a.dimension { return b.extracted(start - a.dimension, count) }
        }
        return nil
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        [cotangent.placed(at: start, of: arguments[0].dimension)]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] { Array(arguments[0][start..<start + count]) }
    func lowering(_ dimensions: [Int]) -> Lowering { .inline { [start] k, arguments, _ in arguments[0][k + start] } }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { x[0].map { .trusted(self, $0) } }
}

struct ExtractT: MultilinearOperation {
    static let name = "ExtractT"
    static let summary = "A vector of n zeros but f from position m on: the adjoint of Extract."
    static let parameters: [Parameter] = [.formula("f"), .integer("m"), .integer("n")]

    let start: Int
    let count: Int

    init(start: Int, count: Int) { (self.start, self.count) = (start, count) }
    init(attributes: [Attribute]) { self.init(start: attributes.integer(0), count: attributes.integer(1)) }
    var attributes: [Attribute] { [.integer(start), .integer(count)] }

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        let dimension = arguments[0].dimension
        guard start >= 0, dimension <= count, start <= count - dimension else {
            throw FormulaError(
                "ExtractT takes a start and a length that hold this vector of dimension \(dimension); these are \(start) and \(count)."
            )
        }
        return count
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        count == arguments[0].dimension ? arguments[0] : arguments[0].isZero ? .zero(count) : nil
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        [cotangent.extracted(start, arguments[0].dimension)]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        var result = Array(repeating: 0.0, count: count)
        result.replaceSubrange(start..<start + arguments[0].count, with: arguments[0])
        return result
    }

    func lowering(_ dimensions: [Int]) -> Lowering { placing(at: start, dimensions[0], of: count) }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { x[0].map { .trusted(self, $0) } }
}

/// The first argument's `length` components among zeros.
private func placing(at start: Int, _ length: Int, of count: Int) -> Lowering {
    .whole { result, arguments, emitter in
        emitter.fill(result, from: 0, start) { _ in emitter.constant(0) }
        emitter.fill(result, from: start, length) { arguments[0][$0] }
        emitter.fill(result, from: start + length, count - start - length) { _ in emitter.constant(0) }
    }
}

struct Concat: PlainOperation {
    static let name = "Concat"
    static let summary = "The components of f, then those of g; `[f, g, …]` joins any number."
    static let parameters: [Parameter] = [.formula("f"), .formula("g")]
    var linearity: Linearity { .jointly }

    func dimension(_ arguments: [Formula]) -> Int { arguments[0].dimension + arguments[1].dimension }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let (f, g) = (arguments[0], arguments[1])
        return f.isZero && g.isZero ? .zero(f.dimension + g.dimension) : nil
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        let (a, b) = (arguments[0].dimension, arguments[1].dimension)
        return [cotangent.extracted(0, a), cotangent.extracted(a, b)]
    }

    func pushforward(of tangents: [Formula?], _ arguments: [Formula], result: Formula) -> Formula {
        (tangents[0] ?? .zero(arguments[0].dimension)).concatenated(tangents[1] ?? .zero(arguments[1].dimension))
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] { arguments[0] + arguments[1] }

    func lowering(_ dimensions: [Int]) -> Lowering {
        .whole { result, arguments, emitter in
            emitter.fill(result, from: 0, dimensions[0]) { arguments[0][$0] }
            emitter.fill(result, from: dimensions[0], dimensions[1]) { arguments[1][$0] }
        }
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        Bounds(
            x[0].lower.concatenated(x[1].lower), x[0].upper.concatenated(x[1].upper), x[0].sign == x[1].sign ? x[0].sign : nil)
    }
}

struct OneHot: PlainlyConstantOperation {
    static let name = "OneHot"
    static let summary = "A vector of n zeros but 1 at the position nearest to f; all zeros where that is outside."
    static let parameters: [Parameter] = [.formula("f"), .integer("n")]

    let count: Int

    init(count: Int) { self.count = count }
    init(attributes: [Attribute]) { count = attributes.integer(0) }
    var attributes: [Attribute] { [.integer(count)] }

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        guard arguments[0].dimension == 1 else {
            throw FormulaError("OneHot takes a position of dimension 1; this has dimension \(arguments[0].dimension).")
        }
        guard count >= 1 else { throw FormulaError("OneHot has a length of at least 1; n is \(count).") }
        return count
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        let position = (arguments[0][0] + 0.5).rounded(.down)
        return (0..<count).map { Double($0) == position ? 1 : 0 }
    }

    func lowering(_ dimensions: [Int]) -> Lowering {
        .inline { k, arguments, emitter in
            let position = (arguments[0][0] + emitter.constant(0.5)).apply(.floor)
            return (emitter.number(k) == position).oneOrZero
        }
    }

    /// Exact where the whole box is nearest to one position, else 0 and 1.
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        let positions = x[0].map { (Formula(Number(1, over: 2)!) + $0).floor }
        let isSure = Formula.trusted(Equal(), positions.lower, positions.upper)
        let oneHot = x[0].lower.oneHot(count)
        return Bounds(isSure.choose(oneHot, else: .zero(1)), isSure.choose(oneHot, else: .one), .nonNegative)
    }
}

/// An operation whose derivative is zero wherever it exists.
protocol PlainlyConstantOperation: Operation {}

extension PlainlyConstantOperation {
    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        arguments.map { _ in nil }
    }
    func pushforward(of tangents: [Formula?], _ arguments: [Formula], result: Formula) -> Formula { .zero(result.dimension) }
}

extension Emitter {
    /// array[start + k] = component(k) for k < count.
    func fill(_ array: ArrayReference, from start: Int, _ count: Int, _ component: (Index) -> Value) {
        loop(count) { k in store(component(k), in: array, at: k + start) }
    }
}
