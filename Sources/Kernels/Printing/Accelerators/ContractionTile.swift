/// How a group of threads computes products of matrices on tensor cores, for its rows and a tile of columns: inner products of rows and
/// columns, and sums of columns' vectors by weights that each pair has.
///
/// Each warp of 32 threads has 32 rows. Shared memory holds, one after another:
///
///     rows        all parts of their vectors where these fit; else a part is fetched when its turn comes
///     columns     a part of their vectors; then the inner products, from where each thread takes its own row's; then the weights,
///                 where each thread puts its own row's
///     vectors     that are weighted
///     factors     for all that has entered a row's weighted sum, and whether numbers were met that have to be multiplied as they are
///
/// Weighted sums grow by a tile's columns at a time. In the end they lie where columns and vectors were, from where each thread takes
/// its own row's.
struct ContractionTile: Hashable, Sendable {
    let contraction: Contraction?
    let weighting: Weighting?
    let threads: Int
    /// Components of a part, a multiple of 8, the last filled up with zeros. Parts are added up each on its own: tensor cores cut off what
    /// does not fit their sums, so that these must not grow long.
    let partLength: Int
    let partCount: Int
    /// Whether all parts of the rows are in shared memory.
    let keepsRows: Bool

    /// Nil where there is nothing to be done, or no room.
    init?(_ contraction: Contraction?, _ weighting: Weighting?, threads: Int, sharedByteCount: Int) {
        if contraction == nil && weighting == nil { return nil }
        self.contraction = contraction
        self.weighting = weighting
        self.threads = threads
        let count = contraction?.count ?? 0
        partCount = (count + Self.longestPart - 1) / Self.longestPart
        partLength = partCount > 0 ? ((count + partCount - 1) / partCount + 7) / 8 * 8 : 0
        let wish = Self(contraction, weighting, threads, partLength, partCount, keepsRows: count <= Self.longestKeptRow)
        keepsRows = wish.keepsRows && wish.sharedByteCount <= sharedByteCount
        guard self.sharedByteCount <= sharedByteCount else { return nil }
    }

    private init(
        _ contraction: Contraction?, _ weighting: Weighting?, _ threads: Int, _ partLength: Int, _ partCount: Int, keepsRows: Bool
    ) {
        (self.contraction, self.weighting, self.threads) = (contraction, weighting, threads)
        (self.partLength, self.partCount, self.keepsRows) = (partLength, partCount, keepsRows)
    }

    static let columns = 32
    private static let longestPart = 64
    /// Longer rows would take so much that few groups find room beside each other.
    private static let longestKeptRow = 128

    /// Components of vectors that are weighted at a time.
    static let blockLength = 32
    var vectorBlocks: Int { ((weighting?.count ?? 0) + Self.blockLength - 1) / Self.blockLength }

    /// Registers that a thread needs for the tile's sums, beyond what it has for a pair, whose values these replace meanwhile; and for
    /// weighted sums.
    var registers: Int { 64 + 32 * vectorBlocks }

    // MARK: Places

    /// Numbers from one vector to the next: an odd multiple of 8, so that the threads of a warp, which read two numbers each of eight
    /// vectors, read from different banks.
    private static func stride(of length: Int) -> Int { length % 16 == 8 ? length : length + 8 }

    var rowStride: Int { Self.stride(of: keepsRows ? partCount * partLength : partLength) }
    var columnStride: Int { Self.stride(of: partLength) }
    /// From one column's products or weights to the next's. Threads that have those of several columns meet different banks.
    var productStride: Int { threads + 4 }
    /// From one weighted vector to the next, likewise.
    var vectorStride: Int { vectorBlocks * Self.blockLength + 4 }

    /// Where the columns begin, and then the products and the weights.
    var firstColumn: Int { contraction == nil ? 0 : threads * rowStride }
    var firstVector: Int { firstColumn + Self.columns * max(contraction == nil ? 0 : columnStride, productStride) }
    var firstFactor: Int { firstVector + Self.columns * vectorStride }
    /// Not 0 where numbers were met that have to be multiplied as they are.
    var notice: Int { firstFactor + threads }
    /// Shared numbers, all of 32 bits.
    var sharedCount: Int {
        guard let weighting else { return firstVector }
        return max(notice + 4, firstColumn + weighting.count * productStride)
    }
    var sharedByteCount: Int { sharedCount * 4 }
}
