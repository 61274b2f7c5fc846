import Khufu
import Testing

@testable import Examples

@Suite struct HyperbolicEmbeddingTests {
    @Test func distanceFromTheMiddle() throws {
        // log((1 + r)/(1 - r)).
        let points: Tensor<Double> = [[0, 0], [0.5, 0], [0, -0.9]]
        let distances = try PoincareDisc.distance(LazyTensor(rows: points), LazyTensor(columns: points)).dense()
        #expect(abs(distances[0, 1, 0] - Tensor(3.0).log().scalar) < 1e-12)
        #expect(abs(distances[2, 0, 0] - Tensor(19.0).log().scalar) < 1e-12)
        #expect(distances[1, 1, 0] == 0)
    }

    @Test func ranks() throws {
        let tree = Tree(branches: 2, depth: 2)
        #expect(tree.parents == [-1, 0, 0, 1, 1, 2, 2])
        #expect(tree.ancestors[5] == [2, 0])
        // By number: 0 is nearest to all, and 5 has 0 first, 1 between, 2 third.
        let byNumber = Tensor((0..<7).map(Double.init))
        let distances = try byNumber.reshaped([1, 7, 1]).broadcast(to: [7, 7, 1])
        let ranks = tree.ancestorRanks(distances)
        // Ranks: 1 of 0 for all six, 1 of 1 for two vertices, 2 of 2 for two.
        #expect(abs(ranks.meanRank - 1.2) < 1e-12)
        #expect(abs(ranks.precision - (4 + 2 * (1 + 2 / 3.0) / 2) / 6) < 1e-12)
    }

    @Test func hyperbolicPlaneHasRoom() throws {
        let numbers = try Examples.named("hyperbolic-embedding")!.run().numbers
        #expect(numbers["hyperbolic rank"]! < 2)
        #expect(numbers["hyperbolic precision"]! > 0.9)
        #expect(numbers["euclidean rank"]! > 3 * numbers["hyperbolic rank"]!)
        #expect(numbers["euclidean precision"]! < 0.6)
    }
}
