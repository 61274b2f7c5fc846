import Foundation

// How numbers, times and sizes are written in all reports.

/// `1437` as "1,437".
func counted(_ number: Int) -> String {
    var digits = String(number.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
        groups.append(String(digits.suffix(3)))
        digits.removeLast(3)
    }
    return (number < 0 ? "-" : "") + ([digits] + groups.reversed()).joined(separator: ",")
}

/// `counted` with a noun: "1 row", "2 rows".
func counted(_ number: Int, _ noun: String) -> String { "\(counted(number)) \(noun)\(number == 1 ? "" : "s")" }

/// A number in so many significant digits, as C's `%g`.
func short(_ number: Double, digits: Int = 4) -> String {
    number.isNaN ? "nan" : String(format: "%.\(digits)g", number)
}

/// A time in the unit that suits it: "85 µs", "12 ms", "1.38 s".
func readable(_ duration: Duration) -> String {
    let seconds = duration / .seconds(1)
    if seconds < 1e-3 { return "\(Int((seconds * 1e6).rounded())) µs" }
    if seconds < 0.1 { return "\(Int((seconds * 1e3).rounded())) ms" }
    return String(format: seconds < 10 ? "%.2f s" : "%.1f s", seconds)
}

/// A size in memory or on disk: "980 bytes", "4.2 MB".
func readable(bytes: Int) -> String {
    var size = Double(bytes)
    guard size >= 1000 else { return counted(bytes, "byte") }
    for unit in ["kB", "MB", "GB", "TB"] {
        size /= 1000
        if size < 999.5 { return String(format: size < 9.95 ? "%.1f \(unit)" : "%.0f \(unit)", size) }
    }
    return String(format: "%.0f PB", size / 1000)
}

/// An array's shape as "20,000 × 3".
func readable(shape: [Int]) -> String {
    shape.isEmpty ? "one number" : shape.map { counted($0) }.joined(separator: " × ")
}

/// Work per time as "3.1e+09 pairs a second"; nothing where there was too little to measure.
func rate(_ pairs: Double, _ time: Duration) -> String? {
    let seconds = time / .seconds(1)
    guard pairs >= 1e5, seconds > 0 else { return nil }
    let rate = pairs / seconds
    let scaled: (Double, String) = rate >= 1e9 ? (rate / 1e9, "billion ") : rate >= 1e6 ? (rate / 1e6, "million ") : (rate, "")
    return "\(short(scaled.0, digits: 3)) \(scaled.1)pairs a second"
}

/// Lines of a title and its text, the texts beneath each other.
struct Sheet {
    private var lines: [(title: String, text: String)] = []

    mutating func add(_ title: String, _ text: String) {
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            lines.append((number == 0 ? title : "", String(line)))
        }
    }

    /// One line per title and text; the titles fill a column of `width`, or as wide as the longest.
    func text(width: Int = 0, indent: String = "") -> String {
        let width = max(width, lines.map(\.title.count).max() ?? 0)
        return lines.map { line in
            let title = line.title.padding(toLength: width, withPad: " ", startingAt: 0)
            return (indent + title + "  " + line.text).trimmingTrailingBlanks
        }.joined(separator: "\n")
    }
}

extension String {
    fileprivate var trimmingTrailingBlanks: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
