/// Random bits from a seed: the same on every platform, in every run and in every version of Swift.
///
/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): 2^64 numbers, each once, from 64 bits of
/// state. For statistics, not for secrets.
public struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable {
    private var state: UInt64

    public init(seed: some BinaryInteger) { state = UInt64(truncatingIfNeeded: seed) }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}

// The standard library draws numbers from bits, too, but its ways may change with its version, and normal numbers from the C library's
// logarithm would differ between platforms in the last place.

extension RandomNumberGenerator {
    /// A multiple of 2^-53 from 0 up to, excluding, 1.
    package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A whole number from 0 up to, excluding, a positive bound; each equally likely (Lemire, "Fast random integer generation in an
    /// interval", 2019).
    package mutating func number(below bound: Int) -> Int {
        let bound = UInt64(bound)
        var product = bound.multipliedFullWidth(by: next())
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = bound.multipliedFullWidth(by: next()) }
        }
        return Int(product.high)
    }

    /// Two independent standard normal numbers: Marsaglia's polar method (Marsaglia and Bray, "A convenient method for generating
    /// normal variables", 1964).
    package mutating func normalPair() -> (Double, Double) {
        while true {
            let (x, y) = (2 * uniform() - 1, 2 * uniform() - 1)
            let square = x * x + y * y
            guard square < 1, square > 0 else { continue }
            let scale = (-2 * portableLogarithm(square) / square).squareRoot()
            return (x * scale, y * scale)
        }
    }
}

/// log x for a positive normal number, from operations that every processor rounds alike: e log 2 + 2 artanh((m - 1) / (m + 1)) for
/// x = m 2^e with m between √½ and √2, to a few ulp.
func portableLogarithm(_ x: Double) -> Double {
    let isLarge = x.significand > 0.5.squareRoot() * 2
    let (m, exponent) = (isLarge ? x.significand / 2 : x.significand, x.exponent + (isLarge ? 1 : 0))
    let ratio = (m - 1) / (m + 1)
    // ratio² ≤ 0.0295: the series' twelfth term is below 2^-53 of the first.
    let sum = stride(from: 23, through: 1, by: -2).reduce(0.0) { $0 * ratio * ratio + 1 / Double($1) }
    return Double(exponent) * 0x1.62e4_2fef_a39efp-1 + 2 * ratio * sum
}
