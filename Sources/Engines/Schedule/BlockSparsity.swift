/// Which columns each range of rows meets: block-sparsity. Rows that no range holds meet none.
///
/// Row range k meets the column ranges `columnRanges[ends[k - 1]..<ends[k]]`. With a batch, every item has this pattern, or
/// `patterns` has one per item.
public struct BlockSparsity: Hashable, Sendable {
    public struct Pattern: Hashable, Sendable {
        public var rowRanges: [Range<Int>]
        /// Cumulative counts of column ranges, one per row range.
        public var ends: [Int]
        public var columnRanges: [Range<Int>]

        public init(rowRanges: [Range<Int>], ends: [Int], columnRanges: [Range<Int>]) {
            self.rowRanges = rowRanges
            self.ends = ends
            self.columnRanges = columnRanges
        }
    }
    public var patterns: [Pattern]

    /// One pattern for all batch items.
    public init(rowRanges: [Range<Int>], ends: [Int], columnRanges: [Range<Int>]) {
        patterns = [Pattern(rowRanges: rowRanges, ends: ends, columnRanges: columnRanges)]
    }

    /// One pattern per batch item, in row-major order.
    public init(patterns: [Pattern]) { self.patterns = patterns }

    /// Everything meets everything.
    static func dense(rows: Int, columns: Int) -> BlockSparsity {
        BlockSparsity(rowRanges: [0..<rows], ends: [1], columnRanges: [0..<columns])
    }

    func check(rows: Int, columns: Int, batchCount: Int) throws(BindingError) {
        guard patterns.count == 1 || patterns.count == batchCount else {
            throw BindingError("Block-sparsity has one pattern, or one per batch item: \(batchCount); \(patterns.count) came.")
        }
        for pattern in patterns { try pattern.check(rows: rows, columns: columns) }
    }
}

extension BlockSparsity.Pattern {
    func columnRanges(of k: Int) -> Range<Int> { (k == 0 ? 0 : ends[k - 1])..<ends[k] }

    fileprivate func check(rows: Int, columns: Int) throws(BindingError) {
        guard rowRanges.count == ends.count else {
            throw BindingError(
                "Block-sparsity has one end of slice per row range; there are \(rowRanges.count) ranges and \(ends.count) ends.")
        }
        var before = 0
        for end in ends {
            guard end >= before, end <= columnRanges.count else {
                throw BindingError(
                    "The ends of slices grow from 0 to the number of column ranges, \(columnRanges.count); \(end) follows \(before)."
                )
            }
            before = end
        }
        for range in rowRanges where range.lowerBound < 0 || range.upperBound > rows {
            throw BindingError("The row range \(range) leaves the \(rows) points of the result.")
        }
        for range in columnRanges where range.lowerBound < 0 || range.upperBound > columns {
            throw BindingError("The column range \(range) leaves the \(columns) points that are reduced over.")
        }
        let sorted = rowRanges.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
        for (first, second) in zip(sorted, sorted.dropFirst()) where second.lowerBound < first.upperBound {
            throw BindingError("Row ranges do not overlap; \(first) and \(second) do.")
        }
    }
}

extension BlockSparsity.Pattern {
    /// The pattern of some pairs, sorted by row: each row meets the columns that it is listed with.
    init(meetings pairs: [(row: Int, column: Int)]) {
        self.init(rowRanges: [], ends: [], columnRanges: [])
        for (row, column) in pairs {
            if rowRanges.last?.lowerBound == row {
                ends[ends.count - 1] += 1
            } else {
                rowRanges.append(row..<row + 1)
                ends.append(columnRanges.count + 1)
            }
            columnRanges.append(column..<column + 1)
        }
    }

    /// The same pairs with rows and columns exchanged.
    ///
    /// Column ranges may overlap each other, so the columns are first cut at every bound; each piece then meets the rows of
    /// all ranges that hold it.
    var transposed: BlockSparsity.Pattern {
        let bounds = Set(columnRanges.flatMap { [$0.lowerBound, $0.upperBound] }).sorted()
        let pieceAt = Dictionary(uniqueKeysWithValues: bounds.enumerated().map { ($1, $0) })
        var rowsMet: [[Range<Int>]] = Array(repeating: [], count: max(0, bounds.count - 1))
        for k in rowRanges.indices.sorted(by: { rowRanges[$0].lowerBound < rowRanges[$1].lowerBound }) {
            for range in columnRanges[columnRanges(of: k)] where !range.isEmpty {
                for piece in pieceAt[range.lowerBound]!..<pieceAt[range.upperBound]! { rowsMet[piece].append(rowRanges[k]) }
            }
        }
        var result = BlockSparsity.Pattern(rowRanges: [], ends: [], columnRanges: [])
        for (piece, rows) in rowsMet.enumerated() where !rows.isEmpty {
            result.columnRanges += rows
            result.rowRanges.append(bounds[piece]..<bounds[piece + 1])
            result.ends.append(result.columnRanges.count)
        }
        return result
    }
}

extension BlockSparsity {
    /// The same pairs with rows and columns exchanged.
    public var transposed: BlockSparsity { BlockSparsity(patterns: patterns.map(\.transposed)) }
}
