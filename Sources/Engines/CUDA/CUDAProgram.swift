import Synchronization

/// Compiled code, loaded into a device's context.
final class CUDAProgram: AcceleratorProgram {
    private let context: CUDAContext
    private let properties: AcceleratorProperties
    private let module: UInt
    private let functions = Mutex<[String: Function]>([:])
    private let isCaptured = Atomic(false)

    /// An entry of the module's.
    private struct Function {
        let handle: UInt
        /// Bytes of shared memory that it declares.
        let ownSharedByteCount: Int
        /// Bytes that a launch may ask for beside them.
        var grantedByteCount: Int
    }

    init(_ code: [UInt8], context: CUDAContext, properties: AcceleratorProperties) throws(EngineError) {
        (self.context, self.properties) = (context, properties)
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
        _ entry: String, groups: Int, threads: Int, sharedByteCount: Int, arguments: [KernelArgument],
        on queue: any AcceleratorQueue
    ) throws(EngineError) {
        guard groups > 0 else { return }
        guard let queue = queue as? CUDAQueue, queue.context === context else {
            throw EngineError("A kernel of \(context.name) was to run in the order of another device's queue.")
        }
        guard let groups = UInt32(exactly: groups), groups <= Int32.max, let threads = UInt32(exactly: threads) else {
            throw EngineError("\(groups) groups of \(threads) threads are more than a grid of CUDA has.")
        }
        try context.use { () throws(EngineError) in
            let function = try function(entry, sharing: sharedByteCount)
            if try context.isCapturing(queue.stream) { keepForever() }
            let status = Self.withPointers(to: arguments.map(\.word)) { pointers in
                context.driver.cuLaunchKernel(
                    function, groups, 1, 1, threads, 1, 1, UInt32(sharedByteCount), queue.stream, pointers, nil)
            }
            try context.driver.check(status, "CUDA does not run \(entry) on \(context.name)")
        }
    }

    /// An entry that may be launched with so many bytes of shared memory beside what it declares.
    private func function(_ name: String, sharing byteCount: Int) throws(EngineError) -> UInt {
        try functions.withLock { functions throws(EngineError) in
            var function = if let known = functions[name] { known } else { try lookUp(name) }
            functions[name] = function
            guard byteCount < 0 || byteCount > function.grantedByteCount else { return function.handle }
            try properties.requireShared(byteCount, besides: function.ownSharedByteCount, of: name)
            // It stays granted: launches that ask for less, from other threads too, are not hurt.
            let status = context.driver.cuFuncSetAttribute(
                function.handle, CUDADriver.FunctionAttribute.largestDynamicSharedByteCount.rawValue, Int32(byteCount))
            try context.driver.check(status, "CUDA does not let \(name) share \(byteCount) bytes on \(context.name)")
            function.grantedByteCount = byteCount
            functions[name] = function
            return function.handle
        }
    }

    private func lookUp(_ name: String) throws(EngineError) -> Function {
        var function: UInt = 0
        let status = context.driver.relaxingCapture { context.driver.cuModuleGetFunction(&function, module, name) }
        try context.driver.check(status, "A kernel for \(context.name) has no entry \(name)")
        var own: Int32 = 0
        try context.driver.check(
            context.driver.cuFuncGetAttribute(&own, CUDADriver.FunctionAttribute.sharedByteCount.rawValue, function),
            "CUDA does not tell what \(name) shares on \(context.name)")
        return Function(
            handle: function, ownSharedByteCount: Int(own), grantedByteCount: max(0, properties.target.sharedByteCount - Int(own))
        )
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
