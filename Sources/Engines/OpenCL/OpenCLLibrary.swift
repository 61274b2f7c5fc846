#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The ICD loader, which finds every vendor's OpenCL, and those of its functions that are used: OpenCL 1.2 throughout, in the standard's
/// own types (The Khronos OpenCL Specification, version 1.2).
final class OpenCLLibrary: Sendable {
    typealias Object = OpaquePointer
    typealias Status = Int32

    /// Where a loader is looked for, in this order.
    static func places(_ environment: [String: String]) -> [LibraryPlace] {
        if let named = environment.setting("KHUFU_OPENCL") { return [LibraryPlace(path: named, origin: "named by KHUFU_OPENCL")] }
        #if canImport(Darwin)
        return [LibraryPlace(path: "/System/Library/Frameworks/OpenCL.framework/OpenCL", origin: "of the system")]
        #else
        return ["libOpenCL.so.1", "libOpenCL.so"].map { LibraryPlace(path: $0, origin: "of the system") }
            + ["/usr/local/nvidia/lib64/libOpenCL.so.1"].map { LibraryPlace(path: $0, origin: "in a usual folder") }
        #endif
    }

    private let library: SharedLibrary

    let getPlatformIDs: @Sendable @convention(c) (UInt32, UnsafeMutablePointer<Object?>?, UnsafeMutablePointer<UInt32>?) -> Status
    let getPlatformInfo:
        @Sendable @convention(c) (Object, UInt32, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Status
    let getDeviceIDs:
        @Sendable @convention(c) (Object, UInt64, UInt32, UnsafeMutablePointer<Object?>?, UnsafeMutablePointer<UInt32>?) -> Status
    let getDeviceInfo:
        @Sendable @convention(c) (Object, UInt32, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Status
    let createContext:
        @Sendable @convention(c) (
            UnsafeRawPointer?, UInt32, UnsafePointer<Object?>, UnsafeRawPointer?, UnsafeRawPointer?, UnsafeMutablePointer<Status>
        ) -> Object?
    let createCommandQueue: @Sendable @convention(c) (Object, Object, UInt64, UnsafeMutablePointer<Status>) -> Object?
    let getQueueInfo:
        @Sendable @convention(c) (Object, UInt32, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Status
    let releaseCommandQueue: @Sendable @convention(c) (Object) -> Status
    let createProgramWithSource:
        @Sendable @convention(c) (
            Object, UInt32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int>?, UnsafeMutablePointer<Status>
        ) -> Object?
    let buildProgram:
        @Sendable @convention(c) (
            Object, UInt32, UnsafePointer<Object?>?, UnsafePointer<CChar>, UnsafeRawPointer?, UnsafeRawPointer?
        ) -> Status
    let getProgramBuildInfo:
        @Sendable @convention(c) (Object, Object, UInt32, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Status
    let releaseProgram: @Sendable @convention(c) (Object) -> Status
    let createKernel: @Sendable @convention(c) (Object, UnsafePointer<CChar>, UnsafeMutablePointer<Status>) -> Object?
    let setKernelArgument: @Sendable @convention(c) (Object, UInt32, Int, UnsafeRawPointer?) -> Status
    let releaseKernel: @Sendable @convention(c) (Object) -> Status
    let enqueueKernel:
        @Sendable @convention(c) (
            Object, Object, UInt32, UnsafePointer<Int>?, UnsafePointer<Int>, UnsafePointer<Int>?, UInt32, UnsafePointer<Object?>?,
            UnsafeMutablePointer<Object?>?
        ) -> Status
    let createBuffer:
        @Sendable @convention(c) (Object, UInt64, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Status>) -> Object?
    let getMemoryInfo:
        @Sendable @convention(c) (Object, UInt32, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> Status
    let releaseBuffer: @Sendable @convention(c) (Object) -> Status
    let enqueueWrite:
        @Sendable @convention(c) (
            Object, Object, UInt32, Int, Int, UnsafeRawPointer, UInt32, UnsafePointer<Object?>?, UnsafeMutablePointer<Object?>?
        ) -> Status
    let enqueueRead:
        @Sendable @convention(c) (
            Object, Object, UInt32, Int, Int, UnsafeMutableRawPointer, UInt32, UnsafePointer<Object?>?,
            UnsafeMutablePointer<Object?>?
        ) -> Status
    let enqueueMarker:
        @Sendable @convention(c) (Object, UInt32, UnsafePointer<Object?>?, UnsafeMutablePointer<Object?>?) -> Status
    let enqueueBarrier:
        @Sendable @convention(c) (Object, UInt32, UnsafePointer<Object?>?, UnsafeMutablePointer<Object?>?) -> Status
    let releaseEvent: @Sendable @convention(c) (Object) -> Status
    let flush: @Sendable @convention(c) (Object) -> Status
    let finish: @Sendable @convention(c) (Object) -> Status

    /// - Throws: what it lacks.
    init(_ library: SharedLibrary) throws(SharedLibrary.LoadingError) {
        func entry<Function>(_ name: String) throws(SharedLibrary.LoadingError) -> Function {
            guard let address = library.symbol(name) else { throw SharedLibrary.LoadingError(reason: "it lacks \(name)") }
            return unsafeBitCast(address, to: Function.self)
        }
        self.library = library
        getPlatformIDs = try entry("clGetPlatformIDs")
        getPlatformInfo = try entry("clGetPlatformInfo")
        getDeviceIDs = try entry("clGetDeviceIDs")
        getDeviceInfo = try entry("clGetDeviceInfo")
        createContext = try entry("clCreateContext")
        createCommandQueue = try entry("clCreateCommandQueue")
        getQueueInfo = try entry("clGetCommandQueueInfo")
        releaseCommandQueue = try entry("clReleaseCommandQueue")
        createProgramWithSource = try entry("clCreateProgramWithSource")
        buildProgram = try entry("clBuildProgram")
        getProgramBuildInfo = try entry("clGetProgramBuildInfo")
        releaseProgram = try entry("clReleaseProgram")
        createKernel = try entry("clCreateKernel")
        setKernelArgument = try entry("clSetKernelArg")
        releaseKernel = try entry("clReleaseKernel")
        enqueueKernel = try entry("clEnqueueNDRangeKernel")
        createBuffer = try entry("clCreateBuffer")
        getMemoryInfo = try entry("clGetMemObjectInfo")
        releaseBuffer = try entry("clReleaseMemObject")
        enqueueWrite = try entry("clEnqueueWriteBuffer")
        enqueueRead = try entry("clEnqueueReadBuffer")
        enqueueMarker = try entry("clEnqueueMarkerWithWaitList")
        enqueueBarrier = try entry("clEnqueueBarrierWithWaitList")
        releaseEvent = try entry("clReleaseEvent")
        flush = try entry("clFlush")
        finish = try entry("clFinish")
    }

    /// A text of a platform, a device or a build.
    func text(_ read: (_ capacity: Int, _ target: UnsafeMutableRawPointer?, _ needed: UnsafeMutablePointer<Int>?) -> Status)
        -> String
    {
        var count = 0
        guard read(0, nil, &count) == 0, count > 1 else { return "" }
        var bytes = [UInt8](repeating: 0, count: count)
        let status = bytes.withUnsafeMutableBytes { read(count, $0.baseAddress, nil) }
        guard status == 0 else { return "" }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// An object that a queue tells of; nil where it does not.
    func object(_ name: UInt32, ofQueue queue: Object) -> Object? {
        var object: Object?
        return getQueueInfo(queue, name, MemoryLayout<Object?>.size, &object, nil) == 0 ? object : nil
    }

    /// An object that memory tells of; nil where it does not.
    func object(_ name: UInt32, ofMemory memory: Object) -> Object? {
        var object: Object?
        return getMemoryInfo(memory, name, MemoryLayout<Object?>.size, &object, nil) == 0 ? object : nil
    }

    /// A number of a device.
    func number<Number: FixedWidthInteger>(_ device: Object, _ name: UInt32, as type: Number.Type) -> Int {
        var number: Number = 0
        let status = getDeviceInfo(device, name, MemoryLayout<Number>.size, &number, nil)
        return status == 0 ? Int(truncatingIfNeeded: number) : 0
    }
}

extension OpenCLLibrary {
    /// Every device of every platform, in the loader's order.
    var devices: [(platform: String, device: Object)] {
        var platformCount: UInt32 = 0
        guard getPlatformIDs(0, nil, &platformCount) == 0, platformCount > 0 else { return [] }
        var platforms = [Object?](repeating: nil, count: Int(platformCount))
        guard getPlatformIDs(platformCount, &platforms, nil) == 0 else { return [] }
        return platforms.compactMap { $0 }.flatMap { platform -> [(String, Object)] in
            let name = text { getPlatformInfo(platform, CLConstant.platformName, $0, $1, $2) }
            var count: UInt32 = 0
            guard getDeviceIDs(platform, CLConstant.allDevices, 0, nil, &count) == 0, count > 0 else { return [] }
            var devices = [Object?](repeating: nil, count: Int(count))
            guard getDeviceIDs(platform, CLConstant.allDevices, count, &devices, nil) == 0 else { return [] }
            return devices.compactMap { $0.map { (name, $0) } }
        }
    }
}

/// Numbers that the standard gives a meaning.
enum CLConstant {
    static let platformName: UInt32 = 0x0902
    static let allDevices: UInt64 = 0xFFFF_FFFF
    static let unitCount: UInt32 = 0x1002
    static let largestGroup: UInt32 = 0x1004
    static let singleConfiguration: UInt32 = 0x101B
    static let memoryByteCount: UInt32 = 0x101F
    static let sharedByteCount: UInt32 = 0x1023
    static let deviceName: UInt32 = 0x102B
    static let doubleConfiguration: UInt32 = 0x1032
    static let roundsDivisionCorrectly = 1 << 7
    static let readWrite: UInt64 = 1
    static let queueContext: UInt32 = 0x1090
    static let queueDevice: UInt32 = 0x1091
    static let queueProperties: UInt32 = 0x1093
    static let outOfOrder: UInt64 = 1
    static let memoryKind: UInt32 = 0x1100
    static let memorySize: UInt32 = 0x1102
    static let memoryContext: UInt32 = 0x1106
    static let buffer: UInt32 = 0x10F0
    /// `CL_INVALID_COMMAND_QUEUE`.
    static let invalidQueue: OpenCLLibrary.Status = -36
    static let buildLog: UInt32 = 0x1183
}
