/// Memory that is read and never written, given back with its last owner.
final class TensorStorage: @unchecked Sendable {
    let base: UnsafeRawPointer
    private let release: () -> Void
    /// Whose memory this is a part of.
    private let owner: TensorStorage?

    init(_ base: UnsafeRawPointer, release: @escaping () -> Void) {
        self.base = base
        self.release = release
        owner = nil
    }

    /// The memory of another one from a byte on.
    init(sharing other: TensorStorage, from offset: Int) {
        base = other.base + offset
        release = {}
        // The first owner: parts of parts make no chain.
        owner = other.owner ?? other
    }

    deinit { release() }
}
