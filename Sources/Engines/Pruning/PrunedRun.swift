/// A call that leaves out pairs of tiles which bounds say do not matter.
protocol PrunedRun<Scalar>: AnyObject, Sendable {
    associatedtype Scalar: BinaryFloatingPoint & Sendable

    var search: PairSearch<Scalar> { get }

    func newWorkspace() -> PruningWorkspace<Scalar>

    /// What a row tile's pairs are not needed beyond, from reducing a few columns that seem near.
    func limit(_ tile: Int, _ workspace: borrowing PruningWorkspace<Scalar>) -> Scalar

    /// Reduces the row tiles of a group.
    func reduce(_ group: Int, _ workspace: borrowing PruningWorkspace<Scalar>)
}

extension PrunedRun {
    func run(threads: Int) {
        ThreadPool.shared.run(count: search.groupCount, threads: threads) { group in
            self.reduce(group, self.newWorkspace())
        }
    }

    /// The share of pairs that would be evaluated, judged by some row tiles.
    func probedShare() -> Double {
        let sample = min(search.groupCount, 8)
        let workspace = newWorkspace()
        var (left, total) = (0, 0)
        for k in 0..<sample {
            let group = (2 * k + 1) * search.groupCount / (2 * sample)
            let tile = search.tiles(ofGroup: group).lowerBound
            let limit = limit(tile, workspace)
            let near = search.groupRanges(group, limit: limit, workspace)
            let ranges = search.tileRanges(tile, from: near.ranges, limit: limit, workspace).ranges
            left += ranges.reduce(0) { $0 + search.columnRange($1).count }
            total += search.columns.tree.count
        }
        return total > 0 ? Double(left) / Double(total) : 1
    }
}
