#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The primary context of a device, which the CUDA runtime, and so torch, uses as well: memory and streams may be exchanged.
///
/// It is made current for each use and what was current before is restored, so that the host's threads notice nothing.
final class CUDAContext: Sendable {
    let driver: CUDADriver
    let description: CUDADescription
    private let handle: UInt
    private let process: pid_t

    var name: String { description.name }

    /// - Parameter process: whose context it is; replaced by tests.
    init(_ driver: CUDADriver, _ description: CUDADescription, process: pid_t = getpid()) throws(EngineError) {
        self.driver = driver
        self.description = description
        self.process = process
        var handle: UInt = 0
        let status = driver.relaxingCapture { driver.cuDevicePrimaryCtxRetain(&handle, description.device) }
        try driver.check(status, "CUDA does not open \(description.name)")
        self.handle = handle
    }

    deinit {
        if isOurs { _ = driver.cuDevicePrimaryCtxRelease(description.device) }
    }

    /// Whether this process made it, and not one that it was forked from. A child touches nothing of its parent's, locks included.
    var isOurs: Bool { process == getpid() }

    func requireOurs() throws(EngineError) {
        if !isOurs { throw EngineError(CUDARuntime.forkedSentence) }
    }

    /// Does something with the context current.
    func use<Result>(_ body: () throws(EngineError) -> Result) throws(EngineError) -> Result {
        try requireOurs()
        try driver.check(driver.cuCtxPushCurrent(handle), "CUDA does not switch to \(name)")
        defer { pop() }
        return try body()
    }

    /// Does something with the context current, where nobody could be told of a failure: in destructors. At the end of the process the driver may
    /// have gone before us; in a forked child nothing may be touched.
    func tidy(_ body: () -> Void) {
        guard isOurs, driver.cuCtxPushCurrent(handle) == 0 else { return }
        defer { pop() }
        body()
    }

    private func pop() {
        var popped: UInt = 0
        _ = driver.cuCtxPopCurrent(&popped)
    }

    /// Whether what is added to a stream goes into a graph, to be run later and repeatedly.
    func isCapturing(_ stream: UInt) throws(EngineError) -> Bool {
        var status: Int32 = 0
        try driver.check(driver.cuStreamIsCapturing(stream, &status), "A CUDA stream of \(name) cannot be used")
        return status != 0
    }
}

extension CUDADriver {
    /// Calls what would else spoil a graph that this or another thread is capturing, though it has nothing to do with it: the opening of devices,
    /// streams and modules. (CUDA cannot know, and by default forbids them to all threads.)
    func relaxingCapture<Result>(_ body: () -> Result) -> Result {
        var mode = Self.relaxedCapture
        let isRelaxed = cuThreadExchangeStreamCaptureMode(&mode) == 0
        // The mode is now what it was before.
        defer { if isRelaxed { _ = cuThreadExchangeStreamCaptureMode(&mode) } }
        return body()
    }
}
