import RandomNumbers

/// One name of the formula language: its value by the definition in the books, and arguments to try it on.
package struct OracleOperation: Sendable {
    package typealias Attribute = OracleExpression.Attribute

    package let name: String
    package let dimension: @Sendable (_ dimensions: [Int], _ attributes: [Attribute]) -> Int
    package let value: @Sendable (_ x: [[Double]], _ attributes: [Attribute], _ dimension: Int) -> [Double]
    /// Calls of a nominal size: 1 is the smallest, larger ones have longer vectors.
    package let samples: @Sendable (_ size: Int) -> [Sample]
    /// How many times more than one rounding the value may err by where arguments are exact: long recursions.
    package var roundings = 1.0

    package struct Sample: Sendable {
        package var dimensions: [Int]
        package var domains: [OracleDomain]
        package var attributes: [Attribute] = []
        /// Small whole numbers on which every step is exact: ties, and comparisons of equal numbers.
        package var isExact = false
    }

    package static let all: [OracleOperation] =
        leaves + elementwise + piecewise + vectors + norms + tensors + series + complexNumbers + wrappers
    package static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}

/// Where an argument's components are drawn from.
package enum OracleDomain: Hashable, Sendable {
    case real, positive, unit, nonzero
    /// Small whole numbers.
    case lattice
    /// About one of the whole numbers 0..<n.
    case index(Int)
    /// An increasing sequence, about one unit apart.
    case knots
    /// Between 0 and n.
    case between(Int)

    /// Whether the mean of two values is in the domain again.
    package var isConvex: Bool {
        switch self {
        case .real, .positive, .unit, .knots, .between: true
        case .nonzero, .lattice, .index: false
        }
    }

    package func vector(_ dimension: Int, _ random: inout RandomSource) -> [Double] {
        (0..<dimension).map { k in
            switch self {
            case .real: random.uniform(-2, 2)
            case .positive: random.uniform(0.4, 2.4)
            case .unit: random.uniform(-0.9, 0.9)
            case .nonzero: random.uniform(0.5, 2) * (random.chance(0.5) ? 1 : -1)
            case .lattice: Double(random.below(5) - 2)
            case .index(let count): Double(random.below(count)) + random.uniform(-0.4, 0.4)
            case .knots: Double(k) + random.uniform(-0.3, 0.3)
            case .between(let n): random.uniform(0, Double(n))
            }
        }
    }
}

// MARK: - Families

extension OracleOperation {
    static func unary(
        _ name: String, _ domain: OracleDomain = .real, _ f: @escaping @Sendable (Double) -> Double
    ) -> OracleOperation {
        OracleOperation(
            name: name, dimension: { dimensions, _ in dimensions[0] }, value: { x, _, _ in x[0].map(f) },
            samples: { [Sample(dimensions: [$0], domains: [domain])] })
    }

    /// One argument and integers.
    static func unary(
        _ name: String, _ domain: OracleDomain, integers: @escaping @Sendable (Int) -> [[Int]],
        _ f: @escaping @Sendable (Double, [Int]) -> Double
    ) -> OracleOperation {
        OracleOperation(
            name: name, dimension: { dimensions, _ in dimensions[0] },
            value: { x, attributes, _ in
                let integers = attributes.map(\.integer)
                return x[0].map { f($0, integers) }
            },
            samples: { size in
                integers(size).map { Sample(dimensions: [size], domains: [domain], attributes: $0.map(Attribute.integer)) }
            })
    }

    static func binary(
        _ name: String, _ a: OracleDomain = .real, _ b: OracleDomain = .real, exact: OracleDomain? = nil,
        _ f: @escaping @Sendable (Double, Double) -> Double
    ) -> OracleOperation {
        OracleOperation(
            name: name, dimension: { dimensions, _ in dimensions.max()! },
            value: { x, _, dimension in (0..<dimension).map { f(x[0].broadcast($0), x[1].broadcast($0)) } },
            samples: { d in
                shapes(d, 2).map { Sample(dimensions: $0, domains: [a, b]) }
                    + (exact.map { [Sample(dimensions: [d, d], domains: [$0, $0], isExact: true)] } ?? [])
            })
    }

    static func ternary(
        _ name: String, _ domains: [OracleDomain], _ f: @escaping @Sendable (Double, Double, Double) -> Double
    ) -> OracleOperation {
        OracleOperation(
            name: name, dimension: { dimensions, _ in dimensions.max()! },
            value: { x, _, dimension in
                (0..<dimension).map { f(x[0].broadcast($0), x[1].broadcast($0), x[2].broadcast($0)) }
            },
            samples: { d in shapes(d, 3).map { Sample(dimensions: $0, domains: domains) } })
    }

    /// All arguments of dimension d, then each one alone, then each but one.
    private static func shapes(_ d: Int, _ count: Int) -> [[Int]] {
        if d == 1 { return [Array(repeating: 1, count: count)] }
        var shapes = [Array(repeating: d, count: count)]
        for k in 0..<count {
            var shape = Array(repeating: 1, count: count)
            shape[k] = d
            shapes.append(shape)
        }
        return shapes
    }
}

extension [Double] {
    func broadcast(_ k: Int) -> Double { count == 1 ? self[0] : self[k] }

    var total: Double {
        var sum = 0.0
        for value in self { sum += value }
        return sum
    }
}
