import Formulas
import Kernels

/// Some rows and columns of a call, all batch items, on one device.
struct AcceleratorRun {
    let kernel: AcceleratorKernel
    let binding: Binding
    /// Nil for all pairs.
    let sparsity: BlockSparsity?
    let memory: ArrayMemory
    /// The points of the result and those reduced over that this run takes.
    let rows: Range<Int>
    let columns: Range<Int>
    /// Bytes of the device's memory that it may take; nil for what is free.
    let memoryLimit: Int?
    var residents: ResidentArrays? = nil
    let output: Destination
    /// Told the pairs that are done since it was last told.
    let progress: (@Sendable (Int) -> Void)?

    /// Where what is computed goes.
    enum Destination {
        case results(Output)
        /// States, on the host, in the order of batch items and rows.
        case states(DownloadedStates)
    }

    private var isOnDevice: Bool { memory != .host }

    /// Computes; with arrays on the device, returns when the work is queued.
    func carryOut() throws(EngineError) {
        guard let room = try roomIfExceeded() else { return try runResident() }
        try StreamedRun(self, room: room).carryOut()
    }

    /// Bytes of the device's memory that a run takes at most, the caller's own arrays there not counted.
    var peakByteCount: Int {
        get throws(EngineError) {
            guard let room = try roomIfExceeded() else { return plan.peakByteCount }
            return try StreamedRun(self, room: room).peakByteCount
        }
    }

    /// The bytes that there are, where they are fewer than a run with all arrays on the device takes.
    private func roomIfExceeded() throws(EngineError) -> Int? {
        let needed = plan.peakByteCount
        // The caller's arrays are there already. What is free need not be asked for little.
        guard !isOnDevice, needed > Self.little || memoryLimit != nil else { return nil }
        // Of what is free, the copies that are there already take nothing more.
        let held = residents?.byteCount(on: kernel.accelerator) ?? 0
        let room = if let memoryLimit { memoryLimit } else { try kernel.accelerator.usableByteCount() + held }
        return needed > room ? room - (memoryLimit == nil ? held : 0) : nil
    }

    private static let little = 1 << 24

    // MARK: The plan of a run with all arrays on the device

    /// How the work is cut, and what memory it takes.
    struct Plan {
        var schedule: Schedule?
        var parts = 1
        var partLength = 0
        var stateRows = 0
        var peakByteCount = 0
    }

    private var plan: Plan {
        var plan = Plan()
        if let sparsity {
            let schedule = Schedule(
                sparsity, rows: rows.count, columns: columns.count, batchCount: binding.batchCount,
                rowsPerBlock: kernel.rowsPerGroup, threads: kernel.accelerator.properties.unitCount * 8,
                longestSpan: AcceleratorKernel.longestPart)
            plan.schedule = schedule
            plan.stateRows = schedule.stateRowCount
        } else {
            plan.parts = kernel.partCount(items: binding.batchCount, rows: rows.count, columns: columns.count)
            plan.partLength = partLength(plan.parts)
            plan.parts = max(1, (columns.count + plan.partLength - 1) / plan.partLength)
            let hasStates = if case .states = output { true } else { plan.parts > 1 }
            plan.stateRows = hasStates ? saturatingProduct(binding.batchCount * plan.parts, rows.count) : 0
        }
        let states = saturatingProduct(plan.stateRows, kernel.stateValueByteCount + kernel.statePositionByteCount)
        let table = saturatingProduct(binding.batchCount * columns.count, kernel.columnTableByteCount)
        let rowTable = saturatingProduct(binding.batchCount * rows.count, kernel.rowTableByteCount)
        let centre = binding.batchCount * kernel.centreByteCount
        plan.peakByteCount = [states, table, rowTable, centre, isOnDevice ? 0 : arrayByteCount].reduce(0, saturatingSum)
        return plan
    }

    /// Whole tiles, where there are several parts.
    private func partLength(_ parts: Int) -> Int {
        let length = (max(1, columns.count) + parts - 1) / parts
        return parts == 1 ? length : (length + 255) / 256 * 256
    }

    /// Bytes of inputs and results.
    private var arrayByteCount: Int {
        let inputs = kernel.inputs.indices.reduce(0) { sum, place in
            let whole = binding.whole(place)
            return saturatingSum(sum, saturatingProduct(whole.itemCount, itemByteCount(place)))
        }
        return saturatingSum(inputs, saturatingProduct(binding.batchCount * rows.count, resultByteCount))
    }

