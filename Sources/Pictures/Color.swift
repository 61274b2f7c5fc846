import Foundation

/// An opaque colour in sRGB, each part from 0 to 1.
package struct Color: Equatable, Sendable {
    package var red, green, blue: Double

    package static let black = Color(red: 0, green: 0, blue: 0)
    package static let white = Color(red: 1, green: 1, blue: 1)

    package static func gray(_ level: Double) -> Color { Color(red: level, green: level, blue: level) }

    /// The three bytes of the colour.
    package var bytes: [UInt8] { [red, green, blue].map { UInt8((min(max($0, 0), 1) * 255).rounded()) } }

    /// The same with a good part of white, for areas behind lines.
    var pale: Color {
        Color(red: 0.75 + 0.25 * red, green: 0.75 + 0.25 * green, blue: 0.75 + 0.25 * blue)
    }

    /// `#rrggbb`, as SVG writes it.
    package var hex: String { "#" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

extension Color {
    /// A colour of Björn Ottosson's Oklab space, where equal distances look equally different.
    ///
    /// - Parameters:
    ///   - lightness: 0 (black) to 1 (white).
    ///   - chroma: colourfulness, from 0 to about 0.3.
    ///   - hue: angle in degrees; red 30, yellow 110, green 140, blue 260, purple 310.
    package init(lightness: Double, chroma: Double, hue: Double) {
        let a = chroma * cos(hue * .pi / 180)
        let b = chroma * sin(hue * .pi / 180)
        let l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3)
        let m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3)
        let s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3)
        func encoded(_ linear: Double) -> Double {
            let value = min(max(linear, 0), 1)
            return value <= 0.0031308 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055
        }
        self.init(
            red: encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
            green: encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
            blue: encoded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s))
    }
}

/// Colours for the numbers from 0 to 1.
package struct ColorMap: Sendable {
    /// Lightness, chroma and hue at equally spaced places.
    let stops: [(lightness: Double, chroma: Double, hue: Double)]
    /// Whether the middle stands for 0 and the ends for opposite signs.
    var hasMiddle = false

    /// Paper to yellow, red, and a dark purple.
    ///
    /// Lightness falls by the same amount from stop to stop, so that equal steps of the value look equal, also in black
    /// and white print and to the colour-blind; hue only helps to tell the bands apart.
    package static let heat = ColorMap(stops: [
        (0.985, 0.005, 105), (0.875, 0.115, 92), (0.765, 0.150, 66), (0.655, 0.180, 40),
        (0.545, 0.190, 18), (0.435, 0.170, -8), (0.325, 0.135, -40), (0.215, 0.090, -65),
    ])

    /// Yellow to green, blue and a dark purple, for what is drawn on white: no end of it is pale. Lightness falls evenly here
    /// too.
    package static let dusk = ColorMap(stops: [
        (0.88, 0.165, 100), (0.79, 0.165, 125), (0.70, 0.125, 158), (0.61, 0.095, 195), (0.52, 0.105, 235), (0.43, 0.130, 270),
        (0.34, 0.140, 297), (0.25, 0.115, 318),
    ])

    /// Paper to a dark blue, nearly without colour, for images.
    package static let ink = ColorMap(stops: [(0.985, 0.005, 105), (0.60, 0.04, 260), (0.22, 0.06, 270)])

    /// Blue over a pale grey to red, for values of both signs.
    package static let signed = ColorMap(
        stops: [
            (0.40, 0.145, 257), (0.54, 0.155, 253), (0.69, 0.120, 249), (0.83, 0.065, 246), (0.945, 0, 0), (0.84, 0.075, 45),
            (0.70, 0.145, 37), (0.55, 0.180, 29), (0.40, 0.155, 25),
        ], hasMiddle: true)

    package func color(_ value: Double) -> Color {
        let place = (value.isNaN ? 0 : min(max(value, 0), 1)) * Double(stops.count - 1)
        let index = min(Int(place), stops.count - 2)
        let (low, high, share) = (stops[index], stops[index + 1], place - Double(index))
        func mix(_ from: Double, _ to: Double) -> Double { from + (to - from) * share }
        return Color(
            lightness: mix(low.lightness, high.lightness), chroma: mix(low.chroma, high.chroma),
            // Gray has no hue to come from.
            hue: low.chroma == 0 ? high.hue : high.chroma == 0 ? low.hue : mix(low.hue, high.hue))
    }

    /// Colours of lines in one plot: distinct in hue, alike in lightness.
    package static func series(_ index: Int) -> Color {
        let hues: [Double] = [255, 40, 145, 320, 85, 200]
        let isRepeated = index / hues.count % 2 == 1
        return Color(lightness: isRepeated ? 0.75 : 0.56, chroma: 0.15, hue: hues[index % hues.count])
    }
}
