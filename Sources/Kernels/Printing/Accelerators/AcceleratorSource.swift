import Formulas

/// A kernel as CUDA C or OpenCL C.
///
/// Lane = row: a thread owns a few rows, a group of threads shares tiles of columns. The functions:
///
///     khufu_centre    finds a point amid the columns (where distances are taken from there)
///     khufu_columns   fills the table of what depends on the column only (where there is any such work)
///     khufu_rows      reduces some rows over some columns, into results or states
///     khufu_merge     makes results of states; a source of its own, `merging`
public struct AcceleratorSource: Sendable {
    /// What was printed.
    public let kernel: Kernel
    /// The whole text.
    public let text: String
    /// Threads per group, of every function.
    public let threads: Int
    /// Rows per group.
    public let rowsPerGroup: Int
    /// Bytes per row of the table of what is too long for registers.
    public let rowTableByteCount: Int
    /// Bytes of arrays that each thread has in memory of its own, as registers are too few.
    public let localByteCount: Int
    /// Bytes of shared memory that a launch has to ask for; 0 for none.
    public let sharedByteCount: Int
    /// Whether numbers in float64 are computed with.
    public let usesFloat64: Bool

    /// Lowers and prints a reduction.
    ///
    /// - Parameters:
    ///   - squaredDistances: how those of long vectors may be computed. Directly, where several columns are in flight: the way out of an
    ///     inner product that cancels would be repeated for each of them.
    public init(
        _ reduction: Reduction, precision: Precision, squaredDistances: SquaredDistances = .direct, for target: AcceleratorTarget
    ) throws(FormulaError) {
        let plan = try BlockPlan(lowering: reduction, precision: precision, squaredDistances: squaredDistances, for: target)
        let kernel = plan.kernel
        func frame(_ sections: Set<Kernel.Section>) -> AcceleratorFrame {
            AcceleratorFrame(kernel: kernel.limited(to: sections), language: target.language, block: plan.block, isMerging: false)
        }
        let whole = frame(Set(Kernel.Section.allCases))
        self.init(
            whole,
            text: whole.text([
                kernel.centreWidth > 0 ? frame([.call, .centre]).centreFunction() : nil,
                kernel.columnTableWidth > 0 ? frame([.call, .column]).columnFunction() : nil,
                frame(Set(Kernel.Section.allCases).subtracting([.centre, .column])).rowFunction(),
            ]))
    }

    /// What merges the states of a reduction's rows whose columns were split.
    public init(merging reduction: Reduction, precision: Precision, language: AcceleratorLanguage) {
        let plan = BlockPlan(merging: reduction, precision: precision)
        let frame = AcceleratorFrame(kernel: plan.kernel, language: language, block: plan.block, isMerging: true)
        self.init(frame, text: frame.text([frame.mergeFunction()]))
    }

    private init(_ frame: AcceleratorFrame, text: String) {
        kernel = frame.kernel
        self.text = text
        threads = frame.block.threads
        rowsPerGroup = frame.block.threads * frame.block.rowsPerThread
        rowTableByteCount = frame.block.rowTableWidth * frame.kernel.precision.arithmetic.byteCount
        sharedByteCount = frame.block.isSharedMemoryAskedFor ? frame.block.contraction!.sharedByteCount : 0
        usesFloat64 = frame.usesFloat64
        localByteCount = frame.localByteCount
    }
}
