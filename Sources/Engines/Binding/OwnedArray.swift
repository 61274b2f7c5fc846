import Kernels

/// An array with memory of its own, freed with the last reference.
final class OwnedArray: @unchecked Sendable {
    let type: ScalarType
    let shape: [Int]
    let bytes: UnsafeMutableRawBufferPointer

    /// Uninitialised.
    init(type: ScalarType, shape: [Int]) {
        self.type = type
        self.shape = shape
        bytes = .allocate(byteCount: max(1, shape.reduce(type.byteCount, *)), alignment: 64)
    }

    deinit { bytes.deallocate() }

    var input: InputArray { InputArray(bytes.baseAddress!, type: type, shape: shape) }
}

extension OwnedArray {
    /// Stores the sum of arrays. Along an axis where a term is longer than the shape it is summed, where it has length 1 it is
    /// repeated.
    ///
    /// - Parameter shape: as many numbers as this array has. Axes are aligned at the last, whose length is the same in all.
    func store(totalOf terms: [InputArray], in shape: [Int]) {
        var total = [Double](repeating: 0, count: shape.reduce(1, *))
        for term in terms { Self.add(term, to: &total, of: shape) }
        for (place, number) in total.enumerated() { type.store(number, bytes.baseAddress!, place) }
    }

    private static func add(_ term: InputArray, to total: inout [Double], of shape: [Int]) {
        let rank = max(term.shape.count, shape.count)
        func padded(_ shape: [Int]) -> [Int] { Array(repeating: 1, count: rank - shape.count) + shape }
        let (own, target) = (padded(term.shape), padded(shape))
        let common = zip(own, target).map { $0 == 1 ? $1 : $0 }
        guard let width = common.last, !common.contains(0) else { return }
        func strides(_ shape: [Int]) -> [Int] {
            var stride = 1
            return shape.reversed().map { length in
                defer { stride *= length }
                return length == 1 ? 0 : stride
            }.reversed()
        }
        let (ownStrides, targetStrides) = (strides(own), strides(target))
        let outer = common.indices.dropLast()
        var counters = [Int](repeating: 0, count: rank)
        for _ in 0..<outer.reduce(1, { $0 * common[$1] }) {
            let source = outer.reduce(0) { $0 + counters[$1] * ownStrides[$1] }
            let place = outer.reduce(0) { $0 + counters[$1] * targetStrides[$1] }
            for (k, number) in term.type.load(term.base, source, count: width).enumerated() { total[place + k] += number }
            for axis in outer.reversed() {
                counters[axis] += 1
                if counters[axis] < common[axis] { break }
                counters[axis] = 0
            }
        }
    }
}
