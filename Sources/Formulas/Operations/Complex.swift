// Complex vectors are real vectors of twice the length, real and imaginary parts interleaved. Three linear operations take
// them apart and put them together; all others are real arithmetic on the parts, from which derivatives follow. A gradient
// of a real function is then ∂/∂re + i ∂/∂im, PyTorch's convention.

/// The complex vector with real part f and imaginary part g.
struct Complex: PlainOperation {
    static let name = "Complex"
    static let summary = "The complex vector f + i g, interleaved: dimension 2d from two vectors of dimension d."
    static let parameters: [Parameter] = [.formula("f"), .formula("g")]
    var linearity: Linearity { .jointly }

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        guard arguments[0].dimension == arguments[1].dimension else {
            throw FormulaError("Complex takes a real and an imaginary part of one dimension; these have \(sentence(arguments)).")
        }
        return 2 * arguments[0].dimension
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let (re, im) = (arguments[0], arguments[1])
        if re.isZero && im.isZero { return .zero(2 * re.dimension) }
        if re.operation is ComplexReal, im.operation is ComplexImag, re.arguments == im.arguments { return re.arguments[0] }
        return nil
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        [cotangent.realPart, cotangent.imaginaryPart]
    }

    func pushforward(of tangents: [Formula?], _ arguments: [Formula], result: Formula) -> Formula {
        let zero = Formula.zero(arguments[0].dimension)
        return .complex(tangents[0] ?? zero, tangents[1] ?? zero)
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        zip(arguments[0], arguments[1]).flatMap { [$0, $1] }
    }

    func lowering(_ dimensions: [Int]) -> Lowering {
        .whole { result, arguments, emitter in
            emitter.loop(dimensions[0]) { k in
                emitter.store(arguments[0][k], in: result, at: k * 2)
                emitter.store(arguments[1][k], in: result, at: k * 2 + 1)
            }
        }
    }

    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? {
        Bounds(
            .complex(x[0].lower, x[1].lower), .complex(x[0].upper, x[1].upper), x[0].sign == x[1].sign ? x[0].sign : nil)
    }
}

struct ComplexReal: ComplexPart {
    static let name = "ComplexReal"
    static let summary = "The real part of a complex vector."
    static let offset = 0
}

struct ComplexImag: ComplexPart {
    static let name = "ComplexImag"
    static let summary = "The imaginary part of a complex vector."
    static let offset = 1
}

/// What the two parts share.
protocol ComplexPart: MultilinearOperation, PlainOperation {
    static var offset: Int { get }
}

extension ComplexPart {
    static var parameters: [Parameter] { [.formula("f")] }

    func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        try arguments[0].complexCount(for: Self.name)
    }

    func simplified(_ arguments: [Formula]) -> Formula? {
        let f = arguments[0]
        if f.isZero { return .zero(f.dimension / 2) }
        return f.parts(Complex.self).map { Self.offset == 0 ? $0.0 : $0.1 }
    }

    func pullback(of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]) -> [Formula?] {
        let zero = Formula.zero(cotangent.dimension)
        return [Self.offset == 0 ? .complex(cotangent, zero) : .complex(zero, cotangent)]
    }

    func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        (0..<dimension).map { arguments[0][2 * $0 + Self.offset] }
    }

    func lowering(_ dimensions: [Int]) -> Lowering { .inline { k, arguments, _ in arguments[0][k * 2 + Self.offset] } }
    func bounds(_ x: [Bounds], _ context: BoundsContext) -> Bounds? { x[0].map { .trusted(self, $0) } }
}

extension Formula {
    static func complex(_ re: Formula, _ im: Formula) -> Formula { .trusted(Complex(), re, im) }
    var realPart: Formula { .trusted(ComplexReal(), self) }
    var imaginaryPart: Formula { .trusted(ComplexImag(), self) }

    /// How many complex numbers this vector holds.
    fileprivate func complexCount(for name: String) throws(FormulaError) -> Int {
        guard dimension.isMultiple(of: 2) else {
            throw FormulaError("\(name) takes a complex vector, of even dimension; this has dimension \(dimension).")
        }
        return dimension / 2
    }
}

// MARK: - The names of the formula language

extension Formula {
    static func complexFromReal(_ f: Formula) throws(FormulaError) -> Formula {
        try Formula(Complex(), [f, .zero(f.dimension)])
    }
    static func complexFromImaginary(_ f: Formula) throws(FormulaError) -> Formula {
        try Formula(Complex(), [.zero(f.dimension), f])
    }

