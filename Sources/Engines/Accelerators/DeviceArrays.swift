import Kernels

/// Arrays in the memory of a device, taken and given back in the order of a queue. Nothing here waits for the queue but `onHost`.
final class DeviceArrays: ExpressionArrays {
    let accelerator: any Accelerator
    private let queue: any AcceleratorQueue
    let memory: DeviceMemory
    private var downloaded: [UnsafeMutableRawPointer] = []

    init(_ queue: any AcceleratorQueue, on accelerator: any Accelerator) {
        (self.queue, self.accelerator) = (queue, accelerator)
        memory = DeviceMemory(queue)
    }

    deinit {
        for copy in downloaded { copy.deallocate() }
    }

    /// A handle of the device's, which the host must not look behind.
    func allocate(_ byteCount: Int) throws -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: try memory.allocate(max(1, byteCount)).handle)!
    }

    func onHost(_ base: UnsafeRawPointer, byteCount: Int) throws -> UnsafeRawPointer {
        let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, byteCount), alignment: 64)
        downloaded.append(copy)
        try queue.download(DeviceBuffer(base, byteCount), at: 0, to: copy, byteCount: byteCount)
        try queue.finish()
        return UnsafeRawPointer(copy)
    }

    // MARK: Totals

    /// The first terms are added up in wider numbers, in memory of their own; the last completes the target.
    func store(totalOf terms: [InputArray], _ type: ScalarType, shape: [Int], to target: UnsafeMutableRawPointer) throws {
        let count = shape.reduce(1, *)
        guard count > 0 else { return }
        let result = DeviceBuffer(UnsafeRawPointer(target), count * type.byteCount)
        guard !terms.isEmpty else {
            let nothing = TotalTerm([0, 1], in: [count])
            return try add(nil, nothing, type, Launch(count: count, total: result))
        }
        let totals = terms.count > 1 ? try memory.allocate(count * wide.byteCount) : nil
        for (number, term) in terms.enumerated() {
            let isLast = number == terms.count - 1
            try add(
                DeviceBuffer(term.base, term.shape.reduce(type.byteCount, *)), TotalTerm(term.shape, in: shape), type,
                Launch(
                    count: count, before: number > 0 ? totals : nil, after: isLast ? nil : totals, total: isLast ? result : nil))
        }
    }

    var wide: ScalarType { accelerator.properties.hasFloat64 ? .float64 : .float32 }

    /// What a launch adds to, and where the sums go.
    private struct Launch {
        var count: Int
        var before: DeviceBuffer?
        var after: DeviceBuffer?
        var total: DeviceBuffer?
        var parts = 1
    }

    /// Long sums are cut into parts, which are added up afterwards, so that the device has enough to do.
    private func add(_ array: DeviceBuffer?, _ term: TotalTerm, _ type: ScalarType, _ launch: Launch) throws {
        let busy = accelerator.properties.unitCount * Self.threadsPerUnit / launch.count
        let parts = min(term.summedCount / Self.shortestPart, busy)
        guard parts > 1 else { return try start(array, term, type, readsTotals: false, launch) }
        let sums = try memory.allocate(parts * launch.count * wide.byteCount)
        try start(array, term, type, readsTotals: false, Launch(count: launch.count, after: sums, parts: parts))
        try start(sums, TotalTerm([parts, launch.count], in: [1, launch.count]), type, readsTotals: true, launch)
    }

    private static let threadsPerUnit = 512
    private static let shortestPart = 64

    private func start(
        _ array: DeviceBuffer?, _ term: TotalTerm, _ type: ScalarType, readsTotals: Bool, _ launch: Launch
    ) throws {
        let source = TotalSource(
            language: accelerator.properties.target.language, storage: type, usesFloat64: wide == .float64,
            readsTotals: readsTotals,
            keptAxes: term.kept.count, summedAxes: term.summed.count)
        let threads = launch.count * launch.parts
        try accelerator.program(source.text).launch(
            TotalSource.entry, groups: (threads + TotalSource.threads - 1) / TotalSource.threads, threads: TotalSource.threads,
            arguments: [.buffer(array), .buffer(launch.before), .buffer(launch.after), .buffer(launch.total)]
                + [launch.count, term.summedCount, launch.parts].map { .number($0) }
                + (term.kept + term.summed).flatMap { [.number($0.length), .number($0.stride)] },
            on: queue)
    }
}

extension DeviceBuffer {
    /// An array of the caller's.
    init(_ base: UnsafeRawPointer, _ byteCount: Int) {
        self.init(handle: UInt(bitPattern: base), byteCount: byteCount)
    }
}
