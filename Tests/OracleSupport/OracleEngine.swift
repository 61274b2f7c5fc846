import Engines

/// Where a reduction under test runs.
package enum OracleEngine: String, Hashable, Sendable, CaseIterable {
    case interpreter, cpu, openCL, cuda

    /// What stands for all engines that compile: the processor, or on a machine where another is to be tested, what `KHUFU_TEST_ENGINE`
    /// names, "openCL" or "cuda".
    package static let compiled = named ?? .cpu
    /// Those that this machine has.
    package static let all: [OracleEngine] = named.map { [.interpreter, $0] } ?? [.interpreter, .cpu] + accelerators
    package static let accelerators: [OracleEngine] = named.map { [$0] } ?? present

    private static let named: OracleEngine? = {
        guard let name = ProcessEnvironment.current["KHUFU_TEST_ENGINE"], !name.isEmpty else { return nil }
        guard let engine = OracleEngine(rawValue: name), engine == .openCL || engine == .cuda else {
            fatalError("KHUFU_TEST_ENGINE is openCL or cuda; \(name) came.")
        }
        return engine
    }()

    private static let present: [OracleEngine] =
        ((try? Device.Library.cuda.deviceNames())?.isEmpty == false ? [.cuda] : []) + (OpenCL.deviceCount > 0 ? [.openCL] : [])

    /// Whether float32 data is computed with in float64.
    package var isDouble: Bool { self == .interpreter }

    package func options(threads: Int = 1, sparsity: BlockSparsity? = nil) -> ExecutionOptions {
        var options = ExecutionOptions(threads: threads, sparsity: sparsity)
        switch self {
        case .interpreter: options.engine = .interpreter
        case .cpu: options.engine = .cpu
        case .openCL: options.device = .openCL(0)
        case .cuda: options.device = .cuda(0)
        }
        return options
    }
}
