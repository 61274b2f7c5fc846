import Formulas
import Kernels

/// A reduction compiled for an accelerator.
final class AcceleratorKernel: Sendable {
    let reduction: Reduction
    let accelerator: any Accelerator
    let rowsPerGroup: Int
    let threads: Int
    let precision: Precision
    /// Numbers of the points amid the columns.
    let centreWidth: Int
    /// Whether inner products go by matrix units.
    let hasContraction: Bool
    /// Numbers per column in the table of column values.
    let columnTableWidth: Int
    /// Bytes per row of the table of what is too long for registers.
    let rowTableByteCount: Int
    /// Bytes of shared memory that a group asks for.
    private let sharedByteCount: Int
    /// Numbers and positions of a state.
    let stateCount: (values: Int, positions: Int)
    /// Of each input, what its points are.
    let inputs: [Kernel.Input]
    private let program: any AcceleratorProgram
    /// Compiled where columns are first split.
    private let merging: Lazy<Result<any AcceleratorProgram, EngineError>>

    /// Compiles, or finds what was compiled before.
    ///
    /// - Parameter target: what the kernel is printed for; what the accelerator is, but for what was set otherwise.
    init(
        _ reduction: Reduction, precision: Precision, squaredDistances: SquaredDistances, for target: AcceleratorTarget,
        on accelerator: any Accelerator
    ) throws(EngineError) {
        let properties = accelerator.properties
        let source: AcceleratorSource
        do throws(FormulaError) {
            source = try AcceleratorSource(
                reduction, precision: precision, squaredDistances: squaredDistances, for: target)
        } catch {
            throw EngineError("\(error)")
        }
        let kernel = source.kernel
        guard properties.hasFloat64 || !source.usesFloat64 else {
            throw EngineError("\(properties.name) has no float64, which the data or its totals are in.")
        }
        guard source.threads <= properties.largestGroup else {
            throw EngineError(
                "\(properties.name) runs at most \(properties.largestGroup) threads in a group; \(source.threads) are needed.")
        }
        self.reduction = reduction
        self.accelerator = accelerator
        self.precision = precision
        rowsPerGroup = source.rowsPerGroup
        threads = source.threads
        centreWidth = kernel.centreWidth
        hasContraction = kernel.contraction != nil
        columnTableWidth = kernel.columnTableWidth
        rowTableByteCount = source.rowTableByteCount
        sharedByteCount = source.sharedByteCount
        stateCount = kernel.stateCount
        inputs = kernel.inputs
        program = try accelerator.program(source.text)
        merging = Lazy {
            Result { () throws(EngineError) in
                let source = AcceleratorSource(merging: reduction, precision: precision, language: target.language)
                return try accelerator.program(source.text)
            }
        }
    }

    // MARK: Sizes

    /// Bytes of a batch item's points amid the columns.
    var centreByteCount: Int { centreWidth * precision.arithmetic.byteCount }
    /// Bytes of a column in the table.
    var columnTableByteCount: Int { columnTableWidth * precision.arithmetic.byteCount }
    /// Bytes of a row's state.
    var stateValueByteCount: Int { stateCount.values * precision.accumulator.byteCount }
    var statePositionByteCount: Int { stateCount.positions * 8 }

    /// How many parts the columns are cut into, so that every unit of the device has something to do.
    func partCount(items: Int, rows: Int, columns: Int) -> Int {
        let groups = max(1, saturatingProduct(items, (rows + rowsPerGroup - 1) / rowsPerGroup))
        let wanted = accelerator.properties.unitCount * Self.groupsPerUnit / groups
        // Positions within a part have 31 bits.
        return max(1, min(wanted, columns / Self.shortestPart), (columns + Self.longestPart - 1) / Self.longestPart)
    }

    private static let groupsPerUnit = 8
    private static let shortestPart = 512
    static let longestPart = Int(Int32.max) - 1_024

    // MARK: Launches

    /// The arrays of a piece of work, on the device.
    struct Arrays {
        var items: Int
        var rows: Int
        var columns: Int
        /// Where each input's numbers are, in the order of the reduction's variables; nil for what a launch does not read.
        var inputs: [DeviceBuffer?]
        /// Of each batch item, where its inputs begin; nil where there is one.
        var offsets: DeviceBuffer?
        var centre: DeviceBuffer?
        var table: DeviceBuffer?
        var rowTable: DeviceBuffer?
        var values: DeviceBuffer?
        var indices: DeviceBuffer?
    }

    /// States of rows whose columns are split.
    struct States {
        var values: DeviceBuffer
        var positions: DeviceBuffer?
        /// The row of states where this piece's begin.
        var first = 0
    }

