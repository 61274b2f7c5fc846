import Kernels

/// Arrays on the host.
final class HostArrays: ExpressionArrays {
    private var allocated: [UnsafeMutableRawPointer] = []

    deinit {
        for memory in allocated { memory.deallocate() }
    }

    func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, byteCount), alignment: 64)
        allocated.append(memory)
        return memory
    }

    func onHost(_ base: UnsafeRawPointer, byteCount: Int) -> UnsafeRawPointer { base }

    func store(totalOf terms: [InputArray], _ type: ScalarType, shape: [Int], to target: UnsafeMutableRawPointer) {
        var total = [Double](repeating: 0, count: shape.reduce(1, *))
        for term in terms { Self.add(term, to: &total, of: shape) }
        for (place, number) in total.enumerated() { type.store(number, target, place) }
    }

    func gather(_ array: InputArray, _ indices: WinnerIndices, to target: UnsafeMutableRawPointer) {
        let points = array.shape[array.shape.count - 2]
        let bytes = array.shape.last! * array.type.byteCount
        var target = target
        for (item, own) in indices.items(of: Array(array.shape.dropLast(2))).enumerated() {
            let base = array.base + own * points * bytes
            for row in item * indices.rows..<(item + 1) * indices.rows {
                let point = Int(indices.base[row * indices.slots + indices.slot])
                target.copyMemory(from: base + ((0..<points).contains(point) ? point : 0) * bytes, byteCount: bytes)
                target += bytes
            }
        }
    }

    func store(totalsOf array: InputArray, by lists: WinnerLists, to target: UnsafeMutableRawPointer) {
        switch array.type {
        case .float64: Self.store(totalsOf: array, by: lists, to: target, Double.self)
        default: Self.store(totalsOf: array, by: lists, to: target, Float.self)
        }
    }

    private static func store<Number: BinaryFloatingPoint>(
        totalsOf array: InputArray, by lists: WinnerLists, to target: UnsafeMutableRawPointer, _: Number.Type
    ) {
        let width = array.shape.last!
        let source = array.base.assumingMemoryBound(to: Number.self)
        let target = target.assumingMemoryBound(to: Number.self)
        var sums = [Double](repeating: 0, count: width)
        for place in 0..<lists.starts.count - 1 {
            for k in 0..<width { sums[k] = 0 }
            for row in lists.rows[Int(lists.starts[place])..<Int(lists.starts[place + 1])] {
                for k in 0..<width { sums[k] += Double(source[Int(row) * width + k]) }
            }
            for k in 0..<width { target[place * width + k] = Number(sums[k]) }
        }
    }

    private static func add(_ term: InputArray, to total: inout [Double], of shape: [Int]) {
        guard !total.isEmpty, !term.shape.contains(0) else { return }
        let axes = TotalTerm(term.shape, in: shape)
        // What lies side by side in both is read at once.
        let width = axes.kept.first.map { $0.stride == 1 ? $0.length : 1 } ?? 1
        let kept = width > 1 ? Array(axes.kept.dropFirst()) : axes.kept
        for row in 0..<total.count / width {
            let first = offset(row, kept)
            for place in 0..<axes.summedCount {
                let source = first + offset(place, axes.summed)
                for (k, number) in term.type.load(term.base, source, count: width).enumerated() {
                    total[row * width + k] += number
                }
            }
        }
    }

    private static func offset(_ place: Int, _ axes: [TotalTerm.Axis]) -> Int {
        var (rest, offset) = (place, 0)
        for axis in axes {
            offset += rest % axis.length * axis.stride
            rest /= axis.length
        }
        return offset
    }
}
