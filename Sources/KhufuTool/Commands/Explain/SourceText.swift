import Engines
import Foundation
import Kernels

/// The languages of generated sources.
enum SourceLanguage: String, CaseIterable { case c, cuda, opencl }

/// The generated source of a reduction, whole or without what all kernels have in common.
struct SourceText {
    private let whole: String
    /// Where what a kernel owns begins.
    private let ownBegins: String.Index?
    /// "16 rows (1 vector) × 8 columns".
    let block: String

    init(_ kernel: Kernel) {
        let set = (try? KernelCache.shared.instructionSet) ?? .best()
        let source = CSource(kernel, vectorBytes: set.vectorBytes)
        whole = source.text
        ownBegins = whole.range(of: "} call;\n")?.upperBound
        block =
            "\(counted(source.rowsPerBlock, "row")) (\(counted(source.block.rowVectors, "vector"))) × \(counted(source.block.columns, "column"))"
    }

    private init(_ reduction: Reduction, _ precision: Precision, _ language: AcceleratorLanguage) throws {
        let source = try AcceleratorSource(
            reduction, precision: precision,
            squaredDistances: (try? KernelCache.shared.distances)?.formOnAccelerators(rows: .max) ?? .inner,
            // What an A100 has, and all since.
            for: AcceleratorTarget(
                language, sharedByteCount: 48 << 10, largestSharedByteCount: language == .cuda ? 163 << 10 : nil,
                hasTensorCores: (try? KernelCache.shared.usesTensorCores(language == .cuda)) ?? true))
        whole = source.text
        ownBegins = whole.range(of: "\nKERNEL")?.lowerBound
        block = counted(source.rowsPerGroup, "row")
    }

    init(of reduction: Reduction, _ precision: Precision, _ language: SourceLanguage) throws {
        switch language {
        case .c: self.init(try Kernel(onThisMachine: reduction, precision))
        case .cuda: try self.init(reduction, precision, .cuda)
        case .opencl: try self.init(reduction, precision, .openCL)
        }
    }

    func text(withPrelude: Bool) -> String {
        // What a kernel owns stands behind what all have, and its description stands on top.
        guard !withPrelude, let ownBegins else { return whole }
        let heading = whole.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix("//") }
        let kernel = whole[ownBegins...].drop { $0 == "\n" }
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
