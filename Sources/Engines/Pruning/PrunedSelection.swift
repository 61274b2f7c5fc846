import Formulas
import Kernels
import Synchronization

/// One call of a selection that leaves out what cannot be selected: its result is that of all pairs, ties included.
///
/// For each tile of rows, a few tiles of columns that seem near are reduced first. Their k-th smallest value is a limit: columns of which
/// the bounds say that every value lies beyond it are not looked at again. What is left is reduced in full.
///
/// Sorting changes the order in which columns are met, and ties go to the column that stood first. So one value more than wanted is
/// listed: where it differs from the last that is wanted, the list has all that can be selected.
final class PrunedSelection<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {  // tasks write rows of their own
    private let kernels: SelectionKernels
    private let selection: Selection
    private let output: Output
    private let rows: SortedPoints<Scalar>
    private let columns: SortedPoints<Scalar>
    /// The inputs of the reduction: sorted; and with the columns as they stood.
    private let sorted: [UnsafeRawPointer]
    private let unsortedColumns: [UnsafeRawPointer]

    private let groups: BoxLevel<Scalar>
    private let middles: (rows: BoxLevel<Scalar>, columns: [BoxLevel<Scalar>])
    /// For groups of row tiles and the levels of columns.
    private let groupBounds: [BoundTable<Scalar>]
    /// For row tiles and column tiles.
    private let tileBounds: BoundTable<Scalar>
    /// For the middles of row tiles and of the levels of columns: values, more or less.
    private let middleValues: [BoundTable<Scalar>]

    private let sortedTables = ColumnTables()
    private let unsortedTables = ColumnTables()
    private let evaluated = Atomic(0)

    /// Sorts rows and columns.
    init(_ kernels: SelectionKernels, _ binding: Binding, batchItem: Int, output: Output, threads: Int) {
        self.kernels = kernels
        selection = kernels.selection
        self.output = output.item(batchItem, rows: binding.rowCount, of: kernels.reduction, binding.type)
        let bounds = kernels.bounds
        let pointers = binding.pointers(batchItem)
        let variables = kernels.reduction.variables
        rows = SortedPoints(
            bounds.rows, computed: bounds.computedRows, variables, pointers, count: binding.rowCount,
            tileSize: kernels.rowsPerTile, threads: threads)
        columns = SortedPoints(
            bounds.columns, computed: bounds.computedColumns, variables, pointers, count: binding.columnCount,
            tileSize: Self.columnsPerTile, threads: threads)
        var sorted = pointers
        rows.replace(among: variables, in: &sorted)
        unsortedColumns = sorted
        columns.replace(among: variables, in: &sorted)
        self.sorted = sorted

        let levels = columns.tree.levels
        groups = BoxLevel(around: rows.tree.levels[0], Self.tilesPerGroup)
        middles = (BoxLevel(middlesOf: rows.tree.levels[0]), levels.map { BoxLevel(middlesOf: $0) })
        let (groups, middles) = (groups, middles)
        groupBounds = levels.map { bounds.table(rows: groups, columns: $0, parameters: pointers) }
        tileBounds = bounds.table(rows: rows.tree.levels[0], columns: levels[0], parameters: pointers)
        middleValues = middles.columns.map { bounds.table(rows: middles.rows, columns: $0, parameters: pointers) }
    }

    private static var columnsPerTile: Int { 32 }
    private static var tilesPerGroup: Int { PointTree<Scalar>.branching }

    func deallocate() {
        for table in groupBounds + [tileBounds] + middleValues { table.deallocate() }
        for level in [groups, middles.rows] + middles.columns { level.deallocate() }
        rows.deallocate()
        columns.deallocate()
    }

    // MARK: Running

    private var groupCount: Int { groups.count }

    /// Whether bounds say anything about such numbers.
    var isPossible: Bool { !rows.hasNaN && !columns.hasNaN }

    /// The share of pairs that would be evaluated, judged by some groups of rows.
    func probedShare() -> Double {
        let sample = min(groupCount, 8)
        let workspace = newWorkspace(listLength: selection.k + 1)
        var (left, total) = (0, 0)
        for k in 0..<sample {
            let group = (2 * k + 1) * groupCount / (2 * sample)
            let tile = tiles(ofGroup: group).lowerBound
            let limit = limit(tile, workspace)
            let near = groupRanges(group, limit: limit, workspace)
            left += tileRanges(tile, from: near.ranges, limit: limit, workspace).ranges.reduce(0) { $0 + columnRange($1).count }
            total += columns.tree.count
        }
        return total > 0 ? Double(left) / Double(total) : 1
    }

