import Formulas

/// A kernel as CUDA C or OpenCL C.
///
/// Lane = row: a thread owns a few rows, a group of threads shares tiles of columns. The functions:
///
///     khufu_columns   fills the table of what depends on the column only (where there is any such work)
///     khufu_rows      reduces some rows over some columns, into results or states
///     khufu_merge     makes results of states; a source of its own, `merging`
public struct AcceleratorSource: Sendable {
    /// The whole text.
    public let text: String
    /// Threads per group, of every function.
    public let threads: Int
    /// Rows per group.
    public let rowsPerGroup: Int
    /// Bytes per row of the table of what is too long for registers.
    public let rowTableByteCount: Int
    /// Whether numbers in float64 are computed with.
    public let usesFloat64: Bool

    /// - Parameter sharedByteCount: how many bytes a group may share.
    public init(_ kernel: Kernel, language: AcceleratorLanguage, sharedByteCount: Int) {
        let block = ThreadBlock(for: kernel, sharedByteCount: sharedByteCount)
        let frame = AcceleratorFrame(kernel: kernel, language: language, block: block, isMerging: false)
        self.init(frame, text: frame.text([kernel.columnTableWidth > 0 ? frame.columnFunction() : nil, frame.rowFunction()]))
    }

    /// What merges the states of a reduction's rows whose columns were split.
    public init(merging reduction: Reduction, precision: Precision, language: AcceleratorLanguage) {
        let kernel = Kernel(merging: reduction, precision: precision)
        let block = ThreadBlock(threads: 128, rowsPerThread: 1, tile: nil)
        let frame = AcceleratorFrame(kernel: kernel, language: language, block: block, isMerging: true)
        self.init(frame, text: frame.text([frame.mergeFunction()]))
    }

    private init(_ frame: AcceleratorFrame, text: String) {
        self.text = text
        threads = frame.block.threads
        rowsPerGroup = frame.block.threads * frame.block.rowsPerThread
        rowTableByteCount = frame.block.rowTableWidth * frame.kernel.precision.arithmetic.byteCount
        usesFloat64 = frame.usesFloat64
    }
}
