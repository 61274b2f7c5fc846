import Khufu
import Testing

struct TensorShapeTests {
    typealias T = Tensor<Double>

    // MARK: Slices

    @Test func slices() throws {
        let x = uniform([5, 4, 3])
        expectNear(x[1..<3, 0...1], tensor([2, 2, 3]) { x.at([$0[0] + 1, $0[1], $0[2]]) })
        expectNear(x[0..<3, ...], tensor([3, 4, 3]) { x.at($0) })
        expectNear(x[(-2)..., ..<(-1), 2], tensor([2, 3]) { x.at([$0[0] + 3, $0[1], 2]) })
        expectNear(x[(-3)..<(-1)], tensor([2, 4, 3]) { x.at([$0[0] + 2, $0[1], $0[2]]) })
        expectNear(x[(-2)..<0], x[3...])
        expectNear(x[(-3)...(-1)], x[2...])
        expectNear(x[...(-2)], x[..<4])
        expectNear(x[...2], x[..<3])
        expectNear(x[..., -1], tensor([5, 4]) { x.at([$0[0], $0[1], 2]) })
        expectNear(x[..., 1..<3, 0], tensor([5, 2]) { x.at([$0[0], $0[1] + 1, 0]) })
        expectNear(x[2, ..., 1], tensor([4]) { x.at([2, $0[0], 1]) })
        expectNear(x[2, ...], tensor([4, 3]) { x.at([2, $0[0], $0[1]]) })
        expectNear(x[2, 1, ...], tensor([3]) { x.at([2, 1, $0[0]]) })
        expectNear(x[2, 0..<2, ..., 1], tensor([2]) { x.at([2, $0[0], 1]) })
        expectNear(x[...], x)
        expectNear(x[.all, 3], tensor([5, 3]) { x.at([$0[0], 3, $0[1]]) })
        expectNear(x[.every(2)], tensor([3, 4, 3]) { x.at([$0[0] * 2, $0[1], $0[2]]) })
        expectNear(x[.every(-1), .every(-2, of: 1...)], tensor([5, 2, 3]) { x.at([4 - $0[0], 3 - 2 * $0[1], $0[2]]) })
        expectNear(x[.every(3, of: .every(-1))], tensor([2, 4, 3]) { x.at([4 - 3 * $0[0], $0[1], $0[2]]) })
        #expect(x[.every(-2, of: 2..<2)].shape == [0, 4, 3])
        #expect(x[5..., 4..<4].shape == [0, 0, 3])
        #expect(x[2, 1, 0] == x.at([2, 1, 0]))
        let single: T = x[2, 1, 0]
        #expect(single.shape == [] && single.scalar == x.at([2, 1, 0]))
        let row: T = x[1]
        #expect(row.shape == [4, 3])
        #expect(Tensor<Int>([1, 2, 3])[.every(-1)].elements == [3, 2, 1])
        #expect(Tensor<Bool>([true, false, true])[1...].elements == [false, true])
        #expect(T(1)[...].scalar == 1)
    }

    /// Against Swift's own strides, in all combinations on a small axis.
    @Test func rangesWithSteps() throws {
        let x = T((0..<6).map { Double($0) })
        for step in [-7, -4, -3, -2, -1, 1, 2, 3, 4, 7] {
            for lower in 0...6 {
                for upper in lower...6 {
                    let numbers = Array(x.elements[lower..<upper])
                    let ordered = step < 0 ? numbers.reversed() : numbers
                    let expected = stride(from: 0, to: ordered.count, by: abs(step)).map { ordered[$0] }
                    #expect(x[.every(step, of: lower..<upper)].elements == expected, "\(step) of \(lower)..<\(upper)")
                }
            }
        }
    }

    @Test func leadingSlicesShareMemory() {
        let x = uniform([100, 3])
        func address(_ x: T) -> UnsafePointer<Double>? { x.withUnsafeBufferPointer { $0.baseAddress } }
        #expect(address(x[10..<20]) == address(x)! + 30)
        #expect(address(x[10..<20][5..<7]) == address(x)! + 45)
        #expect(address(x[..., 0..<2]) != address(x))
        // Parts of parts hold on to the first owner only; a chain of owners would exhaust the stack here.
        var part = uniform([100_010])
        for k in 0..<100_000 { part = part[1..<(100_010 - k)] }
        #expect(part.count == 10)
    }

    @Test func derivativesOfSlices() throws {
        let x = uniform([5, 4, 3])
        try expectDerivatives(of: { $0[1..<3] }, at: x, "contiguous")
        try expectDerivatives(of: { $0[.all, 2] }, at: x, "index")
        try expectDerivatives(of: { $0[.every(-2), 1...2, 0] }, at: x, "steps")
        try expectDerivatives(of: { $0[5...] }, at: x, "empty")
        try expectDerivatives(of: { try $0[1...] * $0[..<(-1)] }, at: x, "neighbours")
    }

    // MARK: Selections

