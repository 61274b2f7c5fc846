import Foundation
import Formulas
import Kernels
import NVIDIASupport
import OracleSupport
import RandomNumbers
import Testing

/// What NVIDIA's compiler says of kernels: that it has nothing to warn of, and that what is meant to be registers is registers. No GPU is
/// needed.
@Suite(.enabled(if: NVIDIATools.nvrtc != nil, Comment(rawValue: NVIDIATools.missing)))
struct CompilerReportTests {
    /// Several shapes of every operation side by side in one formula.
    @Test(arguments: Array(OperationTests.operations.enumerated())) func operations(_ number: Int, _ name: String) throws {
        let reduction = try OperationTests.together(number, name).compiled.reduction
        // Matrices of several sizes side by side are more than fits registers.
        guard name != "WeightedSqDist" else { return }
        let types: [ScalarType] = [.float32] + (number.isMultiple(of: 3) ? [number.isMultiple(of: 2) ? .float64 : .float16] : [])
        for type in types {
            try check(reduction, Precision(storage: type), for: number % 3 == 1 ? 80 : 90, "\(reduction.formula)")
        }
    }

    /// Each with what merges its states.
    @Test(arguments: Reduction.Kind.names) func reductions(_ name: String) throws {
        let isExponential = name.contains("Exp") || name.contains("Soft")
        let isWeighted = name.contains("Weight") || name.contains("Soft")
        for (number, type) in ScalarType.allCases.enumerated() {
            let formula = isExponential || number.isMultiple(of: 2) ? "SqDist(Vi(0,3),Vj(1,3))" : "Vi(0,3)-Vj(1,3)"
            let reduction = try Reduction(
                Reduction.Kind(named: name), of: Formula(parsing: formula),
                weight: isWeighted ? Formula(parsing: "Vj(2,5)") : nil,
                k: name.contains("KM") ? 7 : 1)
            let precision = Precision(
                storage: type, accumulator: type == .float32 && reduction.addsTerms ? .float64 : nil)
            try check(reduction, precision, for: number == 1 ? 80 : 90, name)
            try check(merging: reduction, precision, name)
        }
    }

    @Test(arguments: 0..<30) func randomFormulas(_ seed: Int) throws {
        var random = RandomSource(seed: 7000 + seed)
        let reduction = try RandomFormulaTests.subject(seed + 3, &random).compiled.reduction
        let type: ScalarType = seed % 4 == 0 ? .float64 : seed % 4 == 1 ? .float16 : .float32
        try check(reduction, Precision(storage: type), for: seed % 3 == 0 ? 80 : 90, "\(reduction.formula)")
    }

    // MARK: What people compute

    /// # is the points' dimension, @ the result's.
    static let gaussian = "Exp(-Pm(2,1)*SqDist(Vi(0,#),Vj(1,#)))*Vj(3,@)"

    @Test(arguments: [1, 2, 3, 5, 10, 20, 30, 50, 64, 100, 128, 129, 200, 300, 700, 1000]) func gaussians(_ dimension: Int) throws
    {
        for type in [ScalarType.float32, .float64] { try check(Self.gaussian, dimension, type: type) }
    }

    /// A scalar kernel times a matrix whose rows are wider than registers are many.
    @Test(arguments: [1, 8, 16, 64, 128, 300]) func wideSums(_ columns: Int) throws {
        for type in [ScalarType.float32, .float64] { try check(Self.gaussian, 3, columns, type: type) }
        try check(Self.gaussian, columns, columns)
    }

    @Test(arguments: [3, 10, 50, 100, 300]) func gradients(_ dimension: Int) throws {
        try check("Grad(\(Self.gaussian),Var(0,#,0),Vi(4,1))", dimension)
        try check("Grad(\(Self.gaussian),Var(1,#,1),Vi(4,1))", dimension, over: .i)
    }

    @Test(arguments: [(64, 64), (128, 128), (3, 300)]) func attention(_ dimension: Int, _ width: Int) throws {
        let cases = [
            ("SumSoftMaxWeight", ScalarType.float32), ("SumSoftMaxWeight", .float64), ("LogSumExpWeight", .float32),
            ("Max_SumShiftExpWeight", .float64),
        ]
        for (name, type) in cases {
            try check("Pm(2,1)*(Vi(0,#)|Vj(1,#))", dimension, width, name: name, weight: "Vj(3,@)", type: type)
        }
    }

    @Test(arguments: [3, 10, 50, 100, 300]) func nearestNeighbours(_ dimension: Int) throws {
        for k in dimension == 3 ? [1, 5, 10, 50] : [10] {
            try check("SqDist(Vi(0,#),Vj(1,#))", dimension, name: "ArgKMin", k: k)
            let type: ScalarType = k == 5 ? .float64 : .float32
            try check("Sum(Abs(Vi(0,#)-Vj(1,#)))", dimension, name: "ArgKMin", k: k, type: type)
        }
        try check("SqDist(Vi(0,#),Vj(1,#))", dimension, name: "ArgMin")
    }

    @Test func others() throws {
        for type in [ScalarType.float32, .float64] {
            try check("-Pm(2,1)*SqDist(Vi(0,#),Vj(1,#))", 3, name: "LogSumExp", type: type)
            try check("Exp(-Pm(2,1)*Norm2(Vi(0,#)-Vj(1,#)))*Vj(3,@)", 3, type: type)
        }
        try check("MatVecMult(Vi(0,900),Vj(1,30))", 30)
        try check("Vi(0,#)*Vj(1,#)", 300, name: "Max_ArgMax")
    }

