import Foundation

extension Plot {
    package func draw<Target: Canvas>(on canvas: inout Target) {
        let (frame, xAxis, yAxis) = layout()
        let window = Window(frame: frame, xAxis: xAxis, yAxis: yAxis)

        // From the back to the front: fields, bands, the grid, and the rest as it was added.
        for case .field(let field) in layers { field.draw(on: &canvas, window) }
        for case .area(let ring, let color) in layers { canvas.fill([window.area(ring)], color) }
        if hasTicks {
            canvas.drawFrame(frame, xAxis, yAxis, hasGrid: !hasField)
        } else {
            canvas.stroke([frame.corners + [frame.corners[0]]], width: 1, .gray(0.75))
        }
        for layer in layers {
            switch layer {
            case .field, .area: break
            case .lines(let lines, let width, let color): canvas.stroke(lines.flatMap(window.lines), width: width, color)
            case .dots(let points, let radius, let color):
                canvas.dots(points.compactMap(window.place).filter(window.contains), radius: radius, color)
            case .arrows(let arrows, let color): drawArrows(on: &canvas, arrows, window, color)
            }
        }

        canvas.write(Label(text: title, size: 18, anchor: .start, color: .gray(0.1)), at: Point(frame.left, 32))
        canvas.write(Label(text: xTitle, size: 14), at: Point(frame.left + frame.width / 2, frame.bottom + (hasTicks ? 48 : 26)))
        canvas.write(Label(text: yTitle, size: 14, isVertical: true), at: Point(22, frame.top + frame.height / 2))
        drawSide(on: &canvas, frame)
    }

    // MARK: Layout

    private func layout() -> (frame: Frame, x: Axis, y: Axis) {
        let top = title.isEmpty ? 20.0 : 54
        let bottom = (xTitle.isEmpty ? 14.0 : 40) + (hasTicks ? 24 : 0)
        let height = max(self.height - top - bottom, 40)
        var (xs, ys) = ranges()

        let labels = Axis(yKind, ys, from: height, to: 0).ticks(Int(height / 50)).map(\.label.count).max() ?? 0
        let left = (yTitle.isEmpty ? 16.0 : 40) + (hasTicks ? 12 + 8 * Double(labels) : 0)
        let width = max(self.width - left - 24 - sideWidth(height), 40)
        var frame = Frame(left: left, top: top, width: width, height: height)
        if hasEqualUnits {
            let unit = max((xs.upperBound - xs.lowerBound) / width, (ys.upperBound - ys.lowerBound) / height)
            if hasField {
                frame.width = max((xs.upperBound - xs.lowerBound) / unit, 1)
                frame.height = max((ys.upperBound - ys.lowerBound) / unit, 1)
            } else {
                xs = Self.widened(xs, to: unit * width)
                ys = Self.widened(ys, to: unit * height)
            }
        }
        return (frame, Axis(xKind, xs, from: frame.left, to: frame.right), Axis(yKind, ys, from: frame.bottom, to: frame.top))
    }

    private var hasField: Bool { layers.contains { if case .field = $0 { true } else { false } } }

    private var xKind: Axis.Kind { isXLogarithmic ? .logarithmic : .linear }
    private var yKind: Axis.Kind { isYLogarithmic ? .logarithmic : .linear }

    private static func widened(_ range: ClosedRange<Double>, to length: Double) -> ClosedRange<Double> {
        let room = max(length - (range.upperBound - range.lowerBound), 0) / 2
        return room.isFinite ? range.lowerBound - room...range.upperBound + room : range
    }

