import Engines
import Formulas
import Kernels
import OracleSupport
import Testing

/// Derivatives as formulas, against finite differences of the oracle.
@Suite struct DerivativeTests {
    /// The names that differentiate or look at linear maps: they have no value of their own in the oracle.
    static let operators = [
        "Grad", "GradMatrix", "Diff", "Divergence", "Laplacian", "TraceOperator", "AdjointOperator", "SumLinOperator",
    ]
    private typealias Variable = OracleExpression.Variable

    /// An operation on fresh variables, with a place for what derivatives are taken of.
    private struct Subject {
        var expression: OracleExpression
        var domains: [Int: OracleDomain]
        var variables: [Variable] { expression.variables }

        /// A variable that the formula does not use, of a category by turns.
        func fresh(_ k: Int, _ dimension: Int) -> Variable {
            let index = (variables.map(\.index).max() ?? -1) + 1 + k
            return Variable(index: index, dimension: dimension, category: (k + dimension) % 3)
        }

        func firstDerivatives(of v: Variable) -> [OraclePointwise] {
            [
                expression.gradient(in: v, cotangent: fresh(0, expression.dimension), domains),
                expression.differential(in: v, tangent: fresh(1 + v.index, v.dimension), domains),
            ]
        }

        func secondDerivative(_ v: Variable, _ w: Variable) -> OraclePointwise {
            expression.secondGradient(
                in: v, cotangent: fresh(0, expression.dimension), then: w, cotangent: fresh(1 + v.index, v.dimension), domains)
        }
    }

    private static func subject(_ name: String, _ sample: OracleOperation.Sample, _ rotation: Int) -> Subject {
        var domains: [Int: OracleDomain] = [:]
        let expression = call(name, sample, rotation: rotation, &domains)
        return Subject(expression: expression, domains: domains)
    }

    private static func samples(_ name: String, _ size: Int) -> [OracleOperation.Sample] {
        // Round to two decimals has a step within every difference.
        OracleOperation.byName[name]!.samples(size).filter {
            !$0.isExact && $0.dimensions.reduce(0, +) <= 40 && !(name == "Round" && $0.attributes == [.integer(2)])
        }
    }

    // MARK: Every operation

    @Test(arguments: OperationTests.operations) func firstInterpreted(_ name: String) {
        for size in [1, 3] {
            for (number, sample) in Self.samples(name, size).enumerated() {
                let subject = Self.subject(name, sample, number)
                for v in subject.variables {
                    for derivative in subject.firstDerivatives(of: v) { expect(derivative.check(.interpreter, seed: size)) }
                }
            }
        }
    }

    @Test(arguments: Array(OperationTests.operations.enumerated())) func firstCompiled(_ number: Int, _ name: String) {
        let samples = Self.samples(name, number.isMultiple(of: 2) ? 2 : 5)
        guard !samples.isEmpty else { return }
        let subject = Self.subject(name, samples[number % samples.count], number)
        let parts = subject.variables.flatMap { subject.firstDerivatives(of: $0) }
        expect(OraclePointwise.concatenated(parts).check(.compiled, m: 9, seed: number))
    }

    @Test(arguments: OperationTests.operations) func secondInterpreted(_ name: String) {
        for (number, sample) in Self.samples(name, 2).prefix(3).enumerated() {
            let subject = Self.subject(name, sample, number)
            for v in subject.variables {
                for w in subject.variables {
                    expect(subject.secondDerivative(v, w).check(.interpreter, m: 2, n: 1, seed: number, relative: 1e-8))
                }
            }
        }
    }

