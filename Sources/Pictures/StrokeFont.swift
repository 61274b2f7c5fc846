/// Letters for pictures made of pixels: each is a few strokes of a pen, so any size looks alike and no font file, with
/// its licence, has to travel along.
enum StrokeFont {
    /// The strokes of a label around the point (0, 0), y downwards.
    static func lines(for label: Label) -> [[Point]] {
        let unit = label.size * 0.12
        var pen = 0.0
        var lines: [[Point]] = []
        for character in label.text {
            let glyph = glyphs[character] ?? unknown
            for stroke in glyph.strokes {
                lines.append(stroke.map { Point((pen + $0.x) * unit, (2 - $0.y) * unit) })
            }
            pen += glyph.advance
        }
        let length = max(pen - gap, 0) * unit
        let shift =
            switch label.anchor {
            case .start: 0.0
            case .middle: -length / 2
            case .end: -length
            }
        return lines.map { $0.map { label.isVertical ? Point($0.y, -($0.x + shift)) : Point($0.x + shift, $0.y) } }
    }

    fileprivate struct Glyph {
        let strokes: [[Point]]
        let advance: Double
    }

    /// Space between letters, in the units of the drawings below.
    fileprivate static let gap = 1.5

    private static let unknown = Glyph(drawing: "02 08 08 38 38 32 32 02")

    /// Strokes, separated by bars, through points `xy` on a grid: y is 0 at the foot of p, 2 on the baseline, 6 at the
    /// height of x and 8 at that of H. A stroke is a smooth curve that the points pull at; a point named twice is a
    /// corner.
    private static let drawings: [Character: String] = [
        "0": "28 08 02 42 48 28", "1": "06 06 28 28 22", "2": "06 08 48 45 02 02 42",
        "3": "07 08 48 45 15 15 45 42 02 03", "4": "32 38 38 04 04 44", "5": "48 08 08 05 05 46 42 02 03",
        "6": "47 48 08 02 42 46 06 04", "7": "08 48 48 12", "8": "25 05 08 48 45 25|25 05 02 42 45 25",
        "9": "03 02 42 48 08 04 44 46",
        "A": "02 28 28 42|14 34", "B": "02 08|08 48 45 05|05 45 42 02", "C": "47 48 08 02 42 43",
        "D": "02 08|08 48 42 02", "E": "48 08 08 02 02 42|05 35", "F": "48 08 08 02|05 35",
        "G": "47 48 08 02 42 43 45 45 25", "H": "02 08|42 48|05 45", "I": "02 08", "J": "38 34 32 02 04",
        "K": "02 08|48 04|26 42", "L": "08 02 02 42", "M": "02 08 08 24 24 48 48 42", "N": "02 08 08 42 42 48",
        "O": "28 08 02 42 48 28", "P": "02 08|08 48 44 04", "Q": "28 08 02 42 48 28|24 42",
        "R": "02 08|08 48 45 05|25 42", "S": "47 48 08 05 45 42 02 03", "T": "08 48|28 22", "U": "08 04 02 42 44 48",
        "V": "08 22 22 48", "W": "08 12 12 27 27 32 32 48", "X": "02 48|08 42", "Y": "08 25 25 48|25 22",
        "Z": "08 48 48 02 02 42",
        "a": "36 32|35 36 06 02 32 33", "b": "08 02|05 06 36 32 02 03", "c": "35 36 06 02 32 33",
        "d": "38 32|35 36 06 02 32 33", "e": "04 34 34 36 06 02 32 33", "f": "28 18 16 12|06 26",
        "g": "36 32 30 00 01|35 36 06 02 32 33", "h": "08 02|04 06 36 34 32", "i": "02 06|08", "j": "16 12 10 00|18",
        "k": "08 02|36 03|14 32", "l": "08 02", "m": "06 02|04 06 26 24 22|24 26 46 44 42", "n": "06 02|04 06 36 34 32",
        "o": "04 06 36 32 02 04", "p": "06 00|05 06 36 32 02 03", "q": "36 30|35 36 06 02 32 33", "r": "06 02|04 06 26",
        "s": "35 36 06 04 34 32 02 03", "t": "18 14 12 22|06 26", "u": "06 04 02 32 34|36 32", "v": "06 22 22 46",
        "w": "06 12 12 25 25 32 32 46", "x": "06 32|02 36", "y": "06 22|46 22 10", "z": "06 36 36 02 02 32",
        ".": "12", ",": "12 12 01", "&": "42 07 07 18 28 26 04 02 22 44",
        ":": "02|05", ";": "12 12 01|15", "'": "08 06", "\"": "08 06|18 16", "!": "08 04|02",
        "?": "07 08 38 35 15 14|12", "-": "05 25", "−": "05 35", "–": "05 35", "+": "05 45|27 23", "=": "04 44|06 46",
        "*": "25 28|05 47|07 45", "/": "01 39", "|": "09 01", "_": "01 41", "(": "29 07 03 21", ")": "09 27 23 01",
        "[": "29 09 09 01 01 21", "]": "09 29 29 21 21 01", "<": "47 05 05 43", ">": "07 45 45 03", "%": "02 48|07|43",
        "°": "07 09 29 27 07", "×": "03 36|06 33", "·": "05", "²": "08 09 29 27 06 06 26", "^": "06 28 28 46",
        "#": "12 18|32 38|06 46|04 44", "~": "05 07 23 45", "√": "05 12 12 39 39 49",
        "±": "06 46|28 24|02 42", "→": "05 55|37 55 55 33", "≤": "48 05 05 43|01 41", "≥": "08 45 45 03|01 41",
        "α": "46 33 22 02 06 26 33 42", "ε": "36 06 04 24|24 04 02 32", "θ": "28 08 02 42 48 28|05 45", "λ": "08 18 42|25 02",
        "μ": "06 00|06 02 32 36|36 32", "σ": "46 16 06 02 32 36 16",
    ]

    private static let glyphs = drawings.mapValues(Glyph.init(drawing:)).merging([" ": Glyph(strokes: [], advance: 3)]) { $1 }
}

extension StrokeFont.Glyph {
    fileprivate init(drawing: String) {
        let controls = drawing.split(separator: "|").map { stroke in
            stroke.split(separator: " ").map { pair in
                Point(Double(pair.first!.wholeNumberValue!), Double(pair.last!.wholeNumberValue!))
            }
        }
        strokes = controls.map(Self.curve)
        advance = (controls.joined().map(\.x).max() ?? 0) + StrokeFont.gap
    }

    /// A quadratic spline: starts and ends at its outer points and passes half-way between all others.
    private static func curve(_ controls: [Point]) -> [Point] {
        guard controls.count > 2 else { return controls }
        var result = [controls[0]]
        for index in 1..<(controls.count - 1) {
            let start = result.last!
            let control = controls[index]
            let next = controls[index + 1]
            let isLast = index == controls.count - 2
            let end = isLast ? next : Point((control.x + next.x) / 2, (control.y + next.y) / 2)
            for step in 1...6 {
                let t = Double(step) / 6
                let (a, b, c) = ((1 - t) * (1 - t), 2 * t * (1 - t), t * t)
                result.append(Point(a * start.x + b * control.x + c * end.x, a * start.y + b * control.y + c * end.y))
            }
        }
        return result
    }
}