    /// Bytes of a row's result.
    var resultByteCount: Int {
        kernel.reduction.valueCount * binding.type.byteCount + kernel.reduction.indexCount * 8
    }

    /// Bytes of those points of a batch item of an input that this run takes.
    private func itemByteCount(_ place: Int) -> Int {
        points(of: place).map { $0.count * pointByteCount(place) } ?? binding.whole(place).itemByteCount
    }

    func pointByteCount(_ place: Int) -> Int { kernel.inputs[place].variable.dimension * binding.type.byteCount }

    /// The points of an input that this run takes; nil for a parameter.
    func points(of place: Int) -> Range<Int>? {
        switch kernel.inputs[place].role {
        case .row: rows
        case .column: columns
        case .parameter: nil
        }
    }

    // MARK: All arrays on the device

    private func runResident() throws(EngineError) {
        let plan = plan
        let queue = try kernel.accelerator.queue(stream: memory.stream)
        let memory = DeviceMemory(queue)
        var arrays = AcceleratorKernel.Arrays(
            items: binding.batchCount, rows: rows.count, columns: columns.count, inputs: try inputs(memory))
        if binding.batchCount > 1 { arrays.offsets = try table(itemOffsets, memory) }
        arrays.table = try memory.allocateIfAny(binding.batchCount * columns.count * kernel.columnTableByteCount)
        arrays.centre = try memory.allocateIfAny(binding.batchCount * kernel.centreByteCount)
        arrays.rowTable = try memory.allocateIfAny(binding.batchCount * rows.count * kernel.rowTableByteCount)
        if case .results(let output) = output {
            arrays.values = try result(output.values, kernel.reduction.valueCount * binding.type.byteCount, memory)
            arrays.indices = try result(
                output.indices.map { UnsafeMutableRawPointer($0) }, kernel.reduction.indexCount * 8, memory)
        }
        try kernel.tabulate(arrays, on: queue)
        var states: AcceleratorKernel.States?
        if plan.stateRows > 0 {
            states = AcceleratorKernel.States(
                values: try memory.allocate(plan.stateRows * kernel.stateValueByteCount),
                positions: try memory.allocateIfAny(plan.stateRows * kernel.statePositionByteCount))
        }
        if let schedule = plan.schedule {
            try reduce(arrays, schedule, states, memory)
        } else {
            try reduce(arrays, plan, states, memory)
        }
        guard !isOnDevice else { return try queue.leave() }
        try download(arrays, states, queue)
        try queue.finish()
        progress?([binding.batchCount, rows.count, columns.count].reduce(1, saturatingProduct))
    }

    private func reduce(
        _ arrays: AcceleratorKernel.Arrays, _ plan: Plan, _ states: AcceleratorKernel.States?, _ memory: DeviceMemory
    ) throws(EngineError) {
        if !columns.isEmpty {
            try kernel.reduce(
                arrays, parts: plan.parts, partLength: plan.partLength, states: states, firstPosition: columns.lowerBound,
                on: memory.queue)
        }
        guard case .results = output, plan.parts > 1 || columns.isEmpty else { return }
        try kernel.merge(states, parts: columns.isEmpty ? 0 : plan.parts, into: arrays, on: memory.queue)
    }

