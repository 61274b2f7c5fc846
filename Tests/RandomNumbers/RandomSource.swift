/// Random numbers that are the same on every machine and in every run: SplitMix64 (Steele, Lea and Flood, 2014).
package struct RandomSource: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Seeds are scattered first: states that differ by a multiple of the increment belong to one sequence.
    package init(seed: Int) {
        state = (UInt64(bitPattern: Int64(seed)) &+ 1) &* 0xD134_2543_DE82_EF95
        state ^= state >> 29
        state = next() ^ (next() << 1)
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in [low, high).
    package mutating func uniform(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * (Double(next() >> 11) * 0x1p-53)
    }

    /// From 0 to count - 1. The standard library's own choice may differ between its versions.
    package mutating func below(_ count: Int) -> Int { Int(next() >> 33) % count }

    package mutating func int(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    package mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }

    package mutating func chance(_ probability: Double) -> Bool { uniform(0, 1) < probability }
}
