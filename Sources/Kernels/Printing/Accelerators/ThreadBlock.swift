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
    /// How inner products are computed for a tile of pairs at a time; nil where none are.
    var contraction: ContractionTile?
    /// Groups for which the registers of a multiprocessor have to suffice: while tensor cores work for one, others compute.
    var groupsPerUnit = 1
    /// Whether a launch has to ask for the shared memory of inner products.
    var isSharedMemoryAskedFor = false
    /// Arrays that each thread has in memory of its own: more numbers than registers.
    var localArrays: Set<Int> = []

    init(threads: Int, rowsPerThread: Int, tile: ColumnTile?) {
        self.threads = threads
        self.rowsPerThread = rowsPerThread
        self.tile = tile
    }

    /// - Parameters:
    ///   - columns: how many at a time, where the group can share so many.
    ///   - table: the arrays of rows that are in memory.
    ///   - target: how many bytes a group may share.
    init(
        for kernel: Kernel, rowsPerThread: Int, columns: Int, table: Set<Int>, contraction: ContractionTile? = nil,
        target: AcceleratorTarget
    ) {
        threads = Self.usualThreads
        self.rowsPerThread = rowsPerThread
        self.contraction = contraction
        for info in kernel.arrays where table.contains(info.reference.id) && !isShared(info.reference) {
            rowTable[info.reference.id] = rowTableWidth
            rowTableWidth += info.reference.count
        }
        tile = ColumnTile(
            of: kernel, leastColumns: max(4, columns), mostColumns: contraction == nil ? nil : ContractionTile.columns,
            sharedByteCount: target.sharedByteCount)
        self.columns = min(columns, tile?.columns ?? columns)
        let sharedByteCount = (tile?.byteCount(kernel.precision) ?? 0) + (contraction?.sharedByteCount ?? 0)
        isSharedMemoryAskedFor = sharedByteCount > target.sharedByteCount
    }

    /// Whether a thread has this array of its row among the rows that inner products are computed of.
    func isShared(_ array: ArrayReference) -> Bool { contraction.map { $0.keepsRows && $0.contraction?.row == array } ?? false }

    /// Arrays whose elements need not be known when compiling.
    var indexedArrays: Set<Int> {
        Set(rowTable.keys).union(contraction.flatMap { $0.keepsRows ? $0.contraction?.row.id : nil }.map { [$0] } ?? [])
    }

    func unrolling(_ kernel: Kernel) -> Unrolling {
        Unrolling(kernel: kernel, tabled: indexedArrays, localArrays: localArrays, copies: rowsPerThread * columns)
    }

    /// The arrays that are indexed by what is not known when compiling: they are no registers.
    func arraysInMemory(_ kernel: Kernel) -> Set<Int> {
        let unrolling = unrolling(kernel)
        return kernel.sections.values.reduce(into: Set<Int>()) { $0.formUnion(unrolling.arraysInMemory($1)) }.subtracting(
            indexedArrays)
    }

    static let usualThreads = 128
    /// Shorter arrays are registers.
    static let shortestTableArray = 24
}

/// Columns in the memory that a group shares: of each, all that pairs read, side by side.
public struct ColumnTile: Hashable, Sendable {
    /// How many columns.
    public var columns: Int
    /// Numbers from one column to the next.
    public var stride: Int
    /// Where the numbers of each source begin within a column.
    var offsets: [ColumnSource: Int] = [:]
    /// Which numbers of each source: all that a column has, or those of a chunk, which begin at 0, or those beside what is contracted.
    var components: [ColumnSource: Range<Int>] = [:]

    /// Nil where nothing is read, or one column is more than may be shared.
    ///
    /// - Parameter mostColumns: nil for as many as sums are in blocks of.
    init?(of kernel: Kernel, leastColumns: Int, mostColumns: Int? = nil, sharedByteCount: Int) {
        stride = 0
        columns = mostColumns ?? Self.mostColumns
        for source in kernel.columnSourcesOfPairs {
            offsets[source] = stride
            components[source] = kernel.componentsOfPairs(source)
            stride += components[source]!.count
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

    func byteCount(_ precision: Precision) -> Int { columns * stride * precision.arithmetic.byteCount }

    /// Whether a component is among those that are shared: what only rare pairs read of a contracted vector is not.
    func holds(_ index: Index, of source: ColumnSource) -> Bool {
        guard let components = components[source] else { return false }
        return components.lowerBound == 0 || components.contains(index.constant)
    }

    /// Sums are in blocks of a tile's columns.
    private static let mostColumns = 256
    private static let usualByteCount = 16 << 10
}

extension Kernel {
    /// What pairs read of a column, but for few of them, in the order in which it is laid out.
    fileprivate var columnSourcesOfPairs: [ColumnSource] {
        var found: Set<ColumnSource> = []
        for case .define(_, let expression) in sections[.pair, default: []].outsideBranches {
            switch expression {
            case .columnTable: found.insert(.table)
            case .input(let place, _) where inputs[place].role == .column: found.insert(.input(place))
            default: break
            }
        }
        return inputs.indices.map { .input($0) }.filter(found.contains) + (found.contains(.table) ? [.table] : [])
    }

    /// Which numbers of a source all pairs read.
    fileprivate func componentsOfPairs(_ source: ColumnSource) -> Range<Int> {
        if isReadByChunk(source) { return 0..<chunk!.length }
        let dimension = dimension(of: source)
        guard let contraction, contraction.column == source else { return 0..<dimension }
        // What follows a contracted vector, where nothing else is read.
        let next = contraction.first + contraction.count
        let isRest = sections[.pair, default: []].outsideBranches.allSatisfy { statement in
            switch statement {
            case .define(_, .columnTable(let index)) where source == .table: index.constant >= next
            case .define(_, .input(let place, let index)) where source == .input(place): index.constant >= next
            default: true
            }
        }
        return isRest && next < dimension ? next..<dimension : 0..<dimension
    }

    /// Whether pairs read the numbers of the current chunk only.
    func isReadByChunk(_ source: ColumnSource) -> Bool {
        guard let chunk, dimension(of: source) == chunk.dimension else { return false }
        return sections[.pair, default: []].flattened.allSatisfy { statement in
            guard case .define(_, let expression) = statement else { return true }
            switch (expression, source) {
            case (.columnTable(let index), .table): return index.counts(chunk.counter)
            case (.input(let read, let index), .input(let place)): return read != place || index.counts(chunk.counter)
            default: return true
            }
        }
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
