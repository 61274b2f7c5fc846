import Khufu
import Testing

/// What a mistake says: one sentence that names what was expected and what came.
struct TensorErrorTests {
    typealias T = Tensor<Double>

    private func expect(_ sentence: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Any) {
        #expect(throws: TensorError(sentence), sourceLocation: sourceLocation) { try body() }
    }

    @Test func creation() {
        expect("Shape [2, 2] does not hold the 3 numbers that came.") { try T([1, 2, 3], shape: [2, 2]) }
        expect("Shape [-1, -3] does not hold the 3 numbers that came.") { try T([1, 2, 3], shape: [-1, -3]) }
        expect("The rows of a matrix have one length; row 0 has 2 numbers and row 1 has 1.") { try T([[1, 2], [3]]) }
    }

    @Test func arithmetic() {
        let (x, y) = (uniform([2, 3]), uniform([2]))
        let sentence = "Shapes broadcast where lengths are equal or 1; these are [2, 3] and [2]."
        expect(sentence) { try x + y }
        expect(sentence) { try x - y }
        expect(sentence) { try x * y }
        expect(sentence) { try x / y }
        expect(sentence) { try T.pow(x, y) }
        expect(sentence) { try T.maximum(x, y) }
        expect("Shapes broadcast where lengths are equal or 1; these are [0] and [2].") { try uniform([0]) + y }
        expect("Shape [2, 3] does not broadcast to [3].") { try x.broadcast(to: [3]) }
        expect("Shape [2] does not broadcast to [1].") { try y.broadcast(to: [1]) }
        expect("Shape [1] does not broadcast to [-1].") { try uniform([1]).broadcast(to: [-1]) }
        expect("A dot product takes tensors of one shape; these are [2, 3] and [2].") { try x.dot(y) }
        expect("A matrix product takes (m, n) and (n, k) or (n); these are [2, 3] and [2].") { try x.matmul(y) }
        expect("A matrix product takes (m, n) and (n, k) or (n); these are [2] and [2, 3].") { try y.matmul(x) }
    }

    @Test func shapes() {
        let x = uniform([2, 3])
        for target in [[4], [-1, 4], [-1, -1], [-2, -3], [Int.max, 2], [Int.min], [-1, 0]] {
            expect("The 6 numbers of shape [2, 3] do not fit shape \(target).") { try x.reshaped(target) }
        }
        expect("Shape [2, 3] has places for a new axis from 0 to 2; 3 is none of them.") { try x.expandedAxis(3) }
        expect("Shape [2, 3] has places for a new axis from 0 to 2; -4 is none of them.") { try x.expandedAxis(-4) }
        expect("Axes of length 1 can be dropped; axis 1 of shape [2, 3] has length 3.") { try x.squeezed(axes: [-1]) }
        expect("The axes of shape [2, 3] in another order are each named once; [0, 0] came.") { try x.transposed([0, 0]) }
        expect("The axes of shape [2, 3] in another order are each named once; [0] came.") { try x.transposed([0]) }
        expect("Shape [2, 3] has no axis 2.") { try x.transposed([0, 2]) }
    }

    @Test func axes() {
        let x = uniform([2, 3])
        expect("Shape [2, 3] has no axis 2.") { try x.sum(axes: [2]) }
        expect("Shape [2, 3] has no axis -3.") { try x.mean(axes: [-3]) }
        expect("Axis -1 is named twice in [1, -1].") { try x.max(axes: [1, -1]) }
        expect("Shape [2, 3] has no axis 5.") { try x.logSumExp(axes: [5]) }
        expect("Shape [2, 3] has no axis 2.") { try x.argMin(axis: 2) }
        expect("Axis 1 of shape [2, 0] has no numbers; an extremum has no place among none.") {
            try uniform([2, 0]).argMax(axis: -1)
        }
    }

