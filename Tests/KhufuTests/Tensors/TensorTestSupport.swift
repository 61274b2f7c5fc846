import Khufu
import Testing

// The slow and obvious side that tensors are compared with: numbers by their indices, derivatives by differences.

/// All indices of a shape, in row-major order.
func indices(of shape: [Int]) -> [[Int]] {
    shape.reduce([[]]) { prefixes, length in prefixes.flatMap { prefix in (0..<length).map { prefix + [$0] } } }
}

/// A tensor whose numbers follow from their indices.
func tensor(_ shape: [Int], _ number: ([Int]) -> Double) -> Tensor<Double> {
    try! Tensor(indices(of: shape).map(number), shape: shape)
}

extension Tensor {
    /// The number at an index of a shape that this broadcasts to.
    func at(_ index: [Int]) -> Element {
        let own = index.suffix(rank)
        let place = zip(own, shape).reduce(0) { $0 * $1.1 + ($1.1 == 1 ? 0 : $1.0) }
        return elements[place]
    }
}

extension [Int] {
    func without(_ axis: Int) -> [Int] {
        var rest = self
        rest.remove(at: axis)
        return rest
    }

    func inserting(_ index: Int, at axis: Int) -> [Int] {
        var longer = self
        longer.insert(index, at: axis)
        return longer
    }
}

func uniform(_ shape: [Int], in range: Range<Double> = -1..<1, seed: Int = 1) -> Tensor<Double> {
    var generator = SeededGenerator(seed: seed &+ shape.reduce(7) { $0 &* 31 &+ $1 })
    return Tensor(uniform: range, shape: shape, using: &generator)
}

/// The same shape, and numbers within a tolerance relative to 1 or their size; the same infinities and NaNs.
func expectNear(
    _ a: Tensor<Double>, _ b: Tensor<Double>, _ tolerance: Double = 1e-13, _ what: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard a.shape == b.shape else {
        Issue.record("\(what): shape \(a.shape), expected \(b.shape)", sourceLocation: sourceLocation)
        return
    }
    for (index, (x, y)) in zip(indices(of: a.shape), zip(a.elements, b.elements)) {
        let isClose = x == y || (x.isNaN && y.isNaN) || abs(x - y) <= tolerance * max(1, abs(y))
        if !isClose { Issue.record("\(what)\(index): \(x), expected \(y)", sourceLocation: sourceLocation) }
    }
}

/// Checks the first, second and third derivatives of a function at a point.
///
/// Its result is sent through sines, so that those of linear functions do not vanish.
func expectDerivatives(
    of function: (Tensor<Double>) throws -> Tensor<Double>, at x: Tensor<Double>, tolerance: Double = 2e-7, _ what: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let value = try function(x)
    let weights = uniform(value.shape, in: 0.5..<1.5, seed: 2)
    func loss(_ x: Tensor<Double>) throws -> Tensor<Double> { try (function(x).sin() * weights).sum() }
    func check(_ a: Tensor<Double>, _ b: Tensor<Double>, _ part: String) {
        expectNear(a, b, tolerance, what + ", " + part, sourceLocation: sourceLocation)
    }
    /// The derivative of a function along a direction.
    func difference(_ direction: Tensor<Double>, _ function: (Tensor<Double>) throws -> Tensor<Double>) throws -> Tensor<Double> {
        let step = 1e-5
        return try (function(x + direction * step) - function(x - direction * step)) / (2 * step)
    }

    let slope = try gradient(at: x, of: loss)
    let partials = try (0..<x.count).map { k in
        try difference(Tensor((0..<x.count).map { $0 == k ? 1 : 0 }, shape: x.shape), loss).scalar
    }
    check(slope, try Tensor(partials, shape: x.shape), "gradient")
    let tracked = x.tracked()
    check(try gradient(of: try loss(tracked), withRespectTo: [tracked])[0], slope, "gradient of a value")

    let (u, v) = (uniform(x.shape, seed: 3), uniform(x.shape, seed: 4))
    check(try jacobianVectorProduct(of: function, at: x, along: u), try difference(u, function), "along a direction")
    func curvature(_ x: Tensor<Double>) throws -> Tensor<Double> { try hessianVectorProduct(of: loss, at: x, along: u) }
    check(try curvature(x), try difference(u) { try gradient(at: $0, of: loss) }, "second")
    let third = try gradient(at: x) { try (curvature($0) * v).sum() }
    check(third, try difference(v, curvature), "third")
}
