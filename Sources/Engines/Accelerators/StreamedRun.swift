import Kernels

/// A run whose arrays are larger than the device's memory, or than may be taken of it: pieces of rows and columns pass through.
///
/// Two queues take turns, so that one copies while the other computes. With all columns on the device the turns are pieces of rows; else
/// they are pieces of columns, whose states are merged when the last has come.
struct StreamedRun {
    private let run: AcceleratorRun
    private let rowsPerPiece: Int
    private let columnsPerPiece: Int
    /// Parts that each piece of columns is cut into.
    private let partCount: Int
    let peakByteCount: Int

    private var kernel: AcceleratorKernel { run.kernel }
    private var binding: Binding { run.binding }
    private var columnPieces: [Range<Int>] { Self.pieces(of: run.columns, columnsPerPiece) }
    private var rowPieces: [Range<Int>] { Self.pieces(of: run.rows, rowsPerPiece) }

    private static func pieces(of range: Range<Int>, _ length: Int) -> [Range<Int>] {
        stride(from: range.lowerBound, to: range.upperBound, by: length).map { $0..<min($0 + length, range.upperBound) }
    }

    /// - Parameter all: bytes of the device's memory that it may take.
    /// - Throws: where not even small pieces fit, or the call cannot be cut.
    init(_ run: AcceleratorRun, room all: Int) throws(EngineError) {
        self.run = run
        let kernel = run.kernel
        func refused(_ what: String) -> EngineError {
            EngineError(
                "\(what) takes more of \(kernel.accelerator.properties.name)'s memory than the \(all) bytes that it may."
            )
        }
        guard run.sparsity == nil else { throw refused("A block-sparse call, which is not cut,") }
        guard case .results = run.output else { throw refused("A part of the columns") }
        func byteCount(_ role: Kernel.Role) -> Int {
            kernel.inputs.indices.reduce(0) { $0 + (kernel.inputs[$1].role == role ? run.pointByteCount($1) : 0) }
        }
        let parameters = byteCount(.parameter) + 2 * kernel.centreByteCount
        let room = all - parameters
        let columnBytes = byteCount(.column) + kernel.columnTableByteCount
        let rowBytes = byteCount(.row) + run.resultByteCount + kernel.rowTableByteCount
        let stateBytes = kernel.stateValueByteCount + kernel.statePositionByteCount

        // Half of the room is for columns, of which two pieces are there at a time unless one is all; half for rows.
        let mostColumns = room / 2 / max(1, columnBytes)
        columnsPerPiece =
            mostColumns >= run.columns.count ? max(1, run.columns.count) : Self.wholeBlocks(mostColumns / 2, 256)
        guard columnsPerPiece > 0 else { throw refused("A pair of points") }
        let pieceCount = (run.columns.count + columnsPerPiece - 1) / columnsPerPiece
        let isByRows = pieceCount <= 1
        partCount = (columnsPerPiece + AcceleratorKernel.longestPart - 1) / AcceleratorKernel.longestPart
        let hasStates = pieceCount * partCount > 1
        let bytesPerRow = rowBytes + (hasStates ? pieceCount * partCount * stateBytes : 0)
        let mostRows = room / 2 / (isByRows ? 2 : 1) / max(1, bytesPerRow)
        rowsPerPiece = mostRows >= run.rows.count ? max(1, run.rows.count) : Self.wholeBlocks(mostRows, kernel.rowsPerGroup)
        guard rowsPerPiece > 0 else { throw refused("A row") }
        peakByteCount =
            parameters + columnsPerPiece * columnBytes * (isByRows ? 1 : 2) + rowsPerPiece * bytesPerRow * (isByRows ? 2 : 1)
    }

    /// Whole blocks, where there is room for one.
    private static func wholeBlocks(_ count: Int, _ block: Int) -> Int { count < block ? count : count / block * block }

