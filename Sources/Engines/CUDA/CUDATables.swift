/// Tables that stay on a device as long as it is used: nobody knows for how long a captured graph will read them.
struct CUDATables {
    /// What they lie in the memory of.
    private var queue: (any AcceleratorQueue)?
    private var buffers: [[Int64]: DeviceBuffer] = [:]
    private var byteCount = 0

    /// Beyond this, no more are kept.
    private static let mostBytes = 64 << 20

    /// The table with these numbers, ready on all streams; nil where no more can be kept.
    mutating func buffer(for numbers: [Int64], of device: CUDADevice) throws(EngineError) -> DeviceBuffer? {
        if let known = buffers[numbers] { return known }
        guard byteCount + numbers.count * 8 <= Self.mostBytes else { return nil }
        let queue = if let queue { queue } else { try device.queue(stream: nil) }
        self.queue = queue
        // Another stream may be capturing a graph, which this is no part of.
        let made: Result<DeviceBuffer, EngineError> = device.context.driver.relaxingCapture {
            Result { () throws(EngineError) in
                let buffer = try queue.allocate(numbers.count * 8)
                try queue.upload(numbers, to: buffer, at: 0, byteCount: numbers.count * 8)
                try queue.finish()
                return buffer
            }
        }
        let buffer = try made.get()
        buffers[numbers] = buffer
        byteCount += numbers.count * 8
        return buffer
    }
}
