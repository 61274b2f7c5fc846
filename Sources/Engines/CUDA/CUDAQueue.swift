/// A stream, and the memory that was taken in its order.
///
/// On a stream that captures a graph, what is launched, taken and given back goes into the graph. Copies from and to the host are refused there:
/// the graph would read and write the host's memory when it runs, long after the caller's array is gone.
final class CUDAQueue: AcceleratorQueue {
    let context: CUDAContext
    let stream: UInt
    /// Where the stream is from; nil for a stream of the caller's.
    private let streams: CUDAStreams?
    /// What was allocated here and not released.
    private var allocated: Set<UInt> = []
    /// What was released and waits for the stream to finish, on devices without memory pools.
    private var retired: [UInt] = []
    /// Whether the host's memory may still be written to.
    private var isDownloading = false

    private var driver: CUDADriver { context.driver }
    private var pool: CUDADriver.Pool? { context.description.hasMemoryPools ? driver.pool : nil }

    /// - Parameters:
    ///   - stream: a `CUstream`; 0 is the default stream. It must outlive the queue.
    ///   - streams: where it goes back to in the end, if it was taken there.
    init(context: CUDAContext, stream: UInt, returningTo streams: CUDAStreams? = nil) {
        self.context = context
        self.stream = stream
        self.streams = streams
    }

    deinit {
        for address in allocated { free(address) }
        // The second is after failures only: the caller's array may be gone once we have returned.
        if !retired.isEmpty || isDownloading {
            context.tidy {
                // Memory is rather lost than a graph being captured spoiled, or memory pulled away from a kernel.
                guard let isCapturing = try? context.isCapturing(stream), !isCapturing else { return }
                if driver.cuStreamSynchronize(stream) == 0 { freeRetired() }
            }
        }
        streams?.giveBack(stream)
    }

    // MARK: Memory

    func allocate(_ byteCount: Int) throws(EngineError) -> DeviceBuffer {
        guard byteCount > 0 else { return DeviceBuffer(handle: 0, byteCount: 0) }
        let address = try context.use { () throws(EngineError) in
            var address: UInt = 0
            let status: Int32
            if let pool {
                status = pool.cuMemAllocAsync(&address, byteCount, stream)
            } else {
                try refuseCapturing("\(context.name) has no memory pools, so memory cannot be taken")
                status = driver.relaxingCapture { driver.cuMemAlloc(&address, byteCount) }
            }
            try driver.check(status, allocationFailure(byteCount, status))
            return address
        }
        allocated.insert(address)
        return DeviceBuffer(handle: address, byteCount: byteCount)
    }

    func release(_ buffer: DeviceBuffer) {
        if allocated.remove(buffer.handle) != nil { free(buffer.handle) }
    }

    private func free(_ address: UInt) {
        if let pool {
            context.tidy { _ = pool.cuMemFreeAsync(address, stream) }
        } else {
            retired.append(address)
        }
    }

    /// After the stream has finished: freeing earlier would wait for the whole device.
    private func freeRetired() {
        for address in retired { _ = driver.relaxingCapture { driver.cuMemFree(address) } }
        retired = []
    }

    private func allocationFailure(_ byteCount: Int, _ status: Int32) -> String {
        let failure = "CUDA does not give \(byteCount) bytes of memory on \(context.name)"
        var (free, total) = (0, 0)
        guard status == CUDADriver.Status.outOfMemory, driver.cuMemGetInfo(&free, &total) == 0 else { return failure }
        return "\(failure), where \(free) of \(total) are free"
    }

    // MARK: Copies

