import Synchronization

/// Compiled code, loaded into a device's context.
final class CUDAProgram: AcceleratorProgram {
    private let context: CUDAContext
    private let module: UInt
    private let functions = Mutex<[String: UInt]>([:])
    private let isCaptured = Atomic(false)

    init(_ code: [UInt8], context: CUDAContext) throws(EngineError) {
        self.context = context
        module = try context.use { () throws(EngineError) in
            var module: UInt = 0
            let status = context.driver.relaxingCapture { context.driver.cuModuleLoadData(&module, code) }
            try context.driver.check(status, "CUDA does not load a kernel onto \(context.name)")
            return module
        }
    }

    deinit {
        context.tidy { _ = context.driver.cuModuleUnload(module) }
    }

    func launch(
        _ entry: String, groups: Int, threads: Int, arguments: [KernelArgument], on queue: any AcceleratorQueue
    ) throws(EngineError) {
        guard groups > 0 else { return }
        guard let queue = queue as? CUDAQueue, queue.context === context else {
            throw EngineError("A kernel of \(context.name) was to run in the order of another device's queue.")
        }
        guard let groups = UInt32(exactly: groups), groups <= Int32.max, let threads = UInt32(exactly: threads) else {
            throw EngineError("\(groups) groups of \(threads) threads are more than a grid of CUDA has.")
        }
        try context.use { () throws(EngineError) in
            let function = try function(entry)
            if try context.isCapturing(queue.stream) { keepForever() }
            let status = Self.withPointers(to: arguments.map(\.word)) { pointers in
                context.driver.cuLaunchKernel(function, groups, 1, 1, threads, 1, 1, 0, queue.stream, pointers, nil)
            }
            try context.driver.check(status, "CUDA does not run \(entry) on \(context.name)")
        }
    }

    private func function(_ name: String) throws(EngineError) -> UInt {
        try functions.withLock { functions throws(EngineError) in
            if let function = functions[name] { return function }
            var function: UInt = 0
            let status = context.driver.relaxingCapture { context.driver.cuModuleGetFunction(&function, module, name) }
            try context.driver.check(status, "A kernel for \(context.name) has no entry \(name)")
            functions[name] = function
            return function
        }
    }

    /// A captured graph runs the code whenever its owner likes, and nobody tells us when the graph is gone.
    private func keepForever() {
        if !isCaptured.exchange(true, ordering: .relaxed) { _ = Unmanaged.passRetained(self) }
    }

    /// Lends the arguments as the driver takes them: a list of where each is.
    private static func withPointers<Result>(
        to words: [UInt64], _ body: (UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Result
    ) -> Result {
        var words = words
        return words.withUnsafeMutableBufferPointer { words in
            var pointers = words.indices.map { index in words.baseAddress.map { UnsafeMutableRawPointer($0 + index) } }
            return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress) }
        }
    }
}

extension KernelArgument {
    /// The eight bytes that a kernel reads.
    fileprivate var word: UInt64 {
        switch self {
        case .buffer(let buffer): UInt64(buffer?.handle ?? 0)
        case .number(let number): UInt64(bitPattern: Int64(number))
        }
    }
}
