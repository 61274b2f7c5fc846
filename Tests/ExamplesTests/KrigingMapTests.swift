import SampleData
import Testing

@testable import Examples

@Suite struct KrigingMapTests {
    /// Better than the nearest known airport's value, and about as uncertain as it says.
    @Test func error() throws {
        let result = try KrigingMap.run()
        let (error, nearest) = (result.numbers["error"]!, try nearestNeighbourError())
        #expect(error < 0.85 * nearest)
        #expect((0.9...0.98).contains(result.numbers["inside"]!))
    }

    private func nearestNeighbourError() throws -> Double {
        let places = try Places.airports().filter { (-125 ... -66).contains($0.x) && (24...50).contains($0.y) }
        let points = places.map { 63.71 * Places.onSphere($0) }
        func square(_ a: Int, _ b: Int) -> Double { ((points[a] - points[b]) * (points[a] - points[b])).sum() }
        let counts = points.indices.map { a in Double(points.indices.count { square(a, $0) <= 1 }) }
        let known = points.indices.filter { $0 % 10 == 0 }, asked = points.indices.filter { $0 % 10 != 0 }
        let squares = asked.map { a in
            let error = counts[known.min { square(a, $0) < square(a, $1) }!] - counts[a]
            return error * error
        }
        return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    }
}
