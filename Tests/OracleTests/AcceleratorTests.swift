import Engines
import Formulas
import Kernels
import OracleSupport
import RandomNumbers
import Testing

/// What is particular to devices with memory of their own: pieces that pass through, several devices, their limits. The other tests of
/// this folder run on them too.
@Suite struct AcceleratorTests {
    static let engines = OracleEngine.accelerators

    /// Several shapes of every operation side by side in one formula.
    @Test(arguments: Array(OperationTests.operations.enumerated())) func operations(_ number: Int, _ name: String) throws {
        for engine in Self.engines {
            for type in [ScalarType.float32] + (number.isMultiple(of: 5) ? [.float64] : number % 5 == 1 ? [.float16] : []) {
                let subject = try OperationTests.together(number, name)
                for (m, n) in [(19, 4), (130, 1)] {
                    expect(subject.check(.init(m: m, n: n, type: type, engine: engine, seed: number, checkedRows: 5)))
                }
            }
        }
    }

    @Test(arguments: 0..<68) func randomFormulas(_ seed: Int) throws {
        for engine in Self.engines {
            var random = RandomSource(seed: 9000 + seed)
            let subject = try RandomFormulaTests.subject(seed + 7, &random)
            let type: ScalarType = seed % 4 == 0 ? .float64 : seed % 11 == 1 ? .float16 : .float32
            for number in 0..<4 {
                expect(
                    subject.check(
                        RandomFormulaTests.call(subject, type, engine, seed * 10 + number, pairs: 20_000, number, &random)))
            }
        }
    }
}