    /// A schedule's tasks and merges, cut into what a group takes. Rows that meet no column get the merge of no states.
    private func reduce(
        _ arrays: AcceleratorKernel.Arrays, _ schedule: Schedule, _ states: AcceleratorKernel.States?, _ memory: DeviceMemory
    ) throws(EngineError) {
        var tasks: [Int64] = []
        var merges: [Int64] = []
        func forBlocks(of rows: Range<Int>, _ length: Int, _ body: (Range<Int>) -> Void) {
            for first in stride(from: rows.lowerBound, to: rows.upperBound, by: length) {
                body(first..<min(first + length, rows.upperBound))
            }
        }
        func append(_ numbers: [Int], to list: inout [Int64]) { list += numbers.map { Int64($0) } }
        for task in schedule.tasks {
            guard schedule.ranges[task.ranges].contains(where: { !$0.isEmpty }) || task.stateOffset != nil else {
                forBlocks(of: task.rows, AcceleratorKernel.mergedRowsPerGroup) { rows in
                    append([task.batchItem, rows.lowerBound, rows.upperBound, 0, 0, 0], to: &merges)
                }
                continue
            }
            forBlocks(of: task.rows, kernel.rowsPerGroup) { rows in
                let state = task.stateOffset.map { $0 + rows.lowerBound - task.rows.lowerBound } ?? -1
                append(
                    [
                        task.batchItem, rows.lowerBound, rows.upperBound, task.ranges.lowerBound, task.ranges.upperBound, state,
                        task.positionBase,
                    ], to: &tasks)
            }
        }
        for merge in schedule.merges {
            forBlocks(of: merge.rows, AcceleratorKernel.mergedRowsPerGroup) { rows in
                let state = merge.stateOffset + rows.lowerBound - merge.rows.lowerBound
                append(
                    [merge.batchItem, rows.lowerBound, rows.upperBound, state, merge.rows.count, merge.partCount], to: &merges)
            }
        }
        if !tasks.isEmpty {
            let ranges = schedule.ranges.flatMap { [Int64($0.lowerBound), Int64($0.upperBound)] }
            let list = AcceleratorKernel.Tasks(
                count: tasks.count / 7, tasks: try table(tasks, memory), ranges: try table(ranges, memory))
            try kernel.reduce(arrays, tasks: list, states: states, firstPosition: columns.lowerBound, on: memory.queue)
        }
        if !merges.isEmpty {
            let list = (count: merges.count / 6, merges: try table(merges, memory))
            try kernel.merge(states, parts: 0, into: arrays, list: list, on: memory.queue)
        }
    }

    // MARK: Copies

    /// A table on the device. On a caller's stream it is one that is kept: a graph that is captured there can use it, and cannot copy.
    private func table(_ numbers: [Int64], _ memory: DeviceMemory) throws(EngineError) -> DeviceBuffer {
        if isOnDevice, let kept = try kernel.accelerator.keptTable(numbers) { return kept }
        return try memory.upload(numbers)
    }

    /// The inputs on the device: the caller's own, or copies of the points that this run takes.
    private func inputs(_ memory: DeviceMemory) throws(EngineError) -> [DeviceBuffer] {
        var buffers: [DeviceBuffer] = []
        for place in kernel.inputs.indices {
            let whole = binding.whole(place)
            if isOnDevice {
                buffers.append(
                    DeviceBuffer(handle: UInt(bitPattern: whole.base), byteCount: whole.itemCount * whole.itemByteCount))
                continue
            }
            if let residents, residents.contains(whole.base, byteCount: whole.itemCount * whole.itemByteCount) {
                let part = ResidentArrays.Part(
                    address: UInt(bitPattern: whole.base), itemCount: whole.itemCount, itemByteCount: itemByteCount(place),
                    skipped: skippedByteCount(place))
                buffers.append(
                    try residents.copy(of: part, on: kernel.accelerator) { memory throws(EngineError) in
                        try uploaded(place, memory)
                    })
            } else {
                buffers.append(try uploaded(place, memory))
            }
        }
        return buffers
    }

    /// Bytes before those points of a batch item of an input that this run takes.
    private func skippedByteCount(_ place: Int) -> Int { (points(of: place)?.lowerBound ?? 0) * pointByteCount(place) }

    /// A copy of the points of an input that this run takes.
    private func uploaded(_ place: Int, _ memory: DeviceMemory) throws(EngineError) -> DeviceBuffer {
        let whole = binding.whole(place)
        let bytes = itemByteCount(place)
        let buffer = try memory.allocate(whole.itemCount * bytes)
        // What lies together is copied at once.
        if bytes == whole.itemByteCount {
            try memory.queue.upload(whole.base, to: buffer, at: 0, byteCount: whole.itemCount * bytes)
            return buffer
        }
        for item in 0..<whole.itemCount {
            try memory.queue.upload(
                whole.base + item * whole.itemByteCount + skippedByteCount(place), to: buffer, at: item * bytes, byteCount: bytes)
        }
        return buffer
    }

