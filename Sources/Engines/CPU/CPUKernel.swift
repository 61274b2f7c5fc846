import Formulas
import Kernels
import Synchronization

/// A reduction compiled for this processor.
final class CPUKernel: Sendable {
    let kernel: Kernel
    let rowsPerBlock: Int
    private let workspaceBytes: Int
    private let lanes: Int
    private let stateBytes: Int
    private let panel: ColumnPanel
    private let library: SharedLibrary
    private let rows: Function
    private let columns: Function?
    private let centre: Function?

    private typealias Function = @convention(c) (UnsafeRawPointer) -> Void

    /// Compiles, or finds what was compiled before.
    init(_ kernel: Kernel, instructionSet: InstructionSet, cache: KernelCache) throws(CompilationError) {
        let source = CSource(kernel, vectorBytes: instructionSet.vectorBytes)
        self.kernel = kernel
        rowsPerBlock = source.rowsPerBlock
        workspaceBytes = source.workspaceBytes
        lanes = source.lanes
        stateBytes = source.stateBytes
        panel = ColumnPanel(columnBytes: kernel.columnBytes, blockLength: kernel.blockLength ?? 1)
        library = try cache.library(for: source.text, instructionSet: instructionSet)
        guard let rows = library.symbol("khufu_rows") else {
            throw .unloadable(compiler: (try? cache.compiler.path) ?? "the compiler", reason: "it lacks khufu_rows")
        }
        self.rows = unsafeBitCast(rows, to: Function.self)
        columns = library.symbol("khufu_columns").map { unsafeBitCast($0, to: Function.self) }
        centre = library.symbol("khufu_centre").map { unsafeBitCast($0, to: Function.self) }
    }

    /// Bytes of the table of column values for a number of columns. What belongs to no one column stands ahead of it.
    func columnTableBytes(_ count: Int) -> Int {
        centreBytes + count * kernel.columnTableWidth * kernel.precision.arithmetic.byteCount
    }

    private var centreBytes: Int { (kernel.centreWidth * kernel.precision.arithmetic.byteCount + 63) / 64 * 64 }

    /// Finds the points amid all columns, which tabulating takes differences from.
    func findCentre(columns count: Int, inputs: [UnsafeRawPointer], table: UnsafeMutableRawPointer) {
        guard let centre else { return }
        guard count > 0 else {
            _ = table.initializeMemory(as: UInt8.self, repeating: 0, count: centreBytes)
            return
        }
        var call = Call(table, tableOffset: centreBytes)
        run(centre, &call, 0..<count, inputs)
    }

    /// Tabulates what depends on the column only.
    func tabulate(_ columns: Range<Int>, inputs: [UnsafeRawPointer], table: UnsafeMutableRawPointer) {
        guard let function = self.columns else { return }
        var call = Call(table, tableOffset: centreBytes)
        run(function, &call, columns, inputs)
    }

    /// Reduces some rows over some columns.
    func reduce(
        _ rows: Range<Int>, over ranges: ArraySlice<Range<Int>>, positionBase: Int, inputs: [UnsafeRawPointer],
        table: UnsafeMutableRawPointer?, into output: Output
    ) {
        var call = Call(table, tableOffset: centreBytes)
        call.positionBase = Int64(positionBase)
        switch output {
        case .results(let values, let indices):
            call.values = values
            call.indices = indices
        case .states(let values, let positions):
            call.exportedValues = values
            call.exportedPositions = positions
        }
        let panels = rows.count > rowsPerBlock && stateBytes > 0 ? panel.panels(of: ranges) : []
        guard panels.count > 1 else { return reduce(rows, over: ranges, &call, inputs) }
        // Each panel meets all rows before the next comes; totals wait in between.
        let states = UnsafeMutableRawPointer.allocate(
            byteCount: (rows.count + lanes - 1) / lanes * stateBytes, alignment: 64)
        defer { states.deallocate() }
        call.states = states
        for (number, panel) in panels.enumerated() {
            call.isResumed = number > 0 ? 1 : 0
            call.isSuspended = number < panels.count - 1 ? 1 : 0
            reduce(rows, over: panel[...], &call, inputs)
        }
    }

    private func reduce(
        _ rows: Range<Int>, over ranges: ArraySlice<Range<Int>>, _ call: inout Call, _ inputs: [UnsafeRawPointer]
    ) {
        let flat = ranges.flatMap { [Int64($0.lowerBound), Int64($0.upperBound)] }
        flat.withUnsafeBufferPointer { flat in
            call.ranges = flat.baseAddress
            call.rangeCount = Int64(ranges.count)
            run(self.rows, &call, rows, inputs)
        }
    }

    enum Output {
        /// Where the result of the batch item's first row goes.
        case results(values: UnsafeMutableRawPointer?, indices: UnsafeMutablePointer<Int64>?)
        /// Where the state of the first of the given rows goes.
        case states(values: UnsafeMutablePointer<Double>, positions: UnsafeMutablePointer<Int64>)
    }

    /// Results of some rows only, with the first of them at the given places.
    func results(of rows: Range<Int>, values: UnsafeMutableRawPointer?, indices: UnsafeMutablePointer<Int64>? = nil) -> Output {
        // The generated code counts from row 0.
        .results(
            values: values.map { $0 - rows.lowerBound * kernel.reduction.valueCount * kernel.precision.storage.byteCount },
            indices: indices.map { $0 - rows.lowerBound * kernel.reduction.indexCount })
    }

    private func run(_ function: Function, _ call: inout Call, _ points: Range<Int>, _ inputs: [UnsafeRawPointer]) {
        call.first = Int64(points.lowerBound)
        call.end = Int64(points.upperBound)
        let workspace =
            workspaceBytes > 0 ? UnsafeMutableRawPointer.allocate(byteCount: workspaceBytes, alignment: 64) : nil
        defer { workspace?.deallocate() }
        call.workspace = workspace
        inputs.withUnsafeBufferPointer { inputs in
            call.inputs = UnsafeRawPointer(inputs.baseAddress)
            withUnsafePointer(to: call) { function(UnsafeRawPointer($0)) }
        }
    }

    /// The `call` of the generated source, field by field: pointers and 64-bit integers, so that both languages lay it out
    /// alike.
    private struct Call {
        var inputs: UnsafeRawPointer?
        var centre: UnsafeMutableRawPointer?
        var table: UnsafeMutableRawPointer?
        var values: UnsafeMutableRawPointer?
        var indices: UnsafeMutablePointer<Int64>?
        var exportedValues: UnsafeMutablePointer<Double>?
        var exportedPositions: UnsafeMutablePointer<Int64>?
        var ranges: UnsafePointer<Int64>?
        var rangeCount: Int64 = 0
        var first: Int64 = 0
        var end: Int64 = 0
        var positionBase: Int64 = 0
        var states: UnsafeMutableRawPointer?
        var isResumed: Int64 = 0
        var isSuspended: Int64 = 0
        var workspace: UnsafeMutableRawPointer?

        init(_ table: UnsafeMutableRawPointer?, tableOffset: Int) {
            centre = table
            self.table = table.map { $0 + tableOffset }
        }
    }
}
