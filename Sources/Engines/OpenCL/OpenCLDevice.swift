import Kernels
import Synchronization

/// A device that an OpenCL platform offers: a GPU, or the processor itself.
final class OpenCLDevice: Accelerator {
    let properties: AcceleratorProperties
    let platform: String
    let library: OpenCLLibrary
    let handle: Handle
    private let context = Mutex<Result<Handle, EngineError>?>(nil)
    private let programs = Mutex<[String: OpenCLProgram]>([:])
    private let options: String

    /// The library's objects may be used from any thread.
    struct Handle: @unchecked Sendable {
        var object: OpenCLLibrary.Object
    }

    init(_ library: OpenCLLibrary, platform: String, device: OpenCLLibrary.Object) {
        self.library = library
        self.platform = platform
        handle = Handle(object: device)
        let rounding = library.number(device, CLConstant.singleConfiguration, as: UInt64.self)
        options =
            "-cl-std=CL1.2"
            + (rounding & CLConstant.roundsDivisionCorrectly != 0 ? " -cl-fp32-correctly-rounded-divide-sqrt" : "")
        properties = AcceleratorProperties(
            name: library.text { library.getDeviceInfo(device, CLConstant.deviceName, $0, $1, $2) },
            target: AcceleratorTarget(
                .openCL, sharedByteCount: min(48 << 10, library.number(device, CLConstant.sharedByteCount, as: UInt64.self)),
                largestSharedByteCount: library.number(device, CLConstant.sharedByteCount, as: UInt64.self)),
            unitCount: max(1, library.number(device, CLConstant.unitCount, as: UInt32.self)),
            memoryByteCount: library.number(device, CLConstant.memoryByteCount, as: UInt64.self),
            largestGroup: library.number(device, CLConstant.largestGroup, as: Int.self),
            hasFloat64: library.number(device, CLConstant.doubleConfiguration, as: UInt64.self) != 0)
    }

    /// Our own, for arrays on the host. Made at the first use, and kept as long as the process lives.
    func usedContext() throws(EngineError) -> OpenCLLibrary.Object {
        let result = context.withLock { context in
            if let context { return context }
            var status: OpenCLLibrary.Status = 0
            var devices: [OpenCLLibrary.Object?] = [handle.object]
            let made = library.createContext(nil, 1, &devices, nil, nil, &status)
            let result: Result<Handle, EngineError> =
                made.map { .success(Handle(object: $0)) } ?? .failure(failure("making a context", status))
            context = result
            return result
        }
        return try result.get().object
    }

    // MARK: Programs

    /// It is compiled for a context when it is first launched there: a caller's queue has a context of its own.
    func program(_ source: String) -> any AcceleratorProgram {
        programs.withLock { programs in
            if let known = programs[source] { return known }
            if programs.count >= Self.mostPrograms { programs.removeAll() }
            let made = OpenCLProgram(source, of: self)
            programs[source] = made
            return made
        }
    }

    /// How many programs stay in memory though nobody uses them.
    private static let mostPrograms = 512

    /// Compiles a source text in a context.
    func build(_ source: String, in context: OpenCLLibrary.Object) throws(EngineError) -> OpenCLLibrary.Object {
        var status: OpenCLLibrary.Status = 0
        let program = source.withCString { text in
            var texts: [UnsafePointer<CChar>?] = [text]
            return library.createProgramWithSource(context, 1, &texts, nil, &status)
        }
        guard let program else { throw failure("reading a kernel", status) }
        var devices: [OpenCLLibrary.Object?] = [handle.object]
        status = options.withCString { library.buildProgram(program, 1, &devices, $0, nil, nil) }
        guard status == 0 else {
            let log = library.text { library.getProgramBuildInfo(program, handle.object, CLConstant.buildLog, $0, $1, $2) }
            _ = library.releaseProgram(program)
            throw EngineError("\(properties.name) does not compile a kernel (\(status)): \(log)")
        }
        return program
    }

    // MARK: Queues

    func queue(stream: UInt?) throws(EngineError) -> any AcceleratorQueue {
        if let stream, let queue = OpenCLLibrary.Object(bitPattern: stream) {
            guard let context = library.object(CLConstant.queueContext, ofQueue: queue) else {
                throw failure("asking a queue for its context", CLConstant.invalidQueue)
            }
            return OpenCLQueue(queue, isOwned: false, context: context, of: self)
        }
        var status: OpenCLLibrary.Status = 0
        let context = try usedContext()
        guard let queue = library.createCommandQueue(context, handle.object, 0, &status) else {
            throw failure("making a queue", status)
        }
        return OpenCLQueue(queue, isOwned: true, context: context, of: self)
    }

    /// What failed, in a sentence.
    func failure(_ action: String, _ status: OpenCLLibrary.Status) -> EngineError {
        let reasons: [OpenCLLibrary.Status: String] = [
            -2: "the device is not available", -3: "there is no compiler", -4: "the device's memory is full",
            -5: "the device is out of resources", -6: "the host's memory is full", -11: "the kernel does not compile",
            CLConstant.invalidQueue: "it is no command queue", -54: "the device takes no groups of that size",
            -61: "the device takes no buffer of that size",
        ]
        return EngineError("\(properties.name), \(action): \(reasons[status] ?? "OpenCL's error") (\(status)).")
    }
}
