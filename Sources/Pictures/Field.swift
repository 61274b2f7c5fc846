/// A sampled function of the plane, to be drawn in areas of colour.
struct Field {
    let values: [Double]
    let rows: Int
    let columns: Int
    let x: ClosedRange<Double>
    let y: ClosedRange<Double>
    let scale: ColorScale
    let isSmooth: Bool

    func draw<Target: Canvas>(on canvas: inout Target, _ window: Window) {
        guard let corner = window.place(Point(x.lowerBound, y.upperBound)),
            let other = window.place(Point(x.upperBound, y.lowerBound))
        else { return }
        let frame = Frame(left: corner.x, top: corner.y, width: other.x - corner.x, height: other.y - corner.y)
        guard frame.width > 0, frame.height > 0 else { return }
        isSmooth ? drawContours(on: &canvas, frame, window) : drawCells(on: &canvas, frame, window)
    }

    private func drawContours<Target: Canvas>(on canvas: inout Target, _ frame: Frame, _ window: Window) {
        // Contours take the first row at the top, as pictures run.
        let flipped = (0..<rows).reversed().flatMap { values[$0 * columns..<($0 + 1) * columns] }
        let contours = Contours(values: flipped, rows: rows, columns: columns, in: frame)
        canvas.fill([window.clipped(frame.corners)], scale.color(step: 0))
        for step in 1..<ColorScale.steps {
            canvas.fill(contours.rings(atLeast: scale.value(step: step)).map(window.clipped), scale.color(step: step))
        }
    }

    private func drawCells<Target: Canvas>(on canvas: inout Target, _ frame: Frame, _ window: Window) {
        let (width, height) = (frame.width / Double(columns), frame.height / Double(rows))
        var cells: [Int: [[Point]]] = [:]
        for row in 0..<rows {
            for column in 0..<columns where values[row * columns + column].isFinite {
                // A little larger than they are, so that no seams show.
                let cell = Frame(
                    left: frame.left + Double(column) * width, top: frame.bottom - Double(row + 1) * height,
                    width: min(width + 0.3, frame.right - frame.left - Double(column) * width),
                    height: min(height + 0.3, Double(row + 1) * height))
                cells[scale.step(values[row * columns + column]), default: []].append(window.clipped(cell.corners))
            }
        }
        for step in cells.keys.sorted() { canvas.fill(cells[step]!, scale.color(step: step)) }
    }
}
