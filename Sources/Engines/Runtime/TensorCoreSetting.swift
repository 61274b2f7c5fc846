/// Whether tensor cores are used: where there are some, or as `KHUFU_TENSOR_CORES` says (`on` or `off`), which tests and measurements use.
///
/// On where there are none, ordinary instructions do the same work in the same order, slowly.
struct TensorCoreSetting: Sendable {
    /// Nil for what the accelerator has.
    let isOn: Bool?

    static func read(_ environment: [String: String]) -> Result<TensorCoreSetting, CompilationError> {
        switch environment.setting("KHUFU_TENSOR_CORES") {
        case nil: .success(TensorCoreSetting(isOn: nil))
        case "on": .success(TensorCoreSetting(isOn: true))
        case "off": .success(TensorCoreSetting(isOn: false))
        case let name?: .failure(.refusedSetting("KHUFU_TENSOR_CORES is \"\(name)\"; it may be on or off."))
        }
    }
}
