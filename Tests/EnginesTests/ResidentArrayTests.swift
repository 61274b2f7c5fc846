import Formulas
import Kernels
import Testing

@testable import Engines

/// Arrays of the host's of which devices keep copies from call to call.
@Suite struct ResidentArrayTests {
    private static let rows = 700, columns = 300
    private let compiled: CompiledReduction
    private let x: [Float]
    private let y: [Float]

    init() throws {
        compiled = try CompiledReduction(
            try Reduction(.sum, of: Formula(parsing: "Exp(-SqDist(Var(0,3,0),Var(1,3,1)))*Var(2,1,1)")))
        x = (0..<3 * Self.rows).map { Float($0 % 17) / 17 }
        y = (0..<3 * Self.columns).map { Float($0 % 13) / 13 }
    }

    /// Hands out the three arrays, x and y as memory that can be changed.
    private func withInputs(
        _ b: [Float], _ body: ([InputArray], _ x: UnsafeMutableBufferPointer<Float>, ResidentArrays) throws -> Void
    ) throws {
        var x = x
        try x.withUnsafeMutableBufferPointer { x in
            try y.withUnsafeBytes { y in
                try b.withUnsafeBytes { b in
                    let inputs = [
                        InputArray(x.baseAddress!, type: .float32, shape: [Self.rows, 3]),
                        InputArray(y.baseAddress!, type: .float32, shape: [Self.columns, 3]),
                        InputArray(b.baseAddress!, type: .float32, shape: [Self.columns, 1]),
                    ]
                    try body(inputs, x, ResidentArrays([UnsafeRawBufferPointer(x), y]))
                }
            }
        }
    }

    private func run(_ inputs: [InputArray], _ options: ExecutionOptions) throws -> [Float] {
        var result = [Float](repeating: .nan, count: Self.rows)
        try result.withUnsafeMutableBytes {
            _ = try compiled.run(inputs, options: options, values: $0, indices: .init(start: nil, count: 0))
        }
        return result
    }

    @Test(.enabled(if: OpenCL.deviceCount > 0, "there is no OpenCL device"), arguments: [1, 2])
    func copiesAreKept(_ deviceCount: Int) throws {
        guard deviceCount <= OpenCL.deviceCount else { return }
        try withInputs((0..<Self.columns).map { Float($0 % 5) }) { inputs, x, residents in
            var options = ExecutionOptions(devices: (0..<deviceCount).map { .openCL($0) })
            let expected = try run(inputs, options)
            options.residents = residents
            #expect(try run(inputs, options) == expected)
            // Nobody looks at it any more.
            let before = Array(x)
            for place in x.indices { x[place] = 100 }
            #expect(try run(inputs, options) == expected)
            options.residents = nil
            let far = try run(inputs, options)
            #expect(far.allSatisfy { $0 == 0 })
            _ = x.update(fromContentsOf: before)
            // What is no resident is copied for each call.
            options.residents = residents
            var others = inputs
            try [Float](repeating: 0, count: Self.columns).withUnsafeBytes { zeros in
                others[2] = InputArray(zeros.baseAddress!, type: .float32, shape: [Self.columns, 1])
                let nothing = try run(others, options)
                #expect(nothing.allSatisfy { $0 == 0 })
            }
            // Pieces that pass through take no notice.
            options.deviceMemoryLimit = 4_000
            let pieces = try run(inputs, options)
            #expect(zip(pieces, expected).allSatisfy { abs($0 - $1) < 1e-3 })
        }
    }

    /// What a driver is asked for: one copy of each resident, given back in the end; where something fails, nothing is lost.
    @Test func oneCopyForManyCalls() throws {
        var uploads: [Int] = []
        for failingCall in 0..<120 {
            let fake = try FakeCUDA()
            do {
                let kernel = try AcceleratorKernel(
                    compiled.reduction, precision: Precision(storage: .float32), squaredDistances: .direct,
                    for: fake.device().properties.target, on: fake.device())
                try withInputs([Float](repeating: 1, count: Self.columns)) { inputs, _, residents in
                    let bound = try compiled.bound(to: inputs)
                    var result = [Float](repeating: 0, count: Self.rows)
                    fake.set("callCount", 0)
                    fake.set("failingCall", failingCall)
                    fake.set("failure", 2)
                    for _ in 0..<3 {
                        try? AcceleratorRun(
                            kernel: kernel, binding: bound.binding, sparsity: nil, memory: .host, rows: 0..<Self.rows,
                            columns: 0..<Self.columns, memoryLimit: nil, residents: residents,
                            output: .results(Output(values: &result, indices: nil)), progress: nil
                        ).carryOut()
                        if failingCall == 0 { uploads.append(fake.log().count { $0.hasPrefix("upload") }) }
                    }
                    #expect(failingCall != 0 || residents.byteCount(on: kernel.accelerator) == 4 * 3 * (Self.rows + Self.columns))
                }
            }
            #expect(fake.count("faults") == 0 && fake.leaks.isEmpty, "call \(failingCall): \(fake.leaks)")
        }
        #expect(uploads == [3, 1, 1])
    }
}