    /// Both with the same count of complex numbers: a single one is repeated.
    private static func complexBroadcast(
        _ name: String, _ f: Formula, _ g: Formula
    ) throws(FormulaError) -> (Formula, Formula) {
        let count = max(try f.complexCount(for: name), try g.complexCount(for: name))
        guard [f, g].allSatisfy({ $0.dimension == 2 || $0.dimension == 2 * count }) else {
            throw FormulaError(
                "\(name) takes complex vectors of one dimension, or a single complex number of dimension 2; these have \(f.dimension) and \(g.dimension)."
            )
        }
        return (try complexRepeated(f, 2 * count), try complexRepeated(g, 2 * count))
    }

    static func complexSum(_ f: Formula) throws(FormulaError) -> Formula {
        _ = try f.complexCount(for: "ComplexSum")
        return .complex(f.realPart.sum, f.imaginaryPart.sum)
    }

    /// One complex number repeated to `dimension` real slots.
    static func complexRepeated(_ f: Formula, _ dimension: Int) throws(FormulaError) -> Formula {
        if f.dimension == dimension { return f }
        guard f.dimension == 2, dimension >= 2, dimension.isMultiple(of: 2) else {
            throw FormulaError(
                "ComplexSumT repeats one complex number, of dimension 2, to an even dimension; these are \(f.dimension) and \(dimension)."
            )
        }
        return .complex(
            try Formula(SumT(count: dimension / 2), [f.realPart]), try Formula(SumT(count: dimension / 2), [f.imaginaryPart]))
    }

    static func complexAdd(_ f: Formula, _ g: Formula) throws(FormulaError) -> Formula {
        let (f, g) = try complexBroadcast("ComplexAdd", f, g)
        return f + g
    }

    static func complexSubtract(_ f: Formula, _ g: Formula) throws(FormulaError) -> Formula {
        let (f, g) = try complexBroadcast("ComplexSubtract", f, g)
        return f - g
    }

    // Parts of a single complex number have dimension 1 and are repeated by the real product; nothing is copied.
    static func complexMultiply(_ f: Formula, _ g: Formula) throws(FormulaError) -> Formula {
        _ = try complexBroadcast("ComplexMult", f, g)
        let (a, b, c, d) = (f.realPart, f.imaginaryPart, g.realPart, g.imaginaryPart)
        return .complex(a * c - b * d, a * d + b * c)
    }

    static func complexDivide(_ f: Formula, _ g: Formula) throws(FormulaError) -> Formula {
        _ = try complexBroadcast("ComplexDivide", f, g)
        let scale = try Formula(Inv(), [try complexSquaredModulus(g)])
        let product = try complexMultiply(f, try complexConjugate(g))
        return .complex(scale * product.realPart, scale * product.imaginaryPart)
    }

    static func complexScaled(_ f: Formula, _ g: Formula) throws(FormulaError) -> Formula {
        guard f.dimension == 1 || g.dimension == 1 else {
            throw FormulaError(
                "ComplexRealScal takes a real number, of dimension 1, and a complex vector; these have \(f.dimension) and \(g.dimension)."
            )
        }
        _ = try (f.dimension == 1 ? g : f).complexCount(for: "ComplexRealScal")
        return f * g
    }

    static func complexConjugate(_ f: Formula) throws(FormulaError) -> Formula {
        _ = try f.complexCount(for: "Conj")
        return .complex(f.realPart, -f.imaginaryPart)
    }

    static func complexSquaredModulus(_ f: Formula) throws(FormulaError) -> Formula {
        _ = try f.complexCount(for: "ComplexSquareAbs")
        return f.realPart.squared + f.imaginaryPart.squared
    }

    static func complexModulus(_ f: Formula) throws(FormulaError) -> Formula {
        _ = try f.complexCount(for: "ComplexAbs")
        return (try complexSquaredModulus(f)).squareRoot
    }

    static func complexAngle(_ f: Formula) throws(FormulaError) -> Formula {
        _ = try f.complexCount(for: "ComplexAngle")
        return try Formula(Atan2(), [f.imaginaryPart, f.realPart])
    }

    /// e^{if}.
    static func complexCis(_ f: Formula) throws(FormulaError) -> Formula { try Formula(Complex(), [f.cos, f.sin]) }

    static func complexExp(_ f: Formula) throws(FormulaError) -> Formula {
        _ = try f.complexCount(for: "ComplexExp")
        let modulus = f.realPart.exp
        return .complex(modulus * f.imaginaryPart.cos, modulus * f.imaginaryPart.sin)
    }
}
