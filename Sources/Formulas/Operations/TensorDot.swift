/// A contraction of two tensors over pairs of axes, as `numpy.tensordot`, with the result's axes permuted.
struct TensorDot: MultilinearOperation {
    static let name = "TensorDot"
    static let summary = """
        The contraction of tensors of shapes dimsf and dimsg over axes contf of f and contg of g. The result has the axes \
        kept of f, then those of g; kept axis k moves to position permute[k].
        """
    static let parameters: [Parameter] = [
        .formula("f"), .formula("g"), .integers("dimsf"), .integers("dimsg"), .integers("contf"), .integers("contg"),
        .integers("permute").optional,
    ]

    /// More than any array library has; axes are searched one by one.
    static let maximumAxes = 64

    let shapes: ([Int], [Int])
    let contracted: ([Int], [Int])
    /// Where each kept axis goes.
    let destinations: [Int]

    init(attributes: [Attribute]) throws(FormulaError) {
        shapes = (attributes.integers(0), attributes.integers(1))
        contracted = (attributes.integers(2), attributes.integers(3))
        guard shapes.0.count <= Self.maximumAxes, shapes.1.count <= Self.maximumAxes else {
            throw FormulaError(
                "TensorDot takes tensors of at most \(Self.maximumAxes) axes; these have \(shapes.0.count) and \(shapes.1.count)."
            )
        }
        for shape in [shapes.0, shapes.1] where !shape.allSatisfy({ $0 >= 1 }) {
            throw FormulaError("TensorDot takes axes of length at least 1; these are \(shape).")
        }
        for (shape, axes) in [(shapes.0, contracted.0), (shapes.1, contracted.1)] {
            guard axes.allSatisfy(shape.indices.contains), Set(axes).count == axes.count else {
                throw FormulaError(
                    "TensorDot contracts distinct axes from 0 to \(shape.count - 1) of a tensor of shape \(shape); these are \(axes)."
                )
            }
        }
        guard contracted.0.map({ [shapes] in shapes.0[$0] }) == contracted.1.map({ [shapes] in shapes.1[$0] }) else {
            throw FormulaError(
                "TensorDot contracts axes of equal lengths; \(contracted.0) of shape \(shapes.0) and \(contracted.1) of shape \(shapes.1) differ."
            )
        }
        let kept = shapes.0.count + shapes.1.count - contracted.0.count - contracted.1.count
        let permutation = attributes.count > 4 ? attributes.integers(4) : []
        destinations = permutation.isEmpty ? Array(0..<kept) : permutation
        guard destinations.sorted() == Array(0..<kept) else {
            throw FormulaError(
                "TensorDot permutes \(kept) kept axes, so permute holds each of 0..<\(kept) once; it is \(destinations).")
        }
    }

    init(_ shapes: ([Int], [Int]), contracting axes: ([Int], [Int]), to destinations: [Int]) {
        self.shapes = shapes
        self.contracted = axes
        self.destinations = destinations
    }

    var attributes: [Attribute] {
        [
            .integers(shapes.0), .integers(shapes.1), .integers(contracted.0), .integers(contracted.1),
            .integers(destinations),
        ]
    }

    private var keptAxes: ([Int], [Int]) {
        (shapes.0.indices.filter { !contracted.0.contains($0) }, shapes.1.indices.filter { !contracted.1.contains($0) })
    }

