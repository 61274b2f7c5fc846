/// The numbers of a lattice: sums of Gaussians around columns, at its nodes.
struct Lattice: @unchecked Sendable {  // memory is written by `init` only
    let plan: LatticePlan
    let channels: Int
    /// Channel by channel.
    private let numbers: UnsafeMutablePointer<Double>
    private let functions: LatticeFunctions

    /// Adds points to an empty lattice.
    ///
    /// Points are cut into parts, which add to planes of their own; these are added up plane by plane. So no two threads write to one place,
    /// and sums do not depend on how many there are.
    ///
    /// - Parameter points: coordinates and one number per channel, in the order of the lattice's blocks.
    init(
        _ plan: LatticePlan, channels: Int, _ functions: LatticeFunctions, _ points: UnsafePointer<Double>, count: Int,
        threads: Int
    ) {
        self.plan = plan
        self.channels = channels
        self.functions = functions
        numbers = .allocate(capacity: plan.nodeCount * channels)
        let stride = plan.axes.count + channels
        let parts = Self.parts(plan, channels, count)
        var pieces = [(planes: Range<Int>, numbers: UnsafeMutablePointer<Double>)](
            repeating: (0..<0, numbers), count: parts.count)
        pieces.withUnsafeMutableBufferPointer { pieces in
            nonisolated(unsafe) let (pieces, points) = (pieces, points)
            ThreadPool.shared.run(count: parts.count, threads: threads) { k in
                var (low, high) = (Int.max, Int.min)
                for point in parts[k] {
                    let node = plan.axes[0].node(points[point * stride]) - plan.axes[0].first - plan.window.before
                    (low, high) = (min(low, node), max(high, node))
                }
                let planes = low..<high + plan.firstWindow
                let size = planes.count * plan.planeSize * channels
                let own = UnsafeMutablePointer<Double>.allocate(capacity: size)
                own.initialize(repeating: 0, count: size)
                functions.spread(
                    LatticeFunctions.Call(
                        plan, planes: planes, points: points, pointStride: stride, range: parts[k], lattice: own))
                pieces[k] = (planes, own)
            }
        }
        let (numbers, planeSize) = (numbers, plan.planeSize)
        let all = plan.axes[0].count
        nonisolated(unsafe) let made = pieces
        ThreadPool.shared.run(count: all * channels, threads: threads) { k in
            let (channel, plane) = k.quotientAndRemainder(dividingBy: all)
            let target = numbers + k * planeSize
            target.initialize(repeating: 0, count: planeSize)
            for piece in made where piece.planes.contains(plane) {
                let source = piece.numbers + (channel * piece.planes.count + plane - piece.planes.lowerBound) * planeSize
                for node in 0..<planeSize { target[node] += source[node] }
            }
        }
        for piece in pieces { piece.numbers.deallocate() }
    }

    func deallocate() { numbers.deallocate() }

    /// The sums at some points, channel by channel of each; of the coordinates alone.
    func gather(
        _ points: UnsafePointer<Double>, _ range: Range<Int>, into results: UnsafeMutablePointer<Double>
    ) {
        functions.gather(
            LatticeFunctions.Call(
                plan, planes: 0..<plan.axes[0].count, points: points, pointStride: plan.axes.count, range: range,
                lattice: numbers,
                results: results))
    }

    /// As many parts as threads can be expected to share, unless their planes, which overlap, would take far more memory than the lattice.
    private static func parts(_ plan: LatticePlan, _ channels: Int, _ count: Int) -> [Range<Int>] {
        let overlap = plan.firstWindow * plan.planeSize * channels
        let most = max(1, min(16, max(smallSize, 7 * plan.nodeCount * channels) / overlap))
        let length = max(256, (count + most - 1) / most)
        return stride(from: 0, to: count, by: length).map { $0..<min(count, $0 + length) }
    }

    private static let smallSize = 1 << 22
}
