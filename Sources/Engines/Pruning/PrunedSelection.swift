import Formulas
import Kernels

/// One block of a selection that leaves out what cannot be selected: its result is that of all pairs, ties included.
///
/// For each tile of rows, a few tiles of columns that seem near are reduced first. Their k-th smallest value is a limit: columns of which
/// the bounds say that every value lies beyond it are not looked at again. What is left is reduced in full.
///
/// Sorting changes the order in which columns are met, and ties go to the column that stood first. So one value more than wanted is
/// listed: where it differs from the last that is wanted, the list has all that can be selected.
///
/// Lists take no NaN, which is the result of an extremum that meets one. Bounds say where there may be any; of the columns that are put aside,
/// the extremum is taken beside the list.
final class PrunedSelection<Scalar: BinaryFloatingPoint & Sendable>: PrunedRun, @unchecked Sendable {
    // Tasks write rows of their own.
    let kernels: SelectionKernels
    let output: Output
    let search: PairSearch<Scalar>
    /// For the columns that are put aside, where a NaN of theirs would be the result.
    private let extremum: CPUKernel?

    /// Sorts rows and columns.
    ///
    /// - Parameter rowsPerTile: as many as the engine takes at a time.
    init(_ kernels: SelectionKernels, _ binding: Binding, _ block: PruningBlock, output: Output, rowsPerTile: Int, threads: Int) {
        self.kernels = kernels
        self.output = output
        search = PairSearch(
            kernels.bounds, kernels.reduction.variables, binding, block, rowsPerTile: rowsPerTile, includesLimit: true,
            threads: threads)
        extremum = kernels.selection.keepsNaN && !search.columns.aside.isEmpty ? kernels.extremum : nil
    }

    private var selection: Selection { kernels.selection }
    private var rows: PointTree<Scalar> { search.rows.tree }

    var whole: CPUKernel { kernels.whole }

    func newWorkspace() -> PruningWorkspace<Scalar> { newWorkspace(listLength: selection.k + 1) }

    private func newWorkspace(listLength: Int) -> PruningWorkspace<Scalar> {
        PruningWorkspace(listLength: listLength, rowsPerTile: rows.tileSize)
    }

    func needs(
        _ tiles: Range<Int>, ofGroup group: Int, limits: [Scalar], _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> [TileNeed] {
        let near = search.groupRanges(group, limit: limits.max()!, workspace)
        var needs: [TileNeed] = []
        for (tile, limit) in zip(tiles, limits) {
            let left = search.tileRanges(tile, from: near.ranges, limit: limit, workspace)
            // What has no bounds may be NaN, which wins over all numbers.
            let mayBeNaN = selection.keepsNaN && (near.mayBeNaN || left.mayBeNaN)
            needs.append(mayBeNaN ? .all : .columns(left.ranges.map(search.columnRange)))
        }
        return needs
    }

    // MARK: Limits

    /// A value that the wanted ones of a tile's rows do not exceed.
    func limit(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> Scalar {
        let lists = list(tile, nearColumns(tile, workspace), kernels.list, workspace)
        return limit(lists, rows: rows.points(ofTile: tile).count)
    }

    /// Columns that a tile's limit is taken from: as many as are wanted, or as rows of a large tile have near them.
    func nearColumns(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> [Range<Int>] {
        let length = PairSearch<Scalar>.columnsPerTile
        let tiles = max((selection.k + length - 1) / length + 1, 2 * rows.tileSize / length)
        return search.nearColumns(tile, tiles: tiles, workspace)
    }

    /// The largest of the rows' last values that are wanted.
    func limit(_ lists: TileLists<Scalar>, rows: Int) -> Scalar {
        (0..<rows).reduce(-Scalar.infinity) { max($0, lists.values[$1 * lists.length + selection.k - 1]) }
    }

    // MARK: Selecting

    /// Lists the smallest values of a tile's rows among some columns, in the workspace.
    private func list(
        _ tile: Int, _ ranges: [Range<Int>], _ kernel: CPUKernel, _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> TileLists<Scalar> {
        search.reduce(tile, over: ranges, by: kernel, values: workspace.values, indices: workspace.places)
        return TileLists(values: workspace.values, places: workspace.places, length: workspace.listLength)
    }

    func reduce(_ tile: Int, over ranges: [Range<Int>], _ workspace: borrowing PruningWorkspace<Scalar>) {
        let count = rows.points(ofTile: tile).count
        let lists = list(tile, ranges, kernels.list, workspace)
        guard lists.hasOpenTie(rows: count, wanted: selection.k) else { return write(tile, lists) }
        var length = workspace.listLength
        while let longer = kernels.list(longerThan: length) {
            length = longer.count
            let workspace = newWorkspace(listLength: length)
            let lists = list(tile, ranges, longer.kernel, workspace)
            if !lists.hasOpenTie(rows: count, wanted: selection.k) { return write(tile, lists) }
        }
        search.reduceWhole(rows.points(ofTile: tile), by: whole, into: output)
    }

    /// Stores the results of a tile's rows.
    private func write(_ tile: Int, _ lists: TileLists<Scalar>) {
        guard let extremum else { return write(tile, lists, extrema: nil) }
        let workspace = newWorkspace(listLength: 1)
        search.reduce(
            tile, over: [search.columns.aside], by: extremum, values: workspace.values, indices: workspace.places)
        write(tile, lists, extrema: TileLists(values: workspace.values, places: workspace.places, length: 1))
    }

    /// Stores the first k of each list, but where an extremum of the columns that are put aside is NaN.
    func write(_ tile: Int, _ lists: TileLists<Scalar>, extrema: TileLists<Scalar>?) {
        for (row, place) in rows.points(ofTile: tile).enumerated() {
            let target = search.row(place)
            if let extrema, extrema.values[row].isNaN {
                let column = search.columns.origin(Int(extrema.places[row]))
                extrema.places[row] = Int64(search.columns.point(atOrigin: column))
                store(extrema.values + row, extrema.places + row, target)
            } else {
                lists.settle(row, search.columns)
                store(lists.values + row * lists.length, lists.places + row * lists.length, target)
            }
        }
    }

    private func store(_ values: UnsafePointer<Scalar>, _ indices: UnsafePointer<Int64>, _ row: Int) {
        let k = selection.k
        if selection.returnsValues, let base = output.values?.assumingMemoryBound(to: Scalar.self) {
            for slot in 0..<k { base[row * k + slot] = selection.isNegated ? -values[slot] : values[slot] }
        }
        if selection.returnsIndices, let base = output.indices {
            for slot in 0..<k { base[row * k + slot] = indices[slot] }
        }
    }
}
