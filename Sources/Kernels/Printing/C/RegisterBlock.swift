import Formulas

/// How many rows and columns a kernel works on at a time: as many as keep the arithmetic busy while all that they need stays
/// in registers.
public struct RegisterBlock: Hashable, Sendable {
    /// Vectors of rows.
    public var rowVectors: Int
    /// Columns, where the pair section has loops over components; their sums are then independent of each other, so that one
    /// addition need not wait for the last.
    public var columns: Int

    init(rowVectors: Int, columns: Int) {
        self.rowVectors = rowVectors
        self.columns = columns
    }

    /// - Parameter vectorBytes: the width of the processor's vectors: 64, 32 or 16.
    init(for kernel: Kernel, vectorBytes: Int) {
        // With AVX-512 an instruction takes a column's number from memory as it is. Elsewhere that is a load into a register,
        // which two vectors of rows share.
        let takesBroadcasts = vectorBytes == 64
        rowVectors = takesBroadcasts ? 1 : 2
        columns = 1
        let pair = kernel.sections[.pair, default: []]
        guard pair.contains(where: { if case .loop = $0 { true } else { false } }) else { return }

        // Half of the registers are for sums that loops carry along, half for what is computed from.
        let registers = takesBroadcasts ? 32 : 16
        let statements = pair.outsideBranches
        let carried = Set(pair.assignedInLoops).count
        columns = 8
        while columns > 2, columns * rowVectors * carried > registers / 2 || columns * statements.count > Self.mostStatements {
            columns /= 2
        }
    }

    /// Statements that the columns are repeated for: more make compiling long and no run faster.
    private static let mostStatements = 512
}