    func carryOut() throws(EngineError) {
        for item in 0..<binding.batchCount {
            let turns = [try Turn(of: self), try Turn(of: self)]
            do throws(EngineError) {
                if columnPieces.count == 1 {
                    try streamRows(of: item, turns)
                } else {
                    try streamColumns(of: item, turns)
                }
            } catch {
                // Each may still compute with the other's memory, and write to the caller's, which is given back now.
                for turn in turns { try? turn.queue.finish() }
                throw error
            }
        }
    }

    /// A queue with memory of its own.
    private final class Turn {
        let queue: any AcceleratorQueue
        let memory: DeviceMemory
        /// The inputs' buffers, by place, of the points that pass through this turn.
        var buffers: [Int: DeviceBuffer] = [:]
        let rowTable: DeviceBuffer?
        let centre: DeviceBuffer?

        init(of run: StreamedRun) throws(EngineError) {
            queue = try run.kernel.accelerator.queue(stream: nil)
            memory = DeviceMemory(queue)
            centre = try memory.allocateIfAny(run.kernel.centreByteCount)
            rowTable = try memory.allocateIfAny(run.rowsPerPiece * run.kernel.rowTableByteCount)
        }
    }

    /// Copies points of an item of the inputs of a role; their buffers are made for pieces of `capacity` points.
    private func upload(
        _ role: Kernel.Role, _ points: Range<Int>, capacity: Int, of item: Int, to turn: Turn
    ) throws(EngineError) {
        let pointers = binding.pointers(item)
        for place in kernel.inputs.indices where kernel.inputs[place].role == role {
            let bytes = run.pointByteCount(place)
            if turn.buffers[place] == nil { turn.buffers[place] = try turn.memory.allocate(capacity * bytes) }
            try turn.queue.upload(
                pointers[place] + points.lowerBound * bytes, to: turn.buffers[place]!, at: 0, byteCount: points.count * bytes)
        }
    }

    private func arrays(_ buffers: [Int: DeviceBuffer], rows: Int, columns: Int) -> AcceleratorKernel.Arrays {
        AcceleratorKernel.Arrays(items: 1, rows: rows, columns: columns, inputs: kernel.inputs.indices.map { buffers[$0] })
    }

    private func result(rows: Int, _ turn: Turn) throws(EngineError) -> (values: DeviceBuffer?, indices: DeviceBuffer?) {
        (
            try turn.memory.allocateIfAny(rows * kernel.reduction.valueCount * binding.type.byteCount),
            try turn.memory.allocateIfAny(rows * kernel.reduction.indexCount * 8)
        )
    }

    // MARK: Pieces of rows

    private func streamRows(of item: Int, _ turns: [Turn]) throws(EngineError) {
        guard case .results(let output) = run.output else { return }
        let home = turns[0]
        try upload(.column, run.columns, capacity: columnsPerPiece, of: item, to: home)
        try upload(.parameter, 0..<1, capacity: 1, of: item, to: home)
        let table = try home.memory.allocateIfAny(columnsPerPiece * kernel.columnTableByteCount)
        let shared = home.buffers
        var tabulated = arrays(shared, rows: 0, columns: run.columns.count)
        (tabulated.table, tabulated.centre) = (table, home.centre)
        try kernel.tabulate(tabulated, on: home.queue)
        try turns[1].queue.wait(for: home.queue)

        var results: [Int: (values: DeviceBuffer?, indices: DeviceBuffer?)] = [:]
        var states: [Int: AcceleratorKernel.States] = [:]
        var pending: [Int: Range<Int>] = [:]
        func collect(_ number: Int) throws(EngineError) {
            guard let rows = pending.removeValue(forKey: number) else { return }
            var finished = arrays(shared.merging(turns[number].buffers) { $1 }, rows: rows.count, columns: 0)
            (finished.values, finished.indices) = results[number]!
            try run.download(item, rows, from: finished, 0, to: output, turns[number].queue)
            try turns[number].queue.finish()
            run.progress?(saturatingProduct(rows.count, run.columns.count))
        }
        for (count, rows) in rowPieces.enumerated() {
            let number = count % 2
            let turn = turns[number]
            try collect(number)
            if results[number] == nil {
                results[number] = try result(rows: rowsPerPiece, turn)
                if partCount > 1 {
                    states[number] = AcceleratorKernel.States(
                        values: try turn.memory.allocate(partCount * rowsPerPiece * kernel.stateValueByteCount),
                        positions: try turn.memory.allocateIfAny(partCount * rowsPerPiece * kernel.statePositionByteCount))
                }
            }
            try upload(.row, rows, capacity: rowsPerPiece, of: item, to: turn)
            var piece = arrays(shared.merging(turn.buffers) { $1 }, rows: rows.count, columns: run.columns.count)
            (piece.table, piece.centre) = (table, home.centre)
            piece.rowTable = turn.rowTable
            (piece.values, piece.indices) = results[number]!
            try reduce(piece, states[number], run.columns.lowerBound, turn.queue)
            if let states = states[number] { try kernel.merge(states, parts: partCount, into: piece, on: turn.queue) }
            pending[number] = rows
        }
        for number in [rowPieces.count % 2, (rowPieces.count + 1) % 2] { try collect(number) }
    }

