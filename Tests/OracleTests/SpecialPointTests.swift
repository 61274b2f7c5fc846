import Engines
import Formulas
import Kernels
import OracleSupport
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Values and derivatives where a convention decides: at 0, at the ends of domains, at kinks, at NaN.
@Suite struct SpecialPointTests {
    /// Derivatives of sin(x)/x from its power series, where the textbook formula divides 0 by 0.
    @Test(arguments: ReductionTests.engines) func sincNearZero(_ engine: OracleEngine) throws {
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
                #expect(
                    abs(value - expected) <= 1e-14 + 1e-13 * abs(expected),
                    "order \(order) at \(point) on \(engine): \(value), not \(expected)")
            }
        }
    }

    @Test(arguments: ReductionTests.engines) func conventions(_ engine: OracleEngine) throws {
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
            (grad("IfElse(\(x),Sqrt(\(x)),\(x)**3)"), [(4, 0.25), (-1, 3)]),
            (grad("IfElse(-\(x),\(x)**3,Log(\(x)))"), [(4, 0.25), (-1, 3)]),
            ("Mod(\(x),IntCst(3),IntCst(0))", [(-1, 2), (4, 1), (3, 0)]),
            ("Mod(\(x),IntCst(3),IntCst(-1))", [(2, -1), (-1, -1), (1, 1)]),
            ("Pow(\(x),0)", [(0, 1), (-2, 1)]), ("Pow(\(x),-1)", [(0, .infinity), (2, 0.5)]), ("Pow(\(x),3)", [(-2, -8)]),
            ("Powf(\(x),IntCst(3)+0*\(x))", [(-2, -8)]), ("Powf(IntCst(2),\(x))", [(-1, 0.5), (3, 8)]),
            ("Powf(\(x),Floor(\(x)))", [(-2, 0.25), (-3, -1 / 27.0), (0, 1), (2, 4)]),
            ("Inv(\(x))", [(0, .infinity)]), ("Log(\(x))", [(0, -.infinity), (1, 0)]),
            ("Exp(\(x))", [(-1e4, 0), (1e4, .infinity), (0, 1)]),
            ("SinXDivX(\(x))", [(0, 1)]), ("Atan(\(x))", [(.infinity, .pi / 2), (-.infinity, -.pi / 2)]),
            ("Atan2(\(x),IntCst(-1))", [(1, 3 * .pi / 4), (-1, -3 * .pi / 4)]), ("Atan2(IntCst(0),\(x))", [(-1, .pi), (1, 0)]),
            ("OneHot(\(x),3)[1]", [(1, 1), (0.5, 1), (1.49, 1), (1.5, 0), (-5, 0), (7, 0)]),
            ("Equal(\(x),IntCst(2))", [(2, 1), (1, 0)]), ("NotEqual(\(x),IntCst(2))", [(2, 0), (1, 1)]),
            ("LessThan(\(x),IntCst(2))", [(2, 0), (1, 1)]), ("LessOrEqual(\(x),IntCst(2))", [(2, 1), (3, 0)]),
            ("ComplexAngle(Complex(\(x),IntCst(0)*\(x)))", [(-1, .pi), (1, 0), (0, 0)]),
            (grad("ComplexAbs(Complex(\(x),0*\(x)))"), [(0, 0), (-2, -1)]),
        ]
        // All formulas at all points, in one kernel; a formula is looked at where its own points are.
        let points = Set(cases.flatMap { $0.1.map(\.0) }).sorted()
        let together = PointValues.concatenated(cases.map(\.0))
        for type in [ScalarType.float32, .float64] {
            let values = try PointValues(together).values([0: points], engine, type)
            for (number, (text, pairs)) in cases.enumerated() {
                for (point, expected) in pairs {
                    let value = values[points.firstIndex(of: point)! * cases.count + number]
                    let room = (type == .float32 ? 3e-7 : 1e-15) * max(1, abs(expected))
                    #expect(
                        value == expected || abs(value - expected) <= room,
                        "\(text) at \(point) on \(engine) in \(type.rawValue): \(value), not \(expected)")
                }
            }
        }
        let undefined = ["Log(\(x))", "Sqrt(\(x))", "Asin(2*\(x))", "Powf(\(x),RatCst(1,3))", "XLogX(\(x))"]
        let values = try PointValues(PointValues.concatenated(undefined)).values([0: [-1]], engine, .float32)
        for (text, value) in zip(undefined, values) { #expect(value.isNaN, "\(text) at -1 on \(engine): \(value)") }
    }

    /// NaN in, NaN out.
    @Test(arguments: ReductionTests.engines) func notANumberPasses(_ engine: OracleEngine) throws {
        let names = OperationTests.operations.filter { name in
            let sample = OracleOperation.byName[name]!.samples(1).first!
            return sample.dimensions == [1]
                && !["Step", "ArgMin", "ArgMax", "OneHot", "DiffClampInt", "ReLU", "Sign", "Normalize", "ElemT", "ExtractT"]
                    .contains(name)
        }
        let text = names.map { name in
            let sample = OracleOperation.byName[name]!.samples(1)[0]
            return "Sum(" + OracleExpression(name, [.variable(0, 1, 0)], sample.attributes).text(infix: false) + ")"
        }
        let together = PointValues.concatenated(text)
        for type in [ScalarType.float32, .float64] {
            let values = try PointValues(together).values([0: [.nan]], engine, type)
            for (name, value) in zip(names, values) {
                #expect(value.isNaN, "\(name)(NaN) on \(engine) in \(type.rawValue) is \(value)")
            }
        }
    }

    /// Repeated knots, points at knots and beyond the ends.
    @Test(arguments: ReductionTests.engines) func splines(_ engine: OracleEngine) throws {
        let knots = [0.0, 0, 0, 1, 2, 2, 3.5, 4, 4]
        let points = stride(from: -0.5, through: 4.5, by: 0.25).map { $0 }
        for order in 0...3 {
            let spline = OracleExpression("BSpline", [.variable(0, knots.count, 2), .variable(1, 1, 0)], [.integer(order)])
            let subject = try OracleSubject(of: spline)
            for type in ScalarType.allCases {
                expect(subject.check(.init(type: type, engine: engine), data: [knots, points]))
            }
            guard order > 0 else { continue }
            // The derivative in x, away from the knots.
            let x = OracleExpression.Variable(index: 1, dimension: 1, category: 0)
            let e = OracleExpression.Variable(index: 2, dimension: spline.dimension, category: 2)
            expect(spline.gradient(in: x, cotangent: e, [0: .knots, 1: .between(8)]).check(engine, m: 30, n: 1, seed: order))
            expect(
                spline.secondGradient(in: x, cotangent: e, then: x, cotangent: x, [0: .knots, 1: .between(8)]).check(
                    engine, m: 20, n: 1, seed: order, relative: 1e-7))
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

    /// Formulas side by side.
    static func concatenated(_ texts: [String]) -> String { texts.dropFirst().reduce(texts[0]) { "Concat(\($0),\($1))" } }

    func values(_ data: [Int: [Double]], _ engine: OracleEngine, _ type: ScalarType) throws -> [Double] {
        let array = OracleArray(data[0]!, type: type, shape: [data[0]!.count, 1])
        let shape = try compiled.resultShape(for: [array.input])
        let values = UnsafeMutableRawBufferPointer.allocate(byteCount: shape.valueTotal * type.byteCount + 8, alignment: 64)
        defer { values.deallocate() }
        try compiled.run(
            [array.input], options: engine.options(), values: values,
            indices: UnsafeMutableBufferPointer(start: nil, count: 0))
        withExtendedLifetime(array) {}
        return (0..<shape.valueTotal).map { type.read(UnsafeRawPointer(values.baseAddress!), $0) }
    }
}
