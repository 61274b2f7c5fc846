import Khufu
import RealModule
import Testing

/// Complex symbolic matrices against sums written out.
@Suite struct ComplexLazyTensorTests {
    let x = random([4, 2], seed: 1), y = random([6, 2], seed: 2), signal = random([6, 1], seed: 3)

    /// A complex number for these tests.
    struct Number {
        var re: Double, im: Double
        static func * (a: Number, b: Number) -> Number { Number(re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re) }
        static func + (a: Number, b: Number) -> Number { Number(re: a.re + b.re, im: a.im + b.im) }
    }

    @Test func nonUniformFourierSum() throws {
        let phase = try LazyTensor(rows: x) | LazyTensor(columns: y)
        let transform = try (ComplexLazyTensor(angle: phase) * LazyTensor(columns: signal)).sum(over: .columns)
        #expect(transform.shape == [4, 1])
        for i in 0..<4 {
            let angles = (0..<6).map { x[i, 0] * y[$0, 0] + x[i, 1] * y[$0, 1] }
            let re = (0..<6).reduce(0) { $0 + .cos(angles[$1]) * signal[$1, 0] }
            let im = (0..<6).reduce(0) { $0 + .sin(angles[$1]) * signal[$1, 0] }
            #expect(abs(transform.real[i, 0] - re) < 1e-13 && abs(transform.imaginary[i, 0] - im) < 1e-13)
        }
    }

    @Test func arithmeticOfVectors() throws {
        let a = try ComplexTensor(real: random([4, 2], seed: 4), imaginary: random([4, 2], seed: 5))
        let b = try ComplexTensor(real: random([6, 2], seed: 6), imaginary: random([6, 2], seed: 7))
        let single = try ComplexTensor(real: random([6, 1], seed: 8), imaginary: random([6, 1], seed: 9))
        let z = try ComplexLazyTensor(rows: a), w = try ComplexLazyTensor(columns: b), s = try ComplexLazyTensor(columns: single)
        let f = try (z * w.conjugate() + s * z) / (s + 3.0 * z.squaredAsReal())
        let sum = try f.sum(over: .columns)
        for i in 0..<4 {
            for k in 0..<2 {
                var total = Number(re: 0, im: 0)
                for j in 0..<6 {
                    let z = Number(re: a.real[i, k], im: a.imaginary[i, k])
                    let w = Number(re: b.real[j, k], im: -b.imaginary[j, k])
                    let s = Number(re: single.real[j, 0], im: single.imaginary[j, 0])
                    let squared = 3 * (z.re * z.re + z.im * z.im)
                    let d = Number(re: s.re + squared, im: s.im)
                    let size = d.re * d.re + d.im * d.im
                    total = total + (z * w + s * z) * Number(re: d.re / size, im: -d.im / size)
                }
                #expect(abs(sum.real[i, k] - total.re) < 1e-12 && abs(sum.imaginary[i, k] - total.im) < 1e-12)
            }
        }
        #expect(z.shape == [4, 1, 2] && f.shape == [4, 6, 2])
        try expectClose(z.magnitude().sum(over: .columns).squared(), a.squaredMagnitude())
        let polar = try (ComplexLazyTensor(real: z.magnitude().log(), imaginary: z.angle()).exp() - z).squaredMagnitude()
        #expect(try polar.sum(over: .columns).elements.allSatisfy { $0 < 1e-25 })
        #expect(throws: TensorError.self) { try ComplexTensor(real: x, imaginary: y) }
    }

    @Test func gradientsFlowThroughBothParts() throws {
        func energy(_ x: Tensor<Double>) throws -> Tensor<Double> {
            let phase = try LazyTensor(rows: x) | LazyTensor(columns: y)
            return try (ComplexLazyTensor(angle: phase) * LazyTensor(columns: signal)).sum(over: .columns).squaredMagnitude()
                .sum()
        }
        let slope = try gradient(at: x, of: energy)
        let step = 1e-6
        for place in 0..<8 {
            let direction = Tensor<Double>(shape: [4, 2]) { for k in $0.indices { $0[k] = k == place ? step : 0 } }
            let difference = try (energy(x + direction).scalar - energy(x - direction).scalar) / (2 * step)
            #expect(abs(slope.elements[place] - difference) < 1e-8)
        }
    }
}

extension ComplexLazyTensor {
    /// |z|² + 0i.
    fileprivate func squaredAsReal() throws -> ComplexLazyTensor {
        try ComplexLazyTensor(real: real().squared() + imaginary().squared())
    }
}
