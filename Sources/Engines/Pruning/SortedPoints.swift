import Formulas
import Kernels

/// One side of a reduction, rows or columns, in the order of a tree.
struct SortedPoints<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {  // memory is written by `init` only
    let tree: PointTree<Scalar>
    private let arrays: [UnsafeMutablePointer<Scalar>]
    private let isCopied: Bool

    /// - Parameter inputs: the side's arrays, of `count` points each.
    init(_ side: BoundKernel.Side, _ inputs: [UnsafeRawPointer], count: Int, tileSize: Int, threads: Int) {
        let sources = inputs.map { $0.assumingMemoryBound(to: Scalar.self) }
        isCopied = side.variables.count > 1
        guard isCopied else {
            tree = PointTree(
                sources[0], count: count, width: side.width, axes: side.axes, tileSize: tileSize, threads: threads)
            arrays = [tree.points]
            return
        }
        // All numbers of a point together while points change places, and apart again for the kernels.
        let points = UnsafeMutablePointer<Scalar>.allocate(capacity: max(1, count * side.width))
        defer { points.deallocate() }
        for (variable, (offset, source)) in zip(side.variables, zip(side.offsets, sources)) {
            for k in 0..<count {
                for axis in 0..<variable.dimension { points[k * side.width + offset + axis] = source[k * variable.dimension + axis] }
            }
        }
        tree = PointTree(points, count: count, width: side.width, axes: side.axes, tileSize: tileSize, threads: threads)
        var arrays: [UnsafeMutablePointer<Scalar>] = []
        for (variable, offset) in zip(side.variables, side.offsets) {
            let array = UnsafeMutablePointer<Scalar>.allocate(capacity: max(1, count * variable.dimension))
            for k in 0..<count {
                for axis in 0..<variable.dimension {
                    array[k * variable.dimension + axis] = tree.points[k * side.width + offset + axis]
                }
            }
            arrays.append(array)
        }
        self.arrays = arrays
    }

    func deallocate() {
        if isCopied { for array in arrays { array.deallocate() } }
        tree.deallocate()
    }

    /// Puts the sorted arrays in the places of the side's variables among a kernel's inputs.
    func replace(_ side: BoundKernel.Side, among variables: [Variable], in pointers: inout [UnsafeRawPointer]) {
        for (variable, array) in zip(side.variables, arrays) {
            pointers[variables.firstIndex(of: variable)!] = UnsafeRawPointer(array)
        }
    }
}
