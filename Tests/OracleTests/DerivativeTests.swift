import Engines
import Formulas
import Glibc
import Kernels
import TestSupport
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
        expect(OraclePointwise.concatenated(parts).check(.cpu, m: 9, seed: number))
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
        for v in subject.variables.prefix(3) { for w in subject.variables.prefix(3) { parts.append(subject.secondDerivative(v, w)) } }
        expect(OraclePointwise.concatenated(parts).check(.cpu, m: 4, n: 1, seed: number, relative: 1e-8))
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
                    let (eText, uText) = ("Var(\(e.index),\(e.dimension),\(e.category))", "Var(\(u.index),\(u.dimension),\(u.category))")
                    let text = "(\(eText)|Diff(\(names.0),\(names.1),\(uText))) - (Grad(\(names.0),\(names.1),\(eText))|\(uText))"
                    let check = OraclePointwise(text, subject.variables + [e, u], subject.domains) { _ in [.init(value: 0, error: 1e-11)] }
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
        if seed.isMultiple(of: 2) { expect(together.check(.cpu, m: 5, seed: seed, relative: 1e-9)) }
        let second = variables.prefix(2).flatMap { v in variables.prefix(2).map { subject.secondDerivative(v, $0) } }
        if formula.nodeCount < 25 {
            let together = OraclePointwise.concatenated(second)
            expect(together.check(.interpreter, m: 2, n: 1, seed: seed, relative: 1e-6))
            if seed.isMultiple(of: 3) { expect(together.check(.cpu, m: 2, n: 1, seed: seed, relative: 1e-6)) }
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
            OraclePointwise("GradMatrix(\(f.text(infix: true)),\(name))", f.variables, generator.domains) { f.jacobian($0, in: variable).flatMap { $0 } },
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
        expect(OraclePointwise.concatenated(checks).check(.cpu, seed: seed, relative: 1e-8))
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
                OraclePointwise("AdjointOperator(\(text),\(name(v)),\(name(u)))", f.variables + [u], [:]) { f.gradient($0, in: 0, cotangent: $0[3]) },
                OraclePointwise("SumLinOperator(\(text),\(name(v)))", f.variables, [:]) { [f.differential($0, in: 0, tangent: [1, 1, 1]).total] },
                OraclePointwise("SumLinOperator(\(text),\(name(v)),\(name(l)),\(name(r)))", f.variables + [l, r], [:]) { inputs in
                    [zip(f.differential(inputs, in: 0, tangent: inputs[4]), inputs[3]).map { .init(value: $0.value * $1, error: $0.error * abs($1)) }.total]
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
            expect(OraclePointwise.concatenated(checks).check(.cpu, m: 5, seed: number))
        }
    }

    // MARK: At special points

    /// Derivatives of sin(x)/x from its power series, where the textbook formula divides 0 by 0.
    @Test(arguments: ReductionTests.engines) func sincNearZero(_ engine: ExecutionOptions.Engine) throws {
        let x = "Var(0,1,0)"
        let points = [0, 1e-6, -1e-6, 1e-3, -1e-3, 0.05, 0.5, -1.5, 3]
        var text = "SinXDivX(\(x))"
        for order in 1...4 {
            text = "Grad(\(text),\(x),IntCst(1))"
            let values = try PointValues(text).values([0: points], engine, .float64)
            for (point, value) in zip(points, values) {
                // Σ (-1)^m x^(2m) / (2m+1)!, differentiated term by term.
                var expected = 0.0
                for m in 0..<30 where 2 * m >= order {
                    var term = m.isMultiple(of: 2) ? 1.0 : -1.0
                    for k in 1...(2 * m + 1) { term /= Double(k) }
                    for k in 0..<order { term *= Double(2 * m - k) }
                    expected += term * pow(point, Double(2 * m - order))
                }
                #expect(abs(value - expected) <= 1e-14 + 1e-13 * abs(expected), "order \(order) at \(point) on \(engine): \(value), not \(expected)")
            }
        }
    }

    @Test(arguments: ReductionTests.engines) func conventions(_ engine: ExecutionOptions.Engine) throws {
        let x = "Var(0,1,0)"
        func grad(_ f: String) -> String { "Grad(\(f),\(x),IntCst(1))" }
        let cases: [(String, [(Double, Double)])] = [
            (grad("Norm2(\(x))"), [(0, 0), (2, 1), (-2, -1)]),
            (grad("Sqrt(\(x))"), [(0, 0), (4, 0.25)]),
            ("Rsqrt(\(x))", [(0, 0), (4, 0.5)]), (grad("Rsqrt(\(x))"), [(0, 0), (1, -0.5)]),
            (grad("Abs(\(x))"), [(0, 0), (3, 1), (-3, -1)]),
            (grad("ReLU(\(x))"), [(0, 1), (-1, 0), (2, 1)]),
            ("Step(\(x))", [(0, 1), (-1e-30, 0), (5, 1)]), ("Sign(\(x))", [(0, 0), (-3, -1), (4, 1)]),
            (grad("Asin(\(x))"), [(1, 0), (-1, 0), (0, 1)]), (grad("Acos(\(x))"), [(1, 0), (0, -1)]),
            ("XLogX(\(x))", [(0, 0), (1, 0)]), (grad("XLogX(\(x))"), [(0, -.infinity), (1, 1)]),
            ("Round(\(x),0)", [(0.5, 1), (-0.5, -1), (1.5, 2), (2.5, 3), (-2.5, -3), (0.49, 0)]),
            ("Round(\(x),-1)", [(15, 20), (-25, -30), (4, 0)]), ("Round(\(x),1)", [(0.25, 0.3), (-0.75, -0.8)]),
            ("Floor(\(x))", [(-0.5, -1), (2, 2), (1.99, 1), (-3, -3)]),
            (grad("ClampInt(\(x),0,1)"), [(0, 1), (1, 1), (1.5, 0), (-0.5, 0)]),
            (grad("Clamp(\(x),IntCst(0),IntCst(1))"), [(0, 1), (1, 1), (1.5, 0), (-0.5, 0)]),
            ("IfElse(\(x),IntCst(2),IntCst(3))", [(0, 2), (-1, 3), (1, 2)]),
            (grad("IfElse(\(x),\(x)**2,3*\(x))"), [(2, 4), (-2, 3)]),
            ("Mod(\(x),IntCst(3),IntCst(0))", [(-1, 2), (4, 1), (3, 0)]), ("Mod(\(x),IntCst(3),IntCst(-1))", [(2, -1), (-1, -1), (1, 1)]),
            ("Pow(\(x),0)", [(0, 1), (-2, 1)]), ("Pow(\(x),-1)", [(0, .infinity), (2, 0.5)]), ("Pow(\(x),3)", [(-2, -8)]),
            ("Powf(\(x),IntCst(3)+0*\(x))", [(-2, -8)]), ("Powf(IntCst(2),\(x))", [(-1, 0.5), (3, 8)]),
            ("Powf(\(x),Floor(\(x)))", [(-2, 0.25), (-3, -1 / 27.0), (0, 1), (2, 4)]),
            ("Inv(\(x))", [(0, .infinity)]), ("Log(\(x))", [(0, -.infinity), (1, 0)]), ("Exp(\(x))", [(-1e4, 0), (1e4, .infinity), (0, 1)]),
            ("SinXDivX(\(x))", [(0, 1)]), ("Atan(\(x))", [(.infinity, .pi / 2), (-.infinity, -.pi / 2)]),
            ("Atan2(\(x),IntCst(-1))", [(1, 3 * .pi / 4), (-1, -3 * .pi / 4)]), ("Atan2(IntCst(0),\(x))", [(-1, .pi), (1, 0)]),
            ("OneHot(\(x),3)[1]", [(1, 1), (0.5, 1), (1.49, 1), (1.5, 0), (-5, 0), (7, 0)]),
            ("Equal(\(x),IntCst(2))", [(2, 1), (1, 0)]), ("NotEqual(\(x),IntCst(2))", [(2, 0), (1, 1)]),
            ("LessThan(\(x),IntCst(2))", [(2, 0), (1, 1)]), ("LessOrEqual(\(x),IntCst(2))", [(2, 1), (3, 0)]),
            ("ComplexAngle(Complex(\(x),IntCst(0)*\(x)))", [(-1, .pi), (1, 0), (0, 0)]),
            (grad("ComplexAbs(Complex(\(x),0*\(x)))"), [(0, 0), (-2, -1)]),
        ]
        for (text, pairs) in cases {
            for type in [ScalarType.float32, .float64] {
                let values = try PointValues(text).values([0: pairs.map(\.0)], engine, type)
                for ((point, expected), value) in zip(pairs, values) {
                    let room = (type == .float32 ? 3e-7 : 1e-15) * max(1, abs(expected))
                    #expect(value == expected || abs(value - expected) <= room, "\(text) at \(point) on \(engine) in \(type.rawValue): \(value), not \(expected)")
                }
            }
        }
        for text in ["Log(\(x))", "Sqrt(\(x))", "Asin(2*\(x))", "Powf(\(x),RatCst(1,3))", "XLogX(\(x))"] {
            let value = try PointValues(text).values([0: [-1]], engine, .float32)[0]
            #expect(value.isNaN, "\(text) at -1 on \(engine): \(value)")
        }
    }

    /// NaN in, NaN out.
    @Test(arguments: ReductionTests.engines) func notANumberPasses(_ engine: ExecutionOptions.Engine) throws {
        let names = OperationTests.operations.filter { name in
            let sample = OracleOperation.byName[name]!.samples(1).first!
            return sample.dimensions == [1] && !["Step", "ArgMin", "ArgMax", "OneHot", "DiffClampInt", "ReLU", "Sign", "Normalize", "ElemT", "ExtractT"].contains(name)
        }
        let text = names.map { name in
            let sample = OracleOperation.byName[name]!.samples(1)[0]
            return "Sum(" + OracleExpression(name, [.variable(0, 1, 0)], sample.attributes).text(infix: false) + ")"
        }
        let together = text.dropFirst().reduce(text[0]) { "Concat(\($0),\($1))" }
        for type in [ScalarType.float32, .float64] {
            let values = try PointValues(together).values([0: [.nan]], engine, type)
            for (name, value) in zip(names, values) { #expect(value.isNaN, "\(name)(NaN) on \(engine) in \(type.rawValue) is \(value)") }
        }
    }

    /// Repeated knots, points at knots and beyond the ends.
    @Test(arguments: ReductionTests.engines) func splines(_ engine: ExecutionOptions.Engine) throws {
        let knots = [0.0, 0, 0, 1, 2, 2, 3.5, 4, 4]
        let points = stride(from: -0.5, through: 4.5, by: 0.25).map { $0 }
        for order in 0...3 {
            let spline = OracleExpression("BSpline", [.variable(0, knots.count, 2), .variable(1, 1, 0)], [.integer(order)])
            let subject = try OracleSubject(of: spline)
            for type in [ScalarType.float16, .float32, .float64] { expect(subject.check(.init(type: type, engine: engine), data: [knots, points])) }
            guard order > 0 else { continue }
            // The derivative in x, away from the knots.
            let x = OracleExpression.Variable(index: 1, dimension: 1, category: 0)
            let e = OracleExpression.Variable(index: 2, dimension: spline.dimension, category: 2)
            expect(spline.gradient(in: x, cotangent: e, [0: .knots, 1: .between(8)]).check(engine, m: 30, n: 1, seed: order))
            expect(spline.secondGradient(in: x, cotangent: e, then: x, cotangent: x, [0: .knots, 1: .between(8)]).check(engine, m: 20, n: 1, seed: order, relative: 1e-7))
        }
    }
}

/// A formula of Var(0,1,0) at some points.
struct PointValues {
    private let compiled: CompiledReduction

    init(_ text: String) throws {
        compiled = try CompiledReduction(
            Reduction(.sum, of: Formula(parsing: text)),
            declarations: [Declaration(variable: Formulas.Variable(index: 0, dimension: 1, category: .i))])
    }

    func values(_ data: [Int: [Double]], _ engine: ExecutionOptions.Engine, _ type: ScalarType) throws -> [Double] {
        let array = OracleArray(data[0]!, type: type, shape: [data[0]!.count, 1])
        let shape = try compiled.resultShape(for: [array.input])
        let values = UnsafeMutableRawBufferPointer.allocate(byteCount: shape.valueTotal * type.byteCount + 8, alignment: 64)
        defer { values.deallocate() }
        try compiled.run(
            [array.input], options: ExecutionOptions(engine: engine), values: values, indices: UnsafeMutableBufferPointer(start: nil, count: 0))
        withExtendedLifetime(array) {}
        return (0..<shape.valueTotal).map { type.read(UnsafeRawPointer(values.baseAddress!), $0) }
    }
}