    @Test func parts() {
        let x = uniform([2, 3])
        expect("Axis 1 of shape [2, 3] has 3 indices; 3 is not among them.") { try x.slice([0, 3]) }
        expect("Axis 0 of shape [2, 3] has 2 indices; -3 is not among them.") { try x.slice([-3]) }
        expect("Axis 0 of shape [2, 3] has 2 indices; 1..<3 is not among them.") { try x.slice([1..<3]) }
        for range in [0...2, 2...2, -3...0, 0...Int.max] {
            expect("Axis 0 of shape [2, 3] has 2 indices; \(range) is not among them.") { try x.slice([range]) }
        }
        #expect(throws: TensorError.self) { try x.slice([3...]) }
        #expect(throws: TensorError.self) { try x.slice([..<3]) }
        #expect(throws: TensorError.self) { try x.slice([...2]) }
        #expect(throws: TensorError.self) { try x.slice([(-3)...]) }
        #expect(throws: TensorError.self) { try x.slice([.every(2, of: 0..<3)]) }
        expect("Shape [2, 3] has 2 axes to take a part of; 3 selections came.") { try x.slice([0, 0, 0]) }
        expect("Indices go from 0 to 3 exclusive; 3 is none of them.") { try x.selecting([0, 3], axis: 1) }
        expect("Indices go from 0 to 2 exclusive; -3 is none of them.") { try x.selecting([-3], axis: 0) }
        expect("Axis 0 of shape [2, 3] takes one index for each of its 2 slices; 1 came.") {
            try x.sums(at: [0], axis: 0, count: 3)
        }
        expect("Indices go from 0 to 3 exclusive; 3 is none of them.") { try x.sums(at: [0, 3], axis: 0, count: 3) }
        expect("An axis has 0 slices or more; -1 are asked for.") { try uniform([0]).sums(at: [], axis: 0, count: -1) }
    }

    @Test func joining() {
        let x = uniform([2, 3])
        expect("Tensors to concatenate are one or more; none came.") { try T(concatenating: []) }
        expect(
            "Tensors to concatenate along axis 1 have one shape but for that axis; number 0 has [2, 3] and number 1 has [3, 3]."
        ) {
            try T(concatenating: [x, uniform([3, 3])], axis: -1)
        }
        expect("Shape [2, 3] has no axis 2.") { try T(concatenating: [x], axis: 2) }
        expect("Tensors to stack are one or more; none came.") { try T(stacking: []) }
        expect("Tensors to stack have one shape; number 0 has [2, 3] and number 1 has [2].") {
            try T(stacking: [x, uniform([2])])
        }
        expect("Shape [2, 3] has places for a new axis from 0 to 2; 3 is none of them.") { try T(stacking: [x], axis: 3) }
    }

    @Test func derivatives() {
        let x = uniform([2]).tracked()
        expect("The gradient of one number is meant; this value has shape [2]. Sum it, or use vectorJacobianProduct.") {
            try gradient(of: x * 2, withRespectTo: [x])
        }
        expect("Tensor 1 to differentiate with respect to is not tracked; compute with `tracked()` of it.") {
            try gradient(of: x.sum(), withRespectTo: [x, x.detached()])
        }
        expect("A cotangent has the shape of its value, [2]; this one has [1].") {
            try vectorJacobianProduct(of: x * 2, withRespectTo: [x], cotangent: T([1]))
        }
        expect("A direction has the shape of its point, [2]; this one has [1].") {
            try jacobianVectorProduct(of: { $0.exp() }, at: T([1, 2]), along: T([1]))
        }
        expect("A direction has the shape of its point, [2]; this one has [1].") {
            try hessianVectorProduct(of: { $0.sum() }, at: T([1, 2]), along: T([1]))
        }
    }

    @Test func operators() {
        expect("A matrix has two axes; this tensor has shape [3].") { try DenseOperator(uniform([3])) }
        expect("The transpose of a matrix of shape [2, 3] takes vectors (2) or (2, k); these have shape [3].") {
            try DenseOperator(uniform([2, 3])).transposedProduct(uniform([3]))
        }
    }
}
