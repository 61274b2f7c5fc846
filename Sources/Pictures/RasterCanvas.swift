import Foundation

/// A picture as pixels, with smooth edges.
///
/// Everything is filled rings in the end: a line is a quadrilateral with discs at its ends, a letter is lines. So there
/// is one rasteriser, which computes the exact area that a shape covers of each pixel.
struct RasterCanvas: Canvas {
    let columns: Int
    let rows: Int
    /// Red, green and blue of each pixel, row by row from the top.
    private(set) var pixels: [UInt8]
    private let scale: Double

    init(width: Double, height: Double, scale: Double) {
        self.scale = scale
        columns = Int((width * scale).rounded(.up))
        rows = Int((height * scale).rounded(.up))
        pixels = [UInt8](repeating: 255, count: columns * rows * 3)
    }

    mutating func fill(_ rings: [[Point]], _ color: Color) {
        paint(rings.map(scaled), color)
    }

    mutating func stroke(_ lines: [[Point]], width: Double, _ color: Color) {
        var rings: [[Point]] = []
        for line in lines {
            let points = scaled(line)
            for (start, end) in zip(points, points.dropFirst()) where start != end {
                rings.append(Self.bar(start, end, halfWidth: width * scale / 2))
            }
            rings += Self.joints(points).map { Self.disc($0, radius: width * scale / 2) }
        }
        paint(rings, color)
    }

    mutating func dots(_ centers: [Point], radius: Double, _ color: Color) {
        paint(scaled(centers).map { Self.disc($0, radius: radius * scale) }, color)
    }

    mutating func write(_ label: Label, at point: Point) {
        let lines = StrokeFont.lines(for: label).map { $0.map { Point(point.x + $0.x, point.y + $0.y) } }
        stroke(lines, width: label.size * 0.095, label.color)
    }

    /// Points in pixels, without those that are nowhere.
    private func scaled(_ points: [Point]) -> [Point] {
        points.lazy.filter { $0.x.isFinite && $0.y.isFinite }.map { Point($0.x * scale, $0.y * scale) }
    }

    // The rings of a stroke overlap, so all must turn the same way: then their areas add up and are cut off at 1.

    /// The ends and corners of a line. Where it hardly bends no disc is needed, and its rim would darken the line's edge.
    private static func joints(_ points: [Point]) -> [Point] {
        points.indices.filter { index in
            guard index > 0, index < points.count - 1 else { return true }
            let (before, here, after) = (points[index - 1], points[index], points[index + 1])
            let (ax, ay, bx, by) = (here.x - before.x, here.y - before.y, after.x - here.x, after.y - here.y)
            return ax * bx + ay * by < 0.9 * ((ax * ax + ay * ay) * (bx * bx + by * by)).squareRoot()
        }.map { points[$0] }
    }

    private static func bar(_ start: Point, _ end: Point, halfWidth: Double) -> [Point] {
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        let factor = halfWidth / (dx * dx + dy * dy).squareRoot()
        let (nx, ny) = (-dy * factor, dx * factor)
        return [
            Point(start.x - nx, start.y - ny), Point(end.x - nx, end.y - ny),
            Point(end.x + nx, end.y + ny), Point(start.x + nx, start.y + ny),
        ]
    }

    private static func disc(_ center: Point, radius: Double) -> [Point] {
        let count = max(8, Int(radius * 4))
        return (0..<count).map {
            let angle = 2 * Double.pi * Double($0) / Double(count)
            return Point(center.x + radius * cos(angle), center.y + radius * sin(angle))
        }
    }

    private mutating func paint(_ rings: [[Point]], _ color: Color) {
        var coverage = Coverage(columns: columns, rows: rows)
        for ring in rings where ring.count > 2 {
            var last = ring[ring.count - 1]
            for point in ring {
                coverage.add(from: last, to: point)
                last = point
            }
        }
        let ink = color.bytes.map { Float($0) }
        coverage.forEachPixel { pixel, share in
            for channel in 0..<3 {
                let old = Float(pixels[3 * pixel + channel])
                pixels[3 * pixel + channel] = UInt8((old + (ink[channel] - old) * share).rounded())
            }
        }
    }
}

/// How much of each pixel a shape covers.
///
/// Each edge adds, to the pixels it crosses, the signed area to its right; the sum over a row from the left is then the
/// covered share. The method is that of Raph Levien's font-rs.
private struct Coverage {
    private let columns: Int
    private let rows: Int
    private var areas: [Float]
    private var firstRow: Int
    private var lastRow = -1

    init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
        areas = [Float](repeating: 0, count: (columns + 2) * rows)
        firstRow = rows
    }

    mutating func add(from start: Point, to end: Point) {
        guard start.y != end.y else { return }
        let sign = start.y < end.y ? 1.0 : -1.0
        let (top, bottom) = start.y < end.y ? (start, end) : (end, start)
        let from = max(top.y, 0)
        let to = min(bottom.y, Double(rows))
        guard from < to else { return }
        let slope = (bottom.x - top.x) / (bottom.y - top.y)
        let edge = Double(columns)
        for row in Int(from)..<Int(to.rounded(.up)) {
            let y0 = max(from, Double(row))
            let y1 = min(to, Double(row + 1))
            // Left of the picture an edge counts as standing on its border, right of it likewise.
            let x0 = min(max(top.x + (y0 - top.y) * slope, 0), edge)
            let x1 = min(max(top.x + (y1 - top.y) * slope, 0), edge)
            add(row: row, height: sign * (y1 - y0), min(x0, x1), max(x0, x1))
        }
        firstRow = min(firstRow, Int(from))
        lastRow = max(lastRow, Int(to.rounded(.up)) - 1)
    }

    /// One edge's part in one row, reaching from `left` to `right`.
    private mutating func add(row: Int, height: Double, _ left: Double, _ right: Double) {
        let base = row * (columns + 2)
        let first = Int(left)
        let width = right - left
        if right <= Double(first + 1) {
            let share = 1 - ((left + right) / 2 - Double(first))
            areas[base + first] += Float(height * share)
            areas[base + first + 1] += Float(height * (1 - share))
            return
        }
        // Area to the right of the edge inside each pixel, as differences between neighbours.
        var covered = 0.0
        for column in first..<Int(right.rounded(.up)) {
            let x0 = max(left, Double(column))
            let x1 = min(right, Double(column + 1))
            let before = (x0 - left) / width
            let after = (x1 - left) / width
            let area = (before + after) / 2 * (x1 - x0) + after * (Double(column + 1) - x1)
            areas[base + column] += Float(height * (area - covered))
            covered = area
        }
        areas[base + Int(right.rounded(.up))] += Float(height * (1 - covered))
    }

    func forEachPixel(_ body: (_ pixel: Int, _ share: Float) -> Void) {
        guard firstRow <= lastRow else { return }
        for row in firstRow...lastRow {
            var sum: Float = 0
            for column in 0..<columns {
                sum += areas[row * (columns + 2) + column]
                let share = min(abs(sum), 1)
                if share > 0.002 { body(row * columns + column, share) }
            }
        }
    }
}