    /// A list of tasks in place of pieces that are cut alike.
    struct Tasks {
        var count: Int
        var tasks: DeviceBuffer
        var ranges: DeviceBuffer
    }

    /// Finds the points amid the columns, and fills the table of column values.
    func tabulate(_ arrays: Arrays, on queue: any AcceleratorQueue) throws(EngineError) {
        guard let table = arrays.table, arrays.columns > 0 else { return }
        if centreWidth > 0 {
            let arguments: [KernelArgument] =
                inputArguments(arrays, [.column, .parameter]) + [
                    .buffer(arrays.centre), .buffer(arrays.offsets), .number(arrays.columns),
                ]
            try launch("khufu_centre", of: program, groups: arrays.items, arguments, on: queue)
        }
        let blocks = (arrays.columns + threads - 1) / threads
        let arguments: [KernelArgument] =
            inputArguments(arrays, [.column, .parameter]) + centreArgument(arrays) + [
                .buffer(table), .buffer(arrays.offsets), .number(arrays.columns), .number(blocks),
            ]
        try launch("khufu_columns", of: program, groups: arrays.items * blocks, arguments, on: queue)
    }

    /// Reduces rows.
    ///
    /// - Parameters:
    ///   - parts: how many parts of `partLength` columns each the columns are cut into; with more than one, there are states.
    ///   - states: where states go; nil for results.
    ///   - firstPosition: what the position of column 0 is.
    func reduce(
        _ arrays: Arrays, tasks: Tasks? = nil, parts: Int = 1, partLength: Int = 0, states: States? = nil, firstPosition: Int = 0,
        on queue: any AcceleratorQueue
    ) throws(EngineError) {
        let blocks = (arrays.rows + rowsPerGroup - 1) / rowsPerGroup
        var arguments = inputArguments(arrays, [.row, .column, .parameter])
        if columnTableWidth > 0 { arguments.append(.buffer(arrays.table)) }
        arguments += centreArgument(arrays)
        if rowTableByteCount > 0 { arguments.append(.buffer(arrays.rowTable)) }
        arguments += resultArguments(arrays)
        arguments += [
            .buffer(states?.values), .buffer(states?.positions), .buffer(arrays.offsets), .buffer(tasks?.tasks),
            .buffer(tasks?.ranges), .number(arrays.rows), .number(arrays.columns), .number(blocks), .number(parts),
            .number(parts > 1 ? partLength : max(1, arrays.columns)), .number(states?.first ?? -1), .number(firstPosition),
        ]
        try launch(
            "khufu_rows", of: program, groups: tasks?.count ?? arrays.items * blocks * parts,
            sharedByteCount: sharedByteCount, arguments, on: queue)
    }

    /// Merges the states of rows, of all items alike, or of those that a list says.
    func merge(
        _ states: States?, parts: Int, into arrays: Arrays, list: (count: Int, merges: DeviceBuffer)? = nil,
        on queue: any AcceleratorQueue
    ) throws(EngineError) {
        let blocks = (arrays.rows + Self.mergedRowsPerGroup - 1) / Self.mergedRowsPerGroup
        let arguments =
            resultArguments(arrays) + [
                .buffer(states?.values), .buffer(states?.positions), .buffer(list?.merges), .number(arrays.rows), .number(blocks),
                .number(parts),
            ]
        try launch(
            "khufu_merge", of: try merging.value.get(), groups: list?.count ?? arrays.items * blocks, arguments, on: queue)
    }

    static let mergedRowsPerGroup = 128

    private func inputArguments(_ arrays: Arrays, _ roles: Set<Kernel.Role>) -> [KernelArgument] {
        zip(inputs, arrays.inputs).filter { roles.contains($0.0.role) }.map { .buffer($0.1) }
    }

    private func centreArgument(_ arrays: Arrays) -> [KernelArgument] { centreWidth > 0 ? [.buffer(arrays.centre)] : [] }

    private func resultArguments(_ arrays: Arrays) -> [KernelArgument] {
        (reduction.valueCount > 0 ? [.buffer(arrays.values)] : []) + (reduction.indexCount > 0 ? [.buffer(arrays.indices)] : [])
    }

    private func launch(
        _ entry: String, of program: any AcceleratorProgram, groups: Int, sharedByteCount: Int = 0,
        _ arguments: [KernelArgument], on queue: any AcceleratorQueue
    ) throws(EngineError) {
        guard groups > 0 else { return }
        guard groups <= Int(Int32.max) else {
            throw EngineError("A call of \(groups) groups of rows is more than a device takes, 2147483647.")
        }
        try program.launch(
            entry, groups: groups, threads: threads, sharedByteCount: sharedByteCount, arguments: arguments, on: queue)
    }
}
