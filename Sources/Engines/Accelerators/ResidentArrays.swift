import Synchronization

/// Arrays on the host of which devices keep copies for calls to come: in an iteration most arrays stay as they are.
///
///     options.residents = ResidentArrays([x, y])    // and not what changes from call to call
///
/// A copy is made by the first call that takes the array, and given back with this object. Calls that are too large for the device, whose
/// arrays pass through in pieces, copy as ever, and so do those on processors, which take arrays where they are. Any number of threads may
/// use one.
public final class ResidentArrays: Sendable {
    /// Bytes, by address.
    private let arrays: [UInt: Int]
    private let copies = Mutex<Copies>(Copies())

    /// What of an array is copied: a device that shares a call with others takes a part.
    struct Part: Hashable {
        var address: UInt
        var itemCount: Int
        var itemByteCount: Int
        /// Bytes before it in each item.
        var skipped: Int
    }

    /// One thread at a time has it, and with it the queues that the copies were made on.
    private struct Copies: @unchecked Sendable {
        var buffers: [ObjectIdentifier: [Part: DeviceBuffer]] = [:]
        var memories: [ObjectIdentifier: DeviceMemory] = [:]
    }

    /// - Parameter arrays: whole arrays, whose memory stays valid and unchanged as long as calls use them.
    public init(_ arrays: [UnsafeRawBufferPointer]) {
        self.arrays = Dictionary(
            arrays.filter { !$0.isEmpty }.map { (UInt(bitPattern: $0.baseAddress!), $0.count) }, uniquingKeysWith: max)
    }

    /// Whether an array is one of these.
    func contains(_ base: UnsafeRawPointer, byteCount: Int) -> Bool {
        arrays[UInt(bitPattern: base)].map { byteCount <= $0 } ?? false
    }

    /// The copy on a device, ready for any of its queues.
    ///
    /// - Parameter upload: makes it.
    func copy(
        of part: Part, on accelerator: any Accelerator, _ upload: (DeviceMemory) throws(EngineError) -> DeviceBuffer
    ) throws(EngineError) -> DeviceBuffer {
        let device = ObjectIdentifier(accelerator)
        let result: Result<DeviceBuffer, EngineError> = copies.withLock { copies in
            if let known = copies.buffers[device]?[part] { return .success(known) }
            return Result { () throws(EngineError) in
                let memory =
                    if let memory = copies.memories[device] { memory } else {
                        DeviceMemory(try accelerator.queue(stream: nil))
                    }
                copies.memories[device] = memory
                let buffer = try upload(memory)
                try memory.queue.finish()
                copies.buffers[device, default: [:]][part] = buffer
                return buffer
            }
        }
        return try result.get()
    }

    /// Bytes that the copies on a device take.
    func byteCount(on accelerator: any Accelerator) -> Int {
        copies.withLock { $0.buffers[ObjectIdentifier(accelerator)]?.values.reduce(0) { $0 + $1.byteCount } ?? 0 }
    }
}
