import Formulas
import Kernels
import Testing

@testable import Engines

/// Every pair once, whatever the cut.
struct ScheduleTests {
    /// What a schedule evaluates: how often each (item, row, column) is met, and in which order each row meets its columns.
    private func meetings(_ schedule: Schedule) -> [[Int]: [Int]] {
        var met: [[Int]: [Int]] = [:]
        for task in schedule.tasks {
            for row in task.rows {
                for range in schedule.ranges[task.ranges] { met[[task.batchItem, row], default: []] += Array(range) }
                met[[task.batchItem, row], default: []] += []
            }
        }
        return met
    }

    @Test(arguments: [1, 2, 7], [1, 5, 32]) func denseCallsMeetEveryPairOnce(threads: Int, rowsPerBlock: Int) {
        for (rows, columns, items) in [(1, 1, 1), (3, 70_000, 1), (200, 1_000, 2), (33, 17, 3), (0, 5, 1), (5, 0, 2)] {
            let schedule = Schedule(
                .dense(rows: rows, columns: columns), rows: rows, columns: columns, batchCount: items,
                rowsPerBlock: rowsPerBlock, threads: threads)
            let met = meetings(schedule)
            #expect(met.count == rows * items)
            #expect(met.values.allSatisfy { $0 == Array(0..<columns) })
            #expect(schedule.pairCount == rows * columns * items)
        }
    }

    @Test func fewRowsShareTheirColumns() {
        let schedule = Schedule(
            .dense(rows: 2, columns: 1_000_000), rows: 2, columns: 1_000_000, batchCount: 1, rowsPerBlock: 32, threads: 4)
        #expect(schedule.tasks.count == 4)
        #expect(schedule.merges.map(\.partCount) == [4])
    }

    /// Positions are 31 bits while they are in lanes: columns that are further apart are split. Here the span is 100.
    @Test(arguments: [1, 3]) func farColumnsAreCountedFromABase(threads: Int) {
        let sparsity = BlockSparsity(
            rowRanges: [0..<2, 3..<4], ends: [3, 4], columnRanges: [10..<250, 0..<5, 400..<430, 90..<120])
        let schedule = Schedule(
            sparsity, rows: 5, columns: 500, batchCount: 1, rowsPerBlock: 1, threads: threads, longestSpan: 100)
        for task in schedule.tasks where !task.ranges.isEmpty {
            let ranges = schedule.ranges[task.ranges]
            let (first, end) = (ranges.map(\.lowerBound).min()!, ranges.map(\.upperBound).max()!)
            #expect(first >= task.positionBase && end - task.positionBase <= 100)
        }
        let met = meetings(schedule)
        #expect(met[[0, 0]] == Array(10..<250) + Array(0..<5) + Array(400..<430))
        #expect(met[[0, 3]] == Array(90..<120))
        #expect(met[[0, 2]] == [] && met[[0, 4]] == [])
    }

    @Test func transposedPatternsHoldTheSamePairs() {
        let pattern = BlockSparsity.Pattern(
            rowRanges: [4..<6, 0..<3], ends: [2, 4], columnRanges: [0..<4, 7..<9, 2..<8, 8..<8])
        func pairs(_ pattern: BlockSparsity.Pattern) -> Set<[Int]> {
            var pairs: Set<[Int]> = []
            for (k, rows) in pattern.rowRanges.enumerated() {
                for columns in pattern.columnRanges[pattern.columnRanges(of: k)] {
                    for row in rows { for column in columns { pairs.insert([row, column]) } }
                }
            }
            return pairs
        }
        #expect(pairs(pattern.transposed) == Set(pairs(pattern).map { [$0[1], $0[0]] }))
        #expect(pairs(pattern.transposed.transposed) == pairs(pattern))
    }

