/// The device memory of one call: given back to the queue when the call is over, however it ends.
final class DeviceMemory {
    let queue: any AcceleratorQueue
    private var buffers: [DeviceBuffer] = []

    init(_ queue: any AcceleratorQueue) { self.queue = queue }

    deinit {
        for buffer in buffers { queue.release(buffer) }
    }

    func allocate(_ byteCount: Int) throws(EngineError) -> DeviceBuffer {
        let buffer = try queue.allocate(byteCount)
        buffers.append(buffer)
        return buffer
    }

    /// Nil for no bytes.
    func allocateIfAny(_ byteCount: Int) throws(EngineError) -> DeviceBuffer? {
        byteCount > 0 ? try allocate(byteCount) : nil
    }

    /// A table of numbers.
    func upload(_ numbers: [Int64]) throws(EngineError) -> DeviceBuffer {
        let buffer = try allocate(numbers.count * 8)
        try queue.upload(numbers, to: buffer, at: 0, byteCount: numbers.count * 8)
        return buffer
    }
}
