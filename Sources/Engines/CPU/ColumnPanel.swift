/// Columns cut so that each part stays in a core's cache while all rows pass: else every block of rows would fetch all columns
/// from memory anew.
struct ColumnPanel: Sendable {
    /// Columns per panel; a multiple of the block length, so that the cuts change no sum.
    private let columns: Int

    /// - Parameters:
    ///   - columnBytes: what one column is read from.
    ///   - blockLength: columns that are summed together.
    ///   - cacheBytes: the cache that a core has to itself.
    init(columnBytes: Int, blockLength: Int, cacheBytes: Int = Processor.privateCacheBytes) {
        // Half of the cache: rows, totals and the hardware's prefetching want some as well. Not too few, for the rows are read
        // anew for each panel.
        let fitting = cacheBytes / 2 / max(1, columnBytes)
        columns = (max(fitting, 256) + blockLength - 1) / blockLength * blockLength
    }

    /// The same columns in the same order, in panels; one panel where they fit in the cache as they are.
    func panels(of ranges: ArraySlice<Range<Int>>) -> [[Range<Int>]] {
        guard ranges.reduce(0, { $0 + $1.count }) > 2 * columns else { return [Array(ranges)] }
        var panels: [[Range<Int>]] = []
        var panel: [Range<Int>] = []
        var count = 0
        for range in ranges {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: columns) {
                let piece = start..<min(start + columns, range.upperBound)
                if count + piece.count > columns, !panel.isEmpty {
                    panels.append(panel)
                    (panel, count) = ([], 0)
                }
                panel.append(piece)
                count += piece.count
            }
        }
        return panel.isEmpty ? panels : panels + [panel]
    }
}
