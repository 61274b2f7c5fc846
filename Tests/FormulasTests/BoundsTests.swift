import FormulaGeneration
import RandomNumbers
import Testing

@testable import Formulas

/// Bounds of formulas, by the operations' definitions in Double: nothing is compiled, so that many cases can be tried.
@Suite struct BoundsTests {
    typealias Box = (lower: [Double], upper: [Double])

    static let names = Catalogue.entries.map(\.name).filter { $0 != "Var" }
    /// What has no bounds, and what may be built of it.
    static let unbounded: Set<String> = ["SoftDTW_SqDist", "GradSoftDTW_SqDist", "SphericalBessel"]

    static func value(_ formula: Formula, _ values: [Variable: [Double]]) -> [Double] {
        var results: [Formula: [Double]] = [:]
        for node in Formula.topologicalOrder([formula]) {
            results[node] =
                node.variable.map { values[$0]! }
                ?? node.operation.evaluate(node.arguments.map { results[$0]! }, dimension: node.dimension)
        }
        return results[formula]!
    }

    /// How many bounds were finite, of how many.
    struct Share {
        var finite = 0
        var all = 0
        static func += (a: inout Share, b: Share) { (a.finite, a.all) = (a.finite + b.finite, a.all + b.all) }
        var ratio: Double { Double(finite) / Double(max(1, all)) }
    }

    /// Random boxes, and points in each.
    @discardableResult
    static func check(_ formula: Formula, seed: Int, sorts: [BoxGenerator.Sort], boxes: Int = 20) throws -> Share {
        var share = Share()
        guard let subject = try BoundsCase(formula, roundoff: 0x1p-53) else { return share }
        var generator = BoxGenerator(seed: seed, isSingle: false)
        for number in 0..<boxes {
            var corners: [Variable: [Double]] = [:]
            var drawn: [(Variable, Box)] = []
            for (variable, ends) in subject.variables {
                var box = generator.box(variable.dimension, sorts: sorts)
                if let ends {
                    (corners[ends.lower], corners[ends.upper]) = (box.lower, box.upper)
                } else {
                    box.upper = box.lower
                    corners[variable] = box.lower
                }
                drawn.append((variable, box))
            }
            let bounds = value(subject.bounds, corners)
            for _ in 0..<8 {
                var point: [Variable: [Double]] = [:]
                for (variable, box) in drawn { point[variable] = generator.point(in: box) }
                for (k, value) in value(formula, point).enumerated() {
                    let (lower, upper) = (bounds[k], bounds[k + formula.dimension])
                    share.all += 1
                    if lower.isFinite && upper.isFinite { share.finite += 1 }
                    if let violation = BoundsCase.violation(value, lower, upper) {
                        Issue.record("\(formula) seed=\(seed) box \(number) \(drawn) at \(point), component \(k): \(violation)")
                        return share
                    }
                }
            }
        }
        return share
    }

    /// A call of each operation on variables of random boxes.
    @Test(arguments: names) func eachOperation(_ name: String) throws {
        var (moderate, known) = (Share(), 0)
        for seed in 0..<60 {
            var generator = FormulaGenerator(seed: seed, style: seed.isMultiple(of: 3) ? .tame : .anything)
            let formula = generator.formula(calling: name, depth: 1 + seed % 2, variables: generator.variables(count: 5))
            let share = try Self.check(formula, seed: seed, sorts: BoxGenerator.moderate)
            if share.all > 0 { known += 1 }
            moderate += share
            try Self.check(formula, seed: seed, sorts: BoxGenerator.Sort.allCases)
        }
        if !Self.unbounded.contains(name) {
            #expect(known > 30, "\(name) has bounds in \(known) of 60 formulas")
            #expect(moderate.ratio > 0.15, "\(name): bounds are finite in \(moderate)")
        }
    }

    @Test(arguments: 0..<400) func randomFormulas(_ seed: Int) throws {
        let style = [FormulaGenerator.Style.tame, .anything, .smooth][seed % 3]
        var generator = FormulaGenerator(seed: 7_000 + seed, style: style)
        let formula = generator.formula(dimension: 1 + seed % 3, depth: 2 + seed % 4, variables: generator.variables(count: 5))
        try Self.check(formula, seed: seed, sorts: BoxGenerator.moderate)
        try Self.check(formula, seed: seed, sorts: BoxGenerator.Sort.allCases)
    }
}
