/// How generated code obtains the components of an operation's result.
public enum Lowering {
    /// A few instructions per component: whoever needs component k computes it there, inside its own loop.
    case inline((_ k: Index, _ arguments: [Operand], any Emitter) -> Value)

    /// One component after the other, in loops over `shape` (row-major; its product is the dimension; empty for one
    /// number); the result is kept.
    case nest(shape: [Int], (_ k: [Index], _ arguments: [Operand], any Emitter) -> Value)

    /// The result as a whole, filled in the operation's own order.
    case whole((_ result: ArrayReference, _ arguments: [Operand], any Emitter) -> Void)

    /// One number.
    static func scalar(_ value: @escaping ([Operand], any Emitter) -> Value) -> Lowering {
        .nest(shape: []) { _, arguments, emitter in value(arguments, emitter) }
    }
}

/// The components of an argument, as instructions to obtain them.
public struct Operand {
    public let dimension: Int
    let component: (Index) -> Value

    public init(dimension: Int, component: @escaping (Index) -> Value) {
        self.dimension = dimension
        self.component = component
    }

    public subscript(k: Index) -> Value { component(k) }
    public subscript(k: Int) -> Value { component(Index(k)) }

    /// The only component, or component k: how a vector of dimension 1 meets longer ones.
    public func broadcast(_ k: Index) -> Value { component(dimension == 1 ? 0 : k) }
}

/// A position that is an affine function of loop counters: `constant + Σ stride · counter`.
public struct Index: Hashable, Sendable, ExpressibleByIntegerLiteral {
    public struct Term: Hashable, Sendable {
        public var counter: Int
        public var stride: Int
    }
    public var constant: Int
    public var terms: [Term]

    public init(_ constant: Int) {
        self.constant = constant
        terms = []
    }

    public init(integerLiteral value: Int) { self.init(value) }

    /// The counter of a loop.
    public init(counter: Int) {
        constant = 0
        terms = [Term(counter: counter, stride: 1)]
    }

    public static func + (a: Index, b: Index) -> Index {
        var sum = a
        sum.constant += b.constant
        for term in b.terms {
            if let same = sum.terms.firstIndex(where: { $0.counter == term.counter }) {
                sum.terms[same].stride += term.stride
            } else {
                sum.terms.append(term)
            }
        }
        sum.terms.removeAll { $0.stride == 0 }
        return sum
    }

    public static func + (a: Index, b: Int) -> Index { a + Index(b) }

    public static func * (a: Index, factor: Int) -> Index {
        guard factor != 0 else { return 0 }
        var product = a
        product.constant *= factor
        for k in product.terms.indices { product.terms[k].stride *= factor }
        return product
    }
}
