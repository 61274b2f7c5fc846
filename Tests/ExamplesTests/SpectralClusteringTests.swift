import Testing

@testable import Examples

@Suite struct SpectralClusteringTests {
    @Test func agreement() throws {
        let numbers = try SpectralClustering.run().numbers
        for shape in ["moons", "circles"] {
            #expect(numbers["\(shape), spectral"]! > 0.99)
            #expect(numbers["\(shape), k-means"]! < 0.85)
        }
    }
}