    @Test(arguments: Array(OperationTests.operations.enumerated())) func secondCompiled(_ number: Int, _ name: String) {
        // The graph is the interpreted test's; what is new is its compilation.
        guard number.isMultiple(of: 2) || name == "GradSoftDTW_SqDist" else { return }
        let samples = Self.samples(name, 1 + number % 3)
        guard !samples.isEmpty else { return }
        let subject = Self.subject(name, samples[number % samples.count], number)
        var parts: [OraclePointwise] = []
        for v in subject.variables.prefix(3) {
            for w in subject.variables.prefix(3) { parts.append(subject.secondDerivative(v, w)) }
        }
        expect(OraclePointwise.concatenated(parts).check(.compiled, m: 4, n: 1, seed: number, relative: 1e-8))
    }

    /// ⟨e, Diff(f, v, u)⟩ = ⟨Grad(f, v, e), u⟩, without differences.
    @Test(arguments: OperationTests.operations) func forwardAndReverseAgree(_ name: String) {
        for size in [2, 5] {
            for (number, sample) in Self.samples(name, size).enumerated() {
                let subject = Self.subject(name, sample, number)
                let f = subject.expression
                for v in subject.variables {
                    let (e, u) = (subject.fresh(0, f.dimension), subject.fresh(1, v.dimension))
                    let names = (f.text(infix: true), "Var(\(v.index),\(v.dimension),\(v.category))")
                    let (eText, uText) = (
                        "Var(\(e.index),\(e.dimension),\(e.category))", "Var(\(u.index),\(u.dimension),\(u.category))"
                    )
                    let text = "(\(eText)|Diff(\(names.0),\(names.1),\(uText))) - (Grad(\(names.0),\(names.1),\(eText))|\(uText))"
                    let check = OraclePointwise(text, subject.variables + [e, u], subject.domains) { _ in
                        [.init(value: 0, error: 1e-11)]
                    }
                    expect(check.check(.interpreter, seed: number))
                }
            }
        }
    }

    // MARK: Random formulas

    @Test(arguments: 0..<90) func randomFormulas(_ seed: Int) {
        var generator = OracleGenerator(seed: 900 + seed, variableLimit: 4, isSmooth: seed.isMultiple(of: 3))
        let formula = generator.formula(generator.random.pick([1, 2, 3]), depth: 1 + generator.random.below(4))
        let subject = Subject(expression: formula, domains: generator.domains)
        let variables = Array(subject.variables.filter { $0.dimension <= 6 }.prefix(4))
        let first = variables.flatMap { subject.firstDerivatives(of: $0) }
        guard !first.isEmpty else { return }
        let together = OraclePointwise.concatenated(first)
        expect(together.check(.interpreter, seed: seed, relative: 1e-9))
        if seed.isMultiple(of: 2) { expect(together.check(.compiled, m: 5, seed: seed, relative: 1e-9)) }
        let second = variables.prefix(2).flatMap { v in variables.prefix(2).map { subject.secondDerivative(v, $0) } }
        if formula.nodeCount < 25 {
            let together = OraclePointwise.concatenated(second)
            expect(together.check(.interpreter, m: 2, n: 1, seed: seed, relative: 1e-6))
            if seed.isMultiple(of: 3) { expect(together.check(.compiled, m: 2, n: 1, seed: seed, relative: 1e-6)) }
        }
    }

    // MARK: Operators on formulas

    @Test(arguments: 0..<40) func matrixDivergenceLaplacian(_ seed: Int) {
        var generator = OracleGenerator(seed: 300 + seed, variableLimit: 3, isSmooth: true)
        let dimension = 1 + seed % 3
        let v = generator.variable(dimension, .real)
        let f = OracleExpression("Mult", [OracleExpression("Sin", [v]), generator.formula(dimension, depth: 2)])
        let g = OracleExpression("Scalprod", [v, f])
        let (name, variable) = (v.text(infix: false), v.variables[0])
        let checks = [
            OraclePointwise("GradMatrix(\(f.text(infix: true)),\(name))", f.variables, generator.domains) {
                f.jacobian($0, in: variable).flatMap { $0 }
            },
            OraclePointwise("Divergence(\(f.text(infix: true)),\(name))", f.variables, generator.domains) { inputs in
                let jacobian = f.jacobian(inputs, in: variable)
                return [jacobian.indices.map { jacobian[$0][$0] }.total]
            },
            OraclePointwise("Laplacian(\(g.text(infix: false)),\(name))", g.variables, generator.domains) { inputs in
                [
                    (0..<dimension).map { k in
                        OracleDifferences.mixed { s, t in
                            var moved = inputs
                            moved[variable.index][k] += s + t
                            return g.value(moved)[0]
                        }
                    }.total
                ]
            },
        ]
        for check in checks { expect(check.check(.interpreter, seed: seed, relative: 1e-8)) }
        expect(OraclePointwise.concatenated(checks).check(.compiled, seed: seed, relative: 1e-8))
    }

