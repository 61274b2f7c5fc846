/// Lines through points, with axes, a grid and a list of names at the right.
struct LinePlot: Picture {
    struct Series {
        var name: String
        var points: [Point]
        /// Shows each point as a dot, too.
        var hasDots = false
    }

    var title: String
    var xTitle: String
    var yTitle: String
    var series: [Series]
    /// Logarithmic axes leave out what is not positive.
    var isXLogarithmic = false
    var isYLogarithmic = false

    let width = 960.0
    let height = 540.0

    func draw<Target: Canvas>(on canvas: inout Target) {
        let named = series.filter { !$0.name.isEmpty }
        let legendWidth = named.isEmpty ? 0 : 60 + 8.2 * Double(min(named.map(\.name.count).max() ?? 0, 30))
        let frame = Frame(left: 92, top: 54, width: width - 92 - 28 - legendWidth, height: height - 54 - 64)
        let shown = series.map { series in series.points.map { isVisible($0) ? $0 : nil } }
        let visible = shown.joined().compactMap { $0 }
        let xAxis = Axis(
            isXLogarithmic ? .logarithmic : .linear, Self.range(visible.map(\.x), margin: 0), from: frame.left, to: frame.right)
        let yAxis = Axis(
            isYLogarithmic ? .logarithmic : .linear, Self.range(visible.map(\.y), margin: isYLogarithmic ? 0 : 0.05),
            from: frame.bottom, to: frame.top)

        canvas.drawFrame(frame, xAxis, yAxis, hasGrid: true)
        canvas.write(Label(text: title, size: 18, anchor: .start, color: .gray(0.1)), at: Point(frame.left, 32))
        canvas.write(Label(text: xTitle, size: 14), at: Point(frame.left + frame.width / 2, frame.bottom + 48))
        canvas.write(Label(text: yTitle, size: 14, isVertical: true), at: Point(22, frame.top + frame.height / 2))
        for (index, points) in shown.enumerated() {
            let color = ColorMap.series(index)
            let places = points.map { $0.map { Point(xAxis.position($0.x), yAxis.position($0.y)) } }
            // A point that cannot be shown interrupts the line.
            let lines = places.split(separator: nil).map { $0.compactMap { $0 } }
            canvas.stroke(lines, width: 2, color)
            if series[index].hasDots { canvas.dots(places.compactMap { $0 }, radius: 3.5, color) }
        }
        drawLegend(on: &canvas, at: Point(frame.right + 18, frame.top + 12))
    }

    private func drawLegend<Target: Canvas>(on canvas: inout Target, at corner: Point) {
        let named = series.enumerated().filter { !$0.element.name.isEmpty }
        for (line, (index, series)) in named.enumerated() {
            let y = corner.y + 22 * Double(line)
            canvas.stroke([[Point(corner.x, y), Point(corner.x + 22, y)]], width: 3, ColorMap.series(index))
            canvas.write(Label(text: String(series.name.prefix(30)), anchor: .start), at: Point(corner.x + 30, y + 4.5))
        }
    }

    private func isVisible(_ point: Point) -> Bool {
        point.x.isFinite && point.y.isFinite && (!isXLogarithmic || point.x > 0) && (!isYLogarithmic || point.y > 0)
    }

    private static func range(_ values: [Double], margin: Double) -> ClosedRange<Double> {
        guard let low = values.min(), let high = values.max() else { return 0...1 }
        let room = (high - low) * margin
        return (low - room)...(high + room)
    }
}
