/// What there is of CUDA on a machine: for people to read.
package struct CUDAReport: Sendable {
    package struct Device: Sendable, Equatable {
        package let number: Int
        package let name: String
        /// Such as "9.0".
        package let capability: String
        package let multiprocessorCount: Int
        package let memoryByteCount: Int
        /// Why no kernel can be compiled for it; nil where one can.
        package let obstacle: String?
    }

    /// The places of the driver's library, in the order in which they are tried.
    package let drivers: [LibraryCandidate]
    /// Those of NVRTC's.
    package let compilers: [LibraryCandidate]
    /// The devices, or why there are none.
    package let devices: Result<[Device], EngineError>

    init(_ runtime: CUDARuntime, environment: [String: String]) {
        let search = runtime.compilerSearch
        drivers = CUDARuntime.driverCandidates(environment)
        compilers = search.all()
        devices = Result { () throws(EngineError) in
            let version = try runtime.driverVersion
            return try runtime.descriptions().map { Device($0, search, driver: version) }
        }
    }
}

extension CUDAReport.Device {
    /// A kernel is compiled, as NVRTC can be found and lack the file with its built-in functions. Nothing is put on the device.
    fileprivate init(_ description: CUDADescription, _ search: NVRTCSearch, driver: CUDAVersion) {
        number = description.number
        name = description.name
        capability = "\(description.capability)"
        multiprocessorCount = description.multiprocessorCount
        memoryByteCount = description.memoryByteCount
        do throws(EngineError) {
            let nvrtc = try search.best(for: description.capability, driver: driver)
            if let target = CUDATarget(for: description.capability, compilerSupports: nvrtc.supported) {
                _ = try nvrtc.compile(Self.probe, for: target)
            }
            obstacle = nil
        } catch {
            obstacle = error.description
        }
    }

    private static let probe = "extern \"C\" __global__ void probe(float *x) { *x = expf(*x); }\n"
}
