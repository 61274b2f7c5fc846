/// Points sorted so that neighbours in space are neighbours in memory, cut into tiles, and the boxes around tiles, around groups of
/// tiles, around groups of those.
///
/// A k-d tree (J. Bentley, "Multidimensional binary search trees", 1975) whose cells are split at the median of their widest axis. Only its
/// leaves, the tiles, and every fifth level of it, the groups, are kept.
struct PointTree<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {  // memory is written while it is built only
    /// Tiles in a group, groups in a larger group: as many as fill a few vectors.
    static var branching: Int { 32 }

    let tileSize: Int
    /// Numbers of a point.
    let width: Int
    /// The points, tile by tile, `width` numbers each.
    let points: UnsafeMutablePointer<Scalar>
    /// Where each of them stood before.
    let origins: UnsafeMutablePointer<Int>
    let count: Int
    /// The boxes: of tiles, of groups of tiles, and so on to a level of at most `branching`.
    private(set) var levels: [BoxLevel<Scalar>]

    /// - Parameters:
    ///   - points: `count` × `width` numbers, copied.
    ///   - axes: the numbers that nearness is judged by.
    ///   - origins: where each point stood; nil where that is its place.
    init(
        _ points: UnsafePointer<Scalar>, count: Int, width: Int, axes: [Int], tileSize: Int, origins known: [Int]?, threads: Int
    ) {
        self.tileSize = tileSize
        self.width = width
        self.count = count
        self.points = .allocate(capacity: max(1, count * width))
        self.points.update(from: points, count: count * width)
        origins = .allocate(capacity: max(1, count))
        for k in 0..<count { origins[k] = known?[k] ?? k }
        levels = []
        sort(axes, threads)
        levels = [BoxLevel(self, threads: threads)]
        while levels.last!.count > Self.branching { levels.append(BoxLevel(around: levels.last!, Self.branching)) }
    }

    func deallocate() {
        points.deallocate()
        origins.deallocate()
        for level in levels { level.deallocate() }
    }

    var tileCount: Int { (count + tileSize - 1) / tileSize }

    /// The points of a tile.
    func points(ofTile tile: Int) -> Range<Int> { tile * tileSize..<min(count, (tile + 1) * tileSize) }

    // MARK: Sorting

    /// Splits cells of tiles, all of one depth at a time, then each to its end.
    private func sort(_ axes: [Int], _ threads: Int) {
        var cells = [0..<tileCount]
        while cells.count < 4 * threads, cells.contains(where: { $0.count > 1 }) {
            var next = [Range<Int>](repeating: 0..<0, count: 2 * cells.count)
            next.withUnsafeMutableBufferPointer { next in
                nonisolated(unsafe) let next = next
                ThreadPool.shared.run(count: cells.count, threads: threads) { k in
                    let (left, right) = split(cells[k], axes)
                    (next[2 * k], next[2 * k + 1]) = (left, right)
                }
            }
            cells = next.filter { !$0.isEmpty }
        }
        ThreadPool.shared.run(count: cells.count, threads: threads) { k in
            var open = [cells[k]]
            while let cell = open.popLast() {
                guard cell.count > 1 else { continue }
                let (left, right) = split(cell, axes)
                open += [left, right]
            }
        }
    }

    /// Parts a cell of tiles in two, about in the middle and such that groups are not cut.
    private func split(_ cell: Range<Int>, _ axes: [Int]) -> (Range<Int>, Range<Int>) {
        guard cell.count > 1 else { return (cell, cell.upperBound..<cell.upperBound) }
        var group = 1
        while group * Self.branching < cell.count { group *= Self.branching }
        let half = (cell.count / 2 + group - 1) / group * group
        let middle = cell.lowerBound + (half < cell.count ? half : half - group)
        let own = cell.lowerBound * tileSize..<min(count, cell.upperBound * tileSize)
        select(middle * tileSize, own, widestAxis(own, axes))
        return (cell.lowerBound..<middle, middle..<cell.upperBound)
    }

