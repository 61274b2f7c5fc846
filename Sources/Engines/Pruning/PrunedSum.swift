import Formulas
import Kernels
import RealModule

/// One block of a sum, of log-sum-exp or of a soft maximum, without pairs that are too small to matter.
///
/// The sum of magnitudes Σ_j |F_ij| is at least what a few columns that seem near yield. The tolerance times that may be left out: half of it,
/// in equal shares, by groups of tiles that bounds say are far below; the other half by tiles, those of the smallest bounds first.
///
/// A soft maximum is a quotient Σ e^F g / Σ e^F. With g at most γ in magnitude, what leaves out δ Σ e^F |g| / γ of Σ e^F leaves out at most
/// δ Σ e^F |g| of the numerator and δ Σ e^F of the denominator: a relative error of 2δ / (1 - δ) beside Σ e^F |g| / Σ e^F.
final class PrunedSum<Scalar: BinaryFloatingPoint & Sendable>: PrunedRun, @unchecked Sendable {  // tasks write rows of their own
    let search: PairSearch<Scalar>
    let output: Output
    let kernels: SumKernels
    private let tolerance: Double
    /// The logarithms of a soft maximum's largest weights, one for each component.
    private let weights: [Double]

    /// Sorts rows and columns.
    ///
    /// - Parameter rowsPerTile: as many as the engine takes at a time.
    init(
        _ kernels: SumKernels, _ binding: Binding, _ block: PruningBlock, tolerance: Double, output: Output, rowsPerTile: Int,
        threads: Int
    ) {
        self.kernels = kernels
        self.tolerance = kernels.reduction.kind == .sumSoftMax ? tolerance / (2 + tolerance) : tolerance
        self.output = output
        search = PairSearch(
            kernels.bounds, kernels.reduction.variables, binding, block, rowsPerTile: rowsPerTile, includesLimit: false,
            threads: threads)
        weights = Self.weights(kernels, search)
    }

    private static func weights(_ kernels: SumKernels, _ search: PairSearch<Scalar>) -> [Double] {
        guard let kernel = kernels.weights else { return [] }
        let variables = kernels.reduction.variables
        let inputs = kernel.kernel.inputs.map { input in search.inputs.sorted[variables.firstIndex(of: input.variable)!] }
        return [Scalar](unsafeUninitializedCapacity: kernel.kernel.reduction.valueCount) { buffer, count in
            kernel.reduce(
                0..<1, over: [0..<search.columns.tree.count], positionBase: 0, inputs: inputs,
                table: search.columnTables.table(kernel, columns: search.columns.count, inputs: inputs),
                into: .results(values: buffer.baseAddress, indices: nil))
            count = kernel.kernel.reduction.valueCount
        }.map { .log(Double($0)) }
    }

    var whole: CPUKernel { kernels.whole }

    private var rows: PointTree<Scalar> { search.rows.tree }

    func newWorkspace() -> PruningWorkspace<Scalar> {
        PruningWorkspace(listLength: kernels.magnitudes.kernel.reduction.valueCount, rowsPerTile: rows.tileSize)
    }

    /// What rounding may take from the sum of magnitudes, generously.
    private static var roundingShare: Double { 1e-3 }

