import Formulas

/// A kernel as C with vector extensions, for clang and gcc.
///
/// Lane = row: a vector holds one number of `lanes` rows, a block of R vectors stays in registers while the columns pass.
public struct CSource: Sendable {
    /// The whole text.
    public let text: String
    /// Bytes of scratch memory that a call needs.
    public let workspaceBytes: Int
    /// Bytes of the totals of a vector of rows.
    public let stateBytes: Int
    /// Rows per block.
    public let rowsPerBlock: Int
    /// Numbers per vector.
    public let lanes: Int
    /// What is worked on at a time.
    public let block: RegisterBlock

    /// Arrays beyond this size are kept in the workspace, not on a thread's stack.
    private static let largestStackArray = 4_096

    /// - Parameter vectorBytes: the width of the processor's vectors: 64, 32 or 16.
    public init(_ kernel: Kernel, vectorBytes: Int) {
        lanes = vectorBytes / kernel.precision.arithmetic.byteCount
        block = RegisterBlock(for: kernel, vectorBytes: vectorBytes)
        let dialect = CDialect(kernel: kernel)
        let uses = RegisterUses(
            Kernel.Section.allCases.map { kernel.sections[$0, default: []] }, splitsAtBarriers: block.columns > 1)
        var frame = CSourceFrame(
            kernel: kernel, dialect: dialect, uses: uses, columns: block.columns, lanes: lanes, rowVectors: block.rowVectors,
            largestStackArray: Self.largestStackArray)
        text = frame.print()
        workspaceBytes = frame.workspaceBytes
        stateBytes = frame.stateBytes
        rowsPerBlock = lanes * block.rowVectors
    }
}
