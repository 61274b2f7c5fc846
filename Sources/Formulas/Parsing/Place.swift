extension FormulaError.Place {
    /// A range of UTF-8 bytes, widened to the characters that it touches.
    init(source: String, bytes: Range<Int>) {
        var (start, end) = (0, 0)
        var position = 0
        for (offset, character) in source.enumerated() {
            guard position < max(bytes.upperBound, bytes.lowerBound + 1) else { break }
            position += character.utf8.count
            if position <= bytes.lowerBound { start = offset + 1 }
            end = offset + 1
        }
        self.init(source: source, range: start..<(bytes.isEmpty ? start : max(start, end)))
    }
}
