import Formulas
import Kernels
import Testing

@testable import Engines

/// The point amid the columns that long distances are taken from. Results are right wherever it is; they come fast only if
/// it is near the points.
@Suite struct CentreTests {
    private static let dimension = 16

    @Test(arguments: [1, 2, 7, 16, 1000]) func liesAmidThePoints(count: Int) throws {
        let table = try table(of: (0..<count).map { point in (0..<Self.dimension).map { k in Float(1000 * k + point) } })
        for k in 0..<Self.dimension {
            let place = table.centre[k] - Float(1000 * k)
            #expect(place >= 0 && place < Float(count) && (count < 16 || abs(place / Float(count) - 0.5) < 0.15))
            // It is a number of the data.
            #expect(place == place.rounded())
        }
        // A column's entry: twice the way to the centre, its squared length, and a share of that.
        let last = table.entries.suffix(Self.dimension + 2)
        let ways = table.centre.enumerated().map { k, c in Float(1000 * k + count - 1) - c }
        #expect(last.prefix(Self.dimension).elementsEqual(ways.map { -2 * $0 }))
        let square = ways.reduce(0) { $0 + $1 * $1 }
        #expect(last.suffix(2).elementsEqual([square, square / 4]))
    }

    @Test func ignoresWhatIsNotFinite() throws {
        let special: [Float] = [.nan, .infinity, -.infinity]
        let table = try table(
            of: (0..<100).map { point in
                (0..<Self.dimension).map { k in k == 3 ? special[point % 3] : point % 7 == 0 ? special[k % 3] : Float(k) }
            })
        #expect(table.centre == (0..<Self.dimension).map { $0 == 3 ? 0 : Float($0) })
    }

    private func table(of points: [[Float]]) throws -> (centre: [Float], entries: [Float]) {
        let aliases = ["x = Vi(\(Self.dimension))", "y = Vj(\(Self.dimension))"]
        let kernel = try Kernel(
            lowering: try Reduction(.argMin, of: try Formula(parsing: "SqDist(x,y)", aliases: aliases)),
            precision: Precision(storage: .float32), squaredDistances: .inner)
        let compiled = try CPUKernel(kernel, instructionSet: .best(), cache: .shared)
        let bytes = compiled.columnTableBytes(points.count)
        let table = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        defer { table.deallocate() }
        points.flatMap { $0 }.withUnsafeBytes { numbers in
            // Rows are not looked at.
            let inputs = [numbers.baseAddress!, numbers.baseAddress!]
            compiled.findCentre(columns: points.count, inputs: inputs, table: table)
            compiled.tabulate(0..<points.count, inputs: inputs, table: table)
        }
        let numbers = Array(UnsafeRawBufferPointer(start: table, count: bytes).bindMemory(to: Float.self))
        return (Array(numbers[..<Self.dimension]), numbers.suffix(points.count * (Self.dimension + 2)))
    }
}
