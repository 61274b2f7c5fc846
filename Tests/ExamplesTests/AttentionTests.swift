import RealModule
import Testing

@testable import Examples

@Suite struct AttentionTests {
    @Test func error() throws {
        let result = try Attention.run()
        #expect(abs(result.numbers["noise"]! - Attention.deviation * Attention.deviation) < 0.01)
        #expect(result.numbers["error"]! < 0.15 * result.numbers["noise"]!)
    }

    /// The same in plain loops, for some queries.
    @Test func dense() throws {
        let (_, queries, keys) = try Attention.images()
        let answers = try Attention.attention(queries: queries, keys: keys, values: keys)
        for i in stride(from: 0, to: queries.shape[0], by: 100) {
            let weights = (0..<keys.shape[0]).map { j in
                let square = (0..<64).reduce(0) { $0 + (queries[i, $1] - keys[j, $1]) * (queries[i, $1] - keys[j, $1]) }
                return Double.exp(-square / (2 * Attention.deviation * Attention.deviation))
            }
            for k in 0..<64 {
                let mean = weights.indices.reduce(0) { $0 + weights[$1] * keys[$1, k] } / weights.reduce(0, +)
                #expect(abs(answers[i, k] - mean) < 1e-9)
            }
        }
    }
}