    /// - Returns: how many pairs were evaluated.
    func run(threads: Int) -> Int {
        ThreadPool.shared.run(count: groupCount, threads: threads) { group in
            self.reduce(group, self.newWorkspace(listLength: self.selection.k + 1))
        }
        return evaluated.load(ordering: .relaxed)
    }

    private func reduce(_ group: Int, _ workspace: borrowing PruningWorkspace<Scalar>) {
        let tiles = tiles(ofGroup: group)
        let limits = tiles.map { limit($0, workspace) }
        let near = groupRanges(group, limit: limits.max()!, workspace)
        for (tile, limit) in zip(tiles, limits) {
            let left = tileRanges(tile, from: near.ranges, limit: limit, workspace)
            // What has no bounds may be NaN, which wins over all numbers.
            if selection.keepsNaN, near.mayBeNaN || left.mayBeNaN {
                reduceWhole(tile)
            } else {
                select(tile, left.ranges.map(columnRange), workspace)
            }
        }
    }

    private func tiles(ofGroup group: Int) -> Range<Int> {
        group * Self.tilesPerGroup..<min(rows.tree.tileCount, (group + 1) * Self.tilesPerGroup)
    }

    private func columnRange(_ tiles: Range<Int>) -> Range<Int> {
        tiles.lowerBound * Self.columnsPerTile..<min(columns.tree.count, tiles.upperBound * Self.columnsPerTile)
    }

    // MARK: Limits

