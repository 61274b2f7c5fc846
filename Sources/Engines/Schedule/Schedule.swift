/// A call cut into tasks that run independently. Dense, batched and block-sparse calls are the same list.
struct Schedule: Sendable {
    /// Some rows of a batch item and the columns that they meet.
    struct Task: Sendable {
        var batchItem: Int
        var rows: Range<Int>
        /// Which of `ranges`.
        var ranges: Range<Int>
        /// Where the state goes, in rows, if other tasks take more columns of the same rows; nil if this is all of them.
        var stateOffset: Int?
        /// What positions count from while they are in lanes, which hold 31 bits.
        var positionBase = 0
    }

    /// Rows whose columns were split: the states of `partCount` tasks, each `rows.count` after the other, are to be merged.
    struct Merge: Sendable {
        var batchItem: Int
        var rows: Range<Int>
        var stateOffset: Int
        var partCount: Int
    }

    private(set) var tasks: [Task] = []
    private(set) var merges: [Merge] = []
    private(set) var ranges: [Range<Int>] = []
    /// How many rows of states the merges need.
    private(set) var stateRowCount = 0
    /// How many pairs are evaluated.
    private(set) var pairCount = 0

    /// - Parameters:
    ///   - rowsPerBlock: rows that an engine takes at a time; tasks are whole blocks where they can be.
    ///   - threads: how many tasks may run at once.
    ///   - longestSpan: how far apart the columns of one task may be.
    init(
        _ sparsity: BlockSparsity, rows: Int, columns: Int, batchCount: Int, rowsPerBlock: Int, threads: Int,
        longestSpan: Int = Int(Int32.max)
    ) {
        self.longestSpan = longestSpan
        let blocks = sparsity.patterns.map { Self.blocks(of: $0, rows: rows) }
        let pairs = blocks.map { $0.reduce(0) { saturatingSum($0, $1.pairCount) } }
        pairCount = pairs.count == 1 ? saturatingProduct(pairs[0], batchCount) : pairs.reduce(0, saturatingSum)
        let target = max(Self.smallestTask, pairCount / (threads * Self.tasksPerThread))
        // A pattern's ranges are stored once, whatever the number of batch items.
        var firstRange: [Int] = []
        for pattern in sparsity.patterns {
            firstRange.append(ranges.count)
            ranges += pattern.columnRanges
        }
        for item in 0..<batchCount {
            let pattern = sparsity.patterns.count == 1 ? 0 : item
            for block in blocks[pattern] {
                add(block, item, from: firstRange[pattern], target: target, rowsPerBlock: rowsPerBlock, threads: threads)
            }
        }
    }

    private let longestSpan: Int
    private static let tasksPerThread = 6
    /// Pairs below which another task costs more than it saves.
    private static let smallestTask = 1 << 15

    /// Rows that meet the same columns.
    private struct Block {
        var rows: Range<Int>
        var ranges: Range<Int>
        var columnCount: Int
        /// One more than the last column.
        var columnEnd: Int
        var pairCount: Int { saturatingProduct(rows.count, columnCount) }
    }

    /// The row ranges, and the rows between them, which meet no column.
    private static func blocks(of pattern: BlockSparsity.Pattern, rows: Int) -> [Block] {
        var blocks: [Block] = []
        var next = 0
        for k in pattern.rowRanges.indices.sorted(by: { pattern.rowRanges[$0].lowerBound < pattern.rowRanges[$1].lowerBound }) {
            let range = pattern.rowRanges[k]
            guard !range.isEmpty else { continue }
            if next < range.lowerBound {
                blocks.append(Block(rows: next..<range.lowerBound, ranges: 0..<0, columnCount: 0, columnEnd: 0))
            }
            let slices = pattern.columnRanges(of: k)
            let met = pattern.columnRanges[slices]
            blocks.append(
                Block(
                    rows: range, ranges: slices, columnCount: met.reduce(0) { $0 + $1.count },
                    columnEnd: met.map(\.upperBound).max() ?? 0))
            next = range.upperBound
        }
        if next < rows { blocks.append(Block(rows: next..<rows, ranges: 0..<0, columnCount: 0, columnEnd: 0)) }
        return blocks
    }

    private mutating func add(_ block: Block, _ item: Int, from firstRange: Int, target: Int, rowsPerBlock: Int, threads: Int) {
        let ownRanges = block.ranges.lowerBound + firstRange..<block.ranges.upperBound + firstRange
        let rowsPerTask = max(1, target / max(1, block.columnCount) / rowsPerBlock) * rowsPerBlock
        let rowTaskCount = (block.rows.count + rowsPerTask - 1) / rowsPerTask
        if block.columnEnd > longestSpan { return addParts(block, item, ownRanges, partCount: 1) }
        // Too few rows to keep every thread busy, and columns enough to share: split the columns.
        if rowTaskCount < threads, block.pairCount >= 2 * Self.smallestTask, block.columnCount >= 2 * Self.shortestPart {
            let partCount = min(threads, block.pairCount / Self.smallestTask, block.columnCount / Self.shortestPart)
            if partCount > 1 { return addParts(block, item, ownRanges, partCount: partCount) }
        }
        for first in stride(from: block.rows.lowerBound, to: block.rows.upperBound, by: rowsPerTask) {
            let rows = first..<min(first + rowsPerTask, block.rows.upperBound)
            tasks.append(Task(batchItem: item, rows: rows, ranges: ownRanges, stateOffset: nil))
        }
    }

    /// Columns per part at least.
    private static let shortestPart = 512

    /// All rows at once, the columns in parts of about equal length, in order.
    private mutating func addParts(_ block: Block, _ item: Int, _ slices: Range<Int>, partCount: Int) {
        let length = min((block.columnCount + partCount - 1) / partCount, longestSpan)
        let isFar = block.columnEnd > longestSpan
        var parts: [[Range<Int>]] = []
        var room = 0
        for range in slices.map({ ranges[$0] }) {
            var rest = range
            while !rest.isEmpty {
                let base = parts.last?.first?.lowerBound ?? 0
                let isOutOfReach = isFar && (rest.lowerBound < base || rest.lowerBound - base >= longestSpan)
                if room == 0 || isOutOfReach {
                    parts.append([])
                    room = length
                }
                let reach = isFar ? (parts.last?.first?.lowerBound ?? rest.lowerBound) + longestSpan - rest.lowerBound : room
                let taken = rest.prefix(min(room, reach))
                parts[parts.count - 1].append(taken)
                room -= taken.count
                rest = taken.upperBound..<rest.upperBound
            }
        }
        merges.append(Merge(batchItem: item, rows: block.rows, stateOffset: stateRowCount, partCount: parts.count))
        for part in parts {
            tasks.append(
                Task(
                    batchItem: item, rows: block.rows, ranges: ranges.count..<ranges.count + part.count,
                    stateOffset: stateRowCount, positionBase: isFar ? part[0].lowerBound : 0))
            ranges += part
            stateRowCount += block.rows.count
        }
    }
}

/// Counts of pairs may be beyond 64 bits; what is decided by them needs only to know that they are large.
func saturatingProduct(_ a: Int, _ b: Int) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? .max : product
}

func saturatingSum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
}
