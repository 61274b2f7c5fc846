import Formulas
import Kernels
import RealModule

/// One call of a sum, or of log-sum-exp, without pairs that are too small to matter.
///
/// The sum of magnitudes Σ_j |F_ij| is at least what a few columns that seem near yield. The tolerance times that may be left out: half of it,
/// in equal shares, by groups of tiles that bounds say are far below; the other half by tiles, those of the smallest bounds first.
final class PrunedSum<Scalar: BinaryFloatingPoint & Sendable>: PrunedRun, @unchecked Sendable {  // tasks write rows of their own
    let search: PairSearch<Scalar>
    private let kernels: SumKernels
    private let tolerance: Double
    private let output: Output

    /// Sorts rows and columns.
    init(
        _ kernels: SumKernels, _ binding: Binding, batchItem: Int, tolerance: Double, output: Output, threads: Int
    ) {
        self.kernels = kernels
        self.tolerance = tolerance
        self.output = output.item(batchItem, rows: binding.rowCount, of: kernels.reduction, binding.type)
        search = PairSearch(
            kernels.bounds, kernels.reduction.variables, binding, batchItem: batchItem, rowsPerTile: kernels.whole.rowsPerBlock,
            includesLimit: false, threads: threads)
    }

    private var rows: PointTree<Scalar> { search.rows.tree }

    func newWorkspace() -> PruningWorkspace<Scalar> {
        PruningWorkspace(listLength: kernels.magnitudes.kernel.reduction.valueCount, rowsPerTile: rows.tileSize)
    }

    /// Columns from which the sum of magnitudes is judged.
    private static var nearTiles: Int { 4 }
    /// What rounding may take from the sum of magnitudes, generously.
    private static var roundingShare: Double { 1e-3 }

    func limit(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> Scalar {
        let isLogarithmic = kernels.reduction.kind == .logSumExp
        guard tolerance > 0 else { return isLogarithmic ? .infinity : 0 }
        search.reduce(
            tile, over: search.nearColumns(tile, tiles: Self.nearTiles, workspace), by: kernels.magnitudes,
            values: workspace.values)
        var least = Double.infinity
        for k in 0..<rows.points(ofTile: tile).count * workspace.listLength {
            let value = Double(workspace.values[k])
            least = value.isNaN ? value : min(least, value)
            if least.isNaN { break }
        }
        // Nothing is left out beside a sum that is infinite or not a number.
        guard least < .infinity else { return .infinity }
        let share = 0.5 * tolerance / Double(search.columns.tree.count)
        // Rounded towards keeping more.
        if isLogarithmic { return Scalar(-(.log(share) + least - Self.roundingShare)).nextUp }
        return min(0, Scalar(-share * least * (1 - Self.roundingShare)).nextUp)
    }

    func reduce(_ group: Int, _ workspace: borrowing PruningWorkspace<Scalar>) {
        let tiles = search.tiles(ofGroup: group)
        let limits = tiles.map { limit($0, workspace) }
        let near = search.groupRanges(group, limit: limits.max()!, workspace)
        for (tile, limit) in zip(tiles, limits) {
            let ranges = needed(tile, near.ranges, limit, workspace).map(search.columnRange)
            if ranges.isEmpty {
                storeNothing(tile)
            } else {
                search.reduce(tile, over: ranges, by: kernels.whole, into: output)
            }
        }
    }

    /// The tiles of columns, out of some, that a row tile cannot do without.
    private func needed(
        _ tile: Int, _ ranges: [Range<Int>], _ limit: Scalar, _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> [Range<Int>] {
        // A share of nothing is nothing.
        guard tolerance > 0, limit.isFinite, limit < 0 || kernels.reduction.kind == .logSumExp else {
            return search.tileRanges(tile, from: ranges, limit: limit, workspace).ranges
        }
        let bins = search.bounds(tile, in: ranges, workspace).map { bin(of: $0, limit) }
        // Shares of the tolerance by powers of 2: sorting them all would take longer than it saves.
        var counts = [Int](repeating: 0, count: Self.binCount)
        for bin in bins { counts[Int(bin)] += 1 }
        // A tile of bin k takes at most 2^k equal shares for each of its columns.
        var (total, first) = (0.0, 0)
        let budget = Double(search.columns.tree.count / PairSearch<Scalar>.columnsPerTile)
        while first < Self.binCount - 1 {
            total += Double(counts[first]) * Double(sign: .plus, exponent: first, significand: 1)
            guard total <= budget else { break }
            first += 1
        }
        var left: [Range<Int>] = []
        for (place, bin) in zip(ranges.joined(), bins) where Int(bin) >= first { left.append(orExtendBy: place) }
        return left
    }

    private static var binCount: Int { 64 }

    /// The power of 2, rounded up, of a tile's magnitude over an equal share; the last one for what must stay.
    private func bin(of bound: Scalar, _ limit: Scalar) -> UInt8 {
        if kernels.reduction.kind == .logSumExp {
            let power = (limit - bound) * 1.442695041
            return power < Scalar(Self.binCount - 2) ? UInt8(max(0, power) + 1) : UInt8(Self.binCount - 1)
        }
        let ratio = bound / limit
        guard ratio < .infinity else { return UInt8(Self.binCount - 1) }
        return ratio < 1 ? 0 : UInt8(min(Int(ratio.exponent) + 1, Self.binCount - 1))
    }

    /// The sum of no pairs. Kernels may multiply a sum by a factor, and an infinite one would spoil the sum of nothing.
    private func storeNothing(_ tile: Int) {
        guard let base = output.values?.assumingMemoryBound(to: Scalar.self) else { return }
        let nothing = kernels.reduction.finish(kernels.reduction.identityState).values
        for place in rows.points(ofTile: tile) {
            for (k, value) in nothing.enumerated() { base[rows.origins[place] * nothing.count + k] = Scalar(value) }
        }
    }
}
