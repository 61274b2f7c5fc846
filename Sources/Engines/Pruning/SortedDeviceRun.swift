import Formulas
import Kernels

/// Runs of a block's sorted points on a call's devices, as block-sparse calls on one batch item.
struct SortedDeviceRun<Scalar: BinaryFloatingPoint & Sendable> {
    let search: PairSearch<Scalar>
    /// The reduction itself.
    let compiled: CompiledReduction
    let type: ScalarType
    let options: ExecutionOptions

    /// - Parameter ofTree: whether columns are those of the tree and those put aside behind them, or all as they stood.
    /// - Returns: results of all sorted rows.
    func run(_ compiled: CompiledReduction, _ pattern: BlockSparsity.Pattern, ofTree: Bool = true) throws -> SortedResults<Scalar>
    {
        let reduction = compiled.reduction
        let results = SortedResults<Scalar>(rows: search.rows.count, reduction)
        var options = options
        options.sparsity = BlockSparsity(patterns: [pattern])
        options.progress = nil
        let binding = Binding(
            of: reduction, ofTree ? search.inputs.sorted : search.inputs.rowsSorted, rows: search.rows.count,
            columns: ofTree ? search.columns.count : search.columnCount, type: type)
        try BoundReduction(compiled: compiled, binding: binding).runOnDevices(
            options, Output(values: UnsafeMutableRawPointer(results.values), indices: results.indices))
        search.evaluated.add(pattern.pairCount, ordering: .relaxed)
        return results
    }
}

/// Results of sorted rows.
final class SortedResults<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {  // tasks write rows of their own
    let values: UnsafeMutablePointer<Scalar>
    let indices: UnsafeMutablePointer<Int64>
    private let counts: (values: Int, indices: Int)

    init(rows: Int, _ reduction: Reduction) {
        counts = (reduction.valueCount, reduction.indexCount)
        values = .allocate(capacity: max(1, rows * counts.values))
        indices = .allocate(capacity: max(1, rows * counts.indices))
    }

    deinit {
        values.deallocate()
        indices.deallocate()
    }

    /// As lists, of the rows from a place on.
    func lists(from place: Int) -> TileLists<Scalar> {
        TileLists(values: values + place * counts.values, places: indices + place * counts.indices, length: counts.values)
    }

    /// Stores the results of some rows where they stood.
    func store(_ rows: Range<Int>, _ search: PairSearch<Scalar>, into output: Output) {
        search.store(
            rows, counts.values, values + rows.lowerBound * counts.values, counts.indices,
            indices + rows.lowerBound * counts.indices, into: output)
    }
}

extension PrunedRun {
    /// What is found for each row tile, computed for groups of them.
    fileprivate func forTiles<Found>(
        threads: Int, _ body: (_ group: Int, _ tiles: Range<Int>, borrowing PruningWorkspace<Scalar>) -> [Found]
    ) -> [Found] {
        var found = [[Found]](repeating: [], count: search.groupCount)
        found.withUnsafeMutableBufferPointer { found in
            // Each iteration writes an entry of its own.
            nonisolated(unsafe) let found = found
            ThreadPool.shared.run(count: search.groupCount, threads: threads) { group in
                found[group] = body(group, search.tiles(ofGroup: group), newWorkspace())
            }
        }
        return found.flatMap { $0 }
    }

    /// What a reduction yields of the columns near each row tile.
    fileprivate func nearResults(
        _ compiled: CompiledReduction, _ devices: SortedDeviceRun<Scalar>, _ threads: Int,
        _ nearColumns: (Int, borrowing PruningWorkspace<Scalar>) -> [Range<Int>]
    ) throws -> (tiles: Range<Int>, SortedResults<Scalar>) {
        let near = forTiles(threads: threads) { _, tiles, workspace in
            var near: [[Range<Int>]] = []
            for tile in tiles { near.append(nearColumns(tile, workspace)) }
            return near
        }
        var pattern = BlockSparsity.Pattern(rowRanges: [], ends: [], columnRanges: [])
        for (tile, ranges) in near.enumerated() { pattern.append(points(tile), meeting: ranges) }
        return (near.indices, try devices.run(compiled, pattern))
    }

    fileprivate func points(_ tile: Int) -> Range<Int> { search.rows.tree.points(ofTile: tile) }
}

