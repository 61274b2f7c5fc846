import Khufu
import Pictures

/// The spectrum of a signal that is sampled at irregular times: F(f) = 1/n Σ_j s_j e^{-2πi f t_j}, a sum of complex numbers for
/// each frequency (T. Deeming, "Fourier analysis with unequally-spaced data", 1975).
///
/// There are 8 samples per unit of time. At regular times no frequency beyond 4 could be told apart from one below; here two
/// tones beyond are found.
enum NonuniformFourier: Example {
    static let name = "nonuniform-fourier"
    static let summary = "The spectrum of an irregularly sampled signal, and the tones in it."
    static let tones: [(frequency: Double, amplitude: Double)] = [(2.3, 1.0), (9.7, 0.7), (14.2, 0.5)]

    static func run() throws -> ExampleResult {
        let (times, samples) = try signal()
        let frequencies = Tensor((0..<2000).map { Double($0) / 100 })
        let spectrum = try transform(samples, at: times, frequencies)
        // A tone of amplitude a has two frequencies ±f, of magnitude a/2.
        let amplitudes = try 2 * spectrum.squaredMagnitude().squareRoot()

        // Peaks: larger than all within one unit of frequency.
        let values = amplitudes.elements
        let peaks = values.indices.filter { k in
            values[max(0, k - 100)...min(values.count - 1, k + 100)].max() == values[k] && values[k] > 0.3
        }
        let tones = try ComplexTensor(
            real: 2 * spectrum.real.selecting(peaks, axis: 0), imaginary: 2 * spectrum.imaginary.selecting(peaks, axis: 0))
        let moments = Tensor((0...1200).map { Double($0) * 0.005 })
        let wave = try synthesis(tones, frequencies.selecting(peaks, axis: 0), at: moments)

        var plot = Plot(title: "Spectrum", x: "frequency", y: "amplitude")
        plot.addLine(zip(frequencies.elements, values).map(Point.init), width: 1.5)
        plot.addDots(peaks.map { Point(frequencies[$0], values[$0]) }, radius: 5)
        plot.xRange = 0...20
        var part = Plot(title: "Some of \(samples.count) samples, and the tones found in them", x: "time", y: "value")
        part.addLine(zip(moments.elements, wave.elements).map(Point.init), width: 1.2)
        part.addDots(zip(times.elements, samples.elements).map(Point.init), radius: 3.5)
        part.xRange = 0...6
        (plot.height, part.height) = (330, 290)

        var result = ExampleResult(picture: Panels([part, plot], columns: 1))
        for (k, peak) in peaks.enumerated() {
            result.add(
                "frequency\(k)", frequencies[peak],
                "A tone of frequency \(frequencies[peak]), amplitude \(values[peak].rounded(decimals: 2)).")
            result.numbers["amplitude\(k)"] = values[peak]
        }
        return result
    }

    /// 1/n Σ_j s_j e^{-2πi f_i t_j} for each frequency.
    static func transform(
        _ samples: Tensor<Double>, at times: Tensor<Double>, _ frequencies: Tensor<Double>
    ) throws -> ComplexTensor<Double> {
        let phase = try LazyTensor(rows: frequencies) * LazyTensor(columns: times) * (-2 * .pi)
        let wave = try ComplexLazyTensor(angle: phase)
        return try (wave * LazyTensor(columns: samples / Double(samples.count))).sum(over: .columns)
    }

    /// The real part of Σ_j c_j e^{2πi f_j t_i} for each time.
    static func synthesis(
        _ coefficients: ComplexTensor<Double>, _ frequencies: Tensor<Double>, at times: Tensor<Double>
    ) throws -> Tensor<Double> {
        let phase = try LazyTensor(rows: times) * LazyTensor(columns: frequencies) * (2 * .pi)
        return try (ComplexLazyTensor(angle: phase) * ComplexLazyTensor(columns: coefficients)).sum(over: .columns).real
    }

    static func signal() throws -> (times: Tensor<Double>, samples: Tensor<Double>) {
        var random = SeededGenerator(seed: 1)
        let times = Tensor(uniform: 0..<40, shape: [320], using: &random)
        var samples = 0.3 * Tensor(normalWithMean: 0, shape: [320], using: &random)
        for tone in tones { samples = try samples + tone.amplitude * (2 * .pi * tone.frequency * times).cos() }
        return (times, samples)
    }
}
