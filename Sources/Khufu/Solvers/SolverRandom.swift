/// Random vectors that are the same on every machine and in every run.
struct SolverRandom {
    private var generator: SeededGenerator

    init(seed: some BinaryInteger) { generator = SeededGenerator(seed: seed) }

    mutating func next() -> UInt64 { generator.next() }

    mutating func uniform() -> Double { generator.uniform() }

    /// Independent standard normal numbers.
    mutating func normalColumns(length: Int, count: Int) -> Columns {
        var result = Columns(length: length, count: count)
        for k in stride(from: 0, to: length * count, by: 2) {
            let pair = generator.normalPair()
            result.values[k] = pair.0
            if k + 1 < length * count { result.values[k + 1] = pair.1 }
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
