import Formulas
import Kernels

/// One call of a selection that leaves out what cannot be selected: its result is that of all pairs, ties included.
///
/// For each tile of rows, a few tiles of columns that seem near are reduced first. Their k-th smallest value is a limit: columns of which
/// the bounds say that every value lies beyond it are not looked at again. What is left is reduced in full.
///
/// Sorting changes the order in which columns are met, and ties go to the column that stood first. So one value more than wanted is
/// listed: where it differs from the last that is wanted, the list has all that can be selected.
final class PrunedSelection<Scalar: BinaryFloatingPoint & Sendable>: PrunedRun, @unchecked Sendable {
    // Tasks write rows of their own.
    private let kernels: SelectionKernels
    private let selection: Selection
    private let output: Output
    let search: PairSearch<Scalar>

    /// Sorts rows and columns.
    init(_ kernels: SelectionKernels, _ binding: Binding, batchItem: Int, output: Output, threads: Int) {
        self.kernels = kernels
        selection = kernels.selection
        self.output = output.item(batchItem, rows: binding.rowCount, of: kernels.reduction, binding.type)
        search = PairSearch(
            kernels.bounds, kernels.reduction.variables, binding, batchItem: batchItem, rowsPerTile: kernels.list.rowsPerBlock,
            includesLimit: true, threads: threads)
    }

    private var rows: PointTree<Scalar> { search.rows.tree }
    private var columns: PointTree<Scalar> { search.columns.tree }

    func newWorkspace() -> PruningWorkspace<Scalar> { newWorkspace(listLength: selection.k + 1) }

    private func newWorkspace(listLength: Int) -> PruningWorkspace<Scalar> {
        PruningWorkspace(listLength: listLength, rowsPerTile: rows.tileSize)
    }

    func reduce(_ group: Int, _ workspace: borrowing PruningWorkspace<Scalar>) {
        let tiles = search.tiles(ofGroup: group)
        let limits = tiles.map { limit($0, workspace) }
        let near = search.groupRanges(group, limit: limits.max()!, workspace)
        for (tile, limit) in zip(tiles, limits) {
            let left = search.tileRanges(tile, from: near.ranges, limit: limit, workspace)
            // What has no bounds may be NaN, which wins over all numbers.
            if selection.keepsNaN, near.mayBeNaN || left.mayBeNaN {
                reduceWhole(tile)
            } else {
                select(tile, left.ranges.map(search.columnRange), workspace)
            }
        }
    }

    // MARK: Limits

    /// A value that the wanted ones of a tile's rows do not exceed.
    func limit(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> Scalar {
        let tiles = (selection.k + PairSearch<Scalar>.columnsPerTile - 1) / PairSearch<Scalar>.columnsPerTile + 1
        list(tile, search.nearColumns(tile, tiles: tiles, workspace), kernels.list, workspace)
        var limit = -Scalar.infinity
        for row in 0..<rows.points(ofTile: tile).count {
            limit = max(limit, workspace.values[row * workspace.listLength + selection.k - 1])
        }
        return limit
    }

    // MARK: Selecting

    /// Lists the smallest values of a tile's rows among some columns, in the workspace.
    private func list(_ tile: Int, _ ranges: [Range<Int>], _ kernel: CPUKernel, _ workspace: borrowing PruningWorkspace<Scalar>) {
        search.reduce(tile, over: ranges, by: kernel, values: workspace.values, indices: workspace.places)
    }

    private func select(_ tile: Int, _ ranges: [Range<Int>], _ workspace: borrowing PruningWorkspace<Scalar>) {
        list(tile, ranges, kernels.list, workspace)
        guard hasOpenTie(tile, workspace) else { return write(tile, workspace) }
        var count = workspace.listLength
        while let longer = kernels.list(longerThan: count) {
            count = longer.count
            let workspace = newWorkspace(listLength: count)
            list(tile, ranges, longer.kernel, workspace)
            if !hasOpenTie(tile, workspace) { return write(tile, workspace) }
        }
        reduceWhole(tile)
    }

    /// Whether, for some row, columns beyond the list may have the value of the last that is wanted.
    private func hasOpenTie(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> Bool {
        let count = workspace.listLength
        for row in 0..<rows.points(ofTile: tile).count {
            let last = workspace.values[row * count + count - 1]
            if last < .infinity, last == workspace.values[row * count + selection.k - 1] { return true }
        }
        return false
    }

    private func write(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) {
        let count = workspace.listLength
        for (row, place) in rows.points(ofTile: tile).enumerated() {
            write(workspace.values + row * count, workspace.places + row * count, count, to: rows.origins[place])
        }
    }

    /// Stores a row's result: the first k of its list, those of one value in the order in which they stood.
    private func write(_ values: UnsafeMutablePointer<Scalar>, _ places: UnsafeMutablePointer<Int64>, _ count: Int, to place: Int)
    {
        // Nothing was found for slots that hold infinity.
        for k in 0..<count { places[k] = values[k] == .infinity ? 0 : Int64(columns.origins[Int(places[k])]) }
        for k in 1..<count {
            var slot = k
            while slot > 0, values[slot] == values[slot - 1], places[slot] < places[slot - 1] {
                let moved = places[slot]
                places[slot] = places[slot - 1]
                places[slot - 1] = moved
                slot -= 1
            }
        }
        let k = selection.k
        if selection.returnsValues, let base = output.values?.assumingMemoryBound(to: Scalar.self) {
            for slot in 0..<k { base[place * k + slot] = selection.isNegated ? -values[slot] : values[slot] }
        }
        if selection.returnsIndices, let base = output.indices {
            for slot in 0..<k { base[place * k + slot] = places[slot] }
        }
    }

    /// The reduction itself, for a tile that pruning is no help for: all columns, as they stood.
    private func reduceWhole(_ tile: Int) {
        search.reduce(tile, over: [0..<columns.count], sorted: false, by: kernels.whole, into: output)
    }
}
