import Formulas
import Kernels
import RealModule
import Synchronization

/// One call of a sum, or of log-sum-exp, without pairs that are too small to matter.
///
/// The sum of magnitudes Σ_j |F_ij| is at least what a few columns that seem near yield. Pairs of tiles are left out where bounds say that each
/// magnitude is at most the tolerance times that, over the number of columns: all that is left out is then at most the tolerance times
/// Σ_j |F_ij|.
final class PrunedSum<Scalar: BinaryFloatingPoint & Sendable>: PrunedRun, @unchecked Sendable {  // tasks write rows of their own
    let search: PairSearch<Scalar>
    private let kernels: SumKernels
    private let tolerance: Double
    private let output: Output
    private let tables = ColumnTables()
    private let evaluated = Atomic(0)

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

    var evaluatedPairs: Int { evaluated.load(ordering: .relaxed) }

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
        let points = rows.points(ofTile: tile)
        let near = search.nearColumns(tile, tiles: Self.nearTiles, workspace)
        let width = workspace.listLength
        kernels.magnitudes.reduce(
            points, over: near[...], positionBase: 0, inputs: search.sorted, table: table(kernels.magnitudes),
            into: .results(
                values: UnsafeMutableRawPointer(workspace.values) - points.lowerBound * width * MemoryLayout<Scalar>.stride,
                indices: nil))
        evaluated.add(points.count * near.reduce(0) { $0 + $1.count }, ordering: .relaxed)
        var least = Double.infinity
        for k in 0..<points.count * width {
            let value = Double(workspace.values[k])
            least = value.isNaN ? value : min(least, value)
            if least.isNaN { break }
        }
        // Nothing is left out beside a sum that is infinite or not a number.
        guard least < .infinity else { return .infinity }
        let share = tolerance / Double(search.columns.tree.count)
        // Rounded towards keeping more.
        if isLogarithmic { return Scalar(-(.log(share) + least - Self.roundingShare)).nextUp }
        return min(0, Scalar(-share * least * (1 - Self.roundingShare)).nextUp)
    }

    func reduce(_ group: Int, _ workspace: borrowing PruningWorkspace<Scalar>) {
        let tiles = search.tiles(ofGroup: group)
        let limits = tiles.map { limit($0, workspace) }
        let near = search.groupRanges(group, limit: limits.max()!, workspace)
        for (tile, limit) in zip(tiles, limits) {
            let ranges = search.tileRanges(tile, from: near.ranges, limit: limit, workspace).ranges.map(search.columnRange)
            guard !ranges.isEmpty else {
                storeNothing(tile)
                continue
            }
            evaluated.add(
                search.reduce(
                    tile, over: ranges, by: kernels.whole, inputs: search.sorted, table: table(kernels.whole), into: output),
                ordering: .relaxed)
        }
    }

    private func table(_ kernel: CPUKernel) -> UnsafeMutableRawPointer? {
        tables.table(kernel, columns: search.columns.tree.count, inputs: search.sorted)
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
