import Formulas
import RandomNumbers

/// Random formulas that use every operation of the catalogue with dimensions that match.
///
/// It writes texts: a failing case is printed as a line that reproduces it, and every formula has come through the parser.
///
///     var generator = FormulaGenerator(seed: 1, style: .smooth)
///     let inputs = generator.variables(count: 4)
///     let formula = generator.formula(dimension: 3, depth: 4, variables: inputs)
package struct FormulaGenerator: Sendable {
    /// What the values of a formula must be good for.
    package enum Style: Sendable {
        /// Nothing: any operation on any argument. Infinities and NaN are common.
        case anything
        /// Comparing values: arguments stay inside domains and sizes stay moderate, for inputs of size 1 or so.
        case tame
        /// Finite differences: tame, and only operations that are smooth at almost every argument.
        case smooth
    }

    package let style: Style
    package var random: RandomSource
    var depth = 0
    var inputs: [Variable] = []

    package init(seed: Int, style: Style = .anything) {
        self.random = RandomSource(seed: seed)
        self.style = style
    }

    /// Inputs with consecutive indices, of dimensions 1 to `largest` and all three categories.
    package mutating func variables(count: Int, largest: Int = 4) -> [Variable] {
        (0..<count).map { index in
            Variable(
                index: index, dimension: index == 0 ? 1 : random.int(1...largest),
                category: index < 3 ? Category.allCases[index] : random.pick(Category.allCases))
        }
    }

    /// A formula as text. - Parameter depth: how many calls may stand inside each other.
    package mutating func text(dimension: Int, depth: Int, variables: [Variable]) -> String {
        (self.depth, self.inputs) = (depth, variables)
        return argument(dimension)
    }

    /// The same, parsed.
    package mutating func formula(dimension: Int, depth: Int, variables: [Variable]) -> Formula {
        formula { $0.text(dimension: dimension, depth: depth, variables: variables) }
    }

    /// A formula whose outermost call is of one operation.
    package mutating func formula(calling name: String, depth: Int, variables: [Variable]) -> Formula {
        formula { $0.text(calling: name, depth: depth, variables: variables) }
    }

    /// A call of one operation as text, of a dimension of the generator's choice.
    package mutating func text(calling name: String, depth: Int, variables: [Variable]) -> String {
        (self.depth, self.inputs) = (depth, variables)
        guard let recipe = Self.recipes[name] else { fatalError("FormulaGenerator has no recipe for \(name)") }
        for _ in 0..<1_000 {
            let dimension = random.int(1...6)
            if let text = recipe(&self, dimension) { return text }
        }
        fatalError("FormulaGenerator found no dimension for \(name)")
    }

    /// Retries what fails because a divisor turned out to be a constant zero, such as x - x.
    private mutating func formula(_ text: (inout Self) -> String) -> Formula {
        for _ in 0..<1_000 {
            let text = text(&self)
            do {
                return try Formula(parsing: text)
            } catch {
                guard error.message.contains("constant zero") else {
                    fatalError("FormulaGenerator wrote a formula that does not parse: \(text)\n\(error)")
                }
            }
        }
        fatalError("FormulaGenerator found no formula")
    }
}

// MARK: - Arguments, for recipes

extension FormulaGenerator {
    /// Any formula of a dimension, one level deeper.
    mutating func argument(_ dimension: Int) -> String {
        guard depth > 0, !random.chance(1 / 8) else { return leaf(dimension) }
        depth -= 1
        defer { depth += 1 }
        for _ in 0..<50 {
            let name = random.pick(style == .smooth ? Self.smoothNames : Self.names)
            // Derivatives of derivatives grow fast; one in three is enough.
            if Self.derivatives.contains(name), !random.chance(1 / 3) { continue }
            if let text = Self.recipes[name]!(&self, dimension) { return text }
        }
        return leaf(dimension)
    }

