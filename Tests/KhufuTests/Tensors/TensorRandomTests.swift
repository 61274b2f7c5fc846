import RealModule
import Testing

@testable import Khufu

struct TensorRandomTests {
    typealias T = Tensor<Double>

    /// The first numbers of SplitMix64 for seed 1234567, as its other implementations have them.
    @Test func bitsAreThePublishedOnes() {
        var generator = SeededGenerator(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in generator.next() } == expected)
        var (a, b) = (SeededGenerator(seed: -1), SeededGenerator(seed: UInt64.max))
        #expect(a.next() == b.next())
    }

    @Test func uniformNumbers() {
        var (a, b, c) = (SeededGenerator(seed: 1), SeededGenerator(seed: 1), SeededGenerator(seed: 2))
        let numbers = T(uniform: -2..<4, shape: [300, 100], using: &a)
        #expect(numbers.shape == [300, 100] && numbers.min().scalar >= -2 && numbers.max().scalar < 4)
        #expect(numbers.min().scalar < -1.99 && numbers.max().scalar > 3.99)
        #expect(abs(numbers.mean().scalar - 1) < 0.04)
        #expect(abs(try! numbers.variance().scalar - 3) < 0.06)
        let floats = Tensor<Float>(uniform: -2..<4, shape: [300, 100], using: &b)
        #expect(floats.elements == numbers.elements.map { Float($0) })
        #expect(T(uniform: -2..<4, shape: [300, 100], using: &c) != numbers)
        #expect(T(uniform: -2..<4, shape: [300, 100], using: &a) != numbers)
        // Where sums round up, the bound is left out all the same.
        #expect(Tensor<Float>(uniform: 1..<(1 as Float).nextUp, shape: [100], using: &a).max().scalar == 1)
        #expect(T(uniform: 0..<1, shape: [0, 3], using: &a).count == 0)
    }

    @Test func normalNumbers() throws {
        var generator = SeededGenerator(seed: 3)
        let numbers = T(normalWithMean: 2, standardDeviation: 3, shape: [100_001], using: &generator)
        let scaled = (numbers - 2) / 3
        #expect(abs(scaled.mean().scalar) < 0.015)
        #expect(abs(scaled.squared().mean().scalar - 1) < 0.02)
        #expect(abs(T.pow(scaled, 3).mean().scalar) < 0.04)
        #expect(abs(T.pow(scaled, 4).mean().scalar - 3) < 0.15)
        let tail = scaled.elements.count { abs($0) > 2 }
        #expect(abs(Double(tail) / 100_001 - 0.0455) < 0.003)
        // Neighbours are independent.
        #expect(abs(try (scaled[1...] * scaled[..<(-1)]).mean().scalar) < 0.015)
    }

    /// The pair's length is √(-2 log s).
    @Test func normalNumbersFollowTheirDefinition() {
        var (a, b) = (SeededGenerator(seed: 4), SeededGenerator(seed: 4))
        for _ in 0..<2000 {
            let numbers = T(normalWithMean: 0, shape: [2], using: &a).elements
            var square = 2.0
            while square >= 1 || square == 0 {
                let (x, y) = (2 * (Double(b.next() >> 11) * 0x1p-53) - 1, 2 * (Double(b.next() >> 11) * 0x1p-53) - 1)
                square = x * x + y * y
            }
            let length = (numbers[0] * numbers[0] + numbers[1] * numbers[1]).squareRoot()
            let expected = (-2 * .log(square)).squareRoot()
            #expect(abs(length - expected) <= 4 * expected.ulp)
        }
    }

    @Test func logarithmsAgreeWithTheCLibrary() {
        var generator = SeededGenerator(seed: 8)
        let edges: [Double] = [1, 0.5, 2, 0.5.squareRoot(), 2.0.squareRoot(), 1e-300, 1e300, .leastNormalMagnitude]
        let around = edges.flatMap { [$0, $0.nextUp, $0.nextDown] }.filter(\.isNormal)
        for x in around + T(uniform: 0.5..<2, shape: [3000], using: &generator).elements {
            #expect(abs(portableLogarithm(x) - .log(x)) <= 2 * Double.log(x).ulp, "\(x)")
        }
    }

    @Test func signs() {
        var generator = SeededGenerator(seed: 5)
        let signs = T(rademacher: [100, 100], using: &generator)
        #expect(signs.squared() == T(repeating: 1, shape: [100, 100]))
        #expect(abs(signs.mean().scalar) < 0.03)
    }

    @Test func permutations() {
        var generator = SeededGenerator(seed: 6)
        let order = Tensor<Int>(permutationOf: 1000, using: &generator)
        #expect(order.elements != Array(0..<1000) && order.elements.sorted() == Array(0..<1000))
        #expect(Tensor<Int>(permutationOf: 0, using: &generator).count == 0)
        #expect(Tensor<Int>(permutationOf: 1, using: &generator).elements == [0])
        // Each of the six orders of three is equally likely.
        var counts: [[Int]: Int] = [:]
        for _ in 0..<6000 { counts[Tensor<Int>(permutationOf: 3, using: &generator).elements, default: 0] += 1 }
        #expect(counts.count == 6 && counts.values.allSatisfy { abs($0 - 1000) < 120 })
    }
}
