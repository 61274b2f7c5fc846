// Functions of each number, with their derivatives.

extension Tensor where Element: TensorScalar {
    public func exp() -> Tensor {
        function(.exp) { _, result, cotangent in try cotangent * result }
    }

    /// exp(x) - 1, exact near 0.
    public func expMinusOne() -> Tensor {
        function(.expMinusOne) { _, result, cotangent in try cotangent * (result + 1) }
    }

    /// The natural logarithm.
    public func log() -> Tensor {
        function(.log) { x, _, cotangent in try cotangent / x }
    }

    /// log(1 + x), exact near 0.
    public func logOnePlus() -> Tensor {
        function(.logOnePlus) { x, _, cotangent in try cotangent / (1 + x) }
    }

    /// √x. Its derivative at 0 is infinite.
    public func squareRoot() -> Tensor {
        function(.squareRoot) { _, result, cotangent in try cotangent / (2 * result) }
    }

    public func squared() -> Tensor {
        function(.square) { x, _, cotangent in try cotangent * (2 * x) }
    }

    /// 1/x.
    public func reciprocal() -> Tensor {
        function(.reciprocal) { _, result, cotangent in try -(cotangent * result * result) }
    }

    /// |x|, with derivative 0 at 0.
    public func abs() -> Tensor {
        function(.absolute) { x, _, cotangent in try cotangent * x.sign() }
    }

    /// -1, 0 or 1, with derivative 0.
    public func sign() -> Tensor { applying(.sign) }

    /// 0 below 0, else 1, with derivative 0.
    public func step() -> Tensor { applying(.step) }

    /// max(x, 0), with derivative 0 at 0.
    public func relu() -> Tensor {
        maximumWithZero().recorded([self]) { _, operands, _, cotangent in try cotangent * (1 - (-operands[0]).step()) }
    }

    public func sin() -> Tensor {
        function(.sin) { x, _, cotangent in try cotangent * x.cos() }
    }

    public func cos() -> Tensor {
        function(.cos) { x, _, cotangent in try -(cotangent * x.sin()) }
    }

    public func tanh() -> Tensor {
        function(.tanh) { _, result, cotangent in try cotangent * (1 - result * result) }
    }

    public func arctan() -> Tensor {
        function(.arctan) { x, _, cotangent in try cotangent / (1 + x * x) }
    }

    /// 1 / (1 + exp(-x)).
    public func sigmoid() -> Tensor {
        function(.sigmoid) { _, result, cotangent in try cotangent * (result * (1 - result)) }
    }

    private func function(
        _ function: UnaryFunction,
        _ pullback: @escaping @Sendable (_ x: Tensor, _ result: Tensor, _ cotangent: Tensor) throws -> Tensor
    ) -> Tensor {
        applying(function).recorded([self]) { _, operands, result, cotangent in try pullback(operands[0], result, cotangent) }
    }

    private func maximumWithZero() -> Tensor {
        do { return try Self.applying(.maximum, self, Tensor(0)) } catch { preconditionFailure("\(error)") }
    }
}
