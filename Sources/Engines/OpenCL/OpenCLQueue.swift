/// A command queue that works in order.
final class OpenCLQueue: AcceleratorQueue {
    let queue: OpenCLLibrary.Object
    /// Whose buffers and programs its commands take.
    let context: OpenCLLibrary.Object
    private let isOwned: Bool
    private let device: OpenCLDevice
    private var library: OpenCLLibrary { device.library }
    /// Whether the host's memory may still be written to.
    private var isDownloading = false

    init(_ queue: OpenCLLibrary.Object, isOwned: Bool, context: OpenCLLibrary.Object, of device: OpenCLDevice) {
        (self.queue, self.context) = (queue, context)
        self.isOwned = isOwned
        self.device = device
    }

    deinit {
        // After failures: the caller's array may be gone once we have returned.
        if isDownloading { _ = library.finish(queue) }
        if isOwned { _ = library.releaseCommandQueue(queue) }
    }

    var stream: UInt { UInt(bitPattern: queue) }

    func allocate(_ byteCount: Int) throws(EngineError) -> DeviceBuffer {
        var status: OpenCLLibrary.Status = 0
        let size = max(16, byteCount)
        guard let buffer = library.createBuffer(context, CLConstant.readWrite, size, nil, &status) else {
            throw device.failure("reserving \(size) bytes", status)
        }
        return DeviceBuffer(handle: UInt(bitPattern: buffer), byteCount: size)
    }

    /// The library keeps what commands use until they are done.
    func release(_ buffer: DeviceBuffer) { _ = library.releaseBuffer(Self.object(buffer)) }

    func upload(_ source: UnsafeRawPointer, to buffer: DeviceBuffer, at offset: Int, byteCount: Int) throws(EngineError) {
        guard byteCount > 0 else { return }
        let isBlocking: UInt32 = 1
        let status = library.enqueueWrite(queue, Self.object(buffer), isBlocking, offset, byteCount, source, 0, nil, nil)
        guard status == 0 else { throw device.failure("copying \(byteCount) bytes to the device", status) }
    }

    func download(
        _ buffer: DeviceBuffer, at offset: Int, to target: UnsafeMutableRawPointer, byteCount: Int
    ) throws(EngineError) {
        guard byteCount > 0 else { return }
        let status = library.enqueueRead(queue, Self.object(buffer), 0, offset, byteCount, target, 0, nil, nil)
        guard status == 0 else { throw device.failure("copying \(byteCount) bytes from the device", status) }
        isDownloading = true
    }

    func wait(for other: any AcceleratorQueue) throws(EngineError) {
        guard let other = other as? OpenCLQueue else { preconditionFailure("the queue is another library's") }
        var event: OpenCLLibrary.Object?
        var status = library.enqueueMarker(other.queue, 0, nil, &event)
        guard status == 0, event != nil else { throw device.failure("marking a queue", status) }
        defer { _ = library.releaseEvent(event!) }
        // What a queue waits for must have been handed to the device.
        _ = library.flush(other.queue)
        status = library.enqueueBarrier(queue, 1, &event, nil)
        guard status == 0 else { throw device.failure("waiting for a queue", status) }
    }

    func finish() throws(EngineError) {
        let status = library.finish(queue)
        guard status == 0 else { throw device.failure("finishing", status) }
        isDownloading = false
    }

    /// Nothing else can follow a queue that only we know.
    func leave() throws(EngineError) { if isOwned { try finish() } }

    private static func object(_ buffer: DeviceBuffer) -> OpenCLLibrary.Object {
        OpenCLLibrary.Object(bitPattern: buffer.handle)!
    }
}
