import KhufuC
import KhufuHeader
import Testing

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Calls the C interface as other languages do.
@Suite struct InterfaceTests {
    private let x: [Float] = [0, 1, 2, 3, 4, 5]  // three points of the plane
    private let y: [Float] = [1, 1, 0, 2]  // two
    private let inputs = ["x = Vi(2)", "y = Vj(2)"]

    // MARK: Runs

    @Test func squaredDistancesAreSummed() throws {
        let sum = try Handle(parsing: "Sum_Reduction(SqDist(x, y), 0)", inputs)
        #expect(try sum.shape([x, y], [[3, 2], [2, 2]]) == [3, 1])
        let values = try sum.run([x, y], [[3, 2], [2, 2]], count: 3).values
        #expect(values == [2, 10, 50])
    }

    @Test func indicesComeWithValues() throws {
        let nearest = try Handle(parsing: "Min_ArgMin_Reduction(SqDist(x, y), 0)", inputs)
        let result = try nearest.run([x, y], [[3, 2], [2, 2]], count: 3, indexCount: 3)
        #expect(result.values == [1, 5, 25] && result.indices == [0, 0, 0])
        #expect(nearest.result == (KHUFU_I, 1, 1))
    }

    @Test func formulasAreBuiltFromOthers() throws {
        let a = try FormulaHandle("Var(0,2,0)"), b = try FormulaHandle("Var(1,2,1)")
        let distance = try FormulaHandle("SqDist(a, b)", ["a": a, "b": b])
        #expect(khufu_formula_dimension(distance.pointer) == 1)
        #expect(try FormulaHandle(distance.text).text == distance.text)
        let sum = try Handle(
            { khufu_reduction_create("Sum", distance.pointer, nil, 1, KHUFU_J, nil, $0, 2, $1) }, from: ["Vi(2)", "Vj(2)"])
        #expect(try sum.run([x, y], [[3, 2], [2, 2]], count: 3).values == [2, 10, 50])
    }

    @Test func weightsAndTextShareInputs() throws {
        let sum = try Handle(
            { khufu_reduction_create_from_text("LogSumExp", "-SqDist(x, y)", "Var(2,1,1)", 1, KHUFU_J, nil, $0, 2, $1) },
            from: inputs)
        #expect(khufu_reduction_input_count(sum.pointer) == 3)
        #expect(sum.input(2) == (KHUFU_J, 1))
        let values = try sum.run([x, y, [1, 2]], [[3, 2], [2, 2], [2, 1]], count: 3).values
        // Each point is equally far from both.
        for (value, distance) in zip(values, [1, 5, 25] as [Float]) { #expect(abs(value - (log(3) - distance)) < 1e-5) }
    }

    @Test func derivativesAreReductions() throws {
        let sum = try Handle(parsing: "Sum_Reduction(SqDist(x, y), 0)", inputs)
        let gradient = try Handle({ khufu_reduction_gradient(sum.pointer, 0, $1) }, from: [])
        // Σ_j 2 (x_i - y_j), times the cotangent.
        let values = try gradient.run([x, y, [1, 10, 100]], [[3, 2], [2, 2], [3, 1]], count: 6).values
        #expect(values == [-2, -2, 60, 60, 1400, 1400])
        let tangent = try Handle({ khufu_reduction_tangent(gradient.pointer, 2, $1) }, from: [])
        let direction: [Float] = [1, 1, 1]
        #expect(
            try tangent.run([x, y, [0, 0, 0], direction], [[3, 2], [2, 2], [3, 1], [3, 1]], count: 6).values == [
                -2, -2, 6, 6, 14, 14,
            ])
    }

    @Test func rangesChooseThePairs() throws {
        let sum = try Handle(parsing: "Sum_Reduction(SqDist(x, y), 0)", inputs)
        let rows: [Int64] = [0, 1, 1, 3], ends: [Int64] = [1, 2], columns: [Int64] = [0, 1, 1, 2]
        let values = try rows.withUnsafeBufferPointer { rows in
            try ends.withUnsafeBufferPointer { ends in
                try columns.withUnsafeBufferPointer { columns in
                    let ranges = khufu_ranges(
                        row_ranges: rows.baseAddress, ends: ends.baseAddress, column_ranges: columns.baseAddress,
                        row_range_count: 2, column_range_count: 2)
                    return try withUnsafePointer(to: ranges) { ranges in
                        var options = khufu_options()
                        (options.ranges, options.range_count) = (ranges, 1)
                        return try sum.run([x, y], [[3, 2], [2, 2]], count: 3, options: options).values
                    }
                }
            }
        }
        #expect(values == [1, 5, 25])
    }

    // MARK: Linear systems

