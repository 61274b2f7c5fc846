import Formulas

/// The choice of how a reduction is cut for a group of threads: of what fits a thread's registers, what takes the least time.
///
/// The time is counted, not measured, in cycles of one of a multiprocessor's four schedulers, for a row and a column, on an NVIDIA GPU of the
/// kind of A100, H100 and H200. There a scheduler issues an instruction for 32 threads each cycle, and all four together read 32 numbers each
/// cycle from the memory that a group shares, also where the 32 are one and the same: a number of a column has to serve four rows, or four
/// instructions of one, if reading is not to hold the arithmetic up. Hence several rows per thread; hence, where rows are long, rows in a
/// table in memory, of which each number serves several columns; hence, where results are wide, some of their components at a time.
struct BlockPlan {
    let kernel: Kernel
    let block: ThreadBlock

    init(
        lowering reduction: Reduction, precision: Precision, squaredDistances: SquaredDistances, for target: AcceleratorTarget
    ) throws(FormulaError) {
        func lowered(
            _ chunkLength: Int?, _ squaredDistances: SquaredDistances, contracts: Bool = false, weighs: Bool = false
        ) throws(FormulaError) -> Kernel {
            try Kernel(
                lowering: reduction, precision: precision, squaredDistances: squaredDistances, isForAccelerators: true,
                chunkLength: chunkLength, contracts: contracts, weighs: weighs)
        }
        let whole = try lowered(nil, .direct)
        let dimension = reduction.cuttableDimension
        var lengths: [Int?] = [nil]
        if dimension >= Self.leastWidth {
            lengths += Set(Self.chunkLengths.filter { $0 < dimension }.map { Self.evenLength($0, dimension) }).sorted()
        }
        var plans: [Candidate] = []
        for length in lengths {
            plans += Self.plans(length == nil ? whole : try lowered(length, .direct), target)
            if target.hasTensorCores, precision.arithmetic == .float32 {
                for (contracts, weighs) in [(true, false), (false, true), (true, true)] {
                    let kernel = try lowered(length, squaredDistances, contracts: contracts, weighs: weighs)
                    if (kernel.contraction != nil) == contracts, (kernel.weighting != nil) == weighs {
                        plans += Self.contractionPlan(kernel, target).map { [$0] } ?? []
                    }
                }
            }
            guard squaredDistances == .inner else { continue }
            let kernel = try lowered(length, .inner)
            if kernel.usesInnerProducts { plans += Self.plans(kernel, target) }
        }
        let fitting = plans.filter { $0.words <= Self.mostWords && $0.statements <= Self.mostStatements }
        // Arrays in memory are slow, whatever else is saved.
        let best = fitting.filter { !$0.hasLocalArrays }.min { $0.cycles < $1.cycles } ?? fitting.min { $0.words < $1.words }
        guard let best else {
            self.init(
                keepingArraysInMemory: whole,
                ThreadBlock(for: whole, rowsPerThread: 1, columns: 1, table: [], target: target))
            return
        }
        self.init(kernel: best.kernel, block: best.block)
    }

    /// What merges states: a row per thread.
    init(merging reduction: Reduction, precision: Precision) {
        let dimension = reduction.accumulator.componentCount
        var kernel = Kernel(merging: reduction, precision: precision)
        for length in Self.chunkLengths.reversed() where length < dimension && KernelWords(kernel).perRow > Self.mostWords {
            kernel = Kernel(merging: reduction, precision: precision, chunkLength: Self.evenLength(length, dimension))
        }
        self.init(keepingArraysInMemory: kernel, ThreadBlock(threads: ThreadBlock.usualThreads, rowsPerThread: 1, tile: nil))
    }

    private init(kernel: Kernel, block: ThreadBlock) {
        (self.kernel, self.block) = (kernel, block)
    }

    /// With the longest arrays in memory, where not all fit registers: long lists of smallest values, which few columns enter.
    private init(keepingArraysInMemory kernel: Kernel, _ block: ThreadBlock) {
        var block = block
        let words = KernelWords(kernel)
        for info in kernel.arrays.sorted(by: { $0.reference.count > $1.reference.count }) {
            let known = block.localArrays.union(block.rowTable.keys)
            guard words.total(rows: 1, columns: 1, table: known) > Self.mostWords else { break }
            block.localArrays.insert(info.reference.id)
        }
        self.init(kernel: kernel, block: block)
    }

