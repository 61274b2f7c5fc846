/// The functions of CUDA's driver that we use, under the names of NVIDIA's documentation.
///
/// Declared by hand, so that no toolkit and no header is needed. Functions return a `CUresult`, which is 0 where all is well; pointers that are
/// never looked behind (contexts, modules, streams, events, memory) are numbers.
final class CUDADriver: Sendable {
    let library: SharedLibrary

    let cuInit: @convention(c) (_ flags: UInt32) -> Int32
    let cuDriverGetVersion: @convention(c) (UnsafeMutablePointer<Int32>) -> Int32
    let cuGetErrorName: @convention(c) (Int32, UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Int32
    let cuGetErrorString: @convention(c) (Int32, UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Int32

    let cuDeviceGetCount: @convention(c) (UnsafeMutablePointer<Int32>) -> Int32
    let cuDeviceGet: @convention(c) (UnsafeMutablePointer<Int32>, _ ordinal: Int32) -> Int32
    let cuDeviceGetName: @convention(c) (UnsafeMutablePointer<CChar>, _ capacity: Int32, _ device: Int32) -> Int32
    let cuDeviceGetAttribute: @convention(c) (UnsafeMutablePointer<Int32>, _ attribute: Int32, _ device: Int32) -> Int32
    let cuDeviceTotalMem: @convention(c) (UnsafeMutablePointer<Int>, _ device: Int32) -> Int32

    let cuDevicePrimaryCtxRetain: @convention(c) (_ context: UnsafeMutablePointer<UInt>, _ device: Int32) -> Int32
    let cuDevicePrimaryCtxRelease: @convention(c) (_ device: Int32) -> Int32
    let cuCtxPushCurrent: @convention(c) (_ context: UInt) -> Int32
    let cuCtxPopCurrent: @convention(c) (_ context: UnsafeMutablePointer<UInt>) -> Int32

    let cuModuleLoadData: @convention(c) (_ module: UnsafeMutablePointer<UInt>, _ image: UnsafeRawPointer) -> Int32
    let cuModuleGetFunction:
        @convention(c) (_ function: UnsafeMutablePointer<UInt>, _ module: UInt, _ name: UnsafePointer<CChar>) -> Int32
    let cuModuleUnload: @convention(c) (_ module: UInt) -> Int32
    let cuFuncGetAttribute: @convention(c) (UnsafeMutablePointer<Int32>, _ attribute: Int32, _ function: UInt) -> Int32
    let cuFuncSetAttribute: @convention(c) (_ function: UInt, _ attribute: Int32, _ value: Int32) -> Int32
    let cuLaunchKernel:
        @convention(c) (
            _ function: UInt, _ gridX: UInt32, _ gridY: UInt32, _ gridZ: UInt32, _ blockX: UInt32, _ blockY: UInt32,
            _ blockZ: UInt32, _ sharedByteCount: UInt32, _ stream: UInt,
            _ arguments: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ extra: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        ) -> Int32

    let cuMemGetInfo: @convention(c) (_ free: UnsafeMutablePointer<Int>, _ total: UnsafeMutablePointer<Int>) -> Int32
    let cuMemAlloc: @convention(c) (UnsafeMutablePointer<UInt>, _ byteCount: Int) -> Int32
    let cuMemFree: @convention(c) (UInt) -> Int32
    /// In the order of a stream, from the driver's pool; nil in drivers before 11.2.
    let pool: Pool?
    let cuMemcpyHtoDAsync: @convention(c) (_ target: UInt, _ source: UnsafeRawPointer, _ byteCount: Int, _ stream: UInt) -> Int32
    let cuMemcpyDtoHAsync:
        @convention(c) (_ target: UnsafeMutableRawPointer, _ source: UInt, _ byteCount: Int, _ stream: UInt) -> Int32
    let cuPointerGetAttribute: @convention(c) (UnsafeMutableRawPointer, _ attribute: Int32, _ address: UInt) -> Int32

    let cuStreamCreate: @convention(c) (_ stream: UnsafeMutablePointer<UInt>, _ flags: UInt32) -> Int32
    let cuStreamSynchronize: @convention(c) (_ stream: UInt) -> Int32
    let cuStreamWaitEvent: @convention(c) (_ stream: UInt, _ event: UInt, _ flags: UInt32) -> Int32
    let cuStreamDestroy: @convention(c) (_ stream: UInt) -> Int32
    let cuStreamIsCapturing: @convention(c) (_ stream: UInt, _ status: UnsafeMutablePointer<Int32>) -> Int32
    let cuThreadExchangeStreamCaptureMode: @convention(c) (UnsafeMutablePointer<Int32>) -> Int32
    let cuLaunchHostFunc:
        @convention(c) (
            _ stream: UInt, _ function: @convention(c) (UnsafeMutableRawPointer?) -> Void, _ argument: UnsafeMutableRawPointer?
        ) -> Int32
    let cuEventCreate: @convention(c) (_ event: UnsafeMutablePointer<UInt>, _ flags: UInt32) -> Int32
    let cuEventRecord: @convention(c) (_ event: UInt, _ stream: UInt) -> Int32
    let cuEventDestroy: @convention(c) (_ event: UInt) -> Int32

    struct Pool: Sendable {
        let cuMemAllocAsync: @convention(c) (UnsafeMutablePointer<UInt>, _ byteCount: Int, _ stream: UInt) -> Int32
        let cuMemFreeAsync: @convention(c) (UInt, _ stream: UInt) -> Int32
    }

    /// Finds the functions. The endings tell which form of a function the declaration above is of; those without are the older forms.
    init(_ library: SharedLibrary) throws(SharedLibrary.LoadingError) {
        self.library = library
        cuInit = try library.function("cuInit")
        cuDriverGetVersion = try library.function("cuDriverGetVersion")
        cuGetErrorName = try library.function("cuGetErrorName")
        cuGetErrorString = try library.function("cuGetErrorString")

        cuDeviceGetCount = try library.function("cuDeviceGetCount")
        cuDeviceGet = try library.function("cuDeviceGet")
        cuDeviceGetName = try library.function("cuDeviceGetName")
        cuDeviceGetAttribute = try library.function("cuDeviceGetAttribute")
        cuDeviceTotalMem = try library.function("cuDeviceTotalMem_v2")

        cuDevicePrimaryCtxRetain = try library.function("cuDevicePrimaryCtxRetain")
        cuDevicePrimaryCtxRelease = try library.function("cuDevicePrimaryCtxRelease_v2")
        cuCtxPushCurrent = try library.function("cuCtxPushCurrent_v2")
        cuCtxPopCurrent = try library.function("cuCtxPopCurrent_v2")

        cuModuleLoadData = try library.function("cuModuleLoadData")
        cuModuleGetFunction = try library.function("cuModuleGetFunction")
        cuModuleUnload = try library.function("cuModuleUnload")
        cuFuncGetAttribute = try library.function("cuFuncGetAttribute")
        cuFuncSetAttribute = try library.function("cuFuncSetAttribute")
        cuLaunchKernel = try library.function("cuLaunchKernel")

        cuMemGetInfo = try library.function("cuMemGetInfo_v2")
        cuMemAlloc = try library.function("cuMemAlloc_v2")
        cuMemFree = try library.function("cuMemFree_v2")
        if library.symbol("cuMemAllocAsync") != nil {
            pool = Pool(
                cuMemAllocAsync: try library.function("cuMemAllocAsync"), cuMemFreeAsync: try library.function("cuMemFreeAsync"))
        } else {
            pool = nil
        }
        cuMemcpyHtoDAsync = try library.function("cuMemcpyHtoDAsync_v2")
        cuMemcpyDtoHAsync = try library.function("cuMemcpyDtoHAsync_v2")
        cuPointerGetAttribute = try library.function("cuPointerGetAttribute")

        cuStreamCreate = try library.function("cuStreamCreate")
        cuStreamSynchronize = try library.function("cuStreamSynchronize")
        cuStreamWaitEvent = try library.function("cuStreamWaitEvent")
        cuStreamDestroy = try library.function("cuStreamDestroy_v2")
        cuStreamIsCapturing = try library.function("cuStreamIsCapturing")
        cuThreadExchangeStreamCaptureMode = try library.function("cuThreadExchangeStreamCaptureMode")
        cuLaunchHostFunc = try library.function("cuLaunchHostFunc")
        cuEventCreate = try library.function("cuEventCreate")
        cuEventRecord = try library.function("cuEventRecord")
        cuEventDestroy = try library.function("cuEventDestroy_v2")
    }

    /// The newest CUDA that the driver goes with. May be asked before `cuInit`.
    var version: CUDAVersion {
        var number: Int32 = 0
        _ = cuDriverGetVersion(&number)
        return CUDAVersion(major: Int(number) / 1000, minor: Int(number) % 1000 / 10)
    }
}

// MARK: - Constants

extension CUDADriver {
    /// `CUdevice_attribute`.
    enum DeviceAttribute: Int32 {
        case largestGroup = 1
        case sharedByteCount = 8
        case multiprocessorCount = 16
        case capabilityMajor = 75
        case capabilityMinor = 76
        case largestSharedByteCount = 97
        case hasMemoryPools = 115
    }

    /// `CUfunction_attribute`.
    enum FunctionAttribute: Int32 {
        /// What the code declares.
        case sharedByteCount = 1
        /// The most that a launch may ask for beside it.
        case largestDynamicSharedByteCount = 8
    }

    /// `CUpointer_attribute`.
    enum PointerAttribute: Int32 {
        case memoryType = 2
        case isManaged = 8
        case deviceNumber = 9
    }

    /// `CUmemorytype`.
    static let deviceMemory: Int32 = 2
    /// `CU_STREAM_NON_BLOCKING`: does not wait for the default stream.
    static let nonBlockingStream: UInt32 = 1
    /// `CU_EVENT_DISABLE_TIMING`.
    static let untimedEvent: UInt32 = 2
    /// `CU_STREAM_CAPTURE_MODE_RELAXED`.
    static let relaxedCapture: Int32 = 2

    /// `CUresult`.
    enum Status {
        static let outOfMemory: Int32 = 2
        static let notInitialized: Int32 = 3
        /// After these nothing of CUDA works in the process any more: faults and assertions of kernels, and kernels stopped.
        static let fatal: Set<Int32> = [700, 702, 710, 714, 715, 716, 717, 718, 719]
    }
}

// MARK: - Failures

extension CUDADriver {
    /// Turns a failed call into a sentence: what could not be done, and CUDA's words and name for why.
    func check(_ status: Int32, _ failure: @autoclosure () -> String) throws(EngineError) {
        guard status != 0 else { return }
        throw EngineError("\(failure()): \(words(for: status)).\(Status.fatal.contains(status) ? Self.fatality : "")")
    }

    /// "out of memory (CUDA_ERROR_OUT_OF_MEMORY)"
    func words(for status: Int32) -> String {
        var name: UnsafePointer<CChar>?
        var text: UnsafePointer<CChar>?
        guard cuGetErrorName(status, &name) == 0, cuGetErrorString(status, &text) == 0, let name, let text else {
            return "CUDA's error \(status)"
        }
        return "\(String(cString: text)) (\(String(cString: name)))"
    }

    private static let fatality = " CUDA is of no more use to this process, which must be started again."
}
