/// What is wrong with a formula, in one sentence; where the formula came as text, also the place.
public struct FormulaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence: what was met, what was expected.
    public var message: String
    /// Where in `source` the mistake is, as an offset in characters.
    public var place: Place?

    /// A range of characters in a text.
    public struct Place: Hashable, Sendable {
        public var source: String
        public var range: Range<Int>
    }

    public init(_ message: String, place: Place? = nil) {
        self.message = message
        self.place = place
    }

    /// The sentence and, for texts, the line with a caret under the place.
    public var description: String {
        guard let place else { return message }
        return message + "\n" + place.drawing
    }
}

extension FormulaError.Place {
    /// The part of the text around the place, at most 100 characters wide, and carets below it.
    var drawing: String {
        let characters = Array(source)
        let width = 100
        let start = max(0, min(range.lowerBound - width / 2, characters.count - width))
        let end = min(characters.count, start + width)
        // A tab, a line break, a change of direction would move the caret, and a control character may do anything to a
        // terminal; each is one blank here.
        let line = String(characters[start..<end].map { $0.isPlain ? $0 : " " })
        let carets = max(1, min(range.upperBound, end) - range.lowerBound)
        let prefix = start > 0 ? "…" : ""
        let suffix = end < characters.count ? "…" : ""
        let blanks = String(repeating: " ", count: range.lowerBound - start + prefix.count)
        return "  \(prefix)\(line)\(suffix)\n  \(blanks)\(String(repeating: "^", count: carets))"
    }
}

extension Character {
    /// Whether it may be shown to people as it is.
    fileprivate var isPlain: Bool {
        unicodeScalars.allSatisfy {
            ![.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
        }
    }
}
