/// The gradients of a number with respect to tensors that it was computed from.
///
///     let x = points.tracked()
///     let energy = try density(x).squared().sum()
///     let slope = try gradient(of: energy, withRespectTo: [x])[0]
///
/// - Parameters:
///   - value: one number.
///   - tensors: results of ``Tensor/tracked()`` or of operations on such; what the value does not depend on has gradient 0.
///   - differentiable: whether the gradients are recorded too, to be differentiated again. They then hold on to what they were
///     computed from.
/// - Returns: for each tensor one of its shape.
/// - Throws: ``TensorError`` where the value is not one number or one of the tensors is not tracked; what operations throw.
public func gradient<Scalar: TensorScalar>(
    of value: Tensor<Scalar>, withRespectTo tensors: [Tensor<Scalar>], differentiable: Bool = false
) throws -> [Tensor<Scalar>] {
    guard value.count == 1 else {
        throw TensorError(
            "The gradient of one number is meant; this value has shape \(value.shape). Sum it, or use vectorJacobianProduct.")
    }
    return try vectorJacobianProduct(
        of: value, withRespectTo: tensors, cotangent: Tensor(repeating: 1, shape: value.shape), differentiable: differentiable)
}

/// The gradients of Σ value · cotangent; as ``gradient(of:withRespectTo:differentiable:)``, for a value of any shape.
///
/// - Parameter cotangent: of the value's shape.
public func vectorJacobianProduct<Scalar: TensorScalar>(
    of value: Tensor<Scalar>, withRespectTo tensors: [Tensor<Scalar>], cotangent: Tensor<Scalar>, differentiable: Bool = false
) throws -> [Tensor<Scalar>] {
    guard cotangent.shape == value.shape else {
        throw TensorError("A cotangent has the shape of its value, \(value.shape); this one has \(cotangent.shape).")
    }
    if let position = tensors.firstIndex(where: { !$0.isTracked }) {
        throw TensorError("Tensor \(position) to differentiate with respect to is not tracked; compute with `tracked()` of it.")
    }
    let cotangents = try Backpropagation(value, tensors).cotangents(from: cotangent, differentiable: differentiable)
    return tensors.map { cotangents[$0.record!.number] ?? Tensor(repeating: 0, shape: $0.shape) }
}

/// One walk from a value back to what it was computed from. Records are known by their numbers.
private struct Backpropagation<Scalar: TensorScalar> {
    private let value: Tensor<Scalar>
    private let targets: Set<UInt64>
    /// The tensors between the value and the targets, by record.
    private var path: [UInt64: Tensor<Scalar>] = [:]

    init(_ value: Tensor<Scalar>, _ tensors: [Tensor<Scalar>]) {
        self.value = value
        targets = Set(tensors.map { $0.record!.number })
        let first = targets.min() ?? 0

        var found: [UInt64: Tensor<Scalar>] = [:]
        var waiting = [value]
        while let tensor = waiting.popLast() {
            // A record older than all targets leads to none.
            guard let record = tensor.record, record.number >= first else { continue }
            guard found.updateValue(tensor, forKey: record.number) == nil else { continue }
            waiting += record.operands
        }
        // Operands come before results, so each is known when it is asked for.
        for number in found.keys.sorted() {
            let tensor = found[number]!
            let leads = tensor.record!.operands.contains { $0.record.map { path[$0.number] != nil } ?? false }
            if leads || targets.contains(number) { path[number] = tensor }
        }
    }

    /// The cotangents of the targets, by record.
    func cotangents(from seed: Tensor<Scalar>, differentiable: Bool) throws -> [UInt64: Tensor<Scalar>] {
        guard let last = value.record else { return [:] }
        var cotangents = [last.number: differentiable ? seed : seed.detached()]
        for number in path.keys.sorted(by: >) {
            guard let cotangent = cotangents[number] else { continue }
            if !targets.contains(number) { cotangents[number] = nil }
            let (tensor, record) = (path[number]!, path[number]!.record!)
            let operands = differentiable ? record.operands : record.operands.map { $0.detached() }
            let result = differentiable ? tensor : tensor.detached()
            for (k, operand) in record.operands.enumerated() {
                guard let target = operand.record?.number, path[target] != nil else { continue }
                let part = try record.pullback(k, operands, result, cotangent)
                cotangents[target] = if let sum = cotangents[target] { try sum + part } else { part }
            }
        }
        return cotangents
    }
}

