import Synchronization

/// What kernels tabulate of the columns ahead of all rows, made when it is first wanted.
final class ColumnTables: @unchecked Sendable {
    /// By the kernel and by where its inputs are.
    private let tables = Mutex<[Key: Int]>([:])

    private struct Key: Hashable {
        var kernel: ObjectIdentifier
        var inputs: [UInt]
    }

    /// The table of a kernel for some columns; nil where it has none.
    func table(_ kernel: CPUKernel, columns count: Int, inputs: [UnsafeRawPointer]) -> UnsafeMutableRawPointer? {
        let bytes = kernel.columnTableBytes(count)
        guard bytes > 0 else { return nil }
        let key = Key(kernel: ObjectIdentifier(kernel), inputs: inputs.map { UInt(bitPattern: $0) })
        let address = tables.withLock { tables in
            if let known = tables[key] { return known }
            let made = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            kernel.findCentre(columns: count, inputs: inputs, table: made)
            kernel.tabulate(0..<count, inputs: inputs, table: made)
            tables[key] = Int(bitPattern: made)
            return Int(bitPattern: made)
        }
        return UnsafeMutableRawPointer(bitPattern: address)
    }

    deinit {
        tables.withLock { for address in $0.values { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() } }
    }
}
