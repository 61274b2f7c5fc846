import Engines
import Formulas
import Kernels
import OracleSupport
import Testing

/// Every name of the language, alone in a sum, at dimensions that are unrolled and at dimensions that are loops.
@Suite struct OperationTests {
    private static let sizes = [1, 2, 3, 5, 9, 17, 40]
    static let operations = OracleOperation.all.map(\.name).filter { $0 != "Var" }

    @Test func theOracleKnowsEveryName() {
        let derivatives = Set(DerivativeTests.operators)
        let known = Set(OracleOperation.all.map(\.name)).union(derivatives).subtracting(["Number"])
        let names = Set(Catalogue.entries.map(\.name))
        #expect(names.subtracting(known) == [], "operations without an oracle")
        #expect(known.subtracting(names) == [], "names that the library lacks")
        for name in ["Sum", "SqDist", "Grad", "ComplexMult", "TensorDot", "Zero"] { #expect(names.contains(name)) }
    }

    @Test(arguments: operations) func interpreter(_ name: String) throws {
        for (number, size) in Self.sizes.enumerated() {
            for (variant, sample) in OracleOperation.byName[name]!.samples(size).enumerated() {
                let subject = try Self.subject(name, sample, rotation: number + variant, infix: number.isMultiple(of: 2))
                for type in ScalarType.allCases {
                    expect(subject.check(.init(m: 3, n: 2, type: type, engine: .interpreter, seed: size)))
                }
            }
        }
    }

    /// One shape in float64, one in 16 bits: short vectors for some operations, long ones for others.
    @Test(arguments: Array(operations.enumerated())) func compiled(_ number: Int, _ name: String) throws {
        let half: ScalarType = number.isMultiple(of: 2) ? .float16 : .bfloat16
        for (type, size) in [(ScalarType.float64, Self.sizes[number % 7]), (half, Self.sizes[(number + 4) % 7])] {
            // Types of 16 bits only change how numbers are loaded and stored: a third of the operations will do.
            if type == half, !number.isMultiple(of: 3) { continue }
            let samples = OracleOperation.byName[name]!.samples(size)
            let subject = try Self.subject(
                name, samples[number % samples.count], rotation: number, infix: number.isMultiple(of: 3))
            for (m, n) in [(19, 5), (1, 3), (70, 2)] {
                expect(subject.check(.init(m: m, n: n, type: type, seed: number)))
            }
        }
    }

    /// Several shapes side by side in one formula.
    @Test(arguments: Array(operations.enumerated())) func compiledTogether(_ number: Int, _ name: String) throws {
        let subject = try Self.together(number, name)
        for (m, n) in [(19, 4), (65, 1)] { expect(subject.check(.init(m: m, n: n, seed: number, checkedRows: 5))) }
    }

    @Test(arguments: operations) func exactOnWholeNumbers(_ name: String) throws {
        for size in [3, 17] {
            for sample in OracleOperation.byName[name]!.samples(size) where sample.isExact {
                let subject = try Self.subject(name, sample, rotation: 0, infix: false)
                for engine in [OracleEngine.interpreter, .compiled] {
                    expect(subject.check(.init(m: 33, n: 9, engine: engine, seed: size)))
                }
            }
        }
    }

    /// Vectors beyond any unrolling.
    @Test(arguments: ["SqDist", "Scalprod", "Exp", "Add", "Normalize", "MatVecMult", "Max", "ComplexMult"])
    func dimensionHundred(_ name: String) throws {
        let sample = OracleOperation.byName[name]!.samples(100)[0]
        let subject = try Self.subject(name, sample, rotation: 0, infix: false)
        for type in [ScalarType.float32, .float64] { expect(subject.check(.init(m: 34, n: 6, type: type, checkedRows: 6))) }
    }

    /// Several shapes of an operation side by side in one formula.
    static func together(_ number: Int, _ name: String) throws -> OracleSubject {
        var parts: [OracleExpression] = []
        var domains: [Int: OracleDomain] = [:]
        for (k, size) in [1, 3, 9, 40].enumerated() {
            let samples = OracleOperation.byName[name]!.samples(size)
            for (variant, sample) in samples.enumerated() where size == 3 || variant == (number + k) % samples.count {
                guard !sample.isExact else { continue }
                parts.append(call(name, sample, rotation: k + variant, &domains))
            }
        }
        return try OracleSubject(of: .concatenated(parts), domains: domains)
    }

    static func subject(_ name: String, _ sample: OracleOperation.Sample, rotation: Int, infix: Bool) throws -> OracleSubject {
        var domains: [Int: OracleDomain] = [:]
        let expression = call(name, sample, rotation: rotation, &domains)
        return try OracleSubject(of: expression, domains: domains, isExact: sample.isExact, infix: infix)
    }
}

/// An operation on fresh variables of its domains. By rotation an argument follows i, follows j, or is a mean of both.
func call(
    _ name: String, _ sample: OracleOperation.Sample, rotation: Int, _ domains: inout [Int: OracleDomain]
) -> OracleExpression {
    func variable(_ dimension: Int, _ category: Int, _ domain: OracleDomain) -> OracleExpression {
        let index = domains.count
        domains[index] = domain
        return .variable(index, dimension, category)
    }
    var arguments: [OracleExpression] = []
    for (k, (dimension, domain)) in zip(sample.dimensions, sample.domains).enumerated() {
        if (k + rotation) % 3 == 0, domain.isConvex, !sample.isExact {
            let sum = OracleExpression("Add", [variable(dimension, 0, domain), variable(dimension, 1, domain)])
            arguments.append(OracleExpression("Mult", [OracleExpression("RatCst", [], [.integer(1), .integer(2)]), sum]))
        } else {
            arguments.append(variable(dimension, (k + rotation) % 3 == 2 ? 2 : (k + rotation) % 2, domain))
        }
    }
    let result = OracleExpression(name, arguments, sample.attributes)
    // A constant alone has no points.
    return arguments.isEmpty ? OracleExpression("Add", [result, variable(result.dimension, 1, .real)]) : result
}

/// Records a failure's line.
func expect(_ failure: String?, sourceLocation: SourceLocation = #_sourceLocation) {
    if let failure { Issue.record("\(failure)", sourceLocation: sourceLocation) }
}
