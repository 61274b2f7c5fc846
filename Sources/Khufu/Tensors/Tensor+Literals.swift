// Tensors written out in source: `let x: Tensor<Float> = [[0, 1], [2, 3]]`.

extension Tensor: ExpressibleByArrayLiteral where Element: TensorScalar {
    /// - Precondition: all rows of one axis have one shape.
    public init(arrayLiteral rows: TensorLiteral...) {
        let literal = TensorLiteral.list(rows)
        var numbers: [Element] = []
        literal.append(to: &numbers)
        let shape = literal.shape
        self.init(shape: shape) { _ = $0.initialize(fromContentsOf: numbers) }
    }
}

/// A number or a list in a tensor's literal.
public enum TensorLiteral: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, Sendable {
    case number(Double)
    case list([TensorLiteral])

    public init(floatLiteral value: Double) { self = .number(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(arrayLiteral elements: TensorLiteral...) { self = .list(elements) }

    fileprivate var shape: [Int] {
        guard case .list(let rows) = self else { return [] }
        let shapes = rows.map(\.shape)
        if let odd = shapes.firstIndex(where: { $0 != shapes[0] }) {
            preconditionFailure("The rows of a tensor have one shape; row 0 has \(shapes[0]) and row \(odd) has \(shapes[odd]).")
        }
        return [rows.count] + (shapes.first ?? [])
    }

    fileprivate func append<Number: BinaryFloatingPoint>(to numbers: inout [Number]) {
        switch self {
        case .number(let number): numbers.append(Number(number))
        case .list(let rows): for row in rows { row.append(to: &numbers) }
        }
    }
}
