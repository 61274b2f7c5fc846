import Engines

/// Where a reduction under test runs.
package enum OracleEngine: String, Hashable, Sendable, CaseIterable {
    case interpreter, cpu, openCL, cuda

    /// Those that this machine has.
    package static let all: [OracleEngine] = [.interpreter, .cpu] + accelerators
    package static let accelerators: [OracleEngine] = OpenCL.deviceCount > 0 ? [.openCL] : []

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
