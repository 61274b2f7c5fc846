import Khufu
import RealModule
import Testing

@testable import Examples

@Suite struct NonuniformFourierTests {
    @Test func tones() throws {
        let numbers = try NonuniformFourier.run().numbers
        #expect(numbers.count == 2 * NonuniformFourier.tones.count)
        for (k, tone) in NonuniformFourier.tones.enumerated() {
            #expect(abs(numbers["frequency\(k)"]! - tone.frequency) < 0.011)
            #expect(abs(numbers["amplitude\(k)"]! - tone.amplitude) < 0.15)
        }
    }

    /// The same sums in plain loops.
    @Test func transform() throws {
        let (times, samples) = try NonuniformFourier.signal()
        let frequencies = [0, 1.7, 9.7, 30]
        let spectrum = try NonuniformFourier.transform(samples, at: times, Tensor(frequencies))
        for (k, frequency) in frequencies.enumerated() {
            let angles = times.elements.map { -2 * .pi * frequency * $0 }
            let real = zip(samples.elements, angles).reduce(0) { $0 + $1.0 * Double.cos($1.1) } / Double(samples.count)
            let imaginary = zip(samples.elements, angles).reduce(0) { $0 + $1.0 * Double.sin($1.1) } / Double(samples.count)
            #expect(abs(spectrum.real.elements[k] - real) < 1e-10)
            #expect(abs(spectrum.imaginary.elements[k] - imaginary) < 1e-10)
        }
    }
}
