import SampleData
import Testing

@testable import Examples

@Suite struct NearestNeighboursTests {
    @Test func accuracy() throws {
        let result = try NearestNeighbours.run()
        for metric in ["Euclidean", "Manhattan", "cosine", "hyperbolic"] { #expect(result.numbers[metric]! > 0.98) }
        #expect(result.numbers["Manhattan"] == (try bruteForceManhattanAccuracy()))
    }

    private func bruteForceManhattanAccuracy() throws -> Double {
        let digits = try Digits()
        let images = (0..<digits.count).map { digits.pixels(of: [$0]) }
        let asked = images.indices.filter { $0 % 4 == 0 }, known = images.indices.filter { $0 % 4 != 0 }
        let right = asked.count { k in
            let distances = known.map { zip(images[k], images[$0]).reduce(0) { $0 + abs($1.0 - $1.1) } }
            let nearest = distances.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }.prefix(5)
            return NearestNeighbours.vote(nearest.map { digits.labels[known[$0]] }) == digits.labels[k]
        }
        return Double(right) / Double(asked.count)
    }

    @Test func vote() {
        #expect(NearestNeighbours.vote([1, 2, 2, 3, 1]) == 1)
        #expect(NearestNeighbours.vote([1, 2, 2, 3, 4]) == 2)
    }
}
