import Formulas
import Kernels

/// One side of a block, rows or columns: its points in the order of a tree, and behind them those that bounds can tell nothing of, for they
/// have a NaN among their numbers, or are some few with infinities.
struct SortedPoints<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {  // memory is written by `init` only
    let tree: PointTree<Scalar>
    /// The places of the points that are put aside, which stay in their order.
    let aside: Range<Int>
    private let list: PointList
    /// Where those stood in the list.
    private let asideOrigins: [Int]
    /// The variables' arrays in the order of the tree.
    private let arrays: [(variable: Variable, numbers: UnsafeMutablePointer<Scalar>)]

    /// - Parameters:
    ///   - computed: the kernel of what the side computes of its points.
    ///   - variables: those of the reduction.
    ///   - inputs: their arrays.
    ///   - list: the points.
    init(
        _ side: PointSide, computed: CPUKernel?, _ variables: [Variable], _ inputs: [UnsafeRawPointer], _ list: PointList,
        tileSize: Int, threads: Int
    ) {
        self.list = list
        let (count, category) = (list.count, side.parts[0].stand.category)
        func array(of variable: Variable) -> UnsafeRawPointer { inputs[variables.firstIndex(of: variable)!] }
        // All numbers of a point together while points change places, and apart again for the kernels.
        let points = UnsafeMutablePointer<Scalar>.allocate(capacity: max(1, count * side.width))
        defer { points.deallocate() }
        Self.gather(side, computed, list, into: points, array)
        var odd = OddPoints(count: count)
        odd.add(points, width: side.width)
        let own = variables.filter { $0.category == category }
        for variable in own where !side.parts.contains(where: { $0.formula.variable == variable }) {
            odd.add(array(of: variable).assumingMemoryBound(to: Scalar.self), width: variable.dimension, list)
        }
        asideOrigins = odd.aside
        // The others move together.
        let origins = odd.origins
        if let origins {
            for (place, origin) in origins.enumerated() where place != origin {
                for axis in 0..<side.width { points[place * side.width + axis] = points[origin * side.width + axis] }
            }
        }
        let tree = PointTree(
            points, count: count - asideOrigins.count, width: side.width, axes: side.axes, tileSize: tileSize, origins: origins,
            threads: threads)
        self.tree = tree
        aside = tree.count..<count
        let (asideOrigins, onlyRange) = (asideOrigins, list.ranges.count == 1 ? list.ranges[0] : nil)
        arrays = own.map { variable in
            let (dimension, source) = (variable.dimension, array(of: variable).assumingMemoryBound(to: Scalar.self))
            let sorted = UnsafeMutablePointer<Scalar>.allocate(capacity: max(1, count * dimension))
            for place in 0..<count {
                let origin = place < tree.count ? tree.origins[place] : asideOrigins[place - tree.count]
                let point = onlyRange.map { $0.lowerBound + origin } ?? list[origin]
                for axis in 0..<dimension { sorted[place * dimension + axis] = source[point * dimension + axis] }
            }
            return (variable, sorted)
        }
    }

    /// Writes the numbers of the listed points that a side is sorted by.
    private static func gather(
        _ side: PointSide, _ computed: CPUKernel?, _ list: PointList, into points: UnsafeMutablePointer<Scalar>,
        _ array: (Variable) -> UnsafeRawPointer
    ) {
        func place(_ numbers: UnsafePointer<Scalar>, stride: Int, dimension: Int, at offset: Int, _ range: Range<Int>) {
            for k in range {
                for axis in 0..<dimension { points[k * side.width + offset + axis] = numbers[k * stride + axis] }
            }
        }
        var first = 0
        for range in list.ranges {
            let target = first..<first + range.count
            for part in side.parts {
                guard let variable = part.formula.variable else { continue }
                let numbers = array(variable).assumingMemoryBound(to: Scalar.self)
                place(
                    numbers + (range.lowerBound - first) * variable.dimension, stride: variable.dimension,
                    dimension: variable.dimension, at: part.lowerOffset, target)
            }
            first = target.upperBound
        }
        guard let computed else { return }
        let width = computed.kernel.reduction.valueCount
        let values = UnsafeMutablePointer<Scalar>.allocate(capacity: max(1, list.count * width))
        defer { values.deallocate() }
        let inputs = computed.kernel.inputs.map { array($0.variable) }
        first = 0
        for range in list.ranges {
            computed.reduce(
                range, over: [0..<1], positionBase: 0, inputs: inputs, table: nil,
                into: computed.results(of: range, values: UnsafeMutableRawPointer(values + first * width)))
            first += range.count
        }
        var offset = 0
        for part in side.parts where part.formula.variable == nil {
            let both = 2 * part.stand.dimension
            place(values + offset, stride: width, dimension: both, at: part.lowerOffset, 0..<list.count)
            offset += both
        }
    }

    func deallocate() {
        for array in arrays { array.numbers.deallocate() }
        tree.deallocate()
    }

    var count: Int { aside.upperBound }

    /// Where a sorted point stood in the list.
    func origin(_ place: Int) -> Int { place < tree.count ? tree.origins[place] : asideOrigins[place - tree.count] }

    /// The number of a point of the list in the arrays.
    func point(atOrigin origin: Int) -> Int { list[origin] }

    /// Puts the sorted arrays in their places among a kernel's inputs.
    func replace(among variables: [Variable], in pointers: inout [UnsafeRawPointer]) {
        for array in arrays { pointers[variables.firstIndex(of: array.variable)!] = UnsafeRawPointer(array.numbers) }
    }
}

/// Points with numbers that are not finite.
private struct OddPoints {
    private let count: Int
    private var infinite: Set<Int> = []
    private var notANumber: Set<Int> = []

    init(count: Int) { self.count = count }

    /// Looks through numbers, some for each point.
    ///
    /// - Parameter list: which points' numbers; nil where they stand in its order.
    mutating func add<Scalar: BinaryFloatingPoint>(_ numbers: UnsafePointer<Scalar>, width: Int, _ list: PointList? = nil) {
        var first = 0
        for range in list?.ranges ?? [0..<count] {
            for k in range.lowerBound * width..<range.upperBound * width where !numbers[k].isFinite {
                let place = k / width - range.lowerBound + first
                if numbers[k].isNaN { notANumber.insert(place) } else { infinite.insert(place) }
            }
            first += range.count
        }
    }

    /// Boxes can hold infinities, and many are left to them: each point that is put aside meets all of the other side.
    private var all: Set<Int> { infinite.count <= count / 100 ? notANumber.union(infinite) : notANumber }

    /// Those to put aside, in their order.
    var aside: [Int] { all.sorted() }

    /// The others, in their order; nil where that is all.
    var origins: [Int]? {
        let all = all
        return all.isEmpty ? nil : (0..<count).filter { !all.contains($0) }
    }
}
