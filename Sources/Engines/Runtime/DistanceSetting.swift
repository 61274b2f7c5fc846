import Kernels

/// How squared distances in many dimensions are computed: by what is faster on the processor, or as `KHUFU_SQUARED_DISTANCES`
/// says (`direct` or `inner`), which tests and measurements use.
package struct DistanceSetting: Sendable {
    private let named: SquaredDistances?

    static func read(_ environment: [String: String]) -> Result<DistanceSetting, CompilationError> {
        guard let name = environment.setting("KHUFU_SQUARED_DISTANCES") else { return .success(DistanceSetting(named: nil)) }
        if let form = SquaredDistances(rawValue: name) { return .success(DistanceSetting(named: form)) }
        let names = SquaredDistances.allCases.map(\.rawValue).joined(separator: ", ")
        return .failure(.refusedSetting("KHUFU_SQUARED_DISTANCES is \"\(name)\"; it may be one of: \(names)."))
    }

    /// The form for a call with so many rows: few do not pay for the table of centred columns.
    package func form(rows: Int, on processor: @autoclosure () -> Processor = .host) -> SquaredDistances {
        named ?? (processor().addsBesideMultiplying || rows < Self.leastRows ? .direct : .inner)
    }

    /// The same on accelerators, where an addition takes as long as a product that is added.
    package func formOnAccelerators(rows: Int) -> SquaredDistances { named ?? (rows < Self.leastRows ? .direct : .inner) }

    /// The table takes as long as 90 rows do (D = 50, measured), and inner products save at most half of a row's time.
    private static let leastRows = 512
}
