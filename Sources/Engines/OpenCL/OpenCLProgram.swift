import Synchronization

/// A source text on an OpenCL device, compiled for each context that it is launched in.
final class OpenCLProgram: AcceleratorProgram, @unchecked Sendable {
    private let source: String
    private let device: OpenCLDevice
    /// By context, the latest used last.
    private let builds = Mutex<[Build]>([])

    /// A caller's contexts are kept alive by what is compiled for them.
    private static let mostContexts = 4

    init(_ source: String, of device: OpenCLDevice) {
        (self.source, self.device) = (source, device)
    }

    func launch(
        _ entry: String, groups: Int, threads: Int, sharedByteCount: Int, arguments: [KernelArgument],
        on queue: any AcceleratorQueue
    ) throws(EngineError) {
        guard groups > 0 else { return }
        guard let queue = queue as? OpenCLQueue else { preconditionFailure("the queue is another library's") }
        try device.properties.requireShared(sharedByteCount, besides: 0, of: entry)
        try build(for: queue).launch(
            entry, groups: groups, threads: threads, sharedByteCount: sharedByteCount, arguments: arguments, on: queue)
    }

    private func build(for queue: OpenCLQueue) throws(EngineError) -> Build {
        let context = OpenCLDevice.Handle(object: queue.context)
        let result: Result<Build, EngineError> = builds.withLock { builds in
            if let place = builds.firstIndex(where: { $0.context == context.object }) {
                if place < builds.count - 1 { builds.append(builds.remove(at: place)) }
                return .success(builds[builds.count - 1])
            }
            return Result { () throws(EngineError) in
                let made = Build(try device.build(source, in: context.object), context.object, of: device)
                if builds.count >= Self.mostContexts { builds.removeFirst() }
                builds.append(made)
                return made
            }
        }
        return try result.get()
    }
}

/// A program compiled for a context.
private final class Build: @unchecked Sendable {
    let context: OpenCLLibrary.Object
    private let program: OpenCLLibrary.Object
    private let device: OpenCLDevice
    /// A kernel object holds its arguments, so that one thread at a time may set and launch.
    private let kernels = Mutex<[String: OpenCLDevice.Handle]>([:])

    init(_ program: OpenCLLibrary.Object, _ context: OpenCLLibrary.Object, of device: OpenCLDevice) {
        (self.program, self.context, self.device) = (program, context, device)
    }

    deinit {
        kernels.withLock { kernels in
            for kernel in kernels.values { _ = device.library.releaseKernel(kernel.object) }
        }
        _ = device.library.releaseProgram(program)
    }

    func launch(
        _ entry: String, groups: Int, threads: Int, sharedByteCount: Int, arguments: [KernelArgument], on queue: OpenCLQueue
    ) throws(EngineError) {
        guard groups > 0 else { return }
        let library = device.library
        let stream = OpenCLDevice.Handle(object: queue.queue)
        let result: Result<Void, EngineError> = kernels.withLock { kernels in
            Result { () throws(EngineError) in
                let kernel = try self.kernel(entry, &kernels)
                for (place, argument) in arguments.enumerated() {
                    let status: OpenCLLibrary.Status
                    switch argument {
                    case .buffer(let buffer):
                        var handle = buffer?.handle ?? 0
                        status = library.setKernelArgument(kernel, UInt32(place), MemoryLayout<UInt>.size, &handle)
                    case .number(let number):
                        var number = Int64(number)
                        status = library.setKernelArgument(kernel, UInt32(place), MemoryLayout<Int64>.size, &number)
                    }
                    guard status == 0 else { throw device.failure("passing argument \(place) of \(entry)", status) }
                }
                if sharedByteCount > 0 {
                    let status = library.setKernelArgument(kernel, UInt32(arguments.count), sharedByteCount, nil)
                    guard status == 0 else { throw device.failure("giving \(entry) \(sharedByteCount) shared bytes", status) }
                }
                var (total, group) = (groups * threads, threads)
                let status = library.enqueueKernel(stream.object, kernel, 1, nil, &total, &group, 0, nil, nil)
                guard status == 0 else { throw device.failure("starting \(entry)", status) }
            }
        }
        try result.get()
    }

    private func kernel(
        _ entry: String, _ kernels: inout [String: OpenCLDevice.Handle]
    ) throws(EngineError) -> OpenCLLibrary.Object {
        if let known = kernels[entry] { return known.object }
        var status: OpenCLLibrary.Status = 0
        guard let kernel = entry.withCString({ device.library.createKernel(program, $0, &status) }) else {
            throw device.failure("looking for \(entry)", status)
        }
        kernels[entry] = OpenCLDevice.Handle(object: kernel)
        return kernel
    }
}
