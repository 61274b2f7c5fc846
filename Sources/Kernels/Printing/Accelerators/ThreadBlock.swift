import Formulas

/// How many threads, rows and columns a group works on at a time.
public struct ThreadBlock: Hashable, Sendable {
    public var threads: Int
    /// Each column that a thread reads is used for so many rows, which are so far apart as there are threads.
    public var rowsPerThread: Int
    /// Each number of a row that a thread reads is used for so many columns, where rows are too long for registers.
    public var columns = 1
    /// The columns that the group shares; nil where they are read from memory for every pair.
    public var tile: ColumnTile?
    /// Where the arrays of rows that are too long for registers begin, by their number: in a table of a column of numbers per component,
    /// so that threads side by side read side by side.
    var rowTable: [Int: Int] = [:]
    /// Numbers per row in that table.
    public var rowTableWidth = 0

    init(threads: Int, rowsPerThread: Int, tile: ColumnTile?) {
        self.threads = threads
        self.rowsPerThread = rowsPerThread
        self.tile = tile
    }

    /// - Parameter sharedByteCount: how many bytes a group may share.
    init(for kernel: Kernel, sharedByteCount: Int) {
        threads = 128
        rowsPerThread = 4
        for info in kernel.arrays where info.section == .row && info.reference.count > Self.longestRegisterArray {
            rowTable[info.reference.id] = rowTableWidth
            rowTableWidth += info.reference.count
        }
        // Every number of a row's own is a register as long as there are enough of them.
        let words = kernel.wordsPerRow { !rowTable.keys.contains($0) }
        while rowsPerThread > 1, rowsPerThread * words > Self.mostWords { rowsPerThread /= 2 }
        if !rowTable.isEmpty {
            let ofPairs = kernel.arrays.filter { $0.section == .pair }.reduce(0) { $0 + $1.reference.count }
            let carried = max(1, kernel.sections[.pair, default: []].assignedInLoops.count + ofPairs)
            columns = 16
            let room = Self.mostSums - rowsPerThread * words
            while columns > 1, columns * rowsPerThread * carried > room { columns /= 2 }
        }
        tile = ColumnTile(of: kernel, leastColumns: max(4, columns), sharedByteCount: sharedByteCount)
        if let tile { columns = min(columns, tile.columns) }
    }

    /// 32-bit registers for what belongs to rows; the rest of a thread's 255 is for what is computed from it.
    private static let mostWords = 96
    /// The same and the sums of row × column that a thread carries along.
    private static let mostSums = 96
    private static let longestRegisterArray = 128
}

extension Kernel {
    /// 32-bit words that the arrays of one row take, of those that are asked for.
    fileprivate func wordsPerRow(_ counts: (Int) -> Bool) -> Int {
        arrays.filter { $0.section.isRepeatedPerRow && counts($0.reference.id) }.reduce(0) { words, info in
            let isDouble =
                switch info.type {
                case .number: precision.arithmetic == .float64
                case .wide: precision.accumulator == .float64
                default: false
                }
            return words + info.reference.count * (isDouble ? 2 : 1)
        }
    }
}

/// Columns in the memory that a group shares: of each, all that pairs read, side by side.
public struct ColumnTile: Hashable, Sendable {
    /// How many columns.
    public var columns: Int
    /// Numbers from one column to the next.
    public var stride: Int
    /// Where the numbers of each source begin within a column.
    var offsets: [ColumnSource: Int] = [:]

    /// Nil where nothing is read, or one column is more than may be shared.
    init?(of kernel: Kernel, leastColumns: Int, sharedByteCount: Int) {
        stride = 0
        columns = Self.mostColumns
        for source in kernel.columnSourcesOfPairs {
            offsets[source] = stride
            stride += kernel.dimension(of: source)
        }
        guard stride > 0 else { return nil }
        // Whole groups of four numbers are read at once.
        if stride > 2 { stride = (stride + 3) / 4 * 4 }
        let bytes = stride * kernel.precision.arithmetic.byteCount
        // A little of it, so that several groups find room beside each other; all of it, if need be.
        let room = max(Self.usualByteCount, min(sharedByteCount, leastColumns * bytes))
        while columns > 1, columns * bytes > room { columns /= 2 }
        guard columns * bytes <= sharedByteCount else { return nil }
    }

    /// Sums are in blocks of a tile's columns.
    private static let mostColumns = 256
    private static let usualByteCount = 16 << 10
}

extension Kernel {
    /// What pairs read of a column, in the order in which it is laid out.
    fileprivate var columnSourcesOfPairs: [ColumnSource] {
        var found: Set<ColumnSource> = []
        for case .define(_, let expression) in sections[.pair, default: []].flattened {
            switch expression {
            case .columnTable: found.insert(.table)
            case .input(let place, _) where inputs[place].role == .column: found.insert(.input(place))
            default: break
            }
        }
        return inputs.indices.map { .input($0) }.filter(found.contains) + (found.contains(.table) ? [.table] : [])
    }

    func dimension(of source: ColumnSource) -> Int {
        switch source {
        case .input(let place): inputs[place].variable.dimension
        case .table: columnTableWidth
        }
    }

    /// The name of what a source's numbers come from.
    func name(of source: ColumnSource) -> String {
        switch source {
        case .input(let place): Kernel.inputName(inputs[place])
        case .table: "table"
        }
    }
}