    func upload(
        _ source: UnsafeRawPointer, to buffer: DeviceBuffer, at offset: Int, byteCount: Int
    ) throws(EngineError) {
        guard byteCount > 0 else { return }
        try requireRoom(in: buffer, at: offset, byteCount: byteCount)
        try context.use { () throws(EngineError) in
            try refuseCapturing("numbers cannot be copied from the host")
            // Pinned memory, and on some machines any memory, is read only when the copy's turn comes. A table on a caller's stream, where other
            // work may be ahead, is not waited for.
            let isCopied = streams == nil && byteCount <= Self.largestCopiedTable
            let source = isCopied ? Self.copy(of: source, byteCount) : source
            let status = driver.cuMemcpyHtoDAsync(buffer.handle + UInt(offset), source, byteCount, stream)
            if isCopied { freeInTurn(UnsafeMutableRawPointer(mutating: source)) } else if status == 0 { try synchronize() }
            try driver.check(status, "CUDA does not copy \(byteCount) bytes to \(context.name)")
        }
    }

    private static let largestCopiedTable = 1 << 20

    private static func copy(of source: UnsafeRawPointer, _ byteCount: Int) -> UnsafeRawPointer {
        let copy = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
        copy.copyMemory(from: source, byteCount: byteCount)
        return UnsafeRawPointer(copy)
    }

    /// Frees memory of the host's when the stream has come so far. Where that cannot be arranged the stream is broken, and may read it for ever.
    private func freeInTurn(_ memory: UnsafeMutableRawPointer) {
        _ = driver.cuLaunchHostFunc(stream, { $0?.deallocate() }, memory)
    }

    func download(
        _ buffer: DeviceBuffer, at offset: Int, to target: UnsafeMutableRawPointer, byteCount: Int
    ) throws(EngineError) {
        guard byteCount > 0 else { return }
        try requireRoom(in: buffer, at: offset, byteCount: byteCount)
        try context.use { () throws(EngineError) in
            try refuseCapturing("numbers cannot be copied to the host")
            let status = driver.cuMemcpyDtoHAsync(target, buffer.handle + UInt(offset), byteCount, stream)
            try driver.check(status, "CUDA does not copy \(byteCount) bytes from \(context.name)")
            isDownloading = true
        }
    }

    private func requireRoom(in buffer: DeviceBuffer, at offset: Int, byteCount: Int) throws(EngineError) {
        guard offset >= 0, byteCount <= buffer.byteCount - offset else {
            throw EngineError(
                "A copy of \(byteCount) bytes at \(offset) leaves memory of \(buffer.byteCount) bytes on \(context.name).")
        }
    }

    // MARK: Order

    func wait(for other: any AcceleratorQueue) throws(EngineError) {
        guard let other = other as? CUDAQueue else {
            throw EngineError("A queue of \(context.name) cannot wait for one that is not CUDA's.")
        }
        if other.context === context && other.stream == stream { return }
        let failure = "CUDA does not put one stream of \(context.name) after another"
        // The driver keeps an event that was destroyed until its last use is over.
        let event = try other.context.use { () throws(EngineError) in
            var event: UInt = 0
            try driver.check(driver.cuEventCreate(&event, CUDADriver.untimedEvent), failure)
            return event
        }
        defer { other.context.tidy { _ = driver.cuEventDestroy(event) } }
        try other.context.use { () throws(EngineError) in
            try driver.check(driver.cuEventRecord(event, other.stream), failure)
        }
        try context.use { () throws(EngineError) in
            try driver.check(driver.cuStreamWaitEvent(stream, event, 0), failure)
        }
    }

    func finish() throws(EngineError) {
        try context.use { () throws(EngineError) in
            try refuseCapturing("its end cannot be waited for")
            try synchronize()
            isDownloading = false
            freeRetired()
        }
    }

    /// The caller's next work on the stream comes after ours.
    func leave() {}

    private func synchronize() throws(EngineError) {
        try driver.check(driver.cuStreamSynchronize(stream), "A kernel or a copy failed on \(context.name)")
    }

    private func refuseCapturing(_ impossibility: String) throws(EngineError) {
        if try context.isCapturing(stream) {
            throw EngineError("A CUDA graph is being captured on this stream, and \(impossibility) meanwhile.")
        }
    }
}
