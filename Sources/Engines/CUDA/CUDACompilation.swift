import Synchronization

/// What NVIDIA's compiler makes of a source for a device that need not be there, and what it says of it.
package struct CUDACompilation: Sendable {
    /// The device's machine code.
    package let code: [UInt8]
    /// Warnings, and what each kernel takes of the device.
    package let log: String

    /// - Parameters:
    ///   - capability: the device's, such as 90.
    ///   - compiler: where NVRTC's library is.
    package init(of source: String, for capability: Int, by compiler: String) throws(EngineError) {
        let nvrtc = try Self.compilers.withLock { compilers throws(EngineError) in
            if let known = compilers[compiler] { return known }
            do {
                let nvrtc = try NVRTC(try SharedLibrary(path: compiler))
                compilers[compiler] = nvrtc
                return nvrtc
            } catch {
                throw EngineError("\(error)")
            }
        }
        (code, log) = try nvrtc.compile(
            source, for: .machineCode(ComputeCapability(number: capability)), options: ["--ptxas-options=-v"])
    }

    private static let compilers = Mutex<[String: NVRTC]>([:])
}
