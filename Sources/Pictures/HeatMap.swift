import Foundation

/// A field over a map or any rectangle, drawn as bands of colour, with a colour bar and, if wanted, points on top.
package struct HeatMap: Picture {
    package enum Surroundings: Equatable {
        /// Degrees of longitude and latitude, one length for both: the equirectangular projection.
        case world
        /// Any two quantities, with the titles of their axes.
        case plane(x: String, y: String)
    }

    package var title: String
    /// Samples at the centres of equal cells, row by row; the first row is at the low end of `yRange`.
    package var values: [Double]
    package var rows: Int
    package var columns: Int
    package var xRange: ClosedRange<Double>
    package var yRange: ClosedRange<Double>
    package var surroundings: Surroundings
    /// What the colours mean, written above their bar.
    package var legend: String
    /// Points in the units of the axes.
    package var points: [Point]
    /// How many bands of colour lie between 0, or the least value when it is negative, and the greatest value.
    package var bands: Int
    /// Below 1, small values get more of the colours: 0.5 shows the square root. For fields with a few high peaks.
    package var exponent: Double

    package let width = 960.0

    package init(
        title: String, values: [Double], rows: Int, columns: Int, xRange: ClosedRange<Double>, yRange: ClosedRange<Double>,
        surroundings: Surroundings = .world, legend: String = "", points: [Point] = [], bands: Int = 14, exponent: Double = 0.5
    ) {
        self.title = title
        self.values = values
        self.rows = rows
        self.columns = columns
        self.xRange = xRange
        self.yRange = yRange
        self.surroundings = surroundings
        self.legend = legend
        self.points = points
        self.bands = bands
        self.exponent = exponent
    }

    package var height: Double { field.bottom + (surroundings == .world ? 44 : 62) }

    private var field: Frame {
        let left = 72.0
        let width = self.width - left - 104
        let ratio = (yRange.upperBound - yRange.lowerBound) / (xRange.upperBound - xRange.lowerBound)
        let isMap = surroundings == .world && ratio.isFinite && ratio > 0
        return Frame(left: left, top: 54, width: width, height: isMap ? min(max(width * ratio, 120), 1200) : width * 0.62)
    }

    package func draw<Target: Canvas>(on canvas: inout Target) {
        let field = field
        let isWorld = surroundings == .world
        let xAxis = Axis(isWorld ? .longitude : .linear, xRange, from: field.left, to: field.right)
        let yAxis = Axis(isWorld ? .latitude : .linear, yRange, from: field.bottom, to: field.top)
        drawField(on: &canvas, field)
        drawPoints(on: &canvas, field, xAxis, yAxis)
        canvas.drawFrame(field, xAxis, yAxis, hasGrid: false)
        canvas.write(Label(text: title, size: 18, anchor: .start, color: .gray(0.1)), at: Point(field.left, 32))
        if case .plane(let x, let y) = surroundings {
            canvas.write(Label(text: x, size: 14), at: Point(field.left + field.width / 2, field.bottom + 46))
            canvas.write(Label(text: y, size: 14, isVertical: true), at: Point(20, field.top + field.height / 2))
        }
        drawBar(on: &canvas, Frame(left: field.right + 18, top: field.top, width: 18, height: field.height))
    }

    // MARK: Colours

    private var valueRange: ClosedRange<Double> {
        let finite = values.lazy.filter { $0.isFinite }
        let low = min(finite.min() ?? 0, 0)
        return Axis(.linear, low...max(finite.max() ?? low, low), from: 0, to: 1).range
    }

    /// The lowest value of each band.
    private var levels: [Double] {
        let range = valueRange
        let power = 1 / min(max(exponent, 0.1), 10)
        return (0..<max(bands, 1)).map { band in
            let share = Double(band) / Double(max(bands, 1))
            return range.lowerBound + (range.upperBound - range.lowerBound) * pow(share, power)
        }
    }

    private func color(band: Int) -> Color { ColorMap.heat.color(Double(band) / Double(max(bands - 1, 1))) }

    // MARK: Parts

    private func drawField<Target: Canvas>(on canvas: inout Target, _ field: Frame) {
        // Contours take the first row at the top, as pictures run.
        let flipped = (0..<rows).reversed().flatMap { values[$0 * columns..<($0 + 1) * columns] }
        let contours = Contours(values: flipped, rows: rows, columns: columns, in: field)
        canvas.fill([field.corners], color(band: 0))
        for (band, level) in levels.enumerated().dropFirst() {
            canvas.fill(contours.rings(atLeast: level), color(band: band))
        }
    }

    private func drawPoints<Target: Canvas>(on canvas: inout Target, _ field: Frame, _ xAxis: Axis, _ yAxis: Axis) {
        let visible = points.filter { xAxis.range.contains($0.x) && yAxis.range.contains($0.y) }
        // The more points, the smaller: about a fortieth of the area may be covered.
        let share = field.width * field.height / 40 / Double(max(visible.count, 1)) / .pi
        let radius = min(max(share.squareRoot(), 0.5), 2.5)
        let color = Color(lightness: 0.32, chroma: 0.07, hue: 255)
        canvas.dots(visible.map { Point(xAxis.position($0.x), yAxis.position($0.y)) }, radius: radius, color)
    }

    private func drawBar<Target: Canvas>(on canvas: inout Target, _ bar: Frame) {
        let step = bar.height / Double(max(bands, 1))
        for band in 0..<max(bands, 1) {
            let box = Frame(left: bar.left, top: bar.bottom - Double(band + 1) * step, width: bar.width, height: step)
            canvas.fill([box.corners], color(band: band))
        }
        canvas.stroke([bar.corners + [bar.corners[0]]], width: 1, .gray(0.35))
        // Labels stand at the borders of bands, where their value is exact; as many as there is room for.
        let levels = levels + [valueRange.upperBound]
        let every = max(1, Int((26 / step).rounded(.up)))
        for band in stride(from: 0, to: levels.count, by: every) {
            let y = bar.bottom - Double(band) * step
            canvas.stroke([[Point(bar.right, y), Point(bar.right + 4, y)]], width: 1, .gray(0.35))
            // The level between bands of opposite sign is 0, but for rounding.
            let isZero = abs(levels[band]) < 1e-9 * (valueRange.upperBound - valueRange.lowerBound)
            let label = Label(text: isZero ? "0" : Self.short(levels[band]), size: 12, anchor: .start)
            canvas.write(label, at: Point(bar.right + 8, y + 4))
        }
        canvas.write(Label(text: legend, size: 13, anchor: .end), at: Point(width - 14, bar.top - 14))
    }

    /// Two significant digits.
    private static func short(_ value: Double) -> String {
        guard value != 0 else { return "0" }
        return Axis.text(value, step: pow(10, floor(log10(abs(value)))) / 10)
    }
}
