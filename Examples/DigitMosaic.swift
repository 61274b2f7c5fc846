import Pictures
import SampleData

extension Plot {
    /// Handwritten digits in lines, dark on pale.
    ///
    /// - Parameter digits: the pixels of each, from 0 to 1; nil for a gap.
    static func mosaic(_ lines: [[[Double]?]], title: String, pixel: Double = 5) -> Plot {
        let (side, pitch) = (8, 9)
        let (rows, columns) = (lines.count * pitch + 1, lines.map(\.count).max()! * pitch + 1)
        var values = [Double](repeating: .nan, count: rows * columns)
        for (line, digits) in lines.enumerated() {
            for (place, digit) in digits.enumerated() {
                for (k, value) in (digit ?? []).enumerated() {
                    // The first row of a field is the lowest.
                    let row = rows - 2 - line * pitch - k / side
                    values[row * columns + 1 + place * pitch + k % side] = value
                }
            }
        }
        var plot = Plot(title: title)
        plot.hasTicks = false
        plot.hasColorBar = false
        plot.width = Double(columns) * pixel + 40
        plot.height = Double(rows) * pixel + 68
        plot.addField(
            values, rows: rows, columns: columns, x: 0...Double(columns), y: 0...Double(rows), scale: ColorScale(0...1, .ink),
            isSmooth: false)
        return plot
    }
}
