/// What the driver tells about a device before it is opened.
struct CUDADescription: Hashable, Sendable {
    /// Its place in the list that `CUDA_VISIBLE_DEVICES` orders.
    let number: Int
    /// The driver's `CUdevice`.
    let device: Int32
    let name: String
    let capability: ComputeCapability
    let multiprocessorCount: Int
    let memoryByteCount: Int
    let sharedByteCount: Int
    /// What a group may share of it where its kernel asks for more.
    let largestSharedByteCount: Int
    let largestGroup: Int
    let hasMemoryPools: Bool

    init(_ driver: CUDADriver, number: Int) throws(EngineError) {
        func check(_ status: Int32) throws(EngineError) {
            try driver.check(status, "CUDA does not describe its device \(number)")
        }
        var device: Int32 = 0
        try check(driver.cuDeviceGet(&device, Int32(number)))
        func attribute(_ attribute: CUDADriver.DeviceAttribute) throws(EngineError) -> Int {
            var value: Int32 = 0
            try check(driver.cuDeviceGetAttribute(&value, attribute.rawValue, device))
            return Int(value)
        }
        var name = [CChar](repeating: 0, count: 256)
        try check(driver.cuDeviceGetName(&name, Int32(name.count), device))
        var byteCount = 0
        try check(driver.cuDeviceTotalMem(&byteCount, device))

        self.number = number
        memoryByteCount = byteCount
        self.device = device
        self.name = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        capability = ComputeCapability(number: 10 * (try attribute(.capabilityMajor)) + (try attribute(.capabilityMinor)))
        multiprocessorCount = try attribute(.multiprocessorCount)
        sharedByteCount = try attribute(.sharedByteCount)
        largestSharedByteCount = max(sharedByteCount, try attribute(.largestSharedByteCount))
        largestGroup = try attribute(.largestGroup)
        // Drivers before 11.2 do not know the attribute.
        hasMemoryPools = driver.pool != nil ? try attribute(.hasMemoryPools) != 0 : false
    }
}
