import Formulas
import Kernels

/// What the formula takes of one side of a call, computed: the coordinates of each point first.
final class LatticePoints<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {  // memory is written by `init` only
    let count: Int
    let width: Int
    let numbers: UnsafeMutablePointer<Scalar>

    /// - Parameter variables: those of the reduction, whose arrays the inputs are.
    init(_ side: LatticeKernels.Side, _ variables: [Variable], _ inputs: [UnsafeRawPointer], count: Int, threads: Int) {
        self.count = count
        width = side.width
        numbers = .allocate(capacity: max(1, count * side.width))
        let own = side.kernel.kernel.inputs.map { input in inputs[variables.firstIndex(of: input.variable)!] }
        let numbers = numbers
        forChunks(count, threads: threads) { chunk in
            side.kernel.reduce(
                chunk, over: [0..<1], positionBase: 0, inputs: own, table: nil,
                into: .results(values: UnsafeMutableRawPointer(numbers), indices: nil))
        }
    }

    deinit { numbers.deallocate() }

    /// Between which numbers column k of the table lies; nil where one is not finite.
    func range(_ k: Int) -> ClosedRange<Double>? {
        var (low, high) = (Scalar.infinity, -Scalar.infinity)
        var isFinite = true
        for point in 0..<count {
            let x = numbers[point * width + k]
            low = x < low ? x : low
            high = x > high ? x : high
            isFinite = isFinite && x.isFinite
        }
        return isFinite && count > 0 ? Double(low)...Double(high) : nil
    }

    /// The points block by block of a lattice, so that neighbours in memory touch the same nodes, and the first axis grows slowest.
    ///
    /// - Returns: the number of each, in that order.
    func order(_ plan: LatticePlan, threads: Int) -> [Int] {
        let axes = plan.axes
        let blocks = axes.map { ($0.count + Self.blockSide - 1) / Self.blockSide }
        let binCount = blocks.reduce(1, *)
        var bins = [UInt32](repeating: 0, count: count)
        // Counts per part and bin, then where each part's points of a bin go: the order does not depend on the threads.
        let partLength = max(1, (count + Self.parts - 1) / Self.parts)
        var places = [Int](repeating: 0, count: Self.parts * binCount)
        var order = [Int](repeating: 0, count: count)
        bins.withUnsafeMutableBufferPointer { bins in
            places.withUnsafeMutableBufferPointer { places in
                order.withUnsafeMutableBufferPointer { order in
                    nonisolated(unsafe) let (bins, places, order) = (bins, places, order)
                    func part(_ k: Int) -> Range<Int> { min(count, k * partLength)..<min(count, (k + 1) * partLength) }
                    ThreadPool.shared.run(count: Self.parts, threads: threads) { k in
                        for point in part(k) {
                            var bin = 0
                            for axis in axes.indices {
                                let node = axes[axis].node(Double(numbers[point * width + axis])) - axes[axis].first
                                bin = bin * blocks[axis] + node / Self.blockSide
                            }
                            bins[point] = UInt32(truncatingIfNeeded: bin)
                            places[k * binCount + bin] += 1
                        }
                    }
                    var next = 0
                    for bin in 0..<binCount {
                        for k in 0..<Self.parts {
                            let own = places[k * binCount + bin]
                            places[k * binCount + bin] = next
                            next += own
                        }
                    }
                    ThreadPool.shared.run(count: Self.parts, threads: threads) { k in
                        for point in part(k) {
                            let bin = k * binCount + Int(bins[point])
                            order[places[bin]] = point
                            places[bin] += 1
                        }
                    }
                }
            }
        }
        return order
    }

    /// Nodes along the side of a block.
    private static var blockSide: Int { 8 }
    private static var parts: Int { 16 }
}

/// Calls a body for pieces of a range.
func forChunks(_ count: Int, threads: Int, _ body: (Range<Int>) -> Void) {
    let length = 8_192
    ThreadPool.shared.run(count: (count + length - 1) / length, threads: threads) { k in
        body(k * length..<min(count, (k + 1) * length))
    }
}
