import Kernels
import Synchronization

/// A GPU of NVIDIA's, by its driver and NVRTC.
final class CUDADevice: Accelerator {
    let properties: AcceleratorProperties
    let description: CUDADescription
    let context: CUDAContext
    private let streams: CUDAStreams
    private let search: NVRTCSearch
    private let cache: KernelCache
    private let programs = Memo<String, CUDAProgram, EngineError>(capacity: 512)
    private let tables = Mutex(CUDATables())
    /// Once found; a package with it may be installed meanwhile.
    private let found = Mutex<NVRTC?>(nil)

    init(_ context: CUDAContext, search: NVRTCSearch, cache: KernelCache) {
        self.context = context
        self.search = search
        self.cache = cache
        description = context.description
        streams = CUDAStreams(context)
        properties = AcceleratorProperties(
            name: description.name,
            target: AcceleratorTarget(
                .cuda, sharedByteCount: description.sharedByteCount,
                largestSharedByteCount: description.largestSharedByteCount,
                hasTensorCores: description.capability.number >= 80),
            unitCount: description.multiprocessorCount, memoryByteCount: description.memoryByteCount,
            largestGroup: description.largestGroup, hasFloat64: true)
    }

    func program(_ source: String) throws(EngineError) -> any AcceleratorProgram {
        try context.requireOurs()
        return try programs.value(for: source) { () throws(EngineError) in
            try CUDAProgram(try code(of: source), context: context, properties: properties)
        }
    }

    func queue(stream: UInt?) throws(EngineError) -> any AcceleratorQueue {
        try context.requireOurs()
        if let stream { return CUDAQueue(context: context, stream: stream) }
        return CUDAQueue(context: context, stream: try streams.take(), returningTo: streams)
    }

    private func code(of source: String) throws(EngineError) -> [UInt8] {
        let nvrtc = try compiler
        guard let target = CUDATarget(for: description.capability, compilerSupports: nvrtc.supported) else {
            throw EngineError("\(nvrtc) does not compile for \(description.name).")
        }
        let key = ["NVRTC \(nvrtc.version)", target.option] + NVRTC.standardOptions + [source]
        return try cache.deviceCode(for: key) { () throws(EngineError) in try nvrtc.compile(source, for: target).code }
    }

    private var compiler: NVRTC {
        get throws(EngineError) {
            try found.withLock { found throws(EngineError) in
                if let found { return found }
                let nvrtc = try search.best(for: description.capability, driver: context.driver.version)
                found = nvrtc
                return nvrtc
            }
        }
    }

    // MARK: Memory

    func usableByteCount() throws(EngineError) -> Int { try freeByteCount() / 10 * 9 }

    func keptTable(_ numbers: [Int64]) throws(EngineError) -> DeviceBuffer? {
        try context.requireOurs()
        return try tables.withLock { tables throws(EngineError) in try tables.buffer(for: numbers, of: self) }
    }

    /// How many bytes are free now, in all processes' view.
    func freeByteCount() throws(EngineError) -> Int {
        try context.use { () throws(EngineError) in
            var (free, total) = (0, 0)
            try context.driver.check(
                context.driver.cuMemGetInfo(&free, &total), "CUDA does not tell what is free on \(context.name)")
            return free
        }
    }

    /// Sizes are not looked at: what one allocation seems to be may be several in a row to the driver.
    func requireOwn(_ address: UInt, byteCount: Int, of owner: String, on stream: UInt) throws {
        let place = try context.use { () throws(EngineError) in self.place(of: address) }
        if let place {
            throw BindingError(
                "\(owner) lies in \(place), not in the memory of \(description.name), CUDA device \(description.number).")
        }
    }

    /// Where an address lies, in words; nil where the device's kernels may use it.
    private func place(of address: UInt) -> String? {
        func attribute(_ attribute: CUDADriver.PointerAttribute) -> Int32? {
            var value: Int32 = 0
            return context.driver.cuPointerGetAttribute(&value, attribute.rawValue, address) == 0 ? value : nil
        }
        // Managed memory is everywhere.
        if let managed = attribute(.isManaged), managed != 0 { return nil }
        // Of memory that CUDA did not allocate, it knows nothing.
        guard attribute(.memoryType) == CUDADriver.deviceMemory else { return "the host's memory" }
        guard let number = attribute(.deviceNumber), number != description.device else { return nil }
        return "the memory of CUDA device \(number)"
    }
}
