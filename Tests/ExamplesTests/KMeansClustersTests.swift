import SampleData
import Testing

@testable import Examples

@Suite struct KMeansClustersTests {
    /// Lloyd's method in plain loops, from several starts, finds nothing much better.
    @Test func inertia() throws {
        let result = try KMeansClusters.run()
        let points = try Places.cities().map(Places.onSphere)
        let best = (1...4).map { start in
            lloyd(points, (0..<KMeansClusters.clusterCount).map { points[(start * 977 + $0 * 3701) % points.count] })
        }.min()!
        let inertia = result.numbers["inertia"]!
        #expect(inertia < 1.05 * best)
        #expect(result.numbers["explained"]! > 0.9)
    }

    private func lloyd(_ points: [SIMD3<Double>], _ start: [SIMD3<Double>]) -> Double {
        var centers = start
        var inertia = 0.0
        for _ in 0..<40 {
            var sums = [SIMD3<Double>](repeating: .zero, count: centers.count)
            var counts = [Double](repeating: 0, count: centers.count)
            inertia = 0
            for point in points {
                var (nearest, least) = (0, Double.infinity)
                for (k, center) in centers.enumerated() {
                    let square = ((point - center) * (point - center)).sum()
                    if square < least { (nearest, least) = (k, square) }
                }
                sums[nearest] += point
                counts[nearest] += 1
                inertia += least
            }
            for k in centers.indices where counts[k] > 0 { centers[k] = sums[k] / counts[k] }
        }
        return inertia
    }
}
