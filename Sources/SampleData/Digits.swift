import ArrayFiles

/// 1,797 handwritten digits: 8 × 8 pixels each, and what they show.
package struct Digits: Sendable {
    package static let pixelCount = 64
    /// From 0, white, to 16, digit by digit; each row by row from the top.
    package let pixels: [Double]
    /// From 0 to 9.
    package let labels: [Int]

    package var count: Int { labels.count }

    /// - Throws: `DataFolder.Missing`, or `FileError` where the file is damaged.
    package init() throws {
        let table = try Table("digits.csv", columns: Self.pixelCount + 1)
        pixels = table.rows.flatMap { $0.dropLast() }
        labels = table.rows.map { Int($0.last!) }
    }

    /// The pixels of some digits, one after the other.
    package func pixels(of samples: [Int]) -> [Double] {
        samples.flatMap { pixels[$0 * Self.pixelCount..<($0 + 1) * Self.pixelCount] }
    }
}

/// A file of the data folder with a known number of columns.
struct Table {
    let rows: [ArraySlice<Double>]

    init(_ name: String, columns: Int) throws {
        let path = try DataFolder.path(of: name)
        let array = try PointArray(contentsOf: path)
        guard array.shape.count == 2, array.shape[1] == columns else {
            throw FileError(path, expected: "\(columns) columns", found: "an array of shape \(array.shape)")
        }
        let numbers = array.doubles
        rows = (0..<array.shape[0]).map { numbers[$0 * columns..<($0 + 1) * columns] }
    }
}
