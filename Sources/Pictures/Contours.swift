/// The areas of a sampled field where it is at least a level, as rings, by marching squares.
struct Contours {
    private let columns: Int
    private let rows: Int
    private let xs: [Double]
    private let ys: [Double]
    private let values: [Double]

    /// A field of samples at the centres of `rows` × `columns` equal cells that fill `frame`, the first row at the top.
    ///
    /// Inside, two rings of samples are added: the outermost samples repeated on the frame's border, so that areas reach
    /// it, and around them, at the same places, values below everything, so that every contour is closed.
    init(values samples: [Double], rows: Int, columns: Int, in frame: Frame) {
        precondition(rows > 0 && columns > 0 && samples.count == rows * columns, "a field needs a value for every cell")
        func places(_ count: Int, from start: Double, length: Double) -> [Double] {
            let centers = (0..<count).map { start + length * (Double($0) + 0.5) / Double(count) }
            return [start, start] + centers + [start + length, start + length]
        }
        xs = places(columns, from: frame.left, length: frame.width)
        ys = places(rows, from: frame.top, length: frame.height)
        var values: [Double] = []
        values.reserveCapacity(xs.count * ys.count)
        for row in 0..<ys.count {
            for column in 0..<xs.count {
                if row == 0 || column == 0 || row == ys.count - 1 || column == xs.count - 1 {
                    values.append(-.infinity)
                } else {
                    let inside = samples[min(max(row - 2, 0), rows - 1) * columns + min(max(column - 2, 0), columns - 1)]
                    values.append(inside.isNaN ? -.infinity : inside)
                }
            }
        }
        self.columns = xs.count
        self.rows = ys.count
        self.values = values
    }

    /// The borders of the area where the field is `level` or more. Holes run the other way round than outer rings.
    func rings(atLeast level: Double) -> [[Point]] {
        // Every edge of the grid that a contour crosses is left by one piece and entered by one: the pieces chain up.
        var next: [Int: Int] = [:]
        for row in 0..<(rows - 1) {
            for column in 0..<(columns - 1) { addPieces(row, column, level, to: &next) }
        }
        var rings: [[Point]] = []
        // In the order of the grid, so that the same field always gives the same file.
        for first in next.keys.sorted() where next[first] != nil {
            var ring: [Point] = []
            var edge = first
            while let following = next.removeValue(forKey: edge) {
                ring.append(crossing(edge, level))
                edge = following
            }
            if ring.count > 2 { rings.append(ring) }
        }
        return rings
    }

    /// Adds the contour's pieces in the cell with this upper left sample, each from the edge where a walk around the cell
    /// leaves the area to the edge where it comes back.
    private func addPieces(_ row: Int, _ column: Int, _ level: Double, to next: inout [Int: Int]) {
        let corner = row * columns + column
        // Clockwise: corners, and the edges between each and its successor. An edge is named by twice its first sample,
        // plus 1 when it runs downwards.
        let corners = (values[corner], values[corner + 1], values[corner + columns + 1], values[corner + columns])
        let inside = (corners.0 >= level, corners.1 >= level, corners.2 >= level, corners.3 >= level)
        if inside == (true, true, true, true) || inside == (false, false, false, false) { return }
        let states = [inside.0, inside.1, inside.2, inside.3]
        let edges = [2 * corner, 2 * (corner + 1) + 1, 2 * (corner + columns), 2 * corner + 1]
        let exits = (0..<4).filter { states[$0] && !states[($0 + 1) % 4] }
        let entries = (0..<4).filter { !states[$0] && states[($0 + 1) % 4] }
        if exits.count == 1 {
            next[edges[exits[0]]] = edges[entries[0]]
            return
        }
        // A saddle: opposite corners are inside. Their areas meet when the middle is inside too; the entry that follows
        // an exit is then its partner, otherwise the one before.
        let isJoined = (corners.0 + corners.1 + corners.2 + corners.3) / 4 >= level
        for exit in exits {
            let partner = (exit + (isJoined ? 1 : 3)) % 4
            next[edges[exit]] = edges[partner]
        }
    }

    /// Where the field passes the level on an edge, by linear interpolation.
    private func crossing(_ edge: Int, _ level: Double) -> Point {
        let first = edge / 2
        let isVertical = edge % 2 == 1
        let second = first + (isVertical ? columns : 1)
        let (low, high) = (values[first], values[second])
        // Next to the values below everything the crossing is on the border itself.
        let share = low == -.infinity ? 1 : high == -.infinity ? 0 : (level - low) / (high - low)
        let (row, column) = (first / columns, first % columns)
        let x = isVertical ? xs[column] : xs[column] + (xs[column + 1] - xs[column]) * share
        let y = isVertical ? ys[row] + (ys[row + 1] - ys[row]) * share : ys[row]
        return Point(x, y)
    }
}
