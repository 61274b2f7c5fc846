/// Points of one side that a call takes, in the order in which it meets them. A point may be listed more than once.
struct PointList: Sendable {
    let ranges: [Range<Int>]
    let count: Int
    /// Where each range begins in the list.
    private let starts: [Int]

    init(_ ranges: [Range<Int>]) {
        self.ranges = ranges.filter { !$0.isEmpty }
        var (starts, count) = ([Int](), 0)
        for range in self.ranges {
            starts.append(count)
            count += range.count
        }
        (self.starts, self.count) = (starts, count)
    }

    /// The point at a place of the list.
    subscript(place: Int) -> Int {
        var (first, last) = (0, ranges.count - 1)
        while first < last {
            let middle = (first + last + 1) / 2
            if starts[middle] <= place { first = middle } else { last = middle - 1 }
        }
        return ranges[first].lowerBound + place - starts[first]
    }
}

/// Rows of a batch item that meet the same columns.
struct PruningBlock: Sendable {
    var batchItem: Int
    var rows: Range<Int>
    var columns: PointList
}

extension BlockSparsity {
    /// The blocks of at least so many rows and columns, and the pattern without them.
    func separatingBlocks(of fewest: Int, batchCount: Int) -> (blocks: [PruningBlock], rest: BlockSparsity) {
        var rest = self
        var blocks: [[PruningBlock]] = patterns.map { _ in [] }
        for (number, pattern) in patterns.enumerated() {
            for (k, rows) in pattern.rowRanges.enumerated() where rows.count >= fewest {
                let columns = PointList(Array(pattern.columnRanges[pattern.columnRanges(of: k)]))
                // Places have 31 bits.
                guard columns.count >= fewest, columns.count < Int(Int32.max) else { continue }
                blocks[number].append(PruningBlock(batchItem: number, rows: rows, columns: columns))
                rest.patterns[number].rowRanges[k] = rows.lowerBound..<rows.lowerBound
            }
        }
        let all = (0..<batchCount).flatMap { item in
            blocks[patterns.count == 1 ? 0 : item].map {
                PruningBlock(batchItem: item, rows: $0.rows, columns: $0.columns)
            }
        }
        return (all, rest)
    }
}

extension BlockSparsity.Pattern {
    mutating func append(_ rows: Range<Int>, meeting columns: [Range<Int>]) {
        rowRanges.append(rows)
        columnRanges += columns
        ends.append(columnRanges.count)
    }

    var pairCount: Int {
        rowRanges.indices.reduce(0) { sum, k in
            let columns = columnRanges[columnRanges(of: k)].reduce(0) { $0 + $1.count }
            return saturatingSum(sum, saturatingProduct(rowRanges[k].count, columns))
        }
    }
}