    /// The result's shape.
    private var resultShape: [Int] {
        let (f, g) = keptAxes
        let lengths = f.map { shapes.0[$0] } + g.map { shapes.1[$0] }
        var shape = lengths
        for (k, destination) in destinations.enumerated() { shape[destination] = lengths[k] }
        return shape
    }

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        for (argument, shape) in zip(arguments, [shapes.0, shapes.1]) {
            guard try product(Self.name, shape) == argument.dimension else {
                throw FormulaError("TensorDot is given the shape \(shape) for an argument of dimension \(argument.dimension).")
            }
        }
        return try product(Self.name, resultShape)
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        arguments.contains(where: \.isZero) ? .zero(resultShape.reduce(1, *)) : nil
    }

    /// Each derivative is a contraction of the cotangent with the other argument, its axes put back in place.
    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        let (keptF, keptG) = keptAxes
        let f = Side(kept: keptF, places: Array(destinations[..<keptF.count]), contracted: contracted.0)
        let g = Side(kept: keptG, places: Array(destinations[keptF.count...]), contracted: contracted.1)
        func adjoint(_ own: Side, _ other: Side, _ otherShape: [Int], _ otherArgument: Formula) -> Formula {
            // What is left of the cotangent are this side's kept axes, in the order of their places in the result; what
            // is left of the other argument are the contracted axes, in the order that they have there.
            let fromCotangent = zip(own.places, own.kept).sorted { $0.0 < $1.0 }.map(\.1)
            let fromOther = zip(other.contracted, own.contracted).sorted { $0.0 < $1.0 }.map(\.1)
            let contraction = TensorDot(
                (resultShape, otherShape), contracting: (other.places, other.kept), to: fromCotangent + fromOther)
            return .trusted(contraction, cotangent, otherArgument)
        }
        return [adjoint(f, g, shapes.1, arguments[1]), adjoint(g, f, shapes.0, arguments[0])]
    }

    /// The axes of one argument: those kept, where each goes in the result, and those contracted.
    private struct Side {
        var kept: [Int]
        var places: [Int]
        var contracted: [Int]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        let strides = loopStrides
        return (0..<dimension).map { flat in
            let base = strides.origin(flat, resultShape)
            return strides.contraction(contracted.0.map { shapes.0[$0] }).reduce(0) {
                $0 + arguments[0][base.0 + $1.0] * arguments[1][base.1 + $1.1]
            }
        }
    }

    func lowering(_ dimensions: [Int]) -> Lowering {
        let strides = loopStrides
        let lengths = contracted.0.map { shapes.0[$0] }
        return .nest(shape: resultShape) { counters, arguments, emitter in
            var (f, g) = (Index(0), Index(0))
            for (counter, stride) in zip(counters, strides.result) {
                f = f + counter * stride.0
                g = g + counter * stride.1
            }
            func contract(_ axis: Int, _ f: Index, _ g: Index) -> Value {
                guard axis < lengths.count else { return arguments[0][f] * arguments[1][g] }
                let stride = strides.contracted[axis]
                return emitter.sum(lengths[axis]) { contract(axis + 1, f + $0 * stride.0, g + $0 * stride.1) }
            }
            return contract(0, f, g)
        }
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        let terms = contracted.0.reduce(1) { $0 * shapes.0[$1] }
        return context.bilinear(x[0], x[1], terms: terms) { .trusted(self, $0, $1) }
    }

    /// How far a step along each axis of the result, and along each contracted axis, moves in f and in g.
    private var loopStrides: LoopStrides {
        let (f, g) = (rowMajorStrides(shapes.0), rowMajorStrides(shapes.1))
        let (keptF, keptG) = keptAxes
        let kept = keptF.map { (f[$0], 0) } + keptG.map { (0, g[$0]) }
        var result = kept
        for (k, destination) in destinations.enumerated() { result[destination] = kept[k] }
        return LoopStrides(result: result, contracted: zip(contracted.0, contracted.1).map { (f[$0], g[$1]) })
    }

    private struct LoopStrides {
        var result: [(Int, Int)]
        var contracted: [(Int, Int)]

        /// The offsets in f and g of a flat position of the result.
        func origin(_ flat: Int, _ shape: [Int]) -> (Int, Int) {
            var (rest, offset) = (flat, (0, 0))
            for axis in shape.indices.reversed() {
                let counter = rest % shape[axis]
                rest /= shape[axis]
                offset = (offset.0 + counter * result[axis].0, offset.1 + counter * result[axis].1)
            }
            return offset
        }

        /// The offsets of every term of the contraction.
        func contraction(_ lengths: [Int]) -> [(Int, Int)] {
            zip(lengths, contracted).reduce([(0, 0)]) { offsets, axis in
                offsets.flatMap { offset in
                    (0..<axis.0).map { (offset.0 + $0 * axis.1.0, offset.1 + $0 * axis.1.1) }
                }
            }
        }
    }
}

private func rowMajorStrides(_ shape: [Int]) -> [Int] {
    var strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    return strides
}

extension Formula {
    /// The Kronecker product of two tensors with the same number of axes, as `numpy.kron`: axis k of the result is the
    /// pair of the two axes k.
    static func kronecker(_ f: Formula, _ g: Formula, _ shapeF: [Int], _ shapeG: [Int]) throws(FormulaError) -> Formula {
        guard shapeF.count == shapeG.count else {
            throw FormulaError(
                "Kron takes two tensors with the same number of axes; these have \(shapeF.count) and \(shapeG.count).")
        }
        let destinations = shapeF.indices.map { 2 * $0 } + shapeG.indices.map { 2 * $0 + 1 }
        let operation = try TensorDot(attributes: [
            .integers(shapeF), .integers(shapeG), .integers([]), .integers([]), .integers(Array(destinations)),
        ])
        return try Formula(operation, [f, g])
    }
}
