import Engines
import Foundation
import Kernels

/// The generated C of a reduction, whole or without what all kernels have in common.
struct SourceText {
    private let source: CSource
    private var whole: String { source.text }

    init(_ kernel: Kernel) {
        let set = (try? KernelCache.shared.instructionSet) ?? .best()
        source = CSource(kernel, vectorBytes: set.vectorBytes)
    }

    init(of reduction: Reduction, _ precision: Precision) throws {
        self.init(try Kernel(onThisMachine: reduction, precision))
    }

    /// "16 rows × 8 columns".
    var block: String {
        "\(counted(source.rowsPerBlock, "row")) (\(counted(source.block.rowVectors, "vector"))) × \(counted(source.block.columns, "column"))"
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

extension Kernel {
    /// The kernel that calls with many rows run here.
    init(onThisMachine reduction: Reduction, _ precision: Precision) throws {
        try self.init(
            lowering: reduction, precision: precision,
            squaredDistances: (try? KernelCache.shared.distances)?.form(rows: .max) ?? .direct)
    }
}

extension PairCost {
    /// "9 instructions of arithmetic, 1 exp2; reads 4 numbers".
    var text: String {
        let calls = functions.sorted { $0.key < $1.key }.map { ", \(counted($0.value)) \($0.key)" }.joined()
        return "\(counted(arithmetic, "instruction")) of arithmetic\(calls); reads \(counted(columnNumbers, "number"))"
    }
}