    private func reduce(
        _ piece: AcceleratorKernel.Arrays, _ states: AcceleratorKernel.States?, _ firstPosition: Int,
        _ queue: any AcceleratorQueue
    ) throws(EngineError) {
        let length = (max(1, piece.columns) + partCount - 1) / partCount
        try kernel.reduce(
            piece, parts: partCount, partLength: length, states: states, firstPosition: firstPosition, on: queue)
    }

    // MARK: Pieces of columns

    private func streamColumns(of item: Int, _ turns: [Turn]) throws(EngineError) {
        guard case .results(let output) = run.output else { return }
        let home = turns[0]
        let results = try result(rows: rowsPerPiece, home)
        let partTotal = columnPieces.count * partCount
        var states = AcceleratorKernel.States(
            values: try home.memory.allocate(partTotal * rowsPerPiece * kernel.stateValueByteCount),
            positions: try home.memory.allocateIfAny(partTotal * rowsPerPiece * kernel.statePositionByteCount))
        for turn in turns { try upload(.parameter, 0..<1, capacity: 1, of: item, to: turn) }
        let tables = try turns.map { turn throws(EngineError) -> DeviceBuffer? in
            try turn.memory.allocateIfAny(columnsPerPiece * kernel.columnTableByteCount)
        }
        for rows in rowPieces {
            try upload(.row, rows, capacity: rowsPerPiece, of: item, to: home)
            let shared = home.buffers.filter { kernel.inputs[$0.key].role == .row }
            try turns[1].queue.wait(for: home.queue)
            for (number, columns) in columnPieces.enumerated() {
                let turn = turns[number % 2]
                try upload(.column, columns, capacity: columnsPerPiece, of: item, to: turn)
                var piece = arrays(shared.merging(turn.buffers) { $1 }, rows: rows.count, columns: columns.count)
                (piece.table, piece.centre) = (tables[number % 2], turn.centre)
                piece.rowTable = turn.rowTable
                try kernel.tabulate(piece, on: turn.queue)
                states.first = number * partCount * rows.count
                try reduce(piece, states, columns.lowerBound, turn.queue)
            }
            try home.queue.wait(for: turns[1].queue)
            var finished = arrays(shared.merging(home.buffers) { $1 }, rows: rows.count, columns: 0)
            (finished.values, finished.indices) = results
            states.first = 0
            try kernel.merge(states, parts: partTotal, into: finished, on: home.queue)
            try run.download(item, rows, from: finished, 0, to: output, home.queue)
            try home.queue.finish()
            run.progress?(saturatingProduct(rows.count, run.columns.count))
        }
    }
}
