import ArrayFiles
import Foundation

/// A result in a few lines: its shape, its range and its first rows.
struct ResultSummary {
    private static let shownRows = 5
    private static let shownColumns = 6

    /// Describes an array under a title.
    static func add(_ array: PointArray, _ title: String, to sheet: inout Sheet) {
        let type =
            switch array.storage {
            case .float32: "float32"
            case .float64: "float64"
            case .int64: "int64"
            }
        sheet.add(title, "\(readable(shape: array.shape)), \(type)")
        sheet.add("range", range(array))
        sheet.add("first rows", firstRows(array))
    }

    private static func range(_ array: PointArray) -> String {
        let values = array.doubles
        var (low, high, sum) = (Double.infinity, -Double.infinity, 0.0)
        var (finite, missing, infinite) = (0, 0, 0)
        for value in values {
            if value.isFinite {
                (low, high, sum, finite) = (min(low, value), max(high, value), sum + value, finite + 1)
            } else if value.isNaN {
                missing += 1
            } else {
                infinite += 1
            }
        }
        let isWhole = if case .int64 = array.storage { true } else { false }
        func text(_ value: Double) -> String { isWhole ? "\(Int64(value))" : short(value, digits: 6) }
        var parts: [String] = []
        if finite > 0 { parts.append("\(text(low)) to \(text(high)), mean \(short(sum / Double(finite), digits: 6))") }
        if missing > 0 { parts.append("\(counted(missing)) not a number") }
        if infinite > 0 { parts.append("\(counted(infinite)) infinite") }
        return parts.isEmpty ? "no numbers" : parts.joined(separator: "; ")
    }

    private static func firstRows(_ array: PointArray) -> String {
        let columns = max(array.shape.last ?? 1, 1)
        let rows = array.count / columns
        guard rows > 0 else { return "none" }
        func text(_ position: Int) -> String {
            switch array.storage {
            case .float32(let values): short(Double(values[position]), digits: 6)
            case .float64(let values): short(values[position], digits: 6)
            case .int64(let values): "\(values[position])"
            }
        }
        let cells = (0..<min(rows, shownRows)).map { row in
            (0..<min(columns, shownColumns)).map { text(row * columns + $0) }
        }
        let width = cells.joined().map(\.count).max() ?? 0
        var lines = cells.map { row in
            row.map { String(repeating: " ", count: width - $0.count) + $0 }.joined(separator: "  ")
                + (columns > shownColumns ? "  …" : "")
        }
        if rows > shownRows { lines.append("…") }
        return lines.joined(separator: "\n")
    }
}
