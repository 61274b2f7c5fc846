import RealModule

/// Random vectors that are the same on every machine and in every run: SplitMix64 (Steele, Lea and Flood, 2014).
struct SolverRandom {
    private var state: UInt64

    init(seed: UInt64) {
        state = (seed &+ 1) &* 0xD134_2543_DE82_EF95
        state ^= state >> 29
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in (0, 1].
    mutating func uniform() -> Double { Double((next() >> 11) + 1) * 0x1p-53 }

    /// Independent standard normal numbers (Box and Muller, 1958).
    mutating func normalColumns(length: Int, count: Int) -> Columns {
        var result = Columns(length: length, count: count)
        for k in stride(from: 0, to: length * count, by: 2) {
            let radius = (-2 * Double.log(uniform())).squareRoot()
            let angle = 2 * Double.pi * uniform()
            result.values[k] = radius * .cos(angle)
            if k + 1 < length * count { result.values[k + 1] = radius * .sin(angle) }
        }
        return result
    }

    /// Independent signs (Rademacher): of all probes with independent entries, those whose estimate of a trace varies least.
    mutating func signColumns(length: Int, count: Int) -> Columns {
        var result = Columns(length: length, count: count)
        for k in result.values.indices { result.values[k] = next() >> 63 == 0 ? 1 : -1 }
        return result
    }
}
