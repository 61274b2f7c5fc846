/// An operation that acts component by component. Its arguments have one common dimension, or dimension 1, which is
/// repeated.
public protocol ElementwiseOperation: Operation {
    /// The value at one component.
    func value(_ x: [Double]) -> Double
    /// ∂result/∂x for each argument x, component by component; nil where it is zero everywhere.
    func derivatives(_ x: [Formula], result: Formula) throws(FormulaError) -> [Formula?]
    /// The instructions for one component.
    func emit(_ x: [Value], _ emitter: any Emitter) -> Value
}

extension ElementwiseOperation {
    public func dimension(_ arguments: [Formula]) throws(FormulaError) -> Int {
        let largest = arguments.map(\.dimension).max() ?? 1
        guard arguments.allSatisfy({ $0.dimension == 1 || $0.dimension == largest }) else {
            throw FormulaError(
                "\(Self.name) takes arguments of one dimension, or of dimension 1; these have \(sentence(arguments)).")
        }
        return largest
    }

    public func pullback(
        of cotangent: Formula, _ arguments: [Formula], result: Formula, wanted: [Bool]
    ) throws(FormulaError) -> [Formula?] {
        zip(zip(arguments, wanted), try derivatives(arguments, result: result)).map { argument, derivative in
            let (argument, isWanted) = argument
            guard isWanted, let derivative, !derivative.isZero else { return nil }
            // An argument that was repeated receives the sum over its repetitions.
            guard argument.dimension < result.dimension else { return cotangent.selected(times: derivative) }
            return derivative.dimension == 1 ? cotangent.sum * derivative : cotangent.dot(derivative)
        }
    }

    public func pushforward(
        of tangents: [Formula?], _ arguments: [Formula], result: Formula
    ) throws(FormulaError) -> Formula {
        var total = Formula.zero(1)
        for (derivative, tangent) in zip(try derivatives(arguments, result: result), tangents) {
            guard let derivative, let tangent else { continue }
            total = total + derivative * tangent
        }
        return total.repeated(result.dimension)
    }

    public func evaluate(_ arguments: [[Double]], dimension: Int) -> [Double] {
        (0..<dimension).map { k in value(arguments.map { $0.count == 1 ? $0[0] : $0[k] }) }
    }

    public func lowering(_ dimensions: [Int]) -> Lowering {
        .inline { k, arguments, emitter in emit(arguments.map { $0.broadcast(k) }, emitter) }
    }
}

extension Formula {
    /// This times a derivative. Where this is a cotangent that a condition keeps away from one of its branches, it stays away: a derivative
    /// that is infinite or NaN there must not turn 0 into NaN.
    fileprivate func selected(times derivative: Formula) -> Formula {
        guard operation is IfElse, arguments[0].dimension == 1 || arguments[0].dimension == derivative.dimension,
            arguments[1].isZero || arguments[2].isZero
        else { return self * derivative }
        func product(_ branch: Formula) -> Formula { branch.isZero ? .zero(1) : branch * derivative }
        return arguments[0].ifNonNegative(product(arguments[1]), else: product(arguments[2]))
            .repeated(max(dimension, derivative.dimension))
    }
}

/// A function of one number, applied to each component.
public protocol UnaryFunction: ElementwiseOperation, PlainOperation {
    static func value(_ x: Double) -> Double
    /// The derivative, as a formula in x (or in the result, where that is cheaper); nil where it is zero everywhere.
    static func derivative(_ x: Formula, result: Formula) -> Formula?
    static func emit(_ x: Value) -> Value
}

extension UnaryFunction {
    public static var parameters: [Parameter] { [.formula("f")] }
    public func value(_ x: [Double]) -> Double { Self.value(x[0]) }
    public func derivatives(_ x: [Formula], result: Formula) -> [Formula?] { [Self.derivative(x[0], result: result)] }
    public func emit(_ x: [Value], _ emitter: any Emitter) -> Value { Self.emit(x[0]) }
}

/// A function of two numbers.
public protocol BinaryFunction: ElementwiseOperation, PlainOperation {
    static func value(_ x: Double, _ y: Double) -> Double
    static func derivatives(_ x: Formula, _ y: Formula, result: Formula) -> (Formula?, Formula?)
    static func emit(_ x: Value, _ y: Value) -> Value
}

extension BinaryFunction {
    public static var parameters: [Parameter] { [.formula("f"), .formula("g")] }
    public func value(_ x: [Double]) -> Double { Self.value(x[0], x[1]) }
    public func derivatives(_ x: [Formula], result: Formula) -> [Formula?] {
        let (first, second) = Self.derivatives(x[0], x[1], result: result)
        return [first, second]
    }
    public func emit(_ x: [Value], _ emitter: any Emitter) -> Value { Self.emit(x[0], x[1]) }
}

/// "3 and 5", for messages.
func sentence(_ arguments: [Formula]) -> String {
    let dimensions = arguments.map { "\($0.dimension)" }
    return dimensions.count < 2
        ? dimensions.joined() : dimensions.dropLast().joined(separator: ", ") + " and " + dimensions.last!
}
