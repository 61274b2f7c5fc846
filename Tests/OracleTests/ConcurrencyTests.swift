import Engines
import Formulas
import Kernels
import OracleSupport
import Testing

/// Threads change neither indices nor selected values, and one compiled reduction serves many callers at once.
@Suite struct ConcurrencyTests {
    @Test(arguments: ["ArgMin", "ArgMax", "Min_ArgMin", "Max_ArgMax", "ArgKMin", "KMin_ArgKMin", "Min", "KMin"])
    func threadsChangeNothing(_ name: String) throws {
        let distance = OracleExpression("SqDist", [.variable(0, 3, 0), .variable(1, 3, 1)])
        let subject = try OracleSubject(name, of: distance, k: name.contains("KM") ? 7 : 1, domains: [0: .lattice, 1: .lattice])
        for (m, n) in [(1, 100_000), (5, 20_011), (64, 3000), (1009, 101)] {
            let reference = try subject.run(.init(m: m, n: n, threads: 1, seed: n))
            for threads in [2, 3, 4, 7] {
                let result = try subject.run(.init(m: m, n: n, threads: threads, seed: n))
                #expect(result == reference, "\(name) M=\(m) N=\(n) threads=\(threads)")
            }
        }
    }

    @Test func manyCallersAtOnce() async throws {
        let kernel = OracleExpression(
            "Exp", [OracleExpression("Minus", [OracleExpression("SqDist", [.variable(0, 3, 0), .variable(1, 3, 1)])])])
        // A constant that no other test uses: nothing is compiled yet.
        let subject = try OracleSubject(
            of: OracleExpression("Mult", [.number(1.0625), OracleExpression("Mult", [kernel, .variable(2, 2, 1)])]))
        let failures = await withTaskGroup(of: String?.self) { group in
            for caller in 0..<24 {
                group.addTask {
                    let type: ScalarType = caller.isMultiple(of: 3) ? .float64 : .float32
                    let engine = OracleEngine.all[caller % 5 == 4 ? OracleEngine.all.count - 1 : 1]
                    return subject.check(
                        .init(
                            m: 50 + caller, n: 40, type: type, engine: engine, threads: 1 + caller % 3, seed: caller,
                            checkedRows: 3))
                }
            }
            return await group.reduce(into: [String]()) { if let failure = $1 { $0.append(failure) } }
        }
        #expect(failures == [])
    }
}