    /// 32-bit registers for what is planned for; the rest of a thread's 255 is for what is computed from it.
    private static let mostWords = 168
    /// Statements of a pair, all that are unrolled: more take long to compile.
    private static let mostStatements = 3_072
    /// Narrower results are computed as a whole.
    private static let leastWidth = 12
    private static let chunkLengths = [8, 12, 16, 20, 24, 32, 40, 48, 64]

    /// Chunks of about that length, which overlap little, of whole groups of four numbers.
    private static func evenLength(_ length: Int, _ dimension: Int) -> Int {
        let count = (dimension + length - 1) / length
        let even = (dimension + count - 1) / count
        return min((even + 3) / 4 * 4, length)
    }

    // MARK: Candidates

    private struct Candidate {
        var kernel: Kernel
        var block: ThreadBlock
        var words: Int
        var statements: Int
        /// Whether arrays are indexed by what is not known when compiling.
        var hasLocalArrays: Bool
        var cycles: Double
    }

    private static func plans(_ kernel: Kernel, _ target: AcceleratorTarget) -> [Candidate] {
        let words = KernelWords(kernel)
        let cost = kernel.pairCost
        let pair = kernel.sections[.pair, default: []]
        let issued = Self.issued(kernel)
        let long = words.rowArrays.filter { $0.reference.count >= ThreadBlock.shortestTableArray }.map(\.reference.id)
        let tables = long.isEmpty ? [words.tabled] : [words.tabled, words.tabled.union(long)]
        return tables.flatMap { table in
            // The way out of an inner product that cancels would be repeated for each of several columns.
            let isRead = !kernel.usesInnerProducts && words.rowReads.keys.contains(where: table.contains)
            return [4, 3, 2, 1].flatMap { rows in
                (isRead ? [16, 8, 4, 2, 1] : [1]).map { columns in
                    let block = ThreadBlock(
                        for: kernel, rowsPerThread: rows, columns: columns, table: table, target: target)
                    let read =
                        4 * Double(cost.columnNumbers) / Double(rows)
                        // A number from memory takes the way of three.
                        + 12 * Double(words.rowReads.filter { table.contains($0.key) }.values.reduce(0, +))
                        / Double(block.columns)
                    return Candidate(
                        kernel: kernel, block: block, words: words.total(rows: rows, columns: block.columns, table: table),
                        statements: block.unrolling(kernel).size(of: pair) * rows * block.columns,
                        hasLocalArrays: !block.arraysInMemory(kernel).isEmpty, cycles: Self.cycles(kernel, issued, read))
                }
            }
        }
    }

    /// Instructions of a pair.
    private static func issued(_ kernel: Kernel) -> Double {
        let functionCycles = kernel.precision.arithmetic == .float64 ? 40 : 8
        let cost = kernel.pairCost
        return Double(cost.arithmetic + cost.functions.values.reduce(0, +) * functionCycles)
    }

    private static func cycles(_ kernel: Kernel, _ issued: Double, _ read: Double) -> Double {
        // Neither hides the other wholly.
        (max(issued, read) + min(issued, read) / 4) * Double(kernel.chunk?.count ?? 1)
    }

    /// With products of matrices for a tile of pairs at a time: a row per thread, and nothing of a contracted vector in its registers.
    private static func contractionPlan(_ kernel: Kernel, _ target: AcceleratorTarget) -> Candidate? {
        let words = KernelWords(kernel)
        guard
            let tile = ContractionTile(
                kernel.contraction, kernel.weighting, threads: ThreadBlock.usualThreads,
                sharedByteCount: target.largestSharedByteCount - roomForColumns)
        else { return nil }
        let table = words.tabled.union(kernel.contraction.map { [$0.row.id] } ?? [])
        let total = words.total(rows: 1, columns: 1, table: table)
        var block = ThreadBlock(for: kernel, rowsPerThread: 1, columns: 1, table: table, contraction: tile, target: target)
        // Where there are several parts, their sums are kept beside the current one's.
        let kept = total + (tile.partCount > 1 ? 32 : 0)
        if kept <= mostWordsOfSmallGroups, tile.weighting == nil { block.groupsPerUnit = 3 }
        // Counted for a row and a column per thread: of 600 products a cycle, which instructions fed from registers reach of a
        // multiprocessor's 1,024, a scheduler's share takes 0.21 cycles per component; splitting factors takes 0.19, reading them 0.25.
        func cycles(_ count: Int, isSplit: Bool) -> Double { Double(count) * (isSplit ? 0.82 : 0.27) }
        let (products, weights) = (tile.partCount * tile.partLength, tile.vectorBlocks * ContractionTile.blockLength)
        let issued =
            issued(kernel) + cycles(products, isSplit: kernel.splitsContraction) + cycles(weights, isSplit: kernel.splitsWeights)
        let read = 4 * Double(kernel.pairCost.columnNumbers) + productReads + 0.25 * Double(products + weights)
        return Candidate(
            kernel: kernel, block: block, words: total + tile.registers,
            statements: block.unrolling(kernel).size(of: kernel.sections[.pair, default: []]),
            hasLocalArrays: !block.arraysInMemory(kernel).isEmpty, cycles: Self.cycles(kernel, issued, read))
    }

