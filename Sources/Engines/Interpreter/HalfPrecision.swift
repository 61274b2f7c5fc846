/// Numbers of 16 bits: IEEE binary16, and bfloat16. Swift's own Float16 is missing on some platforms (macOS on x86), and all that is needed is
/// conversion.
extension Double {
    init(halfBits bits: UInt16) {
        let sign: Double = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Double(bits & 0x3FF)
        self =
            switch exponent {
            case 0: sign * fraction * 0x1p-24
            case 31: fraction == 0 ? sign * .infinity : .nan
            default: sign * (1024 + fraction) * Double(sign: .plus, exponent: exponent - 25, significand: 1)
            }
    }

    /// Rounded to nearest, ties to even.
    var halfBits: UInt16 {
        let sign: UInt16 = self.sign == .minus ? 0x8000 : 0
        if isNaN { return sign | 0x7E00 }
        let magnitude = self.magnitude
        if magnitude >= 65_520 { return sign | 0x7C00 }
        // Below the smallest normal number all have one last place, 2^-24.
        let exponent = Swift.max(magnitude == 0 ? -14 : magnitude.exponent, -14)
        let lastPlace = Double(sign: .plus, exponent: Int(exponent) - 10, significand: 1)
        let places = UInt16((magnitude / lastPlace).rounded(.toNearestOrEven))
        // A carry out of the fraction runs into the exponent, as it should.
        return sign | (UInt16(Int(exponent) + 14) << 10) &+ places
    }

    /// bfloat16: the upper half of a float32, rounded to nearest, ties to even.
    var brainHalfBits: UInt16 {
        // Rounded to odd first, so that the second rounding sees on which side of a tie the number was.
        let nearest = Float(self)
        if isNaN { return UInt16(nearest.bitPattern >> 16) | 0x40 }
        var bits = nearest.bitPattern
        if Double(nearest) != self, nearest.isFinite {
            if Double(nearest.magnitude) > magnitude { bits -= 1 }
            bits |= 1
        }
        return UInt16(truncatingIfNeeded: (UInt64(bits) + 0x7FFF + UInt64(bits >> 16 & 1)) >> 16)
    }
}
