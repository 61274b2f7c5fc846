import Khufu

extension Tensor<Double> {
    /// Points (x(t), y(t)) of a closed curve, at equal steps of t from 0 to 2π.
    static func closedCurve(_ count: Int, _ place: (_ t: Double) -> SIMD2<Double>) -> Tensor {
        Tensor((0..<count).map { place(2 * .pi * Double($0) / Double(count)) })
    }

    /// The centres of the cells of a grid, row by row from the low end of y: the places of a plot's field.
    static func grid(rows: Int, columns: Int, x: ClosedRange<Double>, y: ClosedRange<Double>) -> Tensor {
        let width = (x.upperBound - x.lowerBound) / Double(columns), height = (y.upperBound - y.lowerBound) / Double(rows)
        let places = (0..<rows * columns).map { k -> SIMD2<Double> in
            let (row, column) = k.quotientAndRemainder(dividingBy: columns)
            return SIMD2(x.lowerBound + width * (Double(column) + 0.5), y.lowerBound + height * (Double(row) + 0.5))
        }
        return Tensor(places)
    }
}