    /// What the axes show.
    private func ranges() -> (x: ClosedRange<Double>, y: ClosedRange<Double>) {
        var (xs, ys): ([Double], [Double]) = ([], [])
        var hasLinesOnly = true
        func add(_ points: some Sequence<Point>) {
            for point in points where isVisible(point) {
                xs.append(point.x)
                ys.append(point.y)
            }
        }
        for layer in layers {
            switch layer {
            case .lines(let lines, _, _): add(lines.joined())
            case .area(let ring, _): add(ring)
            case .dots(let points, _, _):
                hasLinesOnly = false
                add(points)
            case .arrows(let arrows, _):
                hasLinesOnly = false
                add(arrows.flatMap { [$0.from, $0.to] })
            case .field(let field):
                add([Point(field.x.lowerBound, field.y.lowerBound), Point(field.x.upperBound, field.y.upperBound)])
            }
        }
        let xMargin = hasField || (hasLinesOnly && !hasEqualUnits) || isXLogarithmic ? 0 : 0.05
        return (
            Axis(xKind, xRange ?? Self.range(xs, margin: xMargin), from: 0, to: 1).range,
            Axis(yKind, yRange ?? Self.range(ys, margin: hasField || isYLogarithmic ? 0 : 0.05), from: 0, to: 1).range
        )
    }

    private func isVisible(_ point: Point) -> Bool {
        point.x.isFinite && point.y.isFinite && (!isXLogarithmic || point.x > 0) && (!isYLogarithmic || point.y > 0)
    }

    private static func range(_ values: [Double], margin: Double) -> ClosedRange<Double> {
        guard let low = values.min(), let high = values.max() else { return 0...1 }
        let room = margin > 0 ? (high - low) * margin : 0
        return (low - room)...(high + room)
    }

    // MARK: Arrows

    private func drawArrows<Target: Canvas>(
        on canvas: inout Target, _ arrows: [(from: Point, to: Point)], _ window: Window, _ color: Color
    ) {
        var (shafts, heads): ([[Point]], [[Point]]) = ([], [])
        for arrow in arrows {
            guard let start = window.place(arrow.from), let end = window.place(arrow.to), window.contains(start),
                window.contains(end)
            else { continue }
            let (dx, dy) = (end.x - start.x, end.y - start.y)
            let length = (dx * dx + dy * dy).squareRoot()
            guard length > 0.5 else { continue }
            // A head as long as a third of a short arrow, and never too large.
            let head = min(7, length * 0.45)
            let (ux, uy) = (dx / length * head, dy / length * head)
            let neck = Point(end.x - ux, end.y - uy)
            shafts.append([start, Point(end.x - 0.7 * ux, end.y - 0.7 * uy)])
            heads.append([end, Point(neck.x - 0.45 * uy, neck.y + 0.45 * ux), Point(neck.x + 0.45 * uy, neck.y - 0.45 * ux)])
        }
        canvas.stroke(shafts, width: 1.2, color)
        canvas.fill(heads, color)
    }

    // MARK: Legend

    private var shownScale: ColorScale? { hasColorBar ? scale : nil }

    /// How much room the legend and the colour bar take at the right.
    private func sideWidth(_ height: Double) -> Double {
        let names = legend.isEmpty ? 0 : 48 + 7.9 * Double(legend.map(\.name.count).max() ?? 0)
        let bar = shownScale.map { max(18 + $0.width(bar: 16, height: height), 7.6 * Double($0.title.count) - 24) } ?? 0
        return max(names, bar)
    }

    private func drawSide<Target: Canvas>(on canvas: inout Target, _ frame: Frame) {
        let left = frame.right + 18
        for (line, entry) in legend.enumerated() {
            let y = frame.top + 12 + 22 * Double(line)
            for (mark, color) in entry.marks {
                switch mark {
                case .line: canvas.stroke([[Point(left, y), Point(left + 22, y)]], width: 3, color)
                case .band: canvas.fill([Frame(left: left - 1, top: y - 7, width: 24, height: 14).corners], color)
                case .dot: canvas.dots([Point(left + 11, y)], radius: 4.5, color)
                }
            }
            canvas.write(Label(text: entry.name, anchor: .start), at: Point(left + 30, y + 4.5))
        }
        guard let scale = shownScale else { return }
        let top = frame.top + 22 * Double(legend.count) + (legend.isEmpty ? 0 : 24)
        guard frame.bottom - top > 40 else { return }
        scale.drawBar(on: &canvas, Frame(left: left, top: top, width: 16, height: frame.bottom - top))
        canvas.write(Label(text: scale.title, size: 13, anchor: .end), at: Point(width - 10, top - 12))
    }
}
