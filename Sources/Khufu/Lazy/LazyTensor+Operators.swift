import Formulas

// Operators build formulas, number by number. Dimensions are equal, or one of them is 1.

extension LazyTensor {
    /// - Throws: an error that names both shapes, where dimensions, points or batches do not fit; so for all operators here.
    public static func + (a: LazyTensor, b: LazyTensor) throws -> LazyTensor { try a.applying("Add", b) }
    public static func - (a: LazyTensor, b: LazyTensor) throws -> LazyTensor { try a.applying("Subtract", b) }
    public static func * (a: LazyTensor, b: LazyTensor) throws -> LazyTensor { try a.applying("Mult", b) }
    public static func / (a: LazyTensor, b: LazyTensor) throws -> LazyTensor { try a.applying("Divide", b) }
    public static prefix func - (a: LazyTensor) throws -> LazyTensor { try a.applying("Minus") }

    /// The scalar product of the vectors of each pair, of dimension 1.
    public static func | (a: LazyTensor, b: LazyTensor) throws -> LazyTensor { try a.applying("Scalprod", b) }

    // MARK: With numbers

    public static func + (a: LazyTensor, b: Scalar) throws -> LazyTensor { try a + LazyTensor(number: b) }
    public static func + (a: Scalar, b: LazyTensor) throws -> LazyTensor { try LazyTensor(number: a) + b }
    public static func - (a: LazyTensor, b: Scalar) throws -> LazyTensor { try a - LazyTensor(number: b) }
    public static func - (a: Scalar, b: LazyTensor) throws -> LazyTensor { try LazyTensor(number: a) - b }
    public static func * (a: LazyTensor, b: Scalar) throws -> LazyTensor { try a * LazyTensor(number: b) }
    public static func * (a: Scalar, b: LazyTensor) throws -> LazyTensor { try LazyTensor(number: a) * b }
    public static func / (a: LazyTensor, b: Scalar) throws -> LazyTensor { try a / LazyTensor(number: b) }
    public static func / (a: Scalar, b: LazyTensor) throws -> LazyTensor { try LazyTensor(number: a) / b }

    // MARK: Comparisons, 1 where they hold and 0 elsewhere

    public static func .== (a: LazyTensor, b: LazyTensor) throws -> LazyTensor { try a.applying("Equal", b) }
    public static func .!= (a: LazyTensor, b: LazyTensor) throws -> LazyTensor { try a.applying("NotEqual", b) }
    public static func .< (a: LazyTensor, b: LazyTensor) throws -> LazyTensor { try a.applying("LessThan", b) }
    public static func .<= (a: LazyTensor, b: LazyTensor) throws -> LazyTensor { try a.applying("LessOrEqual", b) }
    public static func .> (a: LazyTensor, b: LazyTensor) throws -> LazyTensor { try b.applying("LessThan", a) }
    public static func .>= (a: LazyTensor, b: LazyTensor) throws -> LazyTensor { try b.applying("LessOrEqual", a) }

    public static func .< (a: LazyTensor, b: Scalar) throws -> LazyTensor { try a .< LazyTensor(number: b) }
    public static func .<= (a: LazyTensor, b: Scalar) throws -> LazyTensor { try a .<= LazyTensor(number: b) }
    public static func .> (a: LazyTensor, b: Scalar) throws -> LazyTensor { try a .> LazyTensor(number: b) }
    public static func .>= (a: LazyTensor, b: Scalar) throws -> LazyTensor { try a .>= LazyTensor(number: b) }

    // MARK: Components

    /// Component k, of dimension 1.
    ///
    /// - Precondition: 0 ≤ k < dimension.
    public subscript(k: Int) -> LazyTensor {
        precondition((0..<dimension).contains(k), "Component \(k) is outside of dimension \(dimension).")
        return applyingTrusted("Elem", .integer(k))
    }

    /// Neighbouring components.
    ///
    /// - Precondition: a range of at least one of them.
    public subscript(range: some RangeExpression<Int>) -> LazyTensor {
        let range = range.relative(to: 0..<dimension)
        precondition(
            !range.isEmpty && range.lowerBound >= 0 && range.upperBound <= dimension,
            "Components \(range) are outside of dimension \(dimension).")
        return applyingTrusted("Extract", .integer(range.lowerBound), .integer(range.count))
    }

    private func applyingTrusted(_ name: String, _ attributes: Catalogue.Argument...) -> LazyTensor {
        do { return try Self.operation(name, [self], attributes) } catch { preconditionFailure("\(error)") }
    }
}
