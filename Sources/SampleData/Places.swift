import Foundation

/// Places on Earth: longitudes and latitudes in degrees.
package enum Places {
    /// 45,065 cities of the world of 5,000 people or more.
    ///
    /// - Throws: `DataFolder.Missing`, or `FileError` where the file is damaged.
    package static func cities() throws -> [SIMD2<Double>] { try read("cities.csv") }

    /// 3,376 airports of the United States and its territories.
    package static func airports() throws -> [SIMD2<Double>] { try read("airports.csv") }

    private static func read(_ name: String) throws -> [SIMD2<Double>] {
        try Table(name, columns: 2).rows.map { SIMD2($0[$0.startIndex], $0[$0.startIndex + 1]) }
    }

    /// Where a place is on the unit sphere: 0° N 0° E is (1, 0, 0), the north pole (0, 0, 1).
    package static func onSphere(_ place: SIMD2<Double>) -> SIMD3<Double> {
        let (longitude, latitude) = (place.x * .pi / 180, place.y * .pi / 180)
        return [cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)]
    }
}
