/// NVIDIA's GPUs.
package enum CUDA {
    private static let runtime = PerProcess { CUDARuntime() }

    /// A device by its number in the list that `CUDA_VISIBLE_DEVICES` orders, opened at first use.
    ///
    /// - Throws: in a sentence that says what was looked for, where there is no such device.
    static func device(_ number: Int = 0) throws(EngineError) -> CUDADevice {
        try runtime.value.device(number)
    }

    /// What the driver tells of each device; none is opened.
    static func descriptions() throws(EngineError) -> [CUDADescription] {
        try runtime.value.descriptions()
    }

    /// All that was looked for and found. Takes its time.
    package static func report() -> CUDAReport {
        CUDAReport(runtime.value, environment: ProcessEnvironment.current)
    }
}
