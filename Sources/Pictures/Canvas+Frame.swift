extension Canvas {
    /// Draws the border of a plot with ticks and their labels, and pale lines through the plot if wanted.
    mutating func drawFrame(_ frame: Frame, _ xAxis: Axis, _ yAxis: Axis, hasGrid: Bool) {
        let xTicks = xAxis.ticks(Int(frame.width / 90))
        let yTicks = yAxis.ticks(Int(frame.height / 50))
        let ink = Color.gray(0.35)
        if hasGrid {
            let lines =
                xTicks.map { tick in [frame.top, frame.bottom].map { Point(xAxis.position(tick.value), $0) } }
                + yTicks.map { tick in [frame.left, frame.right].map { Point($0, yAxis.position(tick.value)) } }
            stroke(lines, width: 1, .gray(0.9))
        }
        stroke([frame.corners + [frame.corners[0]]], width: 1, ink)
        for tick in xTicks {
            let x = xAxis.position(tick.value)
            stroke([[Point(x, frame.bottom), Point(x, frame.bottom + 5)]], width: 1, ink)
            write(Label(text: tick.label), at: Point(x, frame.bottom + 21))
        }
        for tick in yTicks {
            let y = yAxis.position(tick.value)
            stroke([[Point(frame.left - 5, y), Point(frame.left, y)]], width: 1, ink)
            write(Label(text: tick.label, anchor: .end), at: Point(frame.left - 9, y + 4.5))
        }
    }
}
