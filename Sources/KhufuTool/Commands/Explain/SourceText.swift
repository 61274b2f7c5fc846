import Engines
import Foundation
import Kernels

/// The generated C of a reduction, whole or without what all kernels have in common.
struct SourceText {
    private let whole: String

    init(of reduction: Reduction, _ precision: Precision) throws {
        let set = (try? KernelCache.shared.instructionSet) ?? .best()
        whole = CSource(try Kernel(lowering: reduction, precision: precision), vectorBytes: set.vectorBytes).text
    }

    func text(withPrelude: Bool) -> String {
        // What a kernel owns stands behind the type of its call, and its description stands on top.
        guard !withPrelude, let end = whole.range(of: "} call;\n") else { return whole }
        let heading = whole.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix("//") }
        let kernel = whole[end.upperBound...].drop { $0 == "\n" }
        let hidden = whole.count { $0 == "\n" } - kernel.count { $0 == "\n" } - heading.count
        return heading.joined(separator: "\n") + "\n// … \(hidden) lines that kernels share; --prelude shows them.\n\n" + kernel
    }
}
