/// Several pictures as one, row by row, with a title above all.
///
///     try Panels([before, after], title: "Registration").write(to: "registration.svg")
package struct Panels: Picture {
    package var pictures: [any Picture]
    package var title: String
    /// How many pictures stand side by side.
    package var columns: Int

    /// - Parameter columns: left out, all in one row.
    package init(_ pictures: [any Picture], title: String = "", columns: Int? = nil) {
        self.pictures = pictures
        self.title = title
        self.columns = max(columns ?? pictures.count, 1)
    }

    package var width: Double { offsets(pictures.map(\.width), \.column).last! }
    package var height: Double { top + offsets(pictures.map(\.height), \.row).last! }

    private var top: Double { title.isEmpty ? 0 : 48 }

    package func draw<Target: Canvas>(on canvas: inout Target) {
        let (lefts, tops) = (offsets(pictures.map(\.width), \.column), offsets(pictures.map(\.height), \.row))
        for (index, picture) in pictures.enumerated() {
            let place = Place(index, columns)
            var shifted = ShiftedCanvas(base: canvas, origin: Point(lefts[place.column], top + tops[place.row]))
            picture.draw(on: &shifted)
            canvas = shifted.base
        }
        canvas.write(Label(text: title, size: 20, color: .gray(0.1)), at: Point(width / 2, 34))
    }

    private struct Place {
        let row, column: Int
        init(_ index: Int, _ columns: Int) { (row, column) = index.quotientAndRemainder(dividingBy: columns) }
    }

    /// Where each row or column begins, and where the last one ends; each is as large as its largest picture.
    private func offsets(_ sizes: [Double], _ line: KeyPath<Place, Int>) -> [Double] {
        var largest: [Double] = []
        for (index, size) in sizes.enumerated() {
            let number = Place(index, columns)[keyPath: line]
            while largest.count <= number { largest.append(0) }
            largest[number] = max(largest[number], size)
        }
        return largest.reduce(into: [0]) { $0.append($0.last! + $1) }
    }
}

/// A canvas whose upper left corner lies elsewhere on another.
private struct ShiftedCanvas<Base: Canvas>: Canvas {
    var base: Base
    let origin: Point

    private func moved(_ points: [Point]) -> [Point] { points.map { Point($0.x + origin.x, $0.y + origin.y) } }

    mutating func fill(_ rings: [[Point]], _ color: Color) { base.fill(rings.map(moved), color) }
    mutating func stroke(_ lines: [[Point]], width: Double, _ color: Color) { base.stroke(lines.map(moved), width: width, color) }
    mutating func dots(_ centers: [Point], radius: Double, _ color: Color) { base.dots(moved(centers), radius: radius, color) }
    mutating func write(_ label: Label, at point: Point) { base.write(label, at: moved([point])[0]) }
}
