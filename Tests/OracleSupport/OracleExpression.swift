import RandomNumbers

/// A formula as the tests know it: a plain tree that evaluates and prints itself. Nothing here uses the library's own
/// formulas, so that whatever the library answers is checked by somebody else.
package final class OracleExpression: Sendable {
    package enum Attribute: Hashable, Sendable, CustomStringConvertible {
        case integer(Int)
        case integers([Int])
        case number(Double)

        package var description: String {
            switch self {
            case .integer(let value): "\(value)"
            case .integers(let values): "[" + values.map { "\($0)" }.joined(separator: ",") + "]"
            case .number(let value): "\(value)"
            }
        }

        package var integer: Int {
            guard case .integer(let value) = self else { preconditionFailure("an integer was expected") }
            return value
        }

        package var integers: [Int] {
            guard case .integers(let values) = self else { preconditionFailure("a list was expected") }
            return values
        }
    }

    package let operation: OracleOperation
    package let arguments: [OracleExpression]
    package let attributes: [Attribute]
    package let dimension: Int
    package let nodeCount: Int
    /// The index of the input where this is a variable.
    package let variableIndex: Int?

    package init(_ name: String, _ arguments: [OracleExpression] = [], _ attributes: [Attribute] = []) {
        guard let operation = OracleOperation.byName[name] else { preconditionFailure("the oracle lacks \(name)") }
        self.operation = operation
        self.arguments = arguments
        self.attributes = attributes
        dimension = operation.dimension(arguments.map(\.dimension), attributes)
        nodeCount = arguments.reduce(1) { $0 + $1.nodeCount }
        variableIndex = name == "Var" ? attributes[0].integer : nil
    }

    /// 0 follows i, 1 follows j, 2 is a parameter.
    package static func variable(_ index: Int, _ dimension: Int, _ category: Int) -> OracleExpression {
        OracleExpression("Var", [], [.integer(index), .integer(dimension), .integer(category)])
    }

    package static func integer(_ value: Int) -> OracleExpression { OracleExpression("IntCst", [], [.integer(value)]) }
    package static func number(_ value: Double) -> OracleExpression { OracleExpression("Number", [], [.number(value)]) }

    package func joined(_ other: OracleExpression) -> OracleExpression { OracleExpression("Concat", [self, other]) }

    /// All in one vector.
    package static func concatenated(_ parts: [OracleExpression]) -> OracleExpression {
        parts.dropFirst().reduce(parts[0]) { $0.joined($1) }
    }

    // MARK: Variables

    package struct Variable: Hashable, Sendable {
        package var index: Int
        package var dimension: Int
        package var category: Int

        package init(index: Int, dimension: Int, category: Int) {
            (self.index, self.dimension, self.category) = (index, dimension, category)
        }
    }

    /// The distinct variables, by index.
    package var variables: [Variable] {
        var found: Set<Variable> = []
        collect(&found)
        return found.sorted { $0.index < $1.index }
    }

    private func collect(_ found: inout Set<Variable>) {
        if variableIndex != nil {
            found.insert(
                Variable(index: attributes[0].integer, dimension: attributes[1].integer, category: attributes[2].integer))
        }
        for argument in arguments { argument.collect(&found) }
    }

    // MARK: Text

    /// As a formula's text: calls only, or operators where there are some.
    package func text(infix: Bool) -> String {
        let texts = arguments.map { $0.text(infix: infix) }
        if infix, let text = infixText(texts) { return text }
        if case .number(let value)? = attributes.first { return "\(value)" }
        return operation.name + "(" + (texts + attributes.map(\.description)).joined(separator: ",") + ")"
    }

    private func infixText(_ x: [String]) -> String? {
        switch operation.name {
        case "Add": "(\(x[0]) + \(x[1]))"
        case "Subtract": "(\(x[0])-\(x[1]))"
        case "Mult": "(\(x[0])*\(x[1]))"
        case "Divide": "(\(x[0])/\(x[1]))"
        case "Minus": "(-\(x[0]))"
        case "Square": "((\(x[0]))**2)"
        case "Pow": "((\(x[0]))**(\(attributes[0])))"
        case "Powf": "((\(x[0]))**(\(x[1])))"
        case "Scalprod": "(\(x[0])|\(x[1]))"
        case "LessThan": "(\(x[0])<\(x[1]))"
        case "LessOrEqual": "(\(x[1])>=\(x[0]))"
        case "Elem": "(\(x[0]))[\(attributes[0])]"
        case "Extract": "(\(x[0]))[\(attributes[0]):\(attributes[0].integer + attributes[1].integer)]"
        case "Concat": "[\(x[0]), \(x[1])]"
        case "IntCst": attributes[0].integer < 0 ? nil : "\(attributes[0])"
        default: nil
        }
    }

    // MARK: Values

    /// The value at a point.
    ///
    /// - Parameters:
    ///   - inputs: the vectors of the variables, by index.
    package func value(_ inputs: [[Double]]) -> [Double] {
        if let variableIndex { return inputs[variableIndex] }
        return operation.value(arguments.map { $0.value(inputs) }, attributes, dimension)
    }

    /// The value where every operation, on the way, errs by up to a relative `amplitude` at random: stochastic
    /// arithmetic (J. Vignes, 1974). How far such values lie apart is how much rounding may do to this formula at this point.
    package func value(_ inputs: [[Double]], amplitude: Double, _ random: inout RandomSource) -> [Double] {
        var result: [Double]
        if let variableIndex {
            result = inputs[variableIndex]
        } else {
            var values: [[Double]] = []
            for argument in arguments { values.append(argument.value(inputs, amplitude: amplitude, &random)) }
            result = operation.value(values, attributes, dimension)
        }
        // Where a value comes of a long calculation, its components err by what the largest is rounded to.
        if operation.roundings > 1 {
            let scale = result.reduce(0) { max($0, abs($1)) } * operation.roundings * amplitude
            for k in result.indices { result[k] += random.uniform(-scale, scale) }
        }
        var bits: UInt64 = 0
        for k in result.indices {
            if k & 7 == 0 { bits = random.next() }
            result[k] *= 1 + amplitude * (Double(bits & 255) - 127.5) / 127.5
            bits >>= 8
        }
        return result
    }

    /// The largest magnitude of any intermediate value; NaN where one is NaN.
    package func largestMagnitude(_ inputs: [[Double]]) -> Double {
        var largest = 0.0
        for value in value(inputs) { largest = value.isNaN ? .nan : Swift.max(largest, abs(value)) }
        for argument in arguments {
            let other = argument.largestMagnitude(inputs)
            if !(other <= largest) { largest = other }
        }
        return largest
    }
}
