import Synchronization

/// The streams that we made on a device, lent to one queue at a time: making one costs more than a small kernel.
final class CUDAStreams: Sendable {
    private let context: CUDAContext
    private let idle = Mutex<[UInt]>([])
    private static let mostIdle = 16

    init(_ context: CUDAContext) { self.context = context }

    deinit {
        guard context.isOurs else { return }
        let idle = idle.withLock { $0 }
        guard !idle.isEmpty else { return }
        context.tidy {
            for stream in idle { _ = context.driver.cuStreamDestroy(stream) }
        }
    }

    /// A stream that does not wait for the default stream.
    func take() throws(EngineError) -> UInt {
        if let stream = idle.withLock({ $0.popLast() }) { return stream }
        return try context.use { () throws(EngineError) in
            var stream: UInt = 0
            let status = context.driver.relaxingCapture {
                context.driver.cuStreamCreate(&stream, CUDADriver.nonBlockingStream)
            }
            try context.driver.check(status, "CUDA does not make a stream on \(context.name)")
            return stream
        }
    }

    /// Takes a stream back. What is queued there may still run: the next user's work comes after it, as work in a stream does.
    func giveBack(_ stream: UInt) {
        guard context.isOurs else { return }
        let isKept = idle.withLock { idle in
            guard idle.count < Self.mostIdle else { return false }
            idle.append(stream)
            return true
        }
        // The driver lets it finish its work first.
        if !isKept { context.tidy { _ = context.driver.cuStreamDestroy(stream) } }
    }
}
