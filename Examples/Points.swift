import Khufu
import Pictures

extension Tensor<Double> {
    /// The rows of an (n, 2) tensor, for pictures.
    var points: [Point] {
        let numbers = elements
        return (0..<shape[0]).map { Point(numbers[2 * $0], numbers[2 * $0 + 1]) }
    }
}
