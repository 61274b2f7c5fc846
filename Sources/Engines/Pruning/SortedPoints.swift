import Formulas
import Kernels

/// One side of a reduction, rows or columns, in the order of a tree.
struct SortedPoints<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {  // memory is written by `init` only
    let tree: PointTree<Scalar>
    /// The variables' arrays in the order of the tree.
    private let arrays: [(variable: Variable, numbers: UnsafeMutablePointer<Scalar>)]

    /// - Parameters:
    ///   - computed: the kernel of what the side computes of its points.
    ///   - variables: those of the reduction.
    ///   - inputs: their arrays.
    init(
        _ side: PointSide, computed: CPUKernel?, _ variables: [Variable], _ inputs: [UnsafeRawPointer], count: Int, tileSize: Int,
        threads: Int
    ) {
        func array(of variable: Variable) -> UnsafeRawPointer { inputs[variables.firstIndex(of: variable)!] }
        // All numbers of a point together while points change places, and apart again for the kernels.
        let points = UnsafeMutablePointer<Scalar>.allocate(capacity: max(1, count * side.width))
        defer { points.deallocate() }
        func place(_ numbers: UnsafePointer<Scalar>, stride: Int, dimension: Int, at offset: Int) {
            for k in 0..<count {
                for axis in 0..<dimension { points[k * side.width + offset + axis] = numbers[k * stride + axis] }
            }
        }
        for part in side.parts {
            guard let variable = part.formula.variable else { continue }
            place(
                array(of: variable).assumingMemoryBound(to: Scalar.self), stride: variable.dimension,
                dimension: variable.dimension, at: part.lowerOffset)
        }
        if let computed {
            let width = computed.kernel.reduction.valueCount
            let values = UnsafeMutablePointer<Scalar>.allocate(capacity: max(1, count * width))
            defer { values.deallocate() }
            computed.reduce(
                0..<count, over: [0..<1], positionBase: 0, inputs: computed.kernel.inputs.map { array(of: $0.variable) },
                table: nil,
                into: .results(values: UnsafeMutableRawPointer(values), indices: nil))
            var offset = 0
            for part in side.parts where part.formula.variable == nil {
                let both = 2 * part.stand.dimension
                place(values + offset, stride: width, dimension: both, at: part.lowerOffset)
                offset += both
            }
        }
        let tree = PointTree(points, count: count, width: side.width, axes: side.axes, tileSize: tileSize, threads: threads)
        self.tree = tree
        let category = side.parts[0].stand.category
        arrays = variables.filter { $0.category == category }.map { variable in
            let (dimension, source) = (variable.dimension, array(of: variable).assumingMemoryBound(to: Scalar.self))
            let sorted = UnsafeMutablePointer<Scalar>.allocate(capacity: max(1, count * dimension))
            for k in 0..<count {
                for axis in 0..<dimension { sorted[k * dimension + axis] = source[tree.origins[k] * dimension + axis] }
            }
            return (variable, sorted)
        }
    }

    func deallocate() {
        for array in arrays { array.numbers.deallocate() }
        tree.deallocate()
    }

    /// Whether a NaN is among the numbers.
    var hasNaN: Bool {
        let top = tree.levels.last!
        return (0..<top.count * top.width).contains { top.lower[$0].isNaN || top.upper[$0].isNaN }
    }

    /// Puts the sorted arrays in their places among a kernel's inputs.
    func replace(among variables: [Variable], in pointers: inout [UnsafeRawPointer]) {
        for array in arrays { pointers[variables.firstIndex(of: array.variable)!] = UnsafeRawPointer(array.numbers) }
    }
}
