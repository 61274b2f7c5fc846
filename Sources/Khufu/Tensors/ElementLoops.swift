import RealModule

// The loops that all arithmetic on tensors runs through, compiled for Float and for Double; anywhere else a generic call per
// number would cost more than the arithmetic.

/// Functions of one number.
enum UnaryFunction {
    case negate, absolute, sign, square, squareRoot, reciprocal, exp, expMinusOne, log, logOnePlus, sin, cos, tanh, arctan,
        sigmoid, step, finite
}

/// Functions of two numbers.
enum BinaryFunction {
    case add, subtract, multiply, divide, power, maximum, minimum, equal
}

extension Tensor where Element: TensorScalar {
    /// The function of every number.
    func applying(_ function: UnaryFunction) -> Tensor {
        withUnsafeBufferPointer { source in
            Tensor(shape: shape) { fill($0, from: source, function) }
        }
    }

    /// The function of the numbers of two tensors, broadcast together.
    static func applying(_ function: BinaryFunction, _ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
        let shape = try Shape.broadcast(a.shape, b.shape)
        let strides = [Shape.strides(a.shape, broadcastTo: shape), Shape.strides(b.shape, broadcastTo: shape)]
        return a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                Tensor(shape: shape) { result in
                    let walk = Walk(shape, strides)
                    walk.forEachRun { place, offsets in
                        fill(
                            result.extracting(place..<place + walk.width), from: UnsafeBufferPointer(rebasing: a[offsets[0]...]),
                            walk.steps[0], UnsafeBufferPointer(rebasing: b[offsets[1]...]), walk.steps[1], function)
                    }
                }
            }
        }
    }

    /// Sums along axes, which keep length 1. Sums are taken in Double.
    func totalUnrecorded(axes: [Int]) -> Tensor {
        var target = shape
        for axis in axes { target[axis] = 1 }
        let strides = Shape.strides(target, broadcastTo: shape)
        var sums = [Double](repeating: 0, count: target.reduce(1, *))
        withUnsafeBufferPointer { source in
            let walk = Walk(shape, [strides])
            walk.forEachRun { place, offsets in
                add(source.extracting(place..<place + walk.width), to: &sums, at: offsets[0], walk.steps[0])
            }
        }
        return Tensor(shape: target) { result in
            for k in result.indices { result[k] = Element(sums[k]) }
        }
    }
}

extension Tensor where Element: TensorScalar {
    /// The largest or smallest numbers along axes, which keep length 1; infinite where there are none.
    func extremumUnrecorded(_ function: BinaryFunction, axes: [Int]) -> Tensor {
        var target = shape
        for axis in axes { target[axis] = 1 }
        let walk = Walk(shape, [Shape.strides(target, broadcastTo: shape)])
        return withUnsafeBufferPointer { source in
            Tensor(shape: target) { result in
                result.initialize(repeating: function == .maximum ? -.infinity : .infinity)
                walk.forEachRun { place, offsets in
                    let places = UnsafeMutableBufferPointer(rebasing: result[offsets[0]...])
                    narrow(places, walk.steps[0], by: source.extracting(place..<place + walk.width), function)
                }
            }
        }
    }
}

/// Replaces extrema so far by those of them and further numbers.
@specialized(where Number == Float)
@specialized(where Number == Double)
private func narrow<Number: TensorScalar>(
    _ result: UnsafeMutableBufferPointer<Number>, _ step: Int, by source: UnsafeBufferPointer<Number>, _ function: BinaryFunction
) {
    if function == .maximum {
        for k in source.indices where !(result[k * step] >= source[k]) && !result[k * step].isNaN { result[k * step] = source[k] }
    } else {
        for k in source.indices where !(result[k * step] <= source[k]) && !result[k * step].isNaN { result[k * step] = source[k] }
    }
}

@specialized(where Number == Float)
@specialized(where Number == Double)
private func add<Number: TensorScalar>(_ source: UnsafeBufferPointer<Number>, to sums: inout [Double], at place: Int, _ step: Int)
{
    if step == 0 {
        // Four sums, so that one addition need not wait for the last.
        var partial = SIMD4<Double>.zero
        let whole = source.count & ~3
        for k in stride(from: 0, to: whole, by: 4) {
            partial += SIMD4(Double(source[k]), Double(source[k + 1]), Double(source[k + 2]), Double(source[k + 3]))
        }
        sums[place] += source[whole...].reduce(partial.sum()) { $0 + Double($1) }
    } else {
        for k in source.indices { sums[place + k * step] += Double(source[k]) }
    }
}

@specialized(where Number == Float)
@specialized(where Number == Double)
private func fill<Number: TensorScalar>(
    _ result: UnsafeMutableBufferPointer<Number>, from source: UnsafeBufferPointer<Number>, _ function: UnaryFunction
) {
    func loop(_ body: (Number) -> Number) {
        for k in result.indices { result[k] = body(source[k]) }
    }
    switch function {
    case .negate: loop { -$0 }
    case .absolute: loop { abs($0) }
    case .sign: loop { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }
    case .square: loop { $0 * $0 }
    case .squareRoot: loop { $0.squareRoot() }
    case .reciprocal: loop { 1 / $0 }
    case .exp: loop { .exp($0) }
    case .expMinusOne: loop { .expMinusOne($0) }
    case .log: loop { .log($0) }
    case .logOnePlus: loop { .log(onePlus: $0) }
    case .sin: loop { .sin($0) }
    case .cos: loop { .cos($0) }
    case .tanh: loop { .tanh($0) }
    case .arctan: loop { .atan($0) }
    case .sigmoid: loop { 1 / (1 + .exp(-$0)) }
    case .finite: loop { $0.isFinite ? $0 : 0 }
    case .step: loop { $0 < 0 ? 0 : $0.isNaN ? $0 : 1 }
    }
}

@specialized(where Number == Float)
@specialized(where Number == Double)
private func fill<Number: TensorScalar>(
    _ result: UnsafeMutableBufferPointer<Number>, from a: UnsafeBufferPointer<Number>, _ aStep: Int,
    _ b: UnsafeBufferPointer<Number>, _ bStep: Int, _ function: BinaryFunction
) {
    func loop(_ body: (Number, Number) -> Number) {
        // With steps known the compiler vectorizes.
        switch (aStep, bStep) {
        case (1, 1): for k in result.indices { result[k] = body(a[k], b[k]) }
        case (1, 0): for k in result.indices { result[k] = body(a[k], b[0]) }
        case (0, 1): for k in result.indices { result[k] = body(a[0], b[k]) }
        default: for k in result.indices { result[k] = body(a[k * aStep], b[k * bStep]) }
        }
    }
    switch function {
    case .add: loop { $0 + $1 }
    case .subtract: loop { $0 - $1 }
    case .multiply: loop { $0 * $1 }
    case .divide: loop { $0 / $1 }
    case .power: loop { .realPower($0, $1) }
    case .maximum: loop { $0.isNaN || $0 >= $1 ? $0 : $1 }
    case .minimum: loop { $0.isNaN || $0 <= $1 ? $0 : $1 }
    case .equal: loop { $0 == $1 ? 1 : 0 }
    }
}

extension Real where Self: BinaryFloatingPoint {
    /// x^y as C's pow has it: whole exponents of negative numbers too.
    fileprivate static func realPower(_ x: Self, _ y: Self) -> Self {
        if let whole = Int(exactly: y) { return .pow(x, whole) }
        // Numbers too large for an Int are even.
        return .pow(y == y.rounded(.towardZero) ? abs(x) : x, y)
    }
}
