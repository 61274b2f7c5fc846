import Formulas
import Kernels
import Synchronization

/// Rows and columns of one block, sorted, and the search for the pairs of tiles that matter.
///
/// What matters is a number per pair that is to be small: a distance, the negative of a weight. Each pair of tiles has a bound below which it
/// has none, and each row tile a limit above which it needs none.
final class PairSearch<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {  // memory is written by `init` only
    let rows: SortedPoints<Scalar>
    let columns: SortedPoints<Scalar>
    let block: PruningBlock
    /// The inputs of the reduction: with rows and columns sorted, with rows, and as they stood.
    let inputs: (sorted: [UnsafeRawPointer], rowsSorted: [UnsafeRawPointer], unsorted: [UnsafeRawPointer])
    /// Of all columns, as they stood.
    let columnCount: Int
    let columnTables = ColumnTables()
    let evaluated = Atomic(0)
    /// Whether pairs at the limit are needed.
    private let includesLimit: Bool

    private let groups: BoxLevel<Scalar>
    private let middles: (rows: BoxLevel<Scalar>, columns: [BoxLevel<Scalar>])
    /// For groups of row tiles and the levels of columns.
    private let groupBounds: [BoundTable<Scalar>]
    /// For row tiles and the levels of columns.
    private let tileBounds: [BoundTable<Scalar>]
    /// For the middles of row tiles and of the levels of columns: values, more or less.
    private let middleValues: [BoundTable<Scalar>]

    /// - Parameter variables: those of the reduction.
    init(
        _ bounds: BoundKernel, _ variables: [Variable], _ binding: Binding, _ block: PruningBlock, rowsPerTile: Int,
        includesLimit: Bool, threads: Int
    ) {
        self.includesLimit = includesLimit
        self.block = block
        columnCount = binding.columnCount
        let pointers = binding.pointers(block.batchItem)
        rows = SortedPoints(
            bounds.rows, computed: bounds.computedRows, variables, pointers, PointList([block.rows]), tileSize: rowsPerTile,
            threads: threads)
        columns = SortedPoints(
            bounds.columns, computed: bounds.computedColumns, variables, pointers, block.columns, tileSize: Self.columnsPerTile,
            threads: threads)
        var rowsSorted = pointers
        rows.replace(among: variables, in: &rowsSorted)
        var sorted = rowsSorted
        columns.replace(among: variables, in: &sorted)
        inputs = (sorted, rowsSorted, pointers)

        let levels = columns.tree.levels
        groups = BoxLevel(around: rows.tree.levels[0], Self.tilesPerGroup)
        middles = (BoxLevel(middlesOf: rows.tree.levels[0]), levels.map { BoxLevel(middlesOf: $0) })
        let (groups, middles) = (groups, middles)
        groupBounds = levels.map { bounds.table(rows: groups, columns: $0, parameters: pointers) }
        let tiles = rows.tree.levels[0]
        tileBounds = levels.map { bounds.table(rows: tiles, columns: $0, parameters: pointers) }
        middleValues = middles.columns.map { bounds.table(rows: middles.rows, columns: $0, parameters: pointers) }
    }

    static var columnsPerTile: Int { 32 }
    private static var tilesPerGroup: Int { PointTree<Scalar>.branching }

    func deallocate() {
        for table in groupBounds + tileBounds + middleValues { table.deallocate() }
        for level in [groups, middles.rows] + middles.columns { level.deallocate() }
        rows.deallocate()
        columns.deallocate()
    }

    /// Whether there is something to search.
    var isPossible: Bool { rows.tree.count > 0 && columns.tree.count > 0 }

    var groupCount: Int { groups.count }

    /// The row tiles that are searched for together.
    func tiles(ofGroup group: Int) -> Range<Int> {
        group * Self.tilesPerGroup..<min(rows.tree.tileCount, (group + 1) * Self.tilesPerGroup)
    }

    /// The columns of neighbouring tiles.
    func columnRange(_ tiles: Range<Int>) -> Range<Int> {
        tiles.lowerBound * Self.columnsPerTile..<min(columns.tree.count, tiles.upperBound * Self.columnsPerTile)
    }

    // MARK: Near tiles

