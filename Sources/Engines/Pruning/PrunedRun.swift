/// A block of a call that leaves out pairs of tiles which bounds say do not matter.
protocol PrunedRun<Scalar>: AnyObject, Sendable {
    associatedtype Scalar: BinaryFloatingPoint & Sendable

    var search: PairSearch<Scalar> { get }
    /// The reduction itself.
    var whole: CPUKernel { get }
    /// Where the block's batch item goes.
    var output: Output { get }

    func newWorkspace() -> PruningWorkspace<Scalar>

    /// What a row tile's pairs are not needed beyond, from reducing a few columns that seem near.
    func limit(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> Scalar

    /// What each of some row tiles of a group needs.
    func needs(
        _ tiles: Range<Int>, ofGroup group: Int, limits: [Scalar], _ workspace: borrowing PruningWorkspace<Scalar>
    ) -> [TileNeed]

    /// Reduces the rows of a tile over the columns that it needs.
    func reduce(_ tile: Int, over ranges: [Range<Int>], _ workspace: borrowing PruningWorkspace<Scalar>)

    /// Reduces the block on a call's devices.
    func runOnDevices(_ devices: SortedDeviceRun<Scalar>, threads: Int) throws
}

/// What a row tile cannot do without.
enum TileNeed {
    /// Sorted columns, beside those that are put aside.
    case columns([Range<Int>])
    /// All columns, as they stood.
    case all
}

extension PrunedRun {
    func run(threads: Int) {
        ThreadPool.shared.run(count: search.groupCount, threads: threads) { group in
            let workspace = self.newWorkspace()
            let tiles = self.search.tiles(ofGroup: group)
            let limits = tiles.map { self.limit($0, workspace) }
            for (tile, need) in zip(tiles, self.needs(tiles, ofGroup: group, limits: limits, workspace)) {
                switch need {
                case .columns(let ranges): self.reduce(tile, over: self.search.withAside(ranges), workspace)
                case .all: self.search.reduceWhole(self.search.rows.tree.points(ofTile: tile), by: self.whole, into: self.output)
                }
            }
        }
        search.reduceAside(by: whole, into: output, threads: threads)
    }

    /// The share of pairs that would be evaluated, judged by some row tiles.
    func probedShare() -> Double {
        let sample = min(search.groupCount, 8)
        let workspace = newWorkspace()
        var (left, total) = (0, 0)
        for k in 0..<sample {
            let group = (2 * k + 1) * search.groupCount / (2 * sample)
            let tile = search.tiles(ofGroup: group).lowerBound
            switch needs(tile..<tile + 1, ofGroup: group, limits: [limit(tile, workspace)], workspace)[0] {
            case .columns(let ranges): left += ranges.reduce(0) { $0 + $1.count }
            case .all: left += search.columns.tree.count
            }
            total += search.columns.tree.count
        }
        let aside = Double(search.asidePairs) / (Double(search.rows.count) * Double(search.columns.count))
        return total > 0 ? Double(left) / Double(total) + aside : 1
    }
}
