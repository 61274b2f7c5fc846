import Formulas
import Kernels
import RandomNumbers
import Testing

@testable import Engines

/// Gradients that flow to winners, against their definition: slot by slot, each point's to its winner.
@Suite struct WinnerSumTests {
    /// More slots than points to fill them in one case, many points for each winner, batches of which one cloud has none.
    struct Case: CustomTestStringConvertible, Sendable {
        var rows: Int
        var columns: Int
        var k: Int
        var items = 1
        var testDescription: String { "\(items) x \(rows) x \(columns), k = \(k)" }
    }
    static let cases = [
        Case(rows: 40, columns: 3, k: 5), Case(rows: 900, columns: 2, k: 1), Case(rows: 30, columns: 50, k: 4, items: 3),
    ]
    static let engines: [ExecutionOptions] =
        [.init(engine: .interpreter), .init(engine: .cpu)] + (OpenCL.deviceCount > 0 ? [.init(devices: [.openCL(0)])] : [])

    @Test(arguments: cases, [ScalarType.float64, .float32, .float16]) func gradients(_ example: Case, _ type: ScalarType) throws {
        let (rows, columns, k, items) = (example.rows, example.columns, example.k, example.items)
        let declarations = try Declaration.list(parsing: ["x = Vi(2)", "y = Vj(2)"])
        let smallest = try CompiledExpression(
            of: try CompiledReduction(
                try Reduction(
                    .kMin, of: "SqDist(x, y)", weight: nil, k: k, over: .j, accumulation: .init(), declarations: declarations),
                declarations: declarations))
        let shapes = [[items, rows, 2], [columns, 2], [items, rows, k]]
        var random = RandomSource(seed: rows)
        // As they are stored, so that no other point is the nearest there.
        let arrays = shapes.map { shape in
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: shape.reduce(type.byteCount, *), alignment: 64)
            for place in 0..<shape.reduce(1, *) { type.store(random.uniform(-1, 1), bytes.baseAddress!, place) }
            return (input: InputArray(bytes.baseAddress!, type: type, shape: shape), bytes: bytes)
        }
        defer { for array in arrays { array.bytes.deallocate() } }
        let numbers = zip(arrays, shapes).map { type.load($0.bytes.baseAddress!, 0, count: $1.reduce(1, *)) }
        let expected = Self.gradients(numbers, example)
        for (position, truth) in expected.enumerated() {
            let gradient = try smallest.gradient(withRespectTo: position)
            for options in Self.engines {
                let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: truth.count * type.byteCount, alignment: 64)
                defer { bytes.deallocate() }
                try gradient.run(arrays.map(\.input), options: options, values: bytes)
                let found = type.load(bytes.baseAddress!, 0, count: truth.count)
                let scale = truth.map(abs).max()!
                let error = zip(found, truth).map { abs($0 - $1) / scale }.max()!
                let limit = [ScalarType.float64: 1e-13, .float32: 2e-5][type] ?? 2e-2
                #expect(error < limit, "\(position) \(options.engine) \(options.devices)")
            }
        }
    }

    private static func gradients(_ arrays: [[Double]], _ example: Case) -> [[Double]] {
        let (x, y, cotangent) = (arrays[0], arrays[1], arrays[2])
        var ofX = [Double](repeating: 0, count: x.count), ofY = [Double](repeating: 0, count: y.count)
        for row in 0..<example.items * example.rows {
            let distances = (0..<example.columns).map { column in
                (0..<2).reduce(0.0) { $0 + (x[2 * row + $1] - y[2 * column + $1]) * (x[2 * row + $1] - y[2 * column + $1]) }
            }
            let order = distances.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }
            for (slot, column) in order.prefix(example.k).enumerated() {
                for d in 0..<2 {
                    let slope = 2 * (x[2 * row + d] - y[2 * column + d]) * cotangent[row * example.k + slot]
                    ofX[2 * row + d] += slope
                    ofY[2 * column + d] -= slope
                }
            }
        }
        return [ofX, ofY]
    }

    @Test func listsAreCutIntoPieces() {
        let indices: [Int64] = [1, 0, 1, 1, 1, 9, 1, 1]
        let values: [Float] = [0, 0, 0, 0, 0, 0, .nan, 0]
        indices.withUnsafeBufferPointer { indices in
            values.withUnsafeBytes { values in
                let lists = WinnerLists(
                    values: values.baseAddress!, .float32,
                    WinnerIndices(base: indices.baseAddress!, batch: [2], rows: 4, slots: 1, slot: 0), columns: 3)
                #expect(lists.rows == [1, 0, 2, 3, 4, 7])
                #expect(lists.starts == [0, 1, 4, 4, 4, 6, 6])
                let pieces = lists.pieces(2)
                #expect(pieces.starts == [0, 1, 3, 4, 6] && pieces.ofTargets == [0, 1, 3, 3, 3, 4, 4])
            }
        }
    }
}