// MARK: - Derivatives of functions

/// The gradient of a function at a point.
///
///     let slope = try gradient(at: x) { x in try density(x).squared().sum() }
///
/// - Parameter function: yields one number. It may call `gradient` itself.
/// - Returns: a tensor of the point's shape.
public func gradient<Scalar: TensorScalar>(
    at point: Tensor<Scalar>, of function: (Tensor<Scalar>) throws -> Tensor<Scalar>
) throws -> Tensor<Scalar> {
    try valueWithGradient(at: point, of: function).gradient
}

/// A function's value at a point and its gradient there; see ``gradient(at:of:)``.
public func valueWithGradient<Scalar: TensorScalar>(
    at point: Tensor<Scalar>, of function: (Tensor<Scalar>) throws -> Tensor<Scalar>
) throws -> (value: Tensor<Scalar>, gradient: Tensor<Scalar>) {
    let (value, gradients) = try valueWithGradient(at: [point]) { try function($0[0]) }
    return (value, gradients[0])
}

/// The same for a function of several tensors.
public func valueWithGradient<Scalar: TensorScalar>(
    at points: [Tensor<Scalar>], of function: ([Tensor<Scalar>]) throws -> Tensor<Scalar>
) throws -> (value: Tensor<Scalar>, gradients: [Tensor<Scalar>]) {
    let inputs = points.map { $0.tracked() }
    let value = try function(inputs)
    let isInner = value.dependsOnTracked(otherThan: inputs) || points.contains { $0.isTracked }
    let gradients =
        try value.isTracked
        ? gradient(of: value, withRespectTo: inputs, differentiable: isInner)
        : points.map { Tensor(repeating: 0, shape: $0.shape) }
    return (isInner ? value : value.detached(), gradients)
}

/// The product of a function's Jacobian at a point with a direction: its derivative along the direction.
///
/// Computed by two reverse passes: the cotangent of the first is the variable of the second
/// (https://j-towns.github.io/2017/06/12/A-new-trick.html).
///
/// - Parameter direction: of the point's shape.
/// - Returns: a tensor of the result's shape.
public func jacobianVectorProduct<Scalar: TensorScalar>(
    of function: (Tensor<Scalar>) throws -> Tensor<Scalar>, at point: Tensor<Scalar>, along direction: Tensor<Scalar>
) throws -> Tensor<Scalar> {
    guard direction.shape == point.shape else {
        throw TensorError("A direction has the shape of its point, \(point.shape); this one has \(direction.shape).")
    }
    let input = point.tracked()
    let value = try function(input)
    let zero = Tensor<Scalar>(repeating: 0, shape: value.shape)
    guard value.isTracked else { return zero }
    let cotangent = zero.tracked()
    let product = try vectorJacobianProduct(of: value, withRespectTo: [input], cotangent: cotangent, differentiable: true)[0]
    guard product.isTracked else { return zero }
    return try vectorJacobianProduct(
        of: product, withRespectTo: [cotangent], cotangent: direction,
        differentiable: point.isTracked || direction.isTracked || value.dependsOnTracked(otherThan: [input]))[0]
}

/// The product of a function's Hessian at a point with a direction: a gradient of a gradient, the matrix never stored.
///
/// - Parameters:
///   - function: yields one number.
///   - direction: of the point's shape.
/// - Returns: a tensor of the point's shape.
public func hessianVectorProduct<Scalar: TensorScalar>(
    of function: (Tensor<Scalar>) throws -> Tensor<Scalar>, at point: Tensor<Scalar>, along direction: Tensor<Scalar>
) throws -> Tensor<Scalar> {
    guard direction.shape == point.shape else {
        throw TensorError("A direction has the shape of its point, \(point.shape); this one has \(direction.shape).")
    }
    return try gradient(at: point) { x in try (gradient(at: x, of: function) * direction).sum() }
}

extension Tensor {
    /// Whether a derivative could go on past some tensors that this was computed from, or past none of them.
    fileprivate func dependsOnTracked(otherThan tensors: [Tensor]) -> Bool {
        let known = Set(tensors.compactMap { $0.record?.number })
        var seen: Set<UInt64> = []
        var waiting = [self]
        while let record = waiting.popLast()?.record {
            guard !known.contains(record.number), seen.insert(record.number).inserted else { continue }
            let tracked = record.operands.filter { $0.isTracked }
            if tracked.isEmpty { return true }
            waiting += tracked
        }
        return false
    }
}