    /// A formula without calls, or with one.
    mutating func leaf(_ dimension: Int) -> String {
        let fitting = inputs.filter { $0.dimension == dimension }
        if !fitting.isEmpty, !random.chance(1 / 8) { return "\(random.pick(fitting))" }
        let larger = inputs.filter { $0.dimension > dimension }
        if !larger.isEmpty, random.chance(1 / 2) {
            let whole = random.pick(larger)
            let start = random.int(0...whole.dimension - dimension)
            return "\(whole)[\(start):\(start + dimension)]"
        }
        let scalars = inputs.filter { $0.dimension == 1 }
        if dimension == 1 { return number() }
        if !scalars.isEmpty, random.chance(1 / 3) { return "SumT(\(random.pick(scalars)), \(dimension))" }
        if random.chance(1 / 8) { return "Zero(\(dimension))" }
        return "[" + (0..<dimension).map { _ in scalars.isEmpty ? number() : "\(random.pick(scalars))" }.joined(separator: ", ")
            + "]"
    }

    mutating func number() -> String {
        random.pick([
            "1", "2", "3", "-1", "-2", "0.5", "-0.25", "1/3", "-2/7", "1.5", "1e-1", ".75", "2.", "IntCst(2)", "IntInv(3)",
            "RatCst(2, 5)",
        ])
    }

    /// Two arguments of one dimension, or one of them of dimension 1.
    mutating func pair(_ dimension: Int, second: (inout Self, Int) -> String = { $0.argument($1) }) -> (String, String) {
        let shape = random.int(0...3)
        return (argument(shape == 0 ? 1 : dimension), second(&self, shape == 1 ? 1 : dimension))
    }

    /// An argument in (-1.6, 1.6), where the style asks for it.
    mutating func bounded(_ dimension: Int) -> String {
        let argument = argument(dimension)
        return style == .anything ? argument : random.pick(["Sin(\(argument))", "Cos(\(argument))", "Atan(\(argument))"])
    }

    /// An argument from 0.5 to 2.5, where the style asks for it.
    mutating func positive(_ dimension: Int) -> String {
        let argument = argument(dimension)
        return style == .anything ? argument : "(1.5 + Sin(\(argument)))"
    }

    /// An argument inside (-1, 1), where the style asks for it.
    mutating func inside(_ dimension: Int) -> String {
        let argument = argument(dimension)
        return style == .anything ? argument : "(0.6 * Sin(\(argument)))"
    }

    /// A complex vector; with a positive real part, off the origin and the branch cut, where the style asks for it.
    mutating func complex(_ dimension: Int) -> String {
        style == .anything ? argument(dimension) : "Complex(\(positive(dimension / 2)), \(bounded(dimension / 2)))"
    }

    /// `name(f)` or, half the time, the operator for it.
    mutating func either(_ call: String, _ infix: String) -> String { random.chance(1 / 2) ? call : "(\(infix))" }

    mutating func divisor(_ n: Int) -> Int { random.pick((1...n).filter(n.isMultiple)) }

    mutating func size() -> Int { random.int(1...3) }

    mutating func input(where condition: (Variable) -> Bool = { _ in true }) -> Variable? {
        let fitting = inputs.filter(condition)
        return fitting.isEmpty ? nil : random.pick(fitting)
    }

    /// A formula that is linear in a variable, and what dimension it has.
    mutating func linear(in variable: Variable) -> (text: String, dimension: Int) {
        let all = inputs
        inputs.removeAll { $0 == variable }
        defer { inputs = all }
        let (v, d) = ("\(variable)", variable.dimension)
        switch random.int(0...6) {
        case 0: return (v, d)
        case 1: return ("-\(v)", d)
        case 2: return ("(\(argument(d)) * \(v))", d)
        case 3: return ("(\(v) - \(argument(1)) * \(v))", d)
        case 4:
            let n = size()
            return ("MatVecMult(\(argument(n * d)), \(v))", n)
        case 5: return ("(\(argument(d)) | \(v))", 1)
        default: return ("[\(v), \(argument(1)) * \(v)]", 2 * d)
        }
    }

    /// A linear map of a variable to its own dimension.
    mutating func endomorphism(of variable: Variable) -> String {
        while true {
            let (text, dimension) = linear(in: variable)
            if dimension == variable.dimension { return text }
        }
    }
}
