import Formulas
import Kernels
import Synchronization

/// Where a call's result goes.
struct Output: @unchecked Sendable {
    var values: UnsafeMutableRawPointer?
    var indices: UnsafeMutablePointer<Int64>?

    /// The part of a batch item.
    func item(_ number: Int, rows: Int, of reduction: Reduction, _ type: ScalarType) -> Output {
        Output(
            values: values.map { $0 + number * rows * reduction.valueCount * type.byteCount },
            indices: indices.map { $0 + number * rows * reduction.indexCount })
    }

    /// Stores the result of a row.
    func store(_ result: (values: [Double], indices: [Int64]), _ row: Int, of reduction: Reduction, _ type: ScalarType) {
        if let values {
            for (k, value) in result.values.enumerated() { type.store(value, values, row * reduction.valueCount + k) }
        }
        if let indices {
            for (k, index) in result.indices.enumerated() { indices[row * reduction.indexCount + k] = index }
        }
    }
}

/// One call: its schedule carried out on an engine.
struct Run {
    let reduction: Reduction
    let binding: Binding
    let sparsity: BlockSparsity
    let threads: Int
    let progress: (@Sendable (Int, Int) -> Void)?
    let output: Output

    /// - Returns: how many pairs were evaluated.
    func onProcessor(_ kernel: CPUKernel) -> Int {
        let schedule = schedule(rowsPerBlock: kernel.rowsPerBlock)
        let tables = tabulate(kernel)
        defer { tables?.deallocate() }
        let tableBytes = kernel.columnTableBytes(binding.columnCount)
        carryOut(schedule) { task, states in
            // Kernels may multiply the sum by a factor, and an infinite one would spoil the sum of nothing.
            guard task.stateOffset != nil || schedule.ranges[task.ranges].contains(where: { !$0.isEmpty }) else {
                let nothing = reduction.finish(reduction.identityState)
                for row in task.rows { store(nothing, batchItem: task.batchItem, row: row) }
                return
            }
            let output: CPUKernel.Output =
                if let offset = task.stateOffset {
                    .states(values: states.values(offset), positions: states.positions(offset))
                } else {
                    .results(values: values(task.batchItem), indices: indices(task.batchItem))
                }
            kernel.reduce(
                task.rows, over: schedule.ranges[task.ranges], positionBase: task.positionBase,
                inputs: binding.pointers(task.batchItem), table: tables.map { $0 + task.batchItem * tableBytes }, into: output)
        }
        return schedule.pairCount
    }

    /// - Returns: how many pairs were evaluated.
    func onInterpreter() -> Int {
        let schedule = schedule(rowsPerBlock: 1)
        let interpreter = Interpreter(reduction: reduction, type: binding.type)
        carryOut(schedule) { task, states in
            interpreter.reduce(
                task.rows, over: schedule.ranges[task.ranges], inputs: binding.pointers(task.batchItem)
            ) { row, state in
                if let offset = task.stateOffset {
                    states.set(offset + row - task.rows.lowerBound, state)
                } else {
                    store(reduction.finish(state), batchItem: task.batchItem, row: row)
                }
            }
        }
        return schedule.pairCount
    }

    private func schedule(rowsPerBlock: Int) -> Schedule {
        Schedule(
            sparsity, rows: binding.rowCount, columns: binding.columnCount, batchCount: binding.batchCount,
            rowsPerBlock: rowsPerBlock, threads: threads)
    }

    // MARK: Tasks

