import Foundation

/// Points, lines, bands, arrows and fields in one pair of axes, each added by a call; with a legend and a colour bar where they
/// are named.
///
///     var plot = Plot(title: "A regression", x: "time", y: "height")
///     plot.addLine(mean, band: (low, high), name: "posterior mean, 95 %")
///     plot.addDots(samples, name: "samples")
///     try plot.write(to: "regression.svg")
///
/// What is not finite, or not positive on a logarithmic axis, is left out; it interrupts a line.
package struct Plot: Picture {
    package var title: String
    package var xTitle: String
    package var yTitle: String
    package var width = 960.0
    package var height = 540.0
    /// What the axes show; left out, all that was added.
    package var xRange: ClosedRange<Double>?
    package var yRange: ClosedRange<Double>?
    package var isXLogarithmic = false
    package var isYLogarithmic = false
    /// One length for both units, as for places. The axis with room to spare then shows more; where there is a field, the plot is
    /// made smaller.
    package var hasEqualUnits = false
    /// Ticks with numbers, and a grid. Shapes may look better without.
    package var hasTicks = true
    /// Where values are shown by colours, a bar that tells which.
    package var hasColorBar = true

    private(set) var layers: [Layer] = []
    private(set) var legend: [LegendEntry] = []
    /// What colours stand for, shown as a bar at the right.
    private(set) var scale: ColorScale?
    /// How many colours of series are taken.
    private var seriesCount = 0

    package init(title: String = "", x: String = "", y: String = "") {
        self.title = title
        xTitle = x
        yTitle = y
    }

    /// What is drawn, in the units of the axes.
    enum Layer {
        case lines([[Point]], width: Double, Color)
        case area([Point], Color)
        case dots([Point], radius: Double, Color)
        case arrows([(from: Point, to: Point)], Color)
        case field(Field)
    }

    struct LegendEntry {
        enum Mark { case line, band, dot }
        let name: String
        let marks: [(Mark, Color)]
    }

    // MARK: Lines

    /// A line through points, in their order.
    ///
    /// - Parameters:
    ///   - band: what lies below and above each point, for example by a standard deviation, as a pale area; as many values as
    ///     points.
    ///   - isClosed: whether the last point is joined to the first.
    ///   - hasDots: whether each point is shown as a dot, too.
    ///   - color: left out, the next of the colours of series.
    package mutating func addLine(
        _ points: [Point], band: (low: [Double], high: [Double])? = nil, name: String = "", isClosed: Bool = false,
        hasDots: Bool = false, width: Double = 2, color: Color? = nil
    ) {
        let color = color ?? nextColor()
        var marks: [(LegendEntry.Mark, Color)] = [(.line, color)]
        if let band {
            precondition(band.low.count == points.count && band.high.count == points.count, "a band has two values per point")
            let isWhole = points.indices.map { points[$0].x.isFinite && band.low[$0].isFinite && band.high[$0].isFinite }
            for run in points.indices.split(whereSeparator: { !isWhole[$0] }) {
                let low = run.map { Point(points[$0].x, band.low[$0]) }
                let high = run.map { Point(points[$0].x, band.high[$0]) }
                layers.append(.area(low + high.reversed(), color.pale))
            }
            marks.insert((.band, color.pale), at: 0)
        }
        layers.append(.lines([isClosed ? points + points.prefix(1) : points], width: width, color))
        if hasDots {
            layers.append(.dots(points, radius: width * 1.75, color))
            marks.append((.dot, color))
        }
        addLegend(name, marks)
    }

    /// Many lines of one kind.
    package mutating func addLines(_ lines: [[Point]], name: String = "", width: Double = 1, color: Color? = nil) {
        let color = color ?? nextColor()
        layers.append(.lines(lines, width: width, color))
        addLegend(name, [(.line, color)])
    }

    /// Arrows from each point to one other: displacements, or a field of vectors.
    package mutating func addArrows(from starts: [Point], to ends: [Point], name: String = "", color: Color? = nil) {
        precondition(starts.count == ends.count, "arrows have as many starts as ends")
        let color = color ?? nextColor()
        layers.append(.arrows(Array(zip(starts, ends)).map { (from: $0, to: $1) }, color))
        addLegend(name, [(.line, color)])
    }

    // MARK: Points

    /// Points of one colour.
    package mutating func addDots(_ points: [Point], name: String = "", radius: Double? = nil, color: Color? = nil) {
        let color = color ?? nextColor()
        layers.append(.dots(points, radius: radius ?? Self.radius(points.count), color))
        addLegend(name, [(.dot, color)])
    }

    /// Points coloured by a label from 0: classes or clusters.
    ///
    /// - Parameter names: what the labels mean, for the legend; none where it is left out.
    package mutating func addDots(_ points: [Point], labels: [Int], names: [String] = [], radius: Double? = nil) {
        precondition(points.count == labels.count, "every point has a label")
        let radius = radius ?? Self.radius(points.count)
        let members = Dictionary(grouping: zip(points, labels), by: \.1)
        for label in members.keys.sorted() {
            let color = ColorMap.series(max(label, 0))
            layers.append(.dots(members[label]!.map(\.0), radius: radius, color))
        }
        for (label, name) in names.enumerated() { addLegend(name, [(.dot, ColorMap.series(label))]) }
    }

    /// Points coloured by a value.
    package mutating func addDots(_ points: [Point], values: [Double], scale: ColorScale? = nil, radius: Double? = nil) {
        precondition(points.count == values.count, "every point has a value")
        let scale = scale ?? ColorScale(fitting: values)
        let radius = radius ?? Self.radius(points.count)
        let members = Dictionary(grouping: zip(points, values).filter { $0.1.isFinite }, by: { scale.step($0.1) })
        // The largest values on top.
        for step in members.keys.sorted() {
            layers.append(.dots(members[step]!.map(\.0), radius: radius, scale.color(step: step)))
        }
        self.scale = scale
    }

    /// The more points, the smaller.
    private static func radius(_ count: Int) -> Double { min(max(90 / Double(max(count, 1)).squareRoot(), 1.2), 4) }

    // MARK: Fields

    /// Samples at the centres of equal cells as areas of colour, below everything else.
    ///
    /// - Parameters:
    ///   - values: row by row; the first row is at the low end of `y`.
    ///   - isSmooth: whether areas follow contours; if not, each cell is a rectangle, for matrices and images.
    package mutating func addField(
        _ values: [Double], rows: Int, columns: Int, x: ClosedRange<Double>, y: ClosedRange<Double>, scale: ColorScale? = nil,
        isSmooth: Bool = true
    ) {
        precondition(values.count == rows * columns && rows > 0 && columns > 0, "a field has a value for every cell")
        let scale = scale ?? ColorScale(fitting: values)
        layers.append(
            .field(Field(values: values, rows: rows, columns: columns, x: x, y: y, scale: scale, isSmooth: isSmooth)))
        self.scale = scale
    }

    // MARK: Legend

    private mutating func nextColor() -> Color {
        defer { seriesCount += 1 }
        return ColorMap.series(seriesCount)
    }

    private mutating func addLegend(_ name: String, _ marks: [(LegendEntry.Mark, Color)]) {
        if !name.isEmpty { legend.append(LegendEntry(name: String(name.prefix(40)), marks: marks)) }
    }
}
