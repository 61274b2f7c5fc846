import Engines
import Formulas
import Foundation
import Kernels

/// Estimates how dense the world's cities lie, on the sphere, and draws the map.
///
/// The kernel is von Mises and Fisher's, the sphere's Gaussian: κ/(2π) exp(κ(x·y - 1)) on a unit sphere, which is
/// exp(-κ/2 |x - y|²) up to the factor. In the second form nothing cancels, so that float32 will do.
enum DensityDemo {
    /// The width of the kernel, in degrees.
    private static let width = 1.25
    private static let text = "Exp(-g * SqDist(place, city))"
    private static let earthRadius = 6371.0

    static func run(_ options: DeviceOptions, _ pictures: DemoPictures) throws -> DemoReport {
        // The interpreter takes some 10,000 times as long for a pair.
        let isCompiled = options.isCompiled
        let cities = try self.cities(every: isCompiled ? 1 : 100)
        let (rows, columns) = isCompiled ? (218, 540) : (29, 72)
        let latitudes = -60.0...85.0
        let concentration = pow(180 / (.pi * width), 2)

        let declarations = try Declaration.list(parsing: ["place = Vi(3)", "city = Vj(3)", "g = Pm(1)"])
        let formula = try Formula(parsing: text, aliases: declarations.map(\.description))
        let reduction = try Reduction(.sum, of: formula)
        let places = grid(rows, columns, latitudes)
        let arrays = try [
            NumberArray(onSphere(places), type: .float32, shape: [places.count, 3]),
            NumberArray(onSphere(cities), type: .float32, shape: [cities.count, 3]),
            NumberArray([concentration / 2], type: .float32, shape: [1]),
        ]
        let evaluation = try Evaluation(try CompiledReduction(reduction, declarations: declarations), arrays, options)

        // Per unit of solid angle, then per 10,000 km².
        let factor = concentration / (2 * .pi) * 10_000 / (earthRadius * earthRadius)
        let density = (evaluation.values?.points.doubles ?? []).map { $0 * factor }
        let map = HeatMap(
            title: "Cities of 5,000 people or more: \(counted(cities.count)) of them, blurred by \(short(width))°",
            values: density, rows: rows, columns: columns, xRange: -180...180, yRange: latitudes,
            legend: "per 10,000 km²", exponent: 0.4)
        let started = ContinuousClock.now
        let files = try pictures.write(map)

        var report = DemoReport()
        report.add(
            evaluation, "Sum over j of \(text)", points: "\(counted(places.count)) places and \(counted(cities.count)) cities")
        report.add("picture", "\(files.joined(separator: ", ")), drawn in \(readable(ContinuousClock.now - started))")
        return report
    }

    // MARK: Points

    /// Longitudes and latitudes, in degrees.
    private static func cities(every step: Int) throws -> [Point] {
        let array = try PointArray(contentsOf: DataFolder.path(of: "cities.csv"))
        guard array.shape.last == 2 else {
            throw Failure(.dataError, "cities.csv has shape \(readable(shape: array.shape)); 2 columns were expected.")
        }
        let values = array.doubles
        return stride(from: 0, to: array.shape[0], by: step).map { Point(values[2 * $0], values[2 * $0 + 1]) }
    }

    /// The centres of equal cells, the southernmost row first.
    private static func grid(_ rows: Int, _ columns: Int, _ latitudes: ClosedRange<Double>) -> [Point] {
        let height = latitudes.upperBound - latitudes.lowerBound
        return (0..<rows).flatMap { row in
            (0..<columns).map { column in
                Point(
                    -180 + 360 * (Double(column) + 0.5) / Double(columns),
                    latitudes.lowerBound + height * (Double(row) + 0.5) / Double(rows))
            }
        }
    }

    private static func onSphere(_ points: [Point]) -> [Double] {
        points.flatMap { point in
            let (longitude, latitude) = (point.x * .pi / 180, point.y * .pi / 180)
            return [cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)]
        }
    }
}
