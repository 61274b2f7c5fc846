import ArrayFiles

/// A place on a picture in points from the upper left corner, or on a map in its own units.
package struct Point: Equatable, Sendable {
    package var x, y: Double

    package init(_ x: Double, _ y: Double) {
        self.x = x
        self.y = y
    }
}

/// A rectangle on a picture.
package struct Frame: Equatable, Sendable {
    package var left, top, width, height: Double

    package var right: Double { left + width }
    package var bottom: Double { top + height }

    package var corners: [Point] {
        [Point(left, top), Point(right, top), Point(right, bottom), Point(left, bottom)]
    }
}

/// Text, and how it hangs on its point.
package struct Label: Equatable, Sendable {
    package enum Anchor: String, Sendable { case start, middle, end }

    package var text: String
    package var size = 13.0
    package var anchor = Anchor.middle
    /// Reads from bottom to top, for the title of a vertical axis.
    package var isVertical = false
    package var color = Color.gray(0.2)
}

/// What pictures are drawn on: four operations, in points, painted one over the other.
///
/// A picture is described once; `SVGCanvas` and `RasterCanvas` make the two file formats of it.
package protocol Canvas {
    /// Fills the inside of closed rings. A ring inside another must run the other way round to be a hole.
    mutating func fill(_ rings: [[Point]], _ color: Color)
    /// Draws connected lines with round ends and corners.
    mutating func stroke(_ lines: [[Point]], width: Double, _ color: Color)
    mutating func dots(_ centers: [Point], radius: Double, _ color: Color)
    /// Writes text with its baseline through `point`.
    mutating func write(_ label: Label, at point: Point)
}

/// Something that can be drawn, and written to a file whose extension names the format.
package protocol Picture {
    /// Width and height in points.
    var width: Double { get }
    var height: Double { get }

    func draw<Target: Canvas>(on canvas: inout Target)
}

/// The file formats of pictures.
package enum PictureFormat {
    case svg, png

    /// The format that `path` names; asked before a computation starts, so that a wrong name fails at once.
    package init(path: String) throws(FileError) {
        switch fileExtension(path) {
        case "svg": self = .svg
        case "png": self = .png
        case let other:
            throw FileError(
                path, expected: "a picture's name ending in .svg or .png",
                found: other.isEmpty ? "no extension" : quoted("." + other))
        }
    }
}

extension Picture {
    /// Writes the picture; PNG has two pixels a point, for sharp text on today's screens.
    package func write(to path: String) throws(FileError) {
        let format = try PictureFormat(path: path)
        var writer = try FileWriter(path)
        switch format {
        case .svg:
            var canvas = SVGCanvas(width: width, height: height)
            draw(on: &canvas)
            try writer.write(canvas.document)
        case .png:
            var canvas = RasterCanvas(width: width, height: height, scale: 2)
            draw(on: &canvas)
            try writer.write(PNG.encode(canvas.pixels, width: canvas.columns, height: canvas.rows))
        }
        try writer.finish()
    }
}
