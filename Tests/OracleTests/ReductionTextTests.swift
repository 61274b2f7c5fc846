import Engines
import Formulas
import Kernels
import OracleSupport
import Testing

/// Reductions written as KeOps' engine writes them, and its derivatives given a saved result.
@Suite struct ReductionTextTests {
    /// The calls read as the reductions that the other tests compare with brute force.
    @Test(arguments: RandomFormulaTests.reductions) func namedCalls(_ name: String) throws {
        let aliases = ["x = Vi(2)", "y = Vj(2)", "b = Vj(3)"]
        let kind = try Reduction.Kind(named: name)
        let isWeighted = kind == .sumSoftMax || name.hasSuffix("Weight")
        let f = try Formula(parsing: "SqDist(x, y)", aliases: aliases)
        let b = try Formula(parsing: "b", aliases: aliases)
        for (tag, over) in [(0, ReducedIndex.j), (1, .i)] {
            let reduction =
                kind == .zero
                ? try Reduction(.zero, of: try Formula(parsing: "Zero(3)"), over: over)
                : try Reduction(kind, of: f, weight: isWeighted ? b : nil, k: name.contains("KM") ? 4 : 1, over: over)
            let first = kind == .zero ? "3" : "SqDist(x, y)" + (name.contains("KM") ? ", 4" : "")
            let text = "\(name)_Reduction(\(first), \(tag)\(isWeighted ? ", b" : ""))"
            #expect(try Reduction(parsing: text, declarations: try Declaration.list(parsing: aliases)) == reduction)
        }
    }

    private let x = [0.4, -1.1, 0.7]
    private let y = [1.3, 0.2, -0.8, 2.1]
    private let b = [0.5, 2, 1.5, 0.25]

    private func run(_ text: String, _ aliases: [String], _ arrays: [[Double]]) throws -> [Double] {
        let declarations = try Declaration.list(parsing: aliases)
        let compiled = try CompiledReduction(
            try Reduction(parsing: text, declarations: declarations), declarations: declarations)
        let owners = zip(arrays, declarations).map { numbers, declaration in
            let d = declaration.variable.dimension
            return OracleArray(
                numbers, type: .float64,
                shape: declaration.variable.category == .parameter ? [d] : [numbers.count / d, d])
        }
        let inputs = owners.map(\.input)
        var result = [Double](repeating: .nan, count: try compiled.resultShape(for: inputs).valueTotal)
        try result.withUnsafeMutableBytes { bytes in
            try compiled.run(inputs, values: bytes, indices: .init(start: nil, count: 0))
        }
        withExtendedLifetime(owners) {}
        return result
    }

    /// log Σ b e^(x y): its pair, and its derivatives as KeOps forms them from the pair.
    @Test func derivativesOfAPair() throws {
        let pair = "Max_SumShiftExpWeight_Reduction(x * y, 0, b)"
        let aliases = ["x = Vi(1)", "y = Vj(1)", "b = Vj(1)"]
        let saved = try run(pair, aliases, [x, y, b])
        // The cotangent of s is that of log s over s; that of m is not used.
        let e = [1.5, -0.5, 2]
        let cotangent = (0..<3).flatMap { [123.0, e[$0] / saved[2 * $0 + 1]] }
        func soft(_ i: Int) -> [Double] {
            let terms = y.indices.map { b[$0] * exponential(x[i] * y[$0]) }
            return terms.map { $0 / terms.reduce(0, +) }
        }
        let expectedInX = x.indices.map { i in e[i] * zip(soft(i), y).reduce(0) { $0 + $1.0 * $1.1 } }
        let expectedInY = y.indices.map { j in x.indices.reduce(0) { $0 + e[$1] * soft($1)[j] * x[$1] } }
        let expectedInB = y.indices.map { j in x.indices.reduce(0) { $0 + e[$1] * soft($1)[j] / b[j] } }
        for (name, expected) in [("x", expectedInX), ("y", expectedInY), ("b", expectedInB)] {
            let found = try run(
                "Grad_WithSavedForward(\(pair), \(name), e, out)", aliases + ["e = Vi(2)", "out = Vi(2)"],
                [x, y, b, cotangent, saved])
            expectClose(found, expected)
        }
        // Along u: ds = Σ b e^(x y - m) y u, with m held.
        let u = [1.0, -2, 0.5]
        let along = try run(
            "Diff_WithSavedForward(\(pair), x, u, out)", aliases + ["u = Vi(1)", "out = Vi(2)"], [x, y, b, u, saved])
        let expected = x.indices.flatMap { i in
            let mean: Double = zip(soft(i), y).reduce(0) { $0 + $1.0 * $1.1 }
            return [0, u[i] * saved[2 * i + 1] * mean]
        }
        expectClose(along, expected)
    }

    @Test func derivativesOfASumAndOfIndices() throws {
        let aliases = ["x = Vi(1)", "y = Vj(1)"]
        let sum = "Sum_Reduction(x * Square(y), 0)"
        let e = [1.5, -0.5, 2]
        expectClose(
            try run("Grad_WithSavedForward(\(sum), y, e, out)", aliases + ["e = Vi(1)", "out = Vi(1)"], [x, y, e, e]),
            y.map { y in zip(x, e).reduce(0) { $0 + 2 * $1.0 * $1.1 * y } })
        expectClose(
            try run("Diff_WithSavedForward(\(sum), x, e, out)", aliases + ["e = Vi(1)", "out = Vi(1)"], [x, y, e, e]),
            e.map { e in y.reduce(0) { $0 + e * $1 * $1 } })
        // Twice: the gradient is a reduction too.
        let first = "Grad_WithSavedForward(\(sum), y, e, out)"
        let more = aliases + ["e = Vi(1)", "out = Vi(1)", "v = Vj(1)", "again = Vj(1)"]
        expectClose(
            try run("Grad_WithSavedForward(\(first), x, v, again)", more, [x, y, e, e, y, y]),
            e.map { e in y.reduce(0) { $0 + 2 * e * $1 * $1 } })
        #expect(
            try run(
                "Grad_WithSavedForward(ArgMin_Reduction(x * y, 0), y, e, out)", aliases + ["e = Vi(1)", "out = Vi(1)"],
                [x, y, e, e]) == [0, 0, 0, 0])
    }

    private func expectClose(_ found: [Double], _ expected: [Double], _ place: SourceLocation = #_sourceLocation) {
        #expect(found.count == expected.count, sourceLocation: place)
        for (found, expected) in zip(found, expected) {
            #expect(abs(found - expected) <= 1e-13 * (1 + abs(expected)), sourceLocation: place)
        }
    }

    /// By its series.
    private func exponential(_ x: Double) -> Double {
        var (term, sum) = (1.0, 1.0)
        for k in 1..<60 {
            term *= x / Double(k)
            sum += term
        }
        return sum
    }
}