    @Test(arguments: [
        (BlockSparsity(rowRanges: [0..<3, 2..<4], ends: [1, 1], columnRanges: [0..<2]), "do not overlap"),
        (BlockSparsity(rowRanges: [0..<9], ends: [1], columnRanges: [0..<2]), "leaves the 5 points of the result"),
        (BlockSparsity(rowRanges: [0..<2], ends: [1], columnRanges: [0..<20]), "leaves the 6 points that are reduced over"),
        (BlockSparsity(rowRanges: [0..<2], ends: [2], columnRanges: [0..<2]), "The ends of slices"),
        (BlockSparsity(rowRanges: [0..<2], ends: [], columnRanges: []), "one end of slice per row range"),
        (BlockSparsity(patterns: []), "one pattern"),
    ])
    func badPatternsAreNamed(sparsity: BlockSparsity, part: String) {
        let error = #expect(throws: BindingError.self) { try sparsity.check(rows: 5, columns: 6, batchCount: 2) }
        #expect(error?.description.contains(part) == true)
    }

    // MARK: Binding

    @Test(arguments: [
        ([[4, 3], [5, 2], [1]], "y has shape [5, 2]; its declaration y = Vj(1,3) expects (…, points, 3)."),
        ([[4, 3], [3], [1]], "y has shape [3]"),
        ([[4, 3], [5, 3]], "takes 3 inputs, and 2 came"),
        ([[2, 4, 3], [3, 5, 3], [1]], "Batch shapes broadcast where lengths are equal or 1; x has [2] and y has [3]."),
        ([[4, 3], [5, 3], [2]], "g has shape [2]"),
        ([[1 << 40, 1 << 20, 1 << 20, 3], [5, 3], [1]], "is too large"),
        ([[-4, 3], [5, 3], [1]], "negative length"),
    ])
    func shapesAreCheckedBeforeMemory(shapes: [[Int]], part: String) throws {
        let declarations = try Declaration.list(parsing: ["x = Vi(3)", "y = Vj(3)", "g = Pm(1)"])
        let reduction = try Reduction(
            .sum, of: try Formula(parsing: "g*(x|y)", aliases: ["x = Vi(3)", "y = Vj(3)", "g = Pm(1)"]))
        let compiled = try CompiledReduction(reduction, declarations: declarations)
        // An address that cannot be read: a look at the memory would end the process.
        let nowhere = UnsafeRawPointer(bitPattern: 64)!
        let arrays = shapes.map { InputArray(nowhere, type: .float32, shape: $0) }
        let error = #expect(throws: BindingError.self) { try compiled.resultShape(for: arrays) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test func typesAndPointCountsAgree() throws {
        let reduction = try Reduction(
            .sum, of: try Formula(parsing: "x*z*y", aliases: ["x = Vi(1)", "y = Vj(1)", "z = Vi(1)"]))
        let compiled = try CompiledReduction(reduction)
        let nowhere = UnsafeRawPointer(bitPattern: 64)!
        func array(_ type: ScalarType, _ points: Int) -> InputArray { InputArray(nowhere, type: type, shape: [points, 1]) }
        #expect(throws: BindingError("All inputs have one type; Var(0,1,0) is float32 and Var(1,1,1) is float64.")) {
            try compiled.resultShape(for: [array(.float32, 2), array(.float64, 2), array(.float32, 2)])
        }
        #expect(throws: BindingError("All Vi inputs have one number of points; Var(0,1,0) has 2 and Var(2,1,0) has 3.")) {
            try compiled.resultShape(for: [array(.float32, 2), array(.float32, 2), array(.float32, 3)])
        }
    }

    // MARK: Half precision

    /// All 65,536 numbers, and what lies between them.
    @Test func halfPrecisionRoundsToNearestEven() {
        #if arch(x86_64) || arch(arm64)
        for bits in UInt16.min...UInt16.max {
            let value = Double(halfBits: bits)
            let expected = Float16(bitPattern: bits)
            #expect(expected.isNaN ? value.isNaN : value == Double(expected))
            guard expected.isFinite else { continue }
            #expect(value.halfBits == bits)
            for neighbour in [expected.nextUp, expected.nextDown] where neighbour.isFinite {
                for share in [0.25, 0.5, 0.75] {
                    let between = value + share * (Double(neighbour) - value)
                    #expect(between.halfBits == Float16(between).bitPattern)
                }
            }
        }
        #endif
    }
}