    @Test func selections() throws {
        let x = uniform([3, 4, 2])
        for axis in 0..<3 {
            let indices = [1, 0, 1, -1, 1]
            let resolved = indices.map { $0 < 0 ? $0 + x.shape[axis] : $0 }
            var shape = x.shape
            shape[axis] = 5
            expectNear(
                try x.selecting(indices, axis: axis),
                tensor(shape) { x.at($0.without(axis).inserting(resolved[$0[axis]], at: axis)) })
            try expectDerivatives(of: { try $0.selecting(indices, axis: axis) }, at: x, "selecting along \(axis)")

            let labels = Array([2, 0, 2, -4].prefix(x.shape[axis]))
            shape[axis] = 4
            expectNear(
                try x.sums(at: labels, axis: axis - 3, count: 4),
                tensor(shape) { place in
                    labels.indices.filter { (labels[$0] + 4) % 4 == place[axis] }.reduce(0) {
                        $0 + x.at(place.without(axis).inserting($1, at: axis))
                    }
                })
            try expectDerivatives(of: { try $0.sums(at: labels, axis: axis, count: 4) }, at: x, "sums along \(axis)")
        }
        #expect(try x.selecting([], axis: 1).shape == [3, 0, 2])
        #expect(try uniform([3, 0]).selecting([2, 2], axis: 0).shape == [2, 0])
        #expect(try uniform([0, 2]).sums(at: [], axis: 0, count: 3) == T(repeating: 0, shape: [3, 2]))
        #expect(try Tensor<Int>([5, 6, 7]).selecting([-1, 0], axis: 0).elements == [7, 5])
        // A million of 0.1 in Float: what sums in Float lose is 900.
        let many = try Tensor<Float>(repeating: 0.1, shape: [1_000_000]).sums(
            at: [Int](repeating: 0, count: 1_000_000), axis: 0, count: 1)
        #expect(abs(many.scalar - 100_000) < 0.1)
    }

    // MARK: Joining

    @Test func joining() throws {
        let (x, y) = (uniform([2, 3, 2]), uniform([2, 3, 2], seed: 9))
        for axis in 0..<3 {
            var shape = x.shape
            shape[axis] *= 2
            let length = x.shape[axis]
            let joined = tensor(shape) { index in
                (index[axis] < length ? x : y).at(index.without(axis).inserting(index[axis] % length, at: axis))
            }
            expectNear(try T(concatenating: [x, y], axis: axis), joined)
            expectNear(try T(concatenating: [x, y], axis: axis - 3), joined)
            try expectDerivatives(of: { try T(concatenating: [$0, y, $0], axis: axis) }, at: x, "concatenating along \(axis)")
        }
        for axis in 0...3 {
            let stacked = tensor(x.shape.inserting(2, at: axis)) { ($0[axis] == 0 ? x : y).at($0.without(axis)) }
            expectNear(try T(stacking: [x, y], axis: axis), stacked)
            expectNear(try T(stacking: [x, y], axis: axis - 4), stacked)
            try expectDerivatives(of: { try T(stacking: [y, $0, $0], axis: axis) }, at: x, "stacking along \(axis)")
        }
        let parts = [uniform([2, 1]), uniform([2, 0]), uniform([2, 3])]
        expectNear(
            try T(concatenating: parts, axis: 1),
            tensor([2, 4]) { ($0[1] == 0 ? parts[0] : parts[2]).at([$0[0], $0[1] == 0 ? 0 : $0[1] - 1]) })
        try expectDerivatives(of: { try T(concatenating: [parts[0], $0, parts[2]], axis: 1) }, at: parts[1])
        #expect(try T(stacking: [T(1), T(2)]) == [1, 2])
        #expect(try T(concatenating: [uniform([0, 2]), uniform([0, 2])]).shape == [0, 2])
        #expect(try Tensor<Int>(concatenating: [Tensor([1]), Tensor([2, 3])]).elements == [1, 2, 3])
    }

    // MARK: Shapes

    @Test func reshaping() throws {
        let x = uniform([2, 3, 4])
        #expect(try x.reshaped([6, 4]).elements == x.elements)
        #expect(try x.reshaped([3, -1]).shape == [3, 8])
        #expect(try x.expandedAxis(0).shape == [1, 2, 3, 4])
        #expect(try x.expandedAxis(-1).shape == [2, 3, 4, 1])
        #expect(try x.expandedAxis(-2).shape == [2, 3, 1, 4])
        #expect(try x.expandedAxis(3).shape == [2, 3, 4, 1])
        let y = uniform([1, 2, 1, 3])
        #expect(try y.squeezed().shape == [2, 3])
        #expect(try y.squeezed(axes: [-2]).shape == [1, 2, 3])
        #expect(try uniform([1, 1]).squeezed().shape == [])
        #expect(try uniform([0, 3]).reshaped([-1]).shape == [0])
        #expect(try uniform([0]).reshaped([5, 0]).shape == [5, 0])
        try expectDerivatives(of: { try $0.reshaped([4, 6]).expandedAxis(1) }, at: x)
        try expectDerivatives(of: { try $0.squeezed() }, at: y)
    }

    @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [-1, 1, 0]]) func transposing(order: [Int]) throws {
        let x = uniform([2, 3, 4])
        let axes = order.map { ($0 + 3) % 3 }
        let expected = tensor(axes.map { x.shape[$0] }) { index in
            x.at((0..<3).map { axis in index[axes.firstIndex(of: axis)!] })
        }
        expectNear(try x.transposed(order), expected)
        try expectDerivatives(of: { try $0.transposed(order) }, at: x)
        #expect(try uniform([2, 0, 3]).transposed(order).shape == axes.map { [2, 0, 3][$0] })
    }

    @Test func reversingAxes() throws {
        let x = uniform([2, 3])
        expectNear(try x.transposed(), tensor([3, 2]) { x.at([$0[1], $0[0]]) })
        #expect(try T(1).transposed().shape == [])
        #expect(try Tensor<Int>([1, 2]).reshaped([1, 2]).transposed().shape == [2, 1])
    }
}
