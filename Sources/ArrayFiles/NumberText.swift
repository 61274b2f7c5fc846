/// Decimal numbers as text, correctly rounded in both directions.
enum NumberText {
    /// The number that `text` spells, surrounded by nothing but spaces, or nil.
    ///
    /// Accepts what people and numpy write: `-1`, `+.5`, `2.`, `1e-3`, `1E5`, `nan`, `inf`, `-Infinity`. `Double(_:)`
    /// alone would also take hexadecimal, which in a table of measurements is a mistake.
    static func parse(_ text: [UInt8]) -> Double? {
        var end = text.count
        while end > 0, isSpace(text[end - 1]) { end -= 1 }
        var start = 0
        while start < end, isSpace(text[start]) { start += 1 }
        guard let scan = Scan(text, start, end) else { return special(text[start..<end]) }

        // Clinger's fast path: an integer below 2⁵³ and a power of ten up to 10²² are both exact, so that one
        // multiplication or division rounds correctly. It takes most numbers of most files.
        if scan.mantissa <= 1 << 53, abs(scan.exponent) <= 22, !scan.isLong {
            let whole = Double(scan.mantissa)
            let power = powersOfTen[abs(scan.exponent)]
            let value = scan.exponent < 0 ? whole / power : whole * power
            return scan.isNegative ? -value : value
        }
        return Double(String(decoding: text[start..<end], as: UTF8.self))
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private static func special(_ text: ArraySlice<UInt8>) -> Double? {
        guard text.count <= 9 else { return nil }
        switch String(decoding: text, as: UTF8.self).lowercased() {
        case "nan", "+nan", "-nan": return .nan
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        default: return nil
        }
    }

    /// The parts of a decimal literal: ± mantissa · 10^exponent.
    private struct Scan {
        var isNegative = false
        var mantissa: UInt64 = 0
        var exponent = 0
        /// More digits than `mantissa` holds, or an exponent beyond use: only the slow path knows the value.
        var isLong = false

        init?(_ text: [UInt8], _ start: Int, _ end: Int) {
            var index = start
            if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
                isNegative = text[index] == UInt8(ascii: "-")
                index += 1
            }
            var digits = 0
            var fraction = 0
            var isAfterPoint = false
            while index < end {
                let digit = text[index] &- UInt8(ascii: "0")
                if digit <= 9 {
                    digits += 1
                    if isAfterPoint { fraction += 1 }
                    if mantissa < 1 << 59 { mantissa = mantissa * 10 + UInt64(digit) } else { isLong = true }
                } else if text[index] == UInt8(ascii: "."), !isAfterPoint {
                    isAfterPoint = true
                } else {
                    break
                }
                index += 1
            }
            guard digits > 0 else { return nil }
            if index < end {
                guard text[index] | 0x20 == UInt8(ascii: "e"), scanExponent(text, index + 1, end) else { return nil }
            }
            exponent -= fraction
        }

        private mutating func scanExponent(_ text: [UInt8], _ start: Int, _ end: Int) -> Bool {
            var index = start
            var sign = 1
            if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
                sign = text[index] == UInt8(ascii: "-") ? -1 : 1
                index += 1
            }
            guard index < end else { return false }
            while index < end {
                let digit = text[index] &- UInt8(ascii: "0")
                guard digit <= 9 else { return false }
                if exponent < 100_000 { exponent = exponent * 10 + Int(digit) } else { isLong = true }
                index += 1
            }
            exponent *= sign
            return true
        }
    }
}
