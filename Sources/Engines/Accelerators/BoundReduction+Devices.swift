import Formulas
import Kernels
import Synchronization

// Calls on accelerators: rows are split over the devices, or columns, where rows are few.
extension BoundReduction {
    /// Bytes of memory that a run takes of each of the options' devices at most; the caller's own arrays there are not counted.
    ///
    /// - Throws: where a device is not there, or the call does not fit.
    public func deviceMemory(options: ExecutionOptions) throws -> [Int] {
        var options = options
        options.devices = try options.chosenDevices
        return try deviceRuns(options, Output(values: nil, indices: nil)).runs.map { try $0.peakByteCount }
    }

    /// Runs on the options' devices.
    func runOnDevices(_ options: ExecutionOptions, _ output: Output) throws {
        let (runs, states) = try deviceRuns(options, output)
        if runs.count == 1 { return try runs[0].carryOut() }
        var failures = [EngineError?](repeating: nil, count: runs.count)
        failures.withUnsafeMutableBufferPointer { failures in
            // Each iteration writes an entry of its own.
            nonisolated(unsafe) let failures = failures
            ThreadPool.shared.run(count: runs.count, threads: runs.count) { number in
                do throws(EngineError) { try runs[number].carryOut() } catch { failures[number] = error }
            }
        }
        if let failure = failures.compactMap({ $0 }).first { throw failure }
        if !states.isEmpty { merge(states, into: output) }
    }

    private func deviceRuns(
        _ options: ExecutionOptions, _ output: Output
    ) throws -> (runs: [AcceleratorRun], states: [DownloadedStates]) {
        let devices = options.devices
        guard Set(devices).count == devices.count else {
            throw BindingError("A call names each device once; \(devices.map(\.description).joined(separator: ", ")) came.")
        }
        _ = try options.arrayDevice()
        if let limit = options.deviceMemoryLimit, limit <= 0 {
            throw BindingError("A limit of the device's memory is more than 0 bytes; \(limit) came.")
        }
        let kernels = try devices.map { try compiled.acceleratorKernel(for: binding, options, on: $0) }
        var states: [DownloadedStates] = []
        let progress = options.progress.map { report in
            let total = [binding.batchCount, binding.rowCount, binding.columnCount].reduce(1, saturatingProduct)
            let done = Counter()
            return { @Sendable (pairs: Int) in report(min(total, done.add(pairs)), total) }
        }
        let splitsColumns =
            binding.rowCount < devices.count * kernels[0].rowsPerGroup && binding.columnCount >= devices.count * 1_024
            && options.sparsity == nil
        let runs = kernels.enumerated().map { number, kernel in
            func share(_ count: Int) -> Range<Int> { count * number / kernels.count..<count * (number + 1) / kernels.count }
            let rows = splitsColumns ? 0..<binding.rowCount : share(binding.rowCount)
            var destination = AcceleratorRun.Destination.results(output)
            if splitsColumns, kernels.count > 1 {
                states.append(DownloadedStates(rows: binding.rowCount, items: binding.batchCount, of: kernel))
                destination = .states(states[number])
            }
            return AcceleratorRun(
                kernel: kernel, binding: binding, sparsity: options.sparsity?.restricted(toRows: rows), memory: options.memory,
                rows: rows, columns: splitsColumns ? share(binding.columnCount) : 0..<binding.columnCount,
                memoryLimit: options.deviceMemoryLimit, residents: options.residents, output: destination, progress: progress)
        }
        return (runs.filter { !$0.rows.isEmpty }, states)
    }

    /// Makes results of the states that the devices have of all rows, in order of their columns.
    private func merge(_ states: [DownloadedStates], into output: Output) {
        let reduction = compiled.reduction
        for item in 0..<binding.batchCount {
            for row in 0..<binding.rowCount {
                var state = reduction.identityState
                for part in states { part.merge(item: item, row: row, into: &state) }
                output.store(
                    reduction.finish(state), item * binding.rowCount + row, of: reduction, binding.type)
            }
        }
    }
}

/// A number that threads add to.
private final class Counter: Sendable {
    private let value = Atomic(0)

    /// - Returns: the sum so far.
    func add(_ number: Int) -> Int { value.wrappingAdd(number, ordering: .relaxed).newValue }
}

extension BlockSparsity {
    /// The same for some rows only, which count from the first of them.
    func restricted(toRows rows: Range<Int>) -> BlockSparsity {
        BlockSparsity(
            patterns: patterns.map { pattern in
                var restricted = pattern
                restricted.rowRanges = pattern.rowRanges.map { range in
                    let kept = range.clamped(to: rows)
                    return kept.lowerBound - rows.lowerBound..<kept.upperBound - rows.lowerBound
                }
                return restricted
            })
    }
}