extension PrunedSum {
    func runOnDevices(_ devices: SortedDeviceRun<Scalar>, threads: Int) throws {
        let limits: [Scalar]
        if hasTolerance {
            let (near, found) = try nearResults(kernels.magnitudesOnDevices, devices, threads, nearColumns)
            limits = near.map { limit(found.lists(from: points($0).lowerBound).values, rows: points($0).count) }
        } else {
            limits = Array(repeating: limitOfMasks, count: search.rows.tree.tileCount)
        }
        let needs = forTiles(threads: threads) { group, tiles, workspace in
            self.needs(tiles, ofGroup: group, limits: Array(limits[tiles]), workspace)
        }
        let all = [0..<search.columns.count]
        var pattern = BlockSparsity.Pattern(rowRanges: [], ends: [], columnRanges: [])
        for (tile, need) in needs.enumerated() {
            if case .columns(let ranges) = need {
                pattern.append(points(tile), meeting: search.withAside(ranges))
            } else {
                pattern.append(points(tile), meeting: all)
            }
        }
        if !search.rows.aside.isEmpty { pattern.append(search.rows.aside, meeting: all) }
        try devices.run(devices.compiled, pattern).store(0..<search.rows.count, search, into: output)
    }
}

extension PrunedSelection {
    /// The limits are of values that the devices compute, so that a value which rounding puts on either side of one is the same everywhere.
    func runOnDevices(_ devices: SortedDeviceRun<Scalar>, threads: Int) throws {
        let k = kernels.selection.k
        let list = try kernels.listOnDevices(k + 1)
        let (near, first) = try nearResults(list, devices, threads, nearColumns)
        let limits = near.map { limit(first.lists(from: points($0).lowerBound), rows: points($0).count) }
        let needs = forTiles(threads: threads) { group, tiles, workspace in
            self.needs(tiles, ofGroup: group, limits: Array(limits[tiles]), workspace)
        }
        var ranges: [Int: [Range<Int>]] = [:]
        // Rows that meet all columns as they stood.
        var whole = search.rows.aside.isEmpty ? [] : [search.rows.aside]
        for (tile, need) in needs.enumerated() {
            switch need {
            case .columns(let needed): ranges[tile] = search.withAside(needed)
            case .all: whole.append(points(tile))
            }
        }
        let extrema = try asideExtrema(devices)
        var (open, length) = (ranges.keys.sorted(), k + 1)
        while !open.isEmpty {
            var pattern = BlockSparsity.Pattern(rowRanges: [], ends: [], columnRanges: [])
            for tile in open { pattern.append(points(tile), meeting: ranges[tile]!) }
            let found = try devices.run(try kernels.listOnDevices(length), pattern)
            let tied = open.filter { found.lists(from: points($0).lowerBound).hasOpenTie(rows: points($0).count, wanted: k) }
            let settled = Array(Set(open).subtracting(tied))
            ThreadPool.shared.run(count: settled.count, threads: threads) { number in
                let first = points(settled[number]).lowerBound
                write(settled[number], found.lists(from: first), extrema: extrema?.lists(from: first))
            }
            (open, length) = (tied, 4 * length)
            guard length > SelectionKernels.longestListOnDevices else { continue }
            whole += open.map { points($0) }
            break
        }
        guard !whole.isEmpty else { return }
        var pattern = BlockSparsity.Pattern(rowRanges: [], ends: [], columnRanges: [])
        for rows in whole { pattern.append(rows, meeting: search.block.columns.ranges) }
        let found = try devices.run(devices.compiled, pattern, ofTree: false)
        for rows in whole { found.store(rows, search, into: output) }
    }

    /// The extrema of the columns that are put aside, where a NaN of theirs would be the result.
    private func asideExtrema(_ devices: SortedDeviceRun<Scalar>) throws -> SortedResults<Scalar>? {
        guard kernels.selection.keepsNaN, !search.columns.aside.isEmpty else { return nil }
        var pattern = BlockSparsity.Pattern(rowRanges: [], ends: [], columnRanges: [])
        pattern.append(0..<search.rows.tree.count, meeting: [search.columns.aside])
        return try devices.run(try kernels.extremumOnDevices(), pattern)
    }
}
