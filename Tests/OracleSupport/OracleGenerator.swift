import RandomNumbers

/// Random formulas over every operation, with arguments inside each operation's domain and of moderate size.
package struct OracleGenerator {
    package var random: RandomSource
    package private(set) var domains: [Int: OracleDomain] = [:]
    private var variables: [OracleExpression] = []
    /// The largest number of distinct variables of domain `.real`.
    private let variableLimit: Int
    /// Smooth operations only, for finite differences.
    private let isSmooth: Bool

    package init(seed: Int, variableLimit: Int = 6, isSmooth: Bool = false) {
        random = RandomSource(seed: seed)
        self.variableLimit = variableLimit
        self.isSmooth = isSmooth
    }

    private static let stepping: Set<String> = [
        "Sign", "Step", "ReLU", "Floor", "Round", "Clamp", "ClampInt", "DiffClampInt", "IfElse", "Mod", "Equal", "NotEqual",
        "LessThan",
        "LessOrEqual", "Maximum", "Minimum", "Max", "Min", "ArgMax", "ArgMin", "OneHot", "Abs",
    ]

    /// Not those of equality, which rounding decides where numbers nearly agree.
    private static let operations = OracleOperation.all.filter {
        !$0.samples(2).contains { $0.dimensions.isEmpty } && !["Var", "Equal", "NotEqual"].contains($0.name)
    }

    /// A formula of a dimension whose values, on some random points, stay finite and small and hardly feel a relative error
    /// of 1e-4 in all that it is computed from.
    package mutating func formula(_ dimension: Int, depth: Int) -> OracleExpression {
        for _ in 0..<400 {
            let (keptVariables, keptDomains) = (variables, domains)
            let candidate = expression(dimension, depth)
            let isVariate = Set(candidate.variables.map(\.category)).isSuperset(of: [0, 1]) || random.chance(0.1)
            if isVariate, !candidate.variables.isEmpty, (depth + 1...100).contains(candidate.nodeCount), isTame(candidate) {
                return candidate
            }
            (variables, domains) = (keptVariables, keptDomains)
        }
        return OracleExpression("Mult", [variable(dimension, .real), variable(dimension, .real)])
    }

    private mutating func isTame(_ candidate: OracleExpression) -> Bool {
        let last = candidate.variables.map(\.index).max() ?? -1
        for _ in 0..<6 {
            var inputs = Array(repeating: [Double](), count: last + 1)
            for variable in candidate.variables {
                inputs[variable.index] = (domains[variable.index] ?? .real).vector(variable.dimension, &random)
            }
            guard candidate.largestMagnitude(inputs) < 300 else { return false }
            let value = candidate.value(inputs)
            for _ in 0..<2 {
                let moved = candidate.value(inputs, amplitude: 1e-4, &random)
                for (a, b) in zip(value, moved) where !(abs(a - b) <= 0.02 * (abs(a) + 1)) { return false }
            }
        }
        return true
    }

    private mutating func expression(_ dimension: Int, _ depth: Int) -> OracleExpression {
        guard depth > 0, !random.chance(0.05) else { return leaf(dimension) }
        for _ in 0..<60 {
            let operation = random.pick(Self.operations)
            // Steps hide what is inside them: fewer of those.
            if Self.stepping.contains(operation.name), isSmooth || random.chance(0.6) { continue }
            // Vectors from numbers ask for the size, numbers from vectors take any.
            let size = random.chance(0.5) ? dimension : 1 + random.below(5)
            let samples = operation.samples(size).filter {
                !$0.isExact && operation.dimension($0.dimensions, $0.attributes) == dimension
            }
            guard !samples.isEmpty else { continue }
            let sample = random.pick(samples)
            guard sample.dimensions.reduce(0, +) <= 40 else { continue }
            var arguments: [OracleExpression] = []
            for (d, domain) in zip(sample.dimensions, sample.domains) { arguments.append(argument(d, domain, depth - 1)) }
            return OracleExpression(operation.name, arguments, sample.attributes)
        }
        return leaf(dimension)
    }

    /// A formula whose values are in the domain.
    private mutating func argument(_ dimension: Int, _ domain: OracleDomain, _ depth: Int) -> OracleExpression {
        switch domain {
        case .real: return expression(dimension, depth)
        case .positive, .nonzero:
            let f = expression(dimension, depth)
            switch random.below(3) {
            case 0:
                return OracleExpression(
                    "Add", [OracleExpression("RatCst", [], [.integer(1), .integer(2)]), OracleExpression("Square", [f])])
            case 1: return OracleExpression("Exp", [OracleExpression("Sin", [f])])
            default: return OracleExpression("Add", [OracleExpression("Square", [OracleExpression("Atan", [f])]), .number(0.45)])
            }
        case .unit:
            return OracleExpression("Mult", [.number(0.875), OracleExpression("Cos", [expression(dimension, depth)])])
        case .lattice, .index, .knots, .between: return variable(dimension, domain)
        }
    }

    private mutating func leaf(_ dimension: Int) -> OracleExpression {
        if dimension == 1, random.chance(0.15) {
            return random.chance(0.5) ? .integer(1 + random.below(4)) : .number(Double(random.below(400) - 200) / 100 + 0.005)
        }
        let fitting = variables.filter { $0.dimension == dimension && domains[$0.variableIndex!] == .real }
        if !fitting.isEmpty, variables.count >= variableLimit || random.chance(0.5) { return random.pick(fitting) }
        return variable(dimension, .real)
    }

    /// A new variable; the categories take turns, so that most formulas have all three.
    package mutating func variable(_ dimension: Int, _ domain: OracleDomain) -> OracleExpression {
        let index = domains.count
        let category = index < 2 ? index : random.pick([0, 1, 1, 0, 2])
        let variable = OracleExpression.variable(index, dimension, category)
        variables.append(variable)
        domains[index] = domain
        return variable
    }
}