    /// Numbers from each input's beginning to each batch item's.
    private var itemOffsets: [Int64] {
        (0..<binding.batchCount).flatMap { item in
            binding.offsets(item).enumerated().map { place, offset in
                let whole = binding.whole(place)
                guard !isOnDevice, whole.itemByteCount > 0 else { return Int64(offset / binding.type.byteCount) }
                return Int64(offset / whole.itemByteCount * itemByteCount(place) / binding.type.byteCount)
            }
        }
    }

    private func result(
        _ target: UnsafeMutableRawPointer?, _ rowByteCount: Int, _ memory: DeviceMemory
    ) throws(EngineError) -> DeviceBuffer? {
        let byteCount = binding.batchCount * rows.count * rowByteCount
        guard byteCount > 0 else { return nil }
        guard isOnDevice else { return try memory.allocate(byteCount) }
        return target.map { DeviceBuffer(handle: UInt(bitPattern: $0), byteCount: byteCount) }
    }

    private func download(
        _ arrays: AcceleratorKernel.Arrays, _ states: AcceleratorKernel.States?, _ queue: any AcceleratorQueue
    ) throws(EngineError) {
        switch output {
        case .results(let output):
            for item in 0..<binding.batchCount {
                try download(item, rows, from: arrays, item * rows.count, to: output, queue)
            }
        case .states(let target): try target.download(states, parts: plan.parts, queue)
        }
    }

    /// Copies rows of an item's result to where they belong.
    ///
    /// - Parameter place: the row of the buffers where they are.
    func download(
        _ item: Int, _ rows: Range<Int>, from arrays: AcceleratorKernel.Arrays, _ place: Int, to output: Output,
        _ queue: any AcceleratorQueue
    ) throws(EngineError) {
        let first = item * binding.rowCount + rows.lowerBound
        let valueBytes = kernel.reduction.valueCount * binding.type.byteCount
        if let source = arrays.values, let target = output.values {
            try queue.download(
                source, at: place * valueBytes, to: target + first * valueBytes, byteCount: rows.count * valueBytes)
        }
        let indexBytes = kernel.reduction.indexCount * 8
        if let source = arrays.indices, let target = output.indices {
            try queue.download(
                source, at: place * indexBytes, to: UnsafeMutableRawPointer(target) + first * indexBytes,
                byteCount: rows.count * indexBytes)
        }
    }
}

/// States of all batch items and rows over some of the columns, copied from a device: another device has other columns.
final class DownloadedStates {
    let rowCount: Int
    private let kernel: AcceleratorKernel
    private let itemCount: Int
    private var partCount = 0
    private let precision: Precision
    private var values: [UInt8] = []
    private var positions: [Int64] = []

    init(rows: Int, items: Int, of kernel: AcceleratorKernel) {
        (rowCount, itemCount, self.kernel) = (rows, items, kernel)
        precision = kernel.precision
    }

    func download(_ states: AcceleratorKernel.States?, parts: Int, _ queue: any AcceleratorQueue) throws(EngineError) {
        guard let states else { return }
        partCount = parts
        let rows = itemCount * parts * rowCount
        values = [UInt8](repeating: 0, count: rows * kernel.stateValueByteCount)
        positions = [Int64](repeating: 0, count: rows * kernel.stateCount.positions)
        let valueBytes = values.count
        let positionBytes = positions.count * 8
        // Finished here, while the arrays stay where they are.
        var failure: EngineError?
        values.withUnsafeMutableBytes { values in
            positions.withUnsafeMutableBytes { positions in
                do throws(EngineError) {
                    if let target = values.baseAddress {
                        try queue.download(states.values, at: 0, to: target, byteCount: valueBytes)
                    }
                    if let source = states.positions, let target = positions.baseAddress {
                        try queue.download(source, at: 0, to: target, byteCount: positionBytes)
                    }
                    try queue.finish()
                } catch { failure = error }
            }
        }
        if let failure { throw failure }
    }

    /// The state of a row joins another, of columns before.
    func merge(item: Int, row: Int, into state: inout AccumulatorState) {
        let count = kernel.stateCount
        for part in 0..<partCount {
            let place = (item * partCount + part) * rowCount + row
            let numbers = values.withUnsafeBytes { bytes in
                precision.accumulator.load(bytes.baseAddress!, place * count.values, count: count.values)
            }
            let own = Array(positions[place * count.positions..<(place + 1) * count.positions])
            kernel.reduction.merge(AccumulatorState(values: numbers, positions: own), into: &state)
        }
    }
}
