import Khufu
import Pictures

extension Tensor<Double> {
    /// The rows of an (n, 2) tensor, for pictures.
    var points: [Point] {
        let numbers = elements
        return (0..<shape[0]).map { Point(numbers[2 * $0], numbers[2 * $0 + 1]) }
    }
}

/// The centres of equal cells of a rectangle, row by row from below: where a field is sampled.
func grid(_ columns: Int, by rows: Int, x: ClosedRange<Double>, y: ClosedRange<Double>) -> [SIMD2<Double>] {
    let corner = SIMD2(x.lowerBound, y.lowerBound)
    let cell = (SIMD2(x.upperBound, y.upperBound) - corner) / SIMD2(Double(columns), Double(rows))
    return (0..<rows * columns).map { k in corner + (SIMD2(Double(k % columns), Double(k / columns)) + 0.5) * cell }
}
