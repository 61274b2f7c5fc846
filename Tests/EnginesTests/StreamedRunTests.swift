import Formulas
import Kernels
import Testing

@testable import Engines

/// Pieces that pass through a device: what becomes of the memory of both turns where something fails.
@Suite struct StreamedRunTests {
    /// The device does its work late, so that memory given back too early is missed.
    @Test(arguments: [(9_000, 300, 40_000), (300, 9_000, 40_000)])
    func afterAFailureNothingIsUsedThatWasGivenBack(_ rows: Int, _ columns: Int, _ limit: Int) throws {
        let reduction = try Reduction(.sum, of: Formula(parsing: "Exp(-SqDist(Var(0,3,0),Var(1,3,1)))*Var(2,1,1)"))
        let compiled = try CompiledReduction(reduction)
        let x = [Float](repeating: 1, count: 3 * rows), y = [Float](repeating: 1, count: 3 * columns)
        let b = [Float](repeating: 1, count: columns)
        var result = [Float](repeating: 0, count: rows)
        try x.withUnsafeBytes { x in
            try y.withUnsafeBytes { y in
                try b.withUnsafeBytes { b in
                    let inputs = [(x, [rows, 3]), (y, [columns, 3]), (b, [columns, 1])].map {
                        InputArray($0.baseAddress!, type: .float32, shape: $1)
                    }
                    let bound = try compiled.bound(to: inputs)
                    var failingCall = 0, isOver = false
                    while !isOver {
                        failingCall += 7
                        let fake = try FakeCUDA()
                        do {
                            let kernel = try AcceleratorKernel(
                                reduction, precision: Precision(storage: .float32), squaredDistances: .direct,
                                for: fake.device().properties.target, on: fake.device())
                            fake.set("callCount", 0)
                            fake.set("failingCall", failingCall)
                            fake.set("failure", 2)
                            do {
                                try AcceleratorRun(
                                    kernel: kernel, binding: bound.binding, sparsity: nil, memory: .host, rows: 0..<rows,
                                    columns: 0..<columns, memoryLimit: limit,
                                    output: .results(Output(values: &result, indices: nil)), progress: nil
                                ).carryOut()
                            } catch {}
                            isOver = fake.count("callCount") < failingCall
                        }
                        #expect(fake.count("faults") == 0 && fake.leaks.isEmpty, "call \(failingCall): \(fake.leaks)")
                    }
                    #expect(failingCall > 100)
                }
            }
        }
    }
}
