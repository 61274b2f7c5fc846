/// The numbers of a shape in row-major order, in runs along its last axis, for memories with strides.
///
/// Axes that all memories walk through as if they were one are one: numbers that lie side by side are a single run.
struct Walk {
    /// Numbers in a run.
    let width: Int
    /// For each memory, from one number of a run to the next.
    let steps: [Int]
    /// The axes that runs are repeated along.
    private var outer: [Int] = []
    private var strides: [[Int]]
    private let isEmpty: Bool

    /// - Parameter strides: for each memory, one number per axis.
    init(_ shape: [Int], _ strides: [[Int]]) {
        isEmpty = shape.contains(0)
        var lengths: [Int] = []
        var merged = strides.map { _ in [Int]() }
        for axis in shape.indices where shape[axis] != 1 {
            if !lengths.isEmpty, strides.indices.allSatisfy({ merged[$0].last! == strides[$0][axis] * shape[axis] }) {
                lengths[lengths.count - 1] *= shape[axis]
                for k in strides.indices { merged[k][lengths.count - 1] = strides[k][axis] }
            } else {
                lengths.append(shape[axis])
                for k in strides.indices { merged[k].append(strides[k][axis]) }
            }
        }
        width = lengths.last ?? 1
        steps = merged.map { $0.last ?? 0 }
        outer = lengths.dropLast()
        self.strides = merged
    }

    /// Whether the one memory is walked number by number, and there are several.
    var isContiguous: Bool { !isEmpty && outer.isEmpty && width > 1 && steps == [1] }

    /// Calls the body with where each run begins, in the order of the shape and in each memory.
    func forEachRun(_ body: (_ place: Int, _ offsets: [Int]) -> Void) {
        guard !isEmpty else { return }
        var index = Array(repeating: 0, count: outer.count)
        var offsets = Array(repeating: 0, count: strides.count)
        var place = 0
        while true {
            body(place, offsets)
            place += width
            var axis = outer.count - 1
            while axis >= 0 {
                index[axis] += 1
                for k in strides.indices { offsets[k] += strides[k][axis] }
                if index[axis] < outer[axis] { break }
                for k in strides.indices { offsets[k] -= strides[k][axis] * outer[axis] }
                index[axis] = 0
                axis -= 1
            }
            if axis < 0 { return }
        }
    }
}
