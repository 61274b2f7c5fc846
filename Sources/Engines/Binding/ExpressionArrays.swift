import Kernels

/// Where the arrays of an expression's evaluation are, the intermediate results among them: on the host, or on the device that computes.
protocol ExpressionArrays: AnyObject {
    /// Uninitialised memory, at least a byte, that is given back with this object.
    func allocate(_ byteCount: Int) throws -> UnsafeMutableRawPointer

    /// Stores the sum of arrays. Along an axis where a term is longer than the shape it is summed, where it has length 1 it is repeated.
    ///
    /// - Parameter shape: the target's. Axes are aligned at the last, whose length is the same in all.
    func store(
        totalOf terms: [InputArray], _ type: ScalarType, shape: [Int], to target: UnsafeMutableRawPointer
    ) throws

    /// Stores those points of an array that a selection has chosen, (items, rows, dimension) of them; any where it has chosen none.
    func gather(_ array: InputArray, _ indices: WinnerIndices, to target: UnsafeMutableRawPointer) throws

    /// Stores the total of those rows of an array, of whatever items, that are listed for each row of the target. Not for types of 16 bits.
    func store(totalsOf array: InputArray, by lists: WinnerLists, to target: UnsafeMutableRawPointer) throws

    /// The host's view of memory that was computed: valid as long as this object.
    func onHost(_ base: UnsafeRawPointer, byteCount: Int) throws -> UnsafeRawPointer
}

/// A term of a total: which of the total's numbers it enters, and which of its own are summed into one.
///
/// Axes along which both lie without a gap are one; axes of length 1 are none.
struct TotalTerm {
    struct Axis: Hashable {
        var length: Int
        /// Numbers of the term from one place to the next; 0 where it is repeated.
        var stride: Int
    }
    /// The total's axes, innermost first.
    private(set) var kept: [Axis] = []
    /// Those that the total does not have.
    private(set) var summed: [Axis] = []

    var summedCount: Int { summed.reduce(1) { $0 * $1.length } }

    init(_ own: [Int], in target: [Int]) {
        var stride = 1
        for axis in 1...max(1, own.count, target.count) {
            let ownLength = axis <= own.count ? own[own.count - axis] : 1
            let length = axis <= target.count ? target[target.count - axis] : 1
            if length != 1 {
                Self.append(Axis(length: length, stride: ownLength == 1 ? 0 : stride), to: &kept)
            } else if ownLength != 1 {
                Self.append(Axis(length: ownLength, stride: stride), to: &summed)
            }
            stride *= ownLength
        }
    }

    private static func append(_ axis: Axis, to axes: inout [Axis]) {
        if let inner = axes.last, axis.stride == inner.stride * inner.length {
            axes[axes.count - 1].length *= axis.length
        } else {
            axes.append(axis)
        }
    }
}
