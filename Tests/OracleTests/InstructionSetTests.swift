import Engines
import Formulas
import Kernels
import OracleSupport
import RandomNumbers
import Testing

/// A sample of all cases on every instruction set that this processor has, with every compiler that is here.
@Suite struct InstructionSetTests {
    struct Target: Sendable, CustomTestStringConvertible {
        var instructionSet: InstructionSet
        var compiler: String
        var cache: KernelCache
        var testDescription: String { "\(instructionSet.rawValue) by \(compiler)" }
    }

    static let targets: [Target] = {
        var targets: [Target] = []
        for compiler in ["clang", "gcc"] {
            for set in InstructionSet.supported() {
                var environment = ProcessEnvironment.current
                environment["KHUFU_SIMD"] = set.rawValue
                // The toolchain's clang is what is taken where nothing is set.
                if compiler != "clang" { environment["KHUFU_CC"] = compiler }
                let cache = KernelCache(environment: environment)
                if (try? cache.compiler) != nil { targets.append(Target(instructionSet: set, compiler: compiler, cache: cache)) }
            }
        }
        return targets
    }()

    static let functions = [
        "Exp", "Log", "Sin", "Cos", "Sqrt", "Rsqrt", "Inv", "Asin", "Acos", "Atan", "Abs", "Sign", "Step", "ReLU", "Floor",
        "XLogX",
        "SinXDivX", "Square", "Minus", "Round", "Pow", "SphericalBessel", "ClampInt", "DiffClampInt", "Powf", "Atan2", "Mod",
        "Clamp",
        "IfElse", "LessThan", "Equal", "Divide", "Maximum", "Minimum",
    ]

    /// A few functions to a formula: gcc's time grows faster than its input.
    @Test(arguments: targets, stride(from: 0, to: functions.count, by: 4).map { $0 })
    func everyFunction(_ target: Target, _ first: Int) throws {
        var domains: [Int: OracleDomain] = [:]
        let parts = Self.functions[first..<min(first + 4, Self.functions.count)].enumerated().map { k, name in
            call(name, OracleOperation.byName[name]!.samples(1)[0], rotation: k, &domains)
        }
        let subject = try OracleSubject(of: .concatenated(parts), domains: domains, cache: target.cache)
        for type in first == 0 ? ScalarType.allCases : [.float32, .float64] {
            for (m, n) in [(37, 4), (1, 2)] {
                expect(subject.check(.init(m: m, n: n, type: type, seed: m, checkedRows: 20)), on: target)
            }
        }
    }

    /// A third of the reductions on each target.
    @Test(arguments: Array(targets.enumerated())) func everyReduction(_ number: Int, _ target: Target) throws {
        let names = RandomFormulaTests.reductions
        for k in names.indices where k % 3 == (number + number / 3) % 3 {
            let seed = 100 * names.count + k
            var random = RandomSource(seed: seed)
            let subject = try RandomFormulaTests.subject(seed, &random, cache: target.cache)
            for number in 0..<4 {
                let type: ScalarType = k.isMultiple(of: 2) ? .float32 : .float64
                expect(
                    subject.check(RandomFormulaTests.call(subject, type, .cpu, seed, pairs: 10_000, number, &random)), on: target)
            }
        }
    }

    @Test(arguments: targets) func longVectors(_ target: Target) throws {
        let (x, y, b) = (
            OracleExpression.variable(0, 40, 0), OracleExpression.variable(1, 40, 1), OracleExpression.variable(2, 33, 1)
        )
        let kernel = OracleExpression(
            "Exp", [OracleExpression("Minus", [OracleExpression("Mult", [.number(0.02), OracleExpression("SqDist", [x, y])])])])
        for f in [OracleExpression("Mult", [kernel, b]), OracleExpression("MatVecMult", [.variable(3, 400, 2), y])] {
            let subject = try OracleSubject(of: f, cache: target.cache)
            for type in [ScalarType.float32, .float64] {
                expect(subject.check(.init(m: 70, n: 30, type: type, threads: 2, checkedRows: 5)), on: target)
            }
        }
    }
}

private func expect(_ failure: String?, on target: InstructionSetTests.Target) {
    if let failure { Issue.record("\(target.testDescription): \(failure)") }
}