    func limit(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> Scalar {
        guard tolerance > 0 else { return limitOfMasks }
        search.reduce(tile, over: nearColumns(tile, workspace), by: kernels.magnitudes, values: workspace.values)
        return limit(workspace.values, rows: rows.points(ofTile: tile).count)
    }

    /// Without a tolerance, only what is 0 is left out.
    var limitOfMasks: Scalar { kernels.isLogarithmic ? .infinity : 0 }

    var hasTolerance: Bool { tolerance > 0 }

    /// Columns that a tile's limit is taken from: some, or as many as rows of a large tile have near them.
    func nearColumns(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> [Range<Int>] {
        search.nearColumns(tile, tiles: max(4, 2 * rows.tileSize / PairSearch<Scalar>.columnsPerTile), workspace)
    }

    /// The limit of a tile of so many rows.
    ///
    /// - Parameter values: the rows' sums of magnitudes over near columns.
    func limit(_ values: UnsafePointer<Scalar>, rows: Int) -> Scalar {
        var least = Double.infinity
        for k in 0..<rows * kernels.magnitudes.kernel.reduction.valueCount {
            var value = Double(values[k])
            if !weights.isEmpty {
                let weight = weights[k % weights.count]
                // A component that is 0 everywhere allows for anything.
                value = weight == -.infinity ? .infinity : value - weight
            }
            least = value.isNaN ? value : min(least, value)
            if least.isNaN { break }
        }
        // Nothing is left out beside a sum that is infinite or not a number.
        guard least < .infinity else { return .infinity }
        let share = 0.5 * tolerance / Double(search.columns.tree.count)
        // Rounded towards keeping more.
        if kernels.isLogarithmic { return Scalar(-(.log(share) + least - Self.roundingShare)).nextUp }
        return min(0, Scalar(-share * least * (1 - Self.roundingShare)).nextUp)
    }

    func needs(
        _ tiles: Range<Int>, ofGroup group: Int, limits: [Scalar], _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> [TileNeed] {
        let near = search.groupRanges(group, limit: limits.max()!, workspace)
        var needs: [TileNeed] = []
        for (tile, limit) in zip(tiles, limits) {
            needs.append(.columns(needed(tile, near.ranges, limit, workspace).map(search.columnRange)))
        }
        return needs
    }

    func reduce(_ tile: Int, over ranges: [Range<Int>], _ workspace: borrowing PruningWorkspace<Scalar>) {
        if ranges.isEmpty {
            storeNothing(tile)
        } else {
            search.reduce(tile, over: ranges, by: whole, into: output)
        }
    }

    /// The tiles of columns, out of some, that a row tile cannot do without.
    private func needed(
        _ tile: Int, _ ranges: [Range<Int>], _ limit: Scalar, _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> [Range<Int>] {
        // A share of nothing is nothing.
        guard tolerance > 0, limit.isFinite, limit < 0 || kernels.isLogarithmic else {
            return search.tileRanges(tile, from: ranges, limit: limit, workspace).ranges
        }
        let bins = search.bounds(tile, in: ranges, workspace).map { bin(of: $0, limit) }
        // Shares of the tolerance by powers of 2: sorting them all would take longer than it saves.
        var counts = [Int](repeating: 0, count: Self.binCount)
        for bin in bins { counts[Int(bin)] += 1 }
        // A tile of bin k takes at most 2^(k - binOfOne) equal shares for each of its columns.
        var (total, first) = (0.0, 0)
        let budget = Double(search.columns.tree.count / PairSearch<Scalar>.columnsPerTile)
        while first < Self.binCount - 1 {
            total += Double(counts[first]) * Double(sign: .plus, exponent: first - Self.binOfOne, significand: 1)
            guard total <= budget else { break }
            first += 1
        }
        var left: [Range<Int>] = []
        for (place, bin) in zip(ranges.joined(), bins) where Int(bin) >= first { left.append(orExtendBy: place) }
        return left
    }

    private static var binCount: Int { 64 }
    /// That of tiles which take an equal share.
    private static var binOfOne: Int { 24 }

    /// The power of 2, rounded up, of a tile's magnitude over an equal share; the last one for what must stay.
    private func bin(of bound: Scalar, _ limit: Scalar) -> UInt8 {
        // Rounded up once more, for the rounding of what is compared.
        let power: Scalar
        if kernels.isLogarithmic {
            power = (limit - bound) * 1.442695041 + 1.01
        } else {
            let ratio = bound / limit
            // NaN says nothing. No share is so small that it is none.
            power = ratio.isNaN ? .nan : ratio < .leastNormalMagnitude ? -Scalar(Self.binCount) : Scalar(ratio.exponent) + 1
        }
        guard power < Scalar(Self.binCount - 2 - Self.binOfOne) else { return UInt8(Self.binCount - 1) }
        return UInt8(max(0, Int(max(power, -Scalar(Self.binCount)).rounded(.up)) + Self.binOfOne))
    }

    /// The sum of no pairs. Kernels may multiply a sum by a factor, and an infinite one would spoil the sum of nothing.
    private func storeNothing(_ tile: Int) {
        guard let base = output.values?.assumingMemoryBound(to: Scalar.self) else { return }
        let nothing = kernels.reduction.finish(kernels.reduction.identityState).values
        for place in rows.points(ofTile: tile) {
            for (k, value) in nothing.enumerated() { base[search.row(place) * nothing.count + k] = Scalar(value) }
        }
    }
}