    private func carryOut(_ schedule: Schedule, _ body: (Schedule.Task, StateTable) -> Void) {
        let states = StateTable(rows: schedule.stateRowCount, reduction: reduction)
        defer { states.deallocate() }
        let done = Atomic(0)
        ThreadPool.shared.run(count: schedule.tasks.count, threads: threads) { number in
            let task = schedule.tasks[number]
            body(task, states)
            if let progress {
                let pairs = saturatingProduct(task.rows.count, schedule.ranges[task.ranges].reduce(0) { $0 + $1.count })
                progress(done.wrappingAdd(pairs, ordering: .relaxed).newValue, schedule.pairCount)
            }
        }
        ThreadPool.shared.run(count: schedule.merges.count, threads: threads) { number in
            let merge = schedule.merges[number]
            for row in merge.rows {
                let first = merge.stateOffset + row - merge.rows.lowerBound
                var state = reduction.identityState
                for part in 0..<merge.partCount { reduction.merge(states[first + part * merge.rows.count], into: &state) }
                store(reduction.finish(state), batchItem: merge.batchItem, row: row)
            }
        }
    }

    /// The column tables of all batch items, filled; nil where the kernel has none.
    private func tabulate(_ kernel: CPUKernel) -> UnsafeMutableRawPointer? {
        let bytes = kernel.columnTableBytes(binding.columnCount)
        guard bytes > 0, binding.batchCount > 0 else { return nil }
        let tables = Output(
            values: UnsafeMutableRawPointer.allocate(byteCount: bytes * binding.batchCount, alignment: 64), indices: nil)
        for item in 0..<binding.batchCount {
            kernel.findCentre(
                columns: binding.columnCount, inputs: binding.pointers(item), table: tables.values! + item * bytes)
        }
        let columnsPerTask = 4_096
        let tasksPerItem = (binding.columnCount + columnsPerTask - 1) / columnsPerTask
        ThreadPool.shared.run(count: tasksPerItem * binding.batchCount, threads: threads) { number in
            let (item, part) = number.quotientAndRemainder(dividingBy: tasksPerItem)
            let first = part * columnsPerTask
            kernel.tabulate(
                first..<min(first + columnsPerTask, binding.columnCount), inputs: binding.pointers(item),
                table: tables.values! + item * bytes)
        }
        return tables.values
    }

    // MARK: Results

    private func values(_ batchItem: Int) -> UnsafeMutableRawPointer? {
        output.item(batchItem, rows: binding.rowCount, of: reduction, binding.type).values
    }

    private func indices(_ batchItem: Int) -> UnsafeMutablePointer<Int64>? {
        output.item(batchItem, rows: binding.rowCount, of: reduction, binding.type).indices
    }

    private func store(_ result: (values: [Double], indices: [Int64]), batchItem: Int, row: Int) {
        output.store(result, batchItem * binding.rowCount + row, of: reduction, binding.type)
    }
}

/// States of rows whose columns were split.
struct StateTable: @unchecked Sendable {
    private let valueCount: Int
    private let positionCount: Int
    private let values: UnsafeMutablePointer<Double>
    private let positions: UnsafeMutablePointer<Int64>

    init(rows: Int, reduction: Reduction) {
        // Most calls have no rows here, and need not ask what a state is.
        let identity = rows > 0 ? reduction.identityState : AccumulatorState(values: [], positions: [])
        (valueCount, positionCount) = (identity.values.count, identity.positions.count)
        values = .allocate(capacity: max(1, rows * valueCount))
        positions = .allocate(capacity: max(1, rows * positionCount))
    }

    func deallocate() {
        values.deallocate()
        positions.deallocate()
    }

    func values(_ row: Int) -> UnsafeMutablePointer<Double> { values + row * valueCount }
    func positions(_ row: Int) -> UnsafeMutablePointer<Int64> { positions + row * positionCount }

    subscript(row: Int) -> AccumulatorState {
        AccumulatorState(
            values: Array(UnsafeBufferPointer(start: values(row), count: valueCount)),
            positions: Array(UnsafeBufferPointer(start: positions(row), count: positionCount)))
    }

    func set(_ row: Int, _ state: AccumulatorState) {
        for (k, value) in state.values.enumerated() { values(row)[k] = value }
        for (k, position) in state.positions.enumerated() { positions(row)[k] = position }
    }
}
