import Kernels

/// A device with memory of its own that runs kernels: what CUDA and OpenCL have in common.
///
/// Threads may share one. Failures are sentences that name the device and the library's own word for what went wrong.
protocol Accelerator: AnyObject, Sendable {
    var properties: AcceleratorProperties { get }

    /// Compiles a source text for exactly this device, or finds what was compiled before.
    func program(_ source: String) throws(EngineError) -> any AcceleratorProgram

    /// An order of work of the caller's own, who need not wait for it; or a new one.
    ///
    /// - Parameter stream: a `CUstream` or `cl_command_queue` of this device's, which is used and not kept.
    func queue(stream: UInt?) throws(EngineError) -> any AcceleratorQueue

    /// Bytes of memory that a call may take now, unless its caller says otherwise.
    func usableByteCount() throws(EngineError) -> Int

    /// A table that stays on the device, for calls to come that need the same: they queue no copy of it. Nil where none is kept.
    func keptTable(_ numbers: [Int64]) throws(EngineError) -> DeviceBuffer?

    /// Refuses a stream of the caller's that this device's work cannot be put on, where the library can tell.
    ///
    /// - Throws: a ``BindingError``; so do the following, as these are mistakes in what was handed over.
    func requireOwn(stream: UInt) throws

    /// Refuses an address that the device's kernels must not be given, where the library can tell.
    ///
    /// - Parameters:
    ///   - byteCount: the bytes that are to be there.
    ///   - owner: whose address it is, to begin a sentence.
    ///   - stream: on which it is to be used.
    func requireOwn(_ address: UInt, byteCount: Int, of owner: String, on stream: UInt) throws
}

extension Accelerator {
    func usableByteCount() throws(EngineError) -> Int { properties.memoryByteCount / 10 * 7 }
    func keptTable(_ numbers: [Int64]) throws(EngineError) -> DeviceBuffer? { nil }
    func requireOwn(stream: UInt) {}

    /// Nothing is asked of an array without numbers.
    func requireOwn(_ array: InputArray, of owner: String, on stream: UInt) throws {
        try requireOwn(array.base, byteCount: array.shape.reduce(array.type.byteCount, *), of: owner, on: stream)
    }

    func requireOwn(_ base: UnsafeRawPointer?, byteCount: Int, of owner: String, on stream: UInt) throws {
        guard byteCount > 0, let base else { return }
        try requireOwn(UInt(bitPattern: base), byteCount: byteCount, of: owner, on: stream)
    }
}

/// What decides how work is cut for a device.
struct AcceleratorProperties: Hashable, Sendable {
    /// Such as "NVIDIA H200".
    var name: String
    /// What kernels are printed for: their language, and what a group of threads may share.
    var target: AcceleratorTarget
    /// Multiprocessors, or compute units.
    var unitCount: Int
    var memoryByteCount: Int
    var largestGroup: Int
    var hasFloat64: Bool
}

/// A compiled source text.
protocol AcceleratorProgram: AnyObject, Sendable {
    /// Adds a kernel's run to a queue, of the device that the program was compiled on.
    ///
    /// - Parameters:
    ///   - groups: how many groups of threads, fewer than 2³¹.
    ///   - threads: threads per group.
    ///   - sharedByteCount: bytes that each group shares beside those that the kernel declares itself. A CUDA kernel finds them in
    ///     its `extern __shared__` array; in OpenCL they are one argument more, a `__local` pointer behind all others.
    func launch(
        _ entry: String, groups: Int, threads: Int, sharedByteCount: Int, arguments: [KernelArgument],
        on queue: any AcceleratorQueue
    ) throws(EngineError)
}

extension AcceleratorProgram {
    /// Adds a run of a kernel that itself declares all that a group shares.
    func launch(
        _ entry: String, groups: Int, threads: Int, arguments: [KernelArgument], on queue: any AcceleratorQueue
    ) throws(EngineError) {
        try launch(entry, groups: groups, threads: threads, sharedByteCount: 0, arguments: arguments, on: queue)
    }
}

extension AcceleratorProperties {
    /// Refuses a launch whose groups would share more than there is.
    ///
    /// - Parameters:
    ///   - shared: bytes asked for at the launch.
    ///   - own: bytes that the kernel declares itself.
    func requireShared(_ shared: Int, besides own: Int, of entry: String) throws(EngineError) {
        guard shared < 0 || own > target.largestSharedByteCount - shared else { return }
        throw EngineError(
            "A group of \(entry) shares at most \(target.largestSharedByteCount) bytes on \(name); \(own) declared and \(shared) asked for came."
        )
    }
}

/// What a kernel is given: memory, or a 64-bit integer.
enum KernelArgument: Hashable, Sendable {
    case buffer(DeviceBuffer?)
    case number(Int)
}

/// Memory of a device: a `CUdeviceptr` or a `cl_mem`.
struct DeviceBuffer: Hashable, Sendable {
    var handle: UInt
    var byteCount: Int
}

/// Work that is done in order, while the host goes on. One thread at a time uses it.
protocol AcceleratorQueue: AnyObject {
    /// What another queue is made of whose work joins this one's.
    var stream: UInt { get }
    /// Memory that what is queued from now on may use.
    func allocate(_ byteCount: Int) throws(EngineError) -> DeviceBuffer
    /// Gives memory back once what is queued so far is done.
    func release(_ buffer: DeviceBuffer)
    /// Copies from the host. The host's memory may change as soon as this returns.
    func upload(_ source: UnsafeRawPointer, to buffer: DeviceBuffer, at offset: Int, byteCount: Int) throws(EngineError)
    /// Copies to the host, whose memory holds the numbers once the queue is finished.
    func download(_ buffer: DeviceBuffer, at offset: Int, to target: UnsafeMutableRawPointer, byteCount: Int) throws(EngineError)
    /// What is queued here from now on comes after all that is queued there so far.
    func wait(for other: any AcceleratorQueue) throws(EngineError)
    /// Waits until all is done, and reports what failed meanwhile.
    func finish() throws(EngineError)
    /// Goes back to the caller, whose arrays are on the device: waits only where nothing of theirs can come after this queue's work.
    func leave() throws(EngineError)
}