    /// A value that the wanted ones of a tile's rows do not exceed: from reducing the tiles of columns whose middles have small values.
    private func limit(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> Scalar {
        let wanted = (selection.k + Self.columnsPerTile - 1) / Self.columnsPerTile + 1
        var nodes = [0..<middles.columns.last!.count]
        for level in middles.columns.indices.reversed() {
            let best = smallest(level > 0 ? max(3, wanted) : wanted, middleValues[level], tile, nodes, workspace)
            if level == 0 {
                list(tile, best.map { columnRange($0..<$0 + 1) }, kernels.list, workspace)
            } else {
                nodes = best.map { children($0..<$0 + 1, below: level) }
            }
        }
        var limit = -Scalar.infinity
        for row in 0..<rows.tree.points(ofTile: tile).count {
            limit = max(limit, workspace.values[row * workspace.listLength + selection.k - 1])
        }
        return limit
    }

    /// The boxes of smallest values, in increasing order of their places.
    private func smallest(
        _ count: Int, _ table: BoundTable<Scalar>, _ row: Int, _ ranges: [Range<Int>], _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> [Int] {
        var best: [(value: Scalar, place: Int)] = []
        for range in ranges {
            for chunk in chunks(range) {
                table.evaluate(row, chunk, into: workspace.bounds)
                for (k, place) in chunk.enumerated() {
                    let value = workspace.bounds[k]
                    guard best.count < count || value < best.last!.value else { continue }
                    let position = best.firstIndex { !($0.value <= value) } ?? best.count
                    best.insert((value, place), at: position)
                    if best.count > count { best.removeLast() }
                }
            }
        }
        return best.map(\.place).sorted()
    }

    // MARK: Bounds

    /// Groups of column tiles, or tiles where there is one level, that a group of row tiles may select from.
    private func groupRanges(_ group: Int, limit: Scalar, _ workspace: borrowing PruningWorkspace<Scalar>) -> (ranges: [Range<Int>], mayBeNaN: Bool) {
        var result = (ranges: [0..<columns.tree.levels.last!.count], mayBeNaN: false)
        for level in groupBounds.indices.dropFirst().reversed() {
            let left = remaining(groupBounds[level], group, result.ranges, limit, workspace)
            result = (left.ranges.map { children($0, below: level) }, result.mayBeNaN || left.mayBeNaN)
        }
        return result
    }

    private func tileRanges(
        _ tile: Int, from ranges: [Range<Int>], limit: Scalar, _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> (ranges: [Range<Int>], mayBeNaN: Bool) {
        remaining(tileBounds, tile, ranges, limit, workspace)
    }

    /// The boxes that may hold values up to a limit.
    private func remaining(
        _ table: BoundTable<Scalar>, _ row: Int, _ ranges: [Range<Int>], _ limit: Scalar, _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> (ranges: [Range<Int>], mayBeNaN: Bool) {
        var left: [Range<Int>] = []
        var mayBeNaN = false
        for range in ranges {
            for chunk in chunks(range) {
                table.evaluate(row, chunk, into: workspace.bounds)
                for (k, place) in chunk.enumerated() {
                    let bound = workspace.bounds[k]
                    // NaN says nothing, so it stays.
                    if bound > limit { continue }
                    if !(bound > -.infinity) { mayBeNaN = true }
                    if left.last?.upperBound == place {
                        left[left.count - 1] = left.last!.lowerBound..<place + 1
                    } else {
                        left.append(place..<place + 1)
                    }
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

    // MARK: Selecting

    /// Lists the smallest values of a tile's rows among some columns, in the workspace.
    private func list(_ tile: Int, _ ranges: [Range<Int>], _ kernel: CPUKernel, _ workspace: borrowing PruningWorkspace<Scalar>) {
        let points = rows.tree.points(ofTile: tile)
        let count = kernel.kernel.reduction.k
        kernel.reduce(
            points, over: ranges[...], positionBase: 0, inputs: sorted, table: sortedTables.table(kernel, columns: columns.tree.count, inputs: sorted),
            into: .results(
                values: UnsafeMutableRawPointer(workspace.values) - points.lowerBound * count * MemoryLayout<Scalar>.stride,
                indices: workspace.places - points.lowerBound * count))
        evaluated.add(points.count * ranges.reduce(0) { $0 + $1.count }, ordering: .relaxed)
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

    private func newWorkspace(listLength: Int) -> PruningWorkspace<Scalar> {
        PruningWorkspace(listLength: listLength, rowsPerTile: kernels.rowsPerTile)
    }

    /// Whether, for some row, columns beyond the list may have the value of the last that is wanted.
    private func hasOpenTie(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> Bool {
        let count = workspace.listLength
        for row in 0..<rows.tree.points(ofTile: tile).count {
            let last = workspace.values[row * count + count - 1]
            if last < .infinity, last == workspace.values[row * count + selection.k - 1] { return true }
        }
        return false
    }

    private func write(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) {
        let count = workspace.listLength
        for (row, place) in rows.tree.points(ofTile: tile).enumerated() {
            write(workspace.values + row * count, workspace.places + row * count, count, to: rows.tree.origins[place])
        }
    }

    /// Stores a row's result: the first k of its list, those of one value in the order in which they stood.
    private func write(_ values: UnsafeMutablePointer<Scalar>, _ places: UnsafeMutablePointer<Int64>, _ count: Int, to place: Int) {
        // Nothing was found for slots that hold infinity.
        for k in 0..<count { places[k] = values[k] == .infinity ? 0 : Int64(columns.tree.origins[Int(places[k])]) }
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
        let points = rows.tree.points(ofTile: tile)
        let (valueCount, indexCount) = (kernels.reduction.valueCount, kernels.reduction.indexCount)
        let values = UnsafeMutablePointer<Scalar>.allocate(capacity: max(1, points.count * valueCount))
        let indices = UnsafeMutablePointer<Int64>.allocate(capacity: max(1, points.count * indexCount))
        defer {
            values.deallocate()
            indices.deallocate()
        }
        kernels.whole.reduce(
            points, over: [0..<columns.tree.count], positionBase: 0, inputs: unsortedColumns,
            table: unsortedTables.table(kernels.whole, columns: columns.tree.count, inputs: unsortedColumns),
            into: .results(
                values: UnsafeMutableRawPointer(values) - points.lowerBound * valueCount * MemoryLayout<Scalar>.stride,
                indices: indices - points.lowerBound * indexCount))
        evaluated.add(points.count * columns.tree.count, ordering: .relaxed)
        for (row, place) in points.enumerated() {
            let origin = rows.tree.origins[place]
            if let base = output.values?.assumingMemoryBound(to: Scalar.self) {
                for k in 0..<valueCount { base[origin * valueCount + k] = values[row * valueCount + k] }
            }
            if let base = output.indices {
                for k in 0..<indexCount { base[origin * indexCount + k] = indices[row * indexCount + k] }
            }
        }
    }
}
