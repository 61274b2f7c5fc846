/// How a group of threads computes the inner products of its rows and a tile of columns.
///
/// Each warp of 32 threads has 32 rows. Vectors are taken in parts, each of which is added up on its own: tensor cores cut off what does not
/// fit their sums, so that these must not grow long. Rows are kept in shared memory where they fit; else a part of them is fetched when
/// its turn comes. The inner products end where the columns were, from where each thread takes its own row's.
struct ContractionTile: Hashable, Sendable {
    let contraction: Contraction
    let threads: Int
    /// Components of a part, a multiple of 8, the last filled up with zeros.
    let partLength: Int
    let partCount: Int
    /// Whether all parts of the rows are in shared memory.
    let keepsRows: Bool

    /// Nil where there is no room.
    init?(_ contraction: Contraction, threads: Int, sharedByteCount: Int) {
        self.contraction = contraction
        self.threads = threads
        let count = contraction.count
        let partCount = (count + Self.longestPart - 1) / Self.longestPart
        let partLength = ((count + partCount - 1) / partCount + 7) / 8 * 8
        (self.partCount, self.partLength) = (partCount, partLength)
        func fits(_ length: Int) -> Bool {
            (threads * Self.stride(of: length) + Self.sharedColumnCount(partLength, threads)) * 4 <= sharedByteCount
        }
        keepsRows = count <= Self.longestKeptRow && fits(partCount * partLength)
        guard keepsRows || fits(partLength) else { return nil }
    }

    static let columns = 32
    private static let longestPart = 64
    /// Longer rows would take so much that few groups find room beside each other.
    private static let longestKeptRow = 128

    /// Registers that a thread needs for the tile's sums: beyond what it has for a pair, whose values these replace meanwhile.
    static let registers = 64

    /// Numbers from one vector to the next: an odd multiple of 8, so that the threads of a warp, which read two numbers each of eight
    /// vectors, read from different banks.
    private static func stride(of length: Int) -> Int { length % 16 == 8 ? length : length + 8 }

    private static func sharedColumnCount(_ partLength: Int, _ threads: Int) -> Int {
        columns * max(stride(of: partLength), threads + productPadding)
    }

    /// Beyond a number per row: threads that have the products of several columns store into different banks.
    private static let productPadding = 4

    var rowStride: Int { Self.stride(of: keepsRows ? partCount * partLength : partLength) }
    var columnStride: Int { Self.stride(of: partLength) }
    var productStride: Int { threads + Self.productPadding }
    /// Where the columns begin, and then the products.
    var firstColumn: Int { threads * rowStride }
    /// Shared numbers, all of 32 bits.
    var sharedCount: Int { firstColumn + Self.sharedColumnCount(partLength, threads) }
    var sharedByteCount: Int { sharedCount * 4 }
}