    /// Maps that are linear in Var(0,3,0).
    private static let linearMaps: [OracleExpression] = {
        func p(_ index: Int, _ dimension: Int) -> OracleExpression { .variable(index, dimension, 1 + index % 2) }
        func f(_ name: String, _ arguments: OracleExpression..., integers: Int...) -> OracleExpression {
            OracleExpression(name, arguments, integers.map(OracleExpression.Attribute.integer))
        }
        let v = OracleExpression.variable(0, 3, 0)
        return [
            v, f("Mult", p(1, 1), v), f("Mult", v, p(1, 3)), f("Divide", v, f("Exp", p(1, 3))), f("MatVecMult", p(1, 9), v),
            f("VecMatMult", v, p(1, 9)), f("Mult", p(1, 3), f("Scalprod", v, p(2, 3))),
            f("Subtract", f("Mult", v, p(1, 3)), f("MatVecMult", p(2, 9), v)), f("Minus", f("SumT", f("Sum", v), integers: 3)),
            f("Concat", f("Elem", v, integers: 2), f("Extract", v, integers: 0, 2)),
            OracleExpression("TensorDot", [p(1, 9), v], [.integers([3, 3]), .integers([3]), .integers([0]), .integers([0])]),
            f("ExtractT", v, integers: 1, 5), f("Scalprod", v, p(1, 3)), f("TensorProd", v, p(1, 2)),
        ]
    }()

    @Test func linearOperators() {
        let v = Variable(index: 0, dimension: 3, category: 0)
        for (number, f) in Self.linearMaps.enumerated() {
            let text = f.text(infix: true)
            let (u, l, r) = (
                Variable(index: 3, dimension: f.dimension, category: 1), Variable(index: 3, dimension: f.dimension, category: 1),
                Variable(index: 4, dimension: 3, category: 2)
            )
            func name(_ v: Variable) -> String { "Var(\(v.index),\(v.dimension),\(v.category))" }
            var checks = [
                OraclePointwise("AdjointOperator(\(text),\(name(v)),\(name(u)))", f.variables + [u], [:]) {
                    f.gradient($0, in: 0, cotangent: $0[3])
                },
                OraclePointwise("SumLinOperator(\(text),\(name(v)))", f.variables, [:]) {
                    [f.differential($0, in: 0, tangent: [1, 1, 1]).total]
                },
                OraclePointwise("SumLinOperator(\(text),\(name(v)),\(name(l)),\(name(r)))", f.variables + [l, r], [:]) { inputs in
                    [
                        zip(f.differential(inputs, in: 0, tangent: inputs[4]), inputs[3]).map {
                            .init(value: $0.value * $1, error: $0.error * abs($1))
                        }.total
                    ]
                },
            ]
            if f.dimension == 3 {
                checks.append(
                    OraclePointwise("TraceOperator(\(text),\(name(v)))", f.variables, [:]) { inputs in
                        let jacobian = f.jacobian(inputs, in: v)
                        return [(0..<3).map { jacobian[$0][$0] }.total]
                    })
            }
            for check in checks { expect(check.check(.interpreter, seed: number)) }
            expect(OraclePointwise.concatenated(checks).check(.compiled, m: 5, seed: number))
        }
    }
}