    /// More numbers than registers: they lie in memory by intention, and nothing is spilled.
    @Test(arguments: [100, 500]) func longListsOfNeighbours(_ k: Int) throws {
        let source = try check("SqDist(Vi(0,#),Vj(1,#))", 3, name: "ArgKMin", k: k, expectsRegisters: false)
        #expect(source.localByteCount >= k * 8)
    }

    // MARK: The check

    @Test func whatIsWrongIsFound() throws {
        func mistakes(_ body: String) throws -> [String] {
            Self.mistakes(
                in: try CubinReport.compiled("extern \"C\" __global__ void f(float *x, int n) { \(body) }"), localByteCount: 0, ""
            )
        }
        #expect(try mistakes("x[n] = 1;") == [])
        #expect(try mistakes("int unused = 1; x[n] = 1;").first?.contains("never referenced") == true)
        // More sums than a thread has registers.
        let spilled = try mistakes(
            """
            float s[400]; _Pragma("unroll") for (int k = 0; k < 400; k++) s[k] = x[k];
            for (int j = 0; j < n; j++) { _Pragma("unroll") for (int k = 0; k < 400; k++) s[k] += x[j + k] * x[j]; }
            _Pragma("unroll") for (int k = 0; k < 400; k++) x[k] = s[k];
            """)
        #expect(spilled.contains { $0.contains("spilled") })
        let indexed = try mistakes(
            "float a[40]; for (int k = 0; k < 40; k++) a[k] = x[k] * x[n]; for (int j = 0; j < n; j++) x[j] = a[j] + a[(int)x[j]];"
        )
        #expect(indexed.contains { $0.contains("bytes of stack") })
    }

    @discardableResult
    private func check(
        _ formula: String, _ dimension: Int, _ columns: Int = 1, name: String = "Sum", weight: String? = nil, k: Int = 1,
        over: ReducedIndex = .j, type: ScalarType = .float32, expectsRegisters: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> AcceleratorSource {
        func parsed(_ text: String) throws -> Formula {
            try Formula(parsing: text.replacing("#", with: "\(dimension)").replacing("@", with: "\(columns)"))
        }
        let reduction = try Reduction(
            Reduction.Kind(named: name), of: parsed(formula), weight: weight.map(parsed), k: k, over: over)
        let label = "\(name) of \(formula), \(dimension) dimensions, \(columns) columns, k = \(k), \(type)"
        if reduction.valueCount > 8 || reduction.indexCount > 8 {
            try check(merging: reduction, Precision(storage: type), label, sourceLocation: sourceLocation)
        }
        let source = try check(reduction, Precision(storage: type), for: 90, label, sourceLocation: sourceLocation)
        if expectsRegisters { #expect(source.localByteCount == 0, "\(label)", sourceLocation: sourceLocation) }
        return source
    }

    @discardableResult
    private func check(
        _ reduction: Reduction, _ precision: Precision, for capability: Int, _ label: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> AcceleratorSource {
        let source = try AcceleratorSource(
            reduction, precision: precision, squaredDistances: .inner,
            for: AcceleratorTarget(
                .cuda, sharedByteCount: 48 << 10, largestSharedByteCount: capability == 80 ? 163 << 10 : 227 << 10,
                hasTensorCores: true))
        try check(source, for: capability, "\(label), \(precision.storage), sm_\(capability)", sourceLocation)
        return source
    }

    private func check(
        merging reduction: Reduction, _ precision: Precision, _ label: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let source = AcceleratorSource(merging: reduction, precision: precision, language: .cuda)
        try check(source, for: 90, "merging \(label)", sourceLocation)
    }

    private func check(_ source: AcceleratorSource, for capability: Int, _ label: String, _ sourceLocation: SourceLocation) throws
    {
        let compiled = try CubinReport.compiled(source.text, for: capability)
        #expect(!compiled.entries.isEmpty, "\(label)", sourceLocation: sourceLocation)
        let stack = source.localByteCount + (Self.hasSlowPath(source) ? Self.slowPathByteCount : 0)
        for mistake in Self.mistakes(in: compiled, localByteCount: stack, label) {
            Issue.record("\(mistake)", sourceLocation: sourceLocation)
        }
    }

    /// CUDA's sin and cos reduce large arguments by digits of π, of which they have a product in memory.
    private static func hasSlowPath(_ source: AcceleratorSource) -> Bool {
        ["INLINE f32 sin_", "INLINE f32 cos_", "INLINE f64 sin_", "INLINE f64 cos_"].contains { source.text.contains($0) }
    }

    private static let slowPathByteCount = 40

    private static func mistakes(
        in compiled: (entries: [CubinReport], warnings: [String]), localByteCount: Int, _ label: String
    ) -> [String] {
        compiled.warnings.map { "\(label): \($0)" }
            + compiled.entries.filter {
                $0.registers == 0 || $0.registers > 255 || $0.spillStores + $0.spillLoads > 0 || $0.stack > localByteCount
            }.map { "\(label): \($0), of which \(localByteCount) are arrays" }
    }
}