    /// The second is no product that the engine takes apart, so that its operator is only a function.
    @Test(arguments: ["Exp(-SqDist(x, y)) * b", "MatVecMult(Exp(-SqDist(x, y)), b)"])
    func systemsAreSolved(formula: String) throws {
        let points: [Double] = [0, 0.3, 1, 1.7, 2, 2.2], b: [Double] = [1, 2, 3, 4, 5, 6]
        let sum = try Handle(parsing: "Sum_Reduction(\(formula), 0)", ["x = Vi(1)", "y = Vj(1)", "b = Vj(1)"])
        var settings = khufu_solver_settings()
        settings.alpha = 0.1
        let shapes: [[Int64]] = [[6, 1], [6, 1], [6, 1]]
        var solution = [Double](repeating: .nan, count: 6)
        try withArrays([points, points, b], shapes) { arrays in
            try succeeded(khufu_solve(sum.pointer, arrays.baseAddress, 3, 2, &settings, nil, &solution))
        }
        for i in 0..<6 {
            var product = 0.1 * solution[i]
            for j in 0..<6 {
                let difference = points[i] - points[j]
                product += exp(-difference * difference) * solution[j]
            }
            #expect(abs(product - b[i]) < 1e-6)
        }
    }

    @Test func progressCanStopASolve() throws {
        let points: [Double] = [0, 0.3, 1, 1.7],
            sum = try Handle(
                parsing: "Sum_Reduction(Exp(-SqDist(x, y)) * b, 0)", ["x = Vi(1)", "y = Vj(1)", "b = Vj(1)"])
        var settings = khufu_solver_settings()
        settings.progress = { _, _, _, _ in 1 }
        var solution = [Double](repeating: 0, count: 4)
        let status = withArrays([points, points, points], [[4, 1], [4, 1], [4, 1]]) { arrays in
            khufu_solve(sum.pointer, arrays.baseAddress, 3, 2, &settings, nil, &solution)
        }
        #expect(status == KHUFU_CANCELLED)
    }

    // MARK: Mistakes

    @Test func mistakesHaveAKindAndASentence() throws {
        var handle: OpaquePointer?
        #expect(khufu_reduction_parse("Sum_Reduction(Foo(x), 0)", nil, 0, &handle) == KHUFU_FORMULA_ERROR)
        #expect(lastError.contains("Foo") && handle == nil)
        #expect(khufu_reduction_parse(nil, nil, 0, &handle) == KHUFU_ARGUMENT_ERROR)
        #expect(lastError.contains("NULL"))
        #expect(khufu_reduction_run(nil, nil, 0, nil, nil, 0, nil, 0) == KHUFU_ARGUMENT_ERROR)

        let sum = try Handle(parsing: "Sum_Reduction(SqDist(x, y), 0)", inputs)
        for shapes: [[Int64]] in [[[3, 2], [2, 3]], [[2], [2, 2]], [[3, 2]], [[-1, 2], [2, 2]]] {
            let status = withArrays([x, y], shapes) { arrays in
                khufu_reduction_run(sum.pointer, arrays.baseAddress, Int32(shapes.count), nil, nil, 0, nil, 0)
            }
            #expect(status == KHUFU_ARGUMENT_ERROR && !lastError.isEmpty)
        }
        let tooLittle = withArrays([x, y], [[3, 2], [2, 2]]) { arrays in
            var room: Float = 7
            defer { #expect(room == 7) }
            return khufu_reduction_run(sum.pointer, arrays.baseAddress, 2, nil, &room, 1, nil, 0)
        }
        #expect(tooLittle == KHUFU_ARGUMENT_ERROR && lastError.contains("room"))
        for change: (inout khufu_options) -> Void in [{ $0.engine = 9 }, { $0.threads = -1 }, { $0.memory = 1 }] {
            var options = khufu_options()
            change(&options)
            #expect(throws: InterfaceError.self) { try sum.run([x, y], [[3, 2], [2, 2]], count: 3, options: options) }
        }
    }

    @Test func errorsBelongToTheirThread() async throws {
        var handle: OpaquePointer?
        #expect(khufu_reduction_parse("Sum_Reduction(Here(x), 0)", nil, 0, &handle) == KHUFU_FORMULA_ERROR)
        await Task.detached {
            var handle: OpaquePointer?
            _ = khufu_reduction_parse("Sum_Reduction(There(x), 0)", nil, 0, &handle)
        }.value
        // Tasks may share a thread; the call itself must still say what it did.
        #expect(khufu_reduction_parse("Sum_Reduction(Here(x), 0)", nil, 0, &handle) == KHUFU_FORMULA_ERROR)
        #expect(lastError.contains("Here"))
    }

    @Test func versionsAreToldAndTextIsCutToItsRoom() {
        #expect(khufu_abi_version() == KHUFU_ABI_VERSION)
        #expect(String(cString: khufu_version()).split(separator: ".").count == 3)
        let size = khufu_diagnosis(nil, 0)
        var buffer = [CChar](repeating: 1, count: 5)
        #expect(size > 5 && khufu_diagnosis(&buffer, 5) == size && buffer[4] == 0)
    }
}
