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

    /// Some components of each point of an array of shape (…, points, components).
    convenience init(copying array: InputArray, components: Range<Int>) {
        let width = array.shape.last ?? 1
        self.init(type: array.type, shape: array.shape.dropLast() + [components.count])
        let size = type.byteCount
        for point in 0..<array.shape.dropLast().reduce(1, *) {
            let source = array.base + (point * width + components.lowerBound) * size
            (bytes.baseAddress! + point * components.count * size)
                .copyMemory(from: source, byteCount: components.count * size)
        }
    }

    deinit { bytes.deallocate() }

    var input: InputArray { InputArray(bytes.baseAddress!, type: type, shape: shape) }

    func number(_ place: Int) -> Double { type.load(bytes.baseAddress!, place, count: 1)[0] }

    /// Adds this array to one of another shape that was broadcast to its own, summing over the axes that were repeated.
    ///
    /// - Parameter summingPoints: whether the last axis but one, of points, is absent there and summed as well.
    func addBroadcast(to total: inout [Double], shape target: [Int], summingPoints: Bool) {
        var own = target
        if summingPoints { own.insert(1, at: own.count - 1) }
        let padded = Array(repeating: 1, count: shape.count - own.count) + own
        var strides = [Int](repeating: 0, count: shape.count)
        var stride = 1
        for axis in shape.indices.reversed() {
            strides[axis] = padded[axis] == 1 ? 0 : stride
            stride *= padded[axis]
        }
        let count = shape.reduce(1, *)
        var counters = [Int](repeating: 0, count: shape.count)
        var place = 0
        for k in 0..<count {
            total[place] += number(k)
            for axis in shape.indices.reversed() {
                counters[axis] += 1
                place += strides[axis]
                if counters[axis] < shape[axis] { break }
                place -= strides[axis] * shape[axis]
                counters[axis] = 0
            }
        }
    }
}
