import Khufu
import SampleData
import Testing

@testable import Examples

@Suite struct BlockSparseTests {
    /// Against loops over all pairs, in Double. Each pair that is left out is worth less than exp(-8).
    @Test func sumsAreThoseOfLoops() throws {
        let places = try Places.cities().prefix(600).map(Places.onSphere)
        let sigma = 0.05
        let sums = try BlockSparse.sums(of: Tensor(places.map { SIMD3<Float>($0) }), sigma: Float(sigma))
        #expect(sums.mask.elements.contains(false))
        for i in stride(from: 0, to: 600, by: 7) {
            let exponents = places.map { -(($0 - places[i]) * ($0 - places[i])).sum() / (2 * sigma * sigma) }
            let expected = Tensor(exponents).exp().sum().scalar
            #expect(abs(Double(sums.all[i, 0]) - expected) < 1e-4 * expected)
            let lost = expected - Double(sums.near[i, 0])
            #expect(lost > -1e-4 * expected)
            #expect(lost < 600 * 3.4e-4)  // exp(-8) = 3.35e-4
        }
    }

    @Test func example() throws {
        let numbers = try Examples.named("block-sparse")!.run().numbers
        #expect(numbers["share"]! < 0.1)
        #expect(numbers["error"]! < 2e-3)
    }
}