    /// Columns of a few tiles of which bounds let expect small numbers with a row tile.
    func nearColumns(_ tile: Int, tiles wanted: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> [Range<Int>] {
        var nodes = [0..<middles.columns.last!.count]
        for level in middles.columns.indices.reversed() {
            let best = nearest(level > 0 ? max(3, wanted) : wanted, level, tile, nodes, workspace)
            nodes = best.map { level > 0 ? children($0..<$0 + 1, below: level) : $0..<$0 + 1 }
        }
        return nodes.map(columnRange)
    }

    /// The boxes that seem nearest, in increasing order of their places.
    ///
    /// Groups are judged by their bounds: between the middles of large boxes it is so far that many a formula is 0 there. Tiles are
    /// judged by their middles, for many of them touch the row tile and have the same bound. Where that leaves a choice, as between tiles
    /// whose middles are too far apart after all, the other decides.
    private func nearest(
        _ count: Int, _ level: Int, _ tile: Int, _ ranges: [Range<Int>], _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> [Int] {
        let (first, second) = level > 0 ? (tileBounds[level], middleValues[level]) : (middleValues[level], tileBounds[level])
        var best: [(value: Scalar, place: Int)] = []
        // How many more there are of the largest value that was taken.
        var isTied = false
        for range in ranges {
            for chunk in chunks(range) {
                first.evaluate(tile, chunk, into: workspace.bounds)
                for (k, place) in chunk.enumerated() {
                    let value = workspace.bounds[k]
                    if best.count == count, let last = best.last, !(value < last.value) {
                        isTied = isTied || !(value > last.value)
                        continue
                    }
                    let position = best.firstIndex { value < $0.value } ?? best.count
                    best.insert((value, place), at: position)
                    if best.count > count {
                        let dropped = best.removeLast()
                        isTied = !(dropped.value > best.last!.value)
                    }
                }
            }
        }
        guard isTied, let last = best.last?.value else { return best.map(\.place).sorted() }
        return nearest(count, upTo: last, first, second, tile, ranges, workspace)
    }

    /// The boxes whose first value is below a limit and, of those at the limit, which are as many as are left to choose, those of the smallest
    /// second one.
    private func nearest(
        _ count: Int, upTo limit: Scalar, _ first: BoundTable<Scalar>, _ second: BoundTable<Scalar>, _ tile: Int,
        _ ranges: [Range<Int>], _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> [Int] {
        var best: [(first: Scalar, second: Scalar, place: Int)] = []
        for range in ranges {
            for chunk in chunks(range) {
                first.evaluate(tile, chunk, into: workspace.bounds)
                second.evaluate(tile, chunk, into: workspace.middles)
                for (k, place) in chunk.enumerated() where !(workspace.bounds[k] > limit) {
                    let (a, b) = (workspace.bounds[k], workspace.middles[k])
                    if best.count == count, let last = best.last, !((a, b) < (last.first, last.second)) { continue }
                    let position = best.firstIndex { (a, b) < ($0.first, $0.second) } ?? best.count
                    best.insert((a, b, place), at: position)
                    if best.count > count { best.removeLast() }
                }
            }
        }
        return best.map(\.place).sorted()
    }

    // MARK: Bounds

    /// Groups of column tiles, or tiles where there is one level, that a group of row tiles may select from.
    func groupRanges(_ group: Int, limit: Scalar, _ workspace: borrowing PruningWorkspace<Scalar>) -> (
        ranges: [Range<Int>], mayBeNaN: Bool
    ) {
        var result = (ranges: [0..<columns.tree.levels.last!.count], mayBeNaN: false)
        for level in groupBounds.indices.dropFirst().reversed() {
            let left = remaining(groupBounds[level], group, result.ranges, limit, workspace)
            result = (left.ranges.map { children($0, below: level) }, result.mayBeNaN || left.mayBeNaN)
        }
        return result
    }

    func tileRanges(
        _ tile: Int, from ranges: [Range<Int>], limit: Scalar, _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> (ranges: [Range<Int>], mayBeNaN: Bool) {
        remaining(tileBounds[0], tile, ranges, limit, workspace)
    }

    /// The bounds of a row tile with all column tiles of some ranges, in their order.
    func bounds(_ tile: Int, in ranges: [Range<Int>], _ workspace: borrowing PruningWorkspace<Scalar>) -> [Scalar] {
        var result: [Scalar] = []
        result.reserveCapacity(ranges.reduce(0) { $0 + $1.count })
        for range in ranges {
            for chunk in chunks(range) {
                tileBounds[0].evaluate(tile, chunk, into: workspace.bounds)
                result.append(contentsOf: UnsafeBufferPointer(start: workspace.bounds, count: chunk.count))
            }
        }
        return result
    }

    /// The boxes that may hold values up to a limit.
    private func remaining(
        _ table: BoundTable<Scalar>, _ row: Int, _ ranges: [Range<Int>], _ limit: Scalar,
        _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> (ranges: [Range<Int>], mayBeNaN: Bool) {
        var left: [Range<Int>] = []
        var mayBeNaN = false
        for range in ranges {
            for chunk in chunks(range) {
                table.evaluate(row, chunk, into: workspace.bounds)
                for (k, place) in chunk.enumerated() {
                    let bound = workspace.bounds[k]
                    // NaN says nothing, so it stays.
                    if bound > limit || (bound == limit && !includesLimit) { continue }
                    if !(bound > -.infinity) { mayBeNaN = true }
                    left.append(orExtendBy: place)
                }
            }
        }
        return (left, mayBeNaN)
    }

    private func children(_ boxes: Range<Int>, below level: Int) -> Range<Int> {
        let branching = PointTree<Scalar>.branching
        return boxes.lowerBound * branching..<min(columns.tree.levels[level - 1].count, boxes.upperBound * branching)
    }

    private func chunks(_ range: Range<Int>) -> [Range<Int>] {
        stride(from: range.lowerBound, to: range.upperBound, by: PruningWorkspace<Scalar>.boundCount).map {
            $0..<min($0 + PruningWorkspace<Scalar>.boundCount, range.upperBound)
        }
    }
}

extension [Range<Int>] {
    /// Adds a place behind all others: to the last range where it is its neighbour.
    mutating func append(orExtendBy place: Int) {
        if let last, last.upperBound == place {
            self[count - 1] = last.lowerBound..<place + 1
        } else {
            append(place..<place + 1)
        }
    }
}
