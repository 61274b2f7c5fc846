/// What colours mean: a range of values, and the colours from its low to its high end.
package struct ColorScale: Sendable {
    package let range: ClosedRange<Double>
    package let map: ColorMap
    /// Written above the colour bar.
    package let title: String

    package init(_ range: ClosedRange<Double>, _ map: ColorMap = .dusk, title: String = "") {
        self.range = Axis(.linear, range, from: 0, to: 1).range
        self.map = map
        self.title = title
    }

    /// From the least to the greatest finite value; for maps with a middle, as far to both sides of 0.
    package init(fitting values: [Double], _ map: ColorMap = .dusk, title: String = "") {
        let finite = values.lazy.filter { $0.isFinite }
        let (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
        let reach = max(abs(low), abs(high))
        self.init(map.hasMiddle ? -reach...reach : low...high, map, title: title)
    }

    /// Colours come in so many steps, which the eye takes for a continuum; things of one colour are drawn at once. Their number
    /// is odd, so that one lies in the middle.
    static let steps = 49

    func step(_ value: Double) -> Int {
        let share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        return share.isNaN ? 0 : Int(min(max(share, 0), 0.999_999) * Double(Self.steps))
    }

    /// The lowest value of a step.
    func value(step: Int) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * Double(step) / Double(Self.steps)
    }

    func color(step: Int) -> Color { map.color((Double(step) + 0.5) / Double(Self.steps)) }

    /// Draws the colours as a bar, with numbers at its right and the title above.
    func drawBar<Target: Canvas>(on canvas: inout Target, _ bar: Frame) {
        let axis = Axis(.linear, range, from: bar.bottom, to: bar.top)
        let height = bar.height / Double(Self.steps)
        for step in 0..<Self.steps {
            let top = bar.bottom - Double(step + 1) * height
            // Each reaches down a little into the one before, so that no seams show.
            let box = Frame(left: bar.left, top: top, width: bar.width, height: height + (step == 0 ? 0 : 0.5))
            canvas.fill([box.corners], color(step: step))
        }
        canvas.stroke([bar.corners + [bar.corners[0]]], width: 1, .gray(0.35))
        for tick in ticks(height: bar.height) {
            let y = axis.position(tick.value)
            canvas.stroke([[Point(bar.right, y), Point(bar.right + 4, y)]], width: 1, .gray(0.35))
            canvas.write(Label(text: tick.label, size: 12, anchor: .start), at: Point(bar.right + 8, y + 4))
        }
    }

    /// How much room the bar takes from its left border.
    func width(bar: Double, height: Double) -> Double {
        bar + 10 + 7.6 * Double(ticks(height: height).map(\.label.count).max() ?? 0)
    }

    private func ticks(height: Double) -> [Axis.Tick] {
        Axis(.linear, range, from: height, to: 0).ticks(max(2, Int(height / 50)))
    }
}
