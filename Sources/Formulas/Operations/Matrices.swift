// Products of small matrices and vectors inside a formula. A matrix of shape (n, p) is a vector of dimension n·p, row-major.

struct MatVecMult: MultilinearOperation, PlainOperation {
    static let name = "MatVecMult"
    static let summary = "The matrix f of shape (n, p) times the vector g of dimension p."
    static let parameters: [Parameter] = [.formula("f"), .formula("g")]

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        try quotient(Self.name, matrix: arguments[0], vector: arguments[1])
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let (matrix, vector) = (arguments[0], arguments[1])
        if matrix.isZero || vector.isZero { return .zero(matrix.dimension / vector.dimension) }
        return vector.dimension == 1 ? matrix * vector : vector.dimension == matrix.dimension ? matrix.dot(vector) : nil
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        [cotangent.outer(arguments[1]), cotangent.timesMatrix(arguments[0])]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        let (matrix, vector) = (arguments[0], arguments[1])
        return (0..<dimension).map { i in
            vector.indices.reduce(0) { $0 + matrix[i * vector.count + $1] * vector[$1] }
        }
    }

    func lowering(_ dimensions: [Int]) -> Lowering {
        let (n, p) = (dimensions[0] / dimensions[1], dimensions[1])
        return .nest(shape: [n]) { i, arguments, emitter in
            emitter.sum(p) { k in arguments[0][i[0] * p + k] * arguments[1][k] }
        }
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        context.bilinear(x[0], x[1], terms: x[1].dimension) { $0.matrixTimes($1) }
    }
}

struct VecMatMult: MultilinearOperation, PlainOperation {
    static let name = "VecMatMult"
    static let summary = "The vector f of dimension n times the matrix g of shape (n, p)."
    static let parameters: [Parameter] = [.formula("f"), .formula("g")]

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        try quotient(Self.name, matrix: arguments[1], vector: arguments[0])
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let (vector, matrix) = (arguments[0], arguments[1])
        if matrix.isZero || vector.isZero { return .zero(matrix.dimension / vector.dimension) }
        return vector.dimension == 1 ? vector * matrix : vector.dimension == matrix.dimension ? vector.dot(matrix) : nil
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        [arguments[1].matrixTimes(cotangent), arguments[0].outer(cotangent)]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        let (vector, matrix) = (arguments[0], arguments[1])
        return (0..<dimension).map { j in
            vector.indices.reduce(0) { $0 + vector[$1] * matrix[$1 * dimension + j] }
        }
    }

    func lowering(_ dimensions: [Int]) -> Lowering {
        let (n, p) = (dimensions[0], dimensions[1] / dimensions[0])
        return .nest(shape: [p]) { j, arguments, emitter in
            emitter.sum(n) { k in arguments[0][k] * arguments[1][k * p + j[0]] }
        }
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        context.bilinear(x[0], x[1], terms: x[0].dimension) { $0.timesMatrix($1) }
    }
}

struct TensorProd: MultilinearOperation, PlainOperation {
    static let name = "TensorProd"
    static let summary = "The matrix f gᵀ."
    static let parameters: [Parameter] = [.formula("f"), .formula("g")]

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        try product(Self.name, arguments.map(\.dimension))
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let (f, g) = (arguments[0], arguments[1])
        if f.isZero || g.isZero { return .zero(f.dimension * g.dimension) }
        return f.dimension == 1 || g.dimension == 1 ? f * g : nil
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        [cotangent.matrixTimes(arguments[1]), arguments[0].timesMatrix(cotangent)]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        arguments[0].flatMap { x in arguments[1].map { x * $0 } }
    }

    func lowering(_ dimensions: [Int]) -> Lowering {
        .nest(shape: dimensions) { k, arguments, _ in arguments[0][k[0]] * arguments[1][k[1]] }
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { context.product(x[0], x[1]) { $0.outer($1) } }
}

private func quotient(_ name: String, matrix: Formula, vector: Formula) throws(FormulaError) -> Int {
    guard matrix.dimension.isMultiple(of: vector.dimension) else {
        throw FormulaError(
            "\(name) takes a matrix whose dimension is a multiple of the vector's; these have \(matrix.dimension) and \(vector.dimension)."
        )
    }
    return matrix.dimension / vector.dimension
}

/// A product of dimensions, or an error where it is beyond what a formula may have.
func product(_ name: String, _ dimensions: [Int]) throws(FormulaError) -> Int {
    var product = 1
    for dimension in dimensions {
        let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
        guard !overflow, next <= Formula.maximumDimension else {
            throw FormulaError(
                "\(name) would have dimension \(dimensions.map(String.init).joined(separator: "·")); the largest is \(Formula.maximumDimension)."
            )
        }
        product = next
    }
    return product
}