    private func widestAxis(_ range: Range<Int>, _ axes: [Int]) -> Int {
        var (best, widest) = (axes[0], -Scalar.infinity)
        for axis in axes {
            var (low, high) = (Scalar.infinity, -Scalar.infinity)
            for k in range {
                let x = points[k * width + axis]
                low = x < low ? x : low
                high = x > high ? x : high
            }
            if high - low > widest { (best, widest) = (axis, high - low) }
        }
        return best
    }

    /// Reorders a range so that no point before a position is beyond one from there on, by C. Hoare's algorithm (FIND, 1961).
    private func select(_ position: Int, _ range: Range<Int>, _ axis: Int) {
        var (first, last) = (range.lowerBound, range.upperBound - 1)
        while first < last {
            let pivot = median(first, first + (last - first) / 2, last, axis)
            var (i, j) = (first, last)
            repeat {
                // NaN is neither less nor greater: it stops both scans, which go on behind it.
                while points[i * width + axis] < pivot { i += 1 }
                while points[j * width + axis] > pivot { j -= 1 }
                if i <= j {
                    exchange(i, j)
                    i += 1
                    j -= 1
                }
            } while i <= j
            if position <= j {
                last = j
            } else if position >= i {
                first = i
            } else {
                return
            }
        }
    }

    private func median(_ a: Int, _ b: Int, _ c: Int, _ axis: Int) -> Scalar {
        let (x, y, z) = (points[a * width + axis], points[b * width + axis], points[c * width + axis])
        return max(min(x, y), min(max(x, y), z))
    }

    private func exchange(_ i: Int, _ j: Int) {
        guard i != j else { return }
        for axis in 0..<width {
            let number = points[i * width + axis]
            points[i * width + axis] = points[j * width + axis]
            points[j * width + axis] = number
        }
        let origin = origins[i]
        origins[i] = origins[j]
        origins[j] = origin
    }
}

/// Boxes with sides along the axes, all corners of one kind together.
struct BoxLevel<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {
    let count: Int
    let width: Int
    /// `count` × `width`; NaN where a point has NaN.
    let lower: UnsafeMutablePointer<Scalar>
    let upper: UnsafeMutablePointer<Scalar>

    /// The boxes of tiles.
    init(_ tree: PointTree<Scalar>, threads: Int) {
        self.init(count: tree.tileCount, width: tree.width)
        let tilesPerTask = 256
        let level = self
        ThreadPool.shared.run(count: (count + tilesPerTask - 1) / tilesPerTask, threads: threads) { task in
            for tile in task * tilesPerTask..<min(level.count, (task + 1) * tilesPerTask) {
                level.surround(tile, tree.points, tree.points, tree.points(ofTile: tile))
            }
        }
    }

    /// The boxes of groups of boxes.
    init(around boxes: BoxLevel, _ groupSize: Int) {
        self.init(count: (boxes.count + groupSize - 1) / groupSize, width: boxes.width)
        for group in 0..<count {
            surround(group, boxes.lower, boxes.upper, group * groupSize..<min(boxes.count, (group + 1) * groupSize))
        }
    }

    /// The middles of boxes, as boxes of one point each.
    init(middlesOf boxes: BoxLevel) {
        self.init(count: boxes.count, width: boxes.width)
        for k in 0..<count * width {
            let middle = boxes.lower[k] / 2 + boxes.upper[k] / 2
            (lower[k], upper[k]) = (middle, middle)
        }
    }

    private init(count: Int, width: Int) {
        self.count = count
        self.width = width
        lower = .allocate(capacity: max(1, count * width))
        upper = .allocate(capacity: max(1, count * width))
    }

    func deallocate() {
        lower.deallocate()
        upper.deallocate()
    }

    private func surround(_ box: Int, _ lowest: UnsafePointer<Scalar>, _ highest: UnsafePointer<Scalar>, _ members: Range<Int>) {
        for axis in 0..<width {
            var (low, high) = (Scalar.infinity, -Scalar.infinity)
            for k in members {
                let (a, b) = (lowest[k * width + axis], highest[k * width + axis])
                // The negation lets NaN in, and nothing replaces it.
                low = !(a >= low) && low == low ? a : low
                high = !(b <= high) && high == high ? b : high
            }
            lower[box * width + axis] = low
            upper[box * width + axis] = high
        }
    }
}