    /// Beside the tile's sums, this leaves room for what is computed where three groups share a multiprocessor's registers.
    private static let mostWordsOfSmallGroups = 48
    /// Bytes that the other numbers of a tile's columns may take.
    private static let roomForColumns = 16 << 10
    /// Cycles for a pair's product to go through the memory that the group shares, and for the group to wait for all its threads.
    private static let productReads = 16.0
}

/// What a kernel needs of registers.
private struct KernelWords {
    let kernel: Kernel
    /// The arrays of the row stage: they can be in a table.
    let rowArrays: [ArrayInfo]
    /// Those that have to be: what they are indexed with is not known when compiling. And long ones that few pairs read, for registers are
    /// for what is read for every pair.
    private(set) var tabled: Set<Int> = []
    /// How many numbers of each array of rows a pair reads.
    private(set) var rowReads: [Int: Int] = [:]
    private var pairWords = 0
    /// Of the group as a whole.
    private var commonWords = 0
    private static let longestRareArray = 8

    init(_ kernel: Kernel) {
        self.kernel = kernel
        rowArrays = kernel.arrays.filter { $0.section == .row }
        let pair = kernel.sections[.pair, default: []]
        countReads(pair, times: 1)
        if let chunk = kernel.chunk {
            let read = [Kernel.Section.begin, .pair, .finish, .export].flatMap { kernel.sections[$0, default: []] }
            tabled = read.arrays { $0.counts(chunk.counter) }.filter { kernel.arrays[$0].section == .row }
        }
        let uses = RegisterUses([pair], splitsAtBarriers: true)
        let crossing = uses.crossing.filter { $0.section == .pair && uses.constants[$0] == nil }.map(words)
        // Few of them are needed at one time.
        for info in rowArrays where info.reference.count > Self.longestRareArray && rowReads[info.reference.id] == nil {
            let isRead = pair.flattened.contains { $0.access?.array == info.reference }
            if isRead { tabled.insert(info.reference.id) }
        }
        let pointers = kernel.inputs.count { $0.role != .row } + (kernel.columnTableWidth > 0 ? 1 : 0)
        commonWords = 2 * pointers
        for info in kernel.arrays where info.section == .call { commonWords += info.reference.count * words(info.type) }
        pairWords = pair.assignedInLoops.map(words).reduce(0, +) + min(crossing.reduce(0, +), 4)
    }

    /// Where each row is a thread's only one.
    var perRow: Int { total(rows: 1, columns: 1, table: []) }

    func total(rows: Int, columns: Int, table: Set<Int>) -> Int {
        var (ofRow, ofPair) = (0, pairWords)
        for info in kernel.arrays where info.section.isRepeatedPerRow && !table.contains(info.reference.id) {
            let words = info.reference.count * words(info.type)
            if info.section == .pair { ofPair += words } else { ofRow += words }
        }
        return commonWords + rows * (ofRow + columns * ofPair)
    }

    private func words(_ register: Register) -> Int { words(register.type) }

    private func words(_ type: ElementType) -> Int {
        switch type {
        case .number: kernel.precision.arithmetic == .float64 ? 2 : 1
        case .wide: kernel.precision.accumulator == .float64 ? 2 : 1
        default: 1
        }
    }

    private mutating func countReads(_ statements: [Statement], times: Int) {
        for statement in statements {
            switch statement {
            case .define(_, .load(let array, _)) where kernel.arrays[array.id].section == .row:
                rowReads[array.id, default: 0] += times
            case .loop(_, let count, let body): countReads(body, times: times * count)
            default: break
            }
        }
    }
}
