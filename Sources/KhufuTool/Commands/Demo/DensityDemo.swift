import ArrayFiles
import Engines
import Formulas
import Foundation
import Kernels
import Pictures
import SampleData

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
        let all = try Places.cities()
        let cities = stride(from: 0, to: all.count, by: isCompiled ? 1 : 100).map { all[$0] }
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

    /// The centres of equal cells, the southernmost row first.
    private static func grid(_ rows: Int, _ columns: Int, _ latitudes: ClosedRange<Double>) -> [SIMD2<Double>] {
        let height = latitudes.upperBound - latitudes.lowerBound
        return (0..<rows).flatMap { row in
            let latitude = latitudes.lowerBound + height * (Double(row) + 0.5) / Double(rows)
            return (0..<columns).map { column in SIMD2(-180 + 360 * (Double(column) + 0.5) / Double(columns), latitude) }
        }
    }

    private static func onSphere(_ places: [SIMD2<Double>]) -> [Double] {
        places.flatMap { place in
            let point = Places.onSphere(place)
            return [point.x, point.y, point.z]
        }
    }
}
