import Foundation

/// A picture as an SVG document.
///
/// Paths are relative and in tenths of a point, which is finer than the eye and a third of the size of full numbers.
struct SVGCanvas: Canvas {
    private var body: String

    init(width: Double, height: Double) {
        let size = "\(Self.number(width)) \(Self.number(height))"
        body = """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" width="\(Self.number(width))" \
            height="\(Self.number(height))" font-family="DejaVu Sans, Verdana, Helvetica, Arial, sans-serif">
            <rect width="100%" height="100%" fill="#ffffff"/>

            """
    }

    var document: String { body + "</svg>\n" }

    mutating func fill(_ rings: [[Point]], _ color: Color) {
        let path = rings.map { Self.path($0, isClosed: true) }.joined()
        if !path.isEmpty { body += "<path fill=\"\(color.hex)\" d=\"\(path)\"/>\n" }
    }

    mutating func stroke(_ lines: [[Point]], width: Double, _ color: Color) {
        let path = lines.map { Self.path($0, isClosed: false) }.joined()
        guard !path.isEmpty else { return }
        body += """
            <path fill="none" stroke="\(color.hex)" stroke-width="\(Self.number(width))" stroke-linecap="round" \
            stroke-linejoin="round" d="\(path)"/>

            """
    }

    /// All dots are one path of zero-length lines, whose round ends make the dots: a tenth of as many circle elements.
    mutating func dots(_ centers: [Point], radius: Double, _ color: Color) {
        var path = ""
        var last = (x: 0, y: 0)
        for center in centers where center.x.isFinite && center.y.isFinite {
            let place = (x: Self.tenths(center.x), y: Self.tenths(center.y))
            path += "m\(Self.text(place.x - last.x)) \(Self.text(place.y - last.y))h0"
            last = place
        }
        guard !path.isEmpty else { return }
        body += """
            <path fill="none" stroke="\(color.hex)" stroke-width="\(Self.number(2 * radius))" stroke-linecap="round" \
            d="\(path)"/>

            """
    }

    mutating func write(_ label: Label, at point: Point) {
        let place = "\(Self.number(point.x)) \(Self.number(point.y))"
        let turn = label.isVertical ? " rotate(-90)" : ""
        body += """
            <text transform="translate(\(place))\(turn)" font-size="\(Self.number(label.size))" \
            text-anchor="\(label.anchor.rawValue)" fill="\(label.color.hex)">\(Self.escaped(label.text))</text>

            """
    }

    private static func path(_ points: [Point], isClosed: Bool) -> String {
        var path = ""
        var last = (x: 0, y: 0)
        for point in points where point.x.isFinite && point.y.isFinite {
            let place = (x: tenths(point.x), y: tenths(point.y))
            if path.isEmpty {
                path = "M\(text(place.x)) \(text(place.y))l"
            } else if place != last {
                let (dx, dy) = (place.x - last.x, place.y - last.y)
                path += text(dx) + (dy < 0 ? "" : " ") + text(dy) + " "
            }
            last = place
        }
        // A path that stayed on one spot shows nothing.
        guard !path.hasSuffix("l") else { return "" }
        path.removeLast(path.hasSuffix(" ") ? 1 : 0)
        return isClosed ? path + "z" : path
    }

    private static func tenths(_ value: Double) -> Int {
        value.isFinite ? Int(min(max(value * 10, -1e9), 1e9).rounded()) : 0
    }

    private static func text(_ tenths: Int) -> String {
        let size = tenths.magnitude
        let fraction = size % 10 == 0 ? "" : ".\(size % 10)"
        let whole = size < 10 && !fraction.isEmpty ? "" : "\(size / 10)"
        return (tenths < 0 ? "-" : "") + whole + fraction
    }

    private static func number(_ value: Double) -> String { text(tenths(value)) }

    /// Text that is safe inside an element; characters that XML 1.0 does not allow are dropped.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case _ where scalar.value < 0x20 || scalar.value == 0xfffe || scalar.value == 0xffff: break
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
