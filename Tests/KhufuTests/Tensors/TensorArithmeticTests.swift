import Khufu
import RealModule
import Testing

struct TensorArithmeticTests {
    typealias T = Tensor<Double>

    static let shapes: [([Int], [Int], [Int])] = [
        ([], [], []), ([], [3], [3]), ([3], [], [3]), ([1], [], [1]), ([2, 3], [3], [2, 3]), ([3], [2, 3], [2, 3]),
        ([2, 1], [1, 3], [2, 3]), ([2, 1], [3], [2, 3]), ([4, 1, 3], [2, 1], [4, 2, 3]), ([4, 2, 3], [4, 1, 3], [4, 2, 3]),
        ([4, 2, 3], [4, 2, 1], [4, 2, 3]), ([4, 2, 3], [1, 1, 1], [4, 2, 3]), ([2, 1, 2, 1], [3, 1, 5], [2, 3, 2, 5]),
        ([0], [], [0]), ([0, 3], [3], [0, 3]), ([0, 1], [1, 3], [0, 3]), ([2, 1], [0], [2, 0]), ([1, 0], [2, 1], [2, 0]),
        ([2, 3], [2, 3], [2, 3]), ([1, 3], [3], [1, 3]),
    ]

    static let operations: [(String, @Sendable (T, T) throws -> T, @Sendable (Double, Double) -> Double)] = [
        ("+", { try $0 + $1 }, { $0 + $1 }), ("-", { try $0 - $1 }, { $0 - $1 }), ("*", { try $0 * $1 }, { $0 * $1 }),
        ("/", { try $0 / $1 }, { $0 / $1 }), ("pow", { try T.pow($0, $1) }, { .exp($1 * .log($0)) }),
        ("maximum", { try T.maximum($0, $1) }, { $0 > $1 ? $0 : $1 }),
        ("minimum", { try T.minimum($0, $1) }, { $0 < $1 ? $0 : $1 }),
    ]

    @Test(arguments: shapes) func shapesBroadcast(a: [Int], b: [Int], expected: [Int]) throws {
        let (x, y) = (uniform(a, in: 0.5..<2), uniform(b, in: 0.5..<2, seed: 5))
        for (name, operation, naive) in Self.operations {
            let result = try operation(x, y)
            expectNear(result, tensor(expected) { naive(x.at($0), y.at($0)) }, 1e-14, name)
            try expectDerivatives(of: { try operation($0, y) }, at: x, "\(name), left")
            try expectDerivatives(of: { try operation(x, $0) }, at: y, "\(name), right")
        }
        expectNear(try x.broadcast(to: expected), tensor(expected) { x.at($0) })
        try expectDerivatives(of: { try $0.broadcast(to: expected) }, at: x)
        let single =
            try Tensor<Float>(x.elements.map { Float($0) }, shape: a) * Tensor<Float>(y.elements.map { Float($0) }, shape: b)
        expectNear(try T(single.elements.map { Double($0) }, shape: single.shape), try x * y, 1e-6)
    }

    @Test func bothOperandsAreOne() throws {
        for (name, operation, _) in Self.operations where !name.hasSuffix("imum") {
            try expectDerivatives(of: { try operation($0, $0) }, at: uniform([2, 3], in: 0.5..<2), name)
        }
    }

    @Test func numbersBroadcast() throws {
        let x = uniform([2, 3], in: 0.5..<2)
        expectNear(x + 2, tensor([2, 3]) { x.at($0) + 2 })
        expectNear(2 + x, tensor([2, 3]) { x.at($0) + 2 })
        expectNear(x - 2, tensor([2, 3]) { x.at($0) - 2 })
        expectNear(2 - x, tensor([2, 3]) { 2 - x.at($0) })
        expectNear(x * 2, tensor([2, 3]) { x.at($0) * 2 })
        expectNear(2 * x, tensor([2, 3]) { x.at($0) * 2 })
        expectNear(x / 2, tensor([2, 3]) { x.at($0) / 2 })
        expectNear(2 / x, tensor([2, 3]) { 2 / x.at($0) })
        expectNear(-x, tensor([2, 3]) { -x.at($0) })
        expectNear(T.pow(x, 3), tensor([2, 3]) { x.at($0) * x.at($0) * x.at($0) })
        try expectDerivatives(of: { (2 / (3 - $0)) * 4 - 1 }, at: x)
        try expectDerivatives(of: { -T.pow($0, -1.5) }, at: x)
    }

    @Test func functions() throws {
        let functions: [(String, (T) -> T, (Double) -> Double, Range<Double>)] = [
            ("exp", { $0.exp() }, { .exp($0) }, -2..<2), ("expMinusOne", { $0.expMinusOne() }, { .exp($0) - 1 }, 0.5..<2),
            ("log", { $0.log() }, { .log($0) }, 0.2..<3), ("logOnePlus", { $0.logOnePlus() }, { .log(1 + $0) }, -0.5..<3),
            ("squareRoot", { $0.squareRoot() }, { .sqrt($0) }, 0.2..<3), ("squared", { $0.squared() }, { $0 * $0 }, -2..<2),
            ("reciprocal", { $0.reciprocal() }, { 1 / $0 }, 0.5..<2), ("abs", { $0.abs() }, { $0 < 0 ? -$0 : $0 }, -2 ..< -0.1),
            ("sin", { $0.sin() }, { .sin($0) }, -2..<2), ("cos", { $0.cos() }, { .cos($0) }, -2..<2),
            ("tanh", { $0.tanh() }, { (.exp($0) - .exp(-$0)) / (.exp($0) + .exp(-$0)) }, -2..<2),
            ("arctan", { $0.arctan() }, { .atan2(y: $0, x: 1) }, -2..<2),
            ("sigmoid", { $0.sigmoid() }, { .exp($0) / (.exp($0) + 1) }, -2..<2),
            ("relu", { $0.relu() }, { $0 > 0 ? $0 : 0 }, -2 ..< -0.1), ("relu", { $0.relu() }, { $0 > 0 ? $0 : 0 }, 0.1..<2),
            ("sign", { $0.sign() }, { $0 < 0 ? -1 : 1 }, -2 ..< -0.1), ("step", { $0.step() }, { $0 < 0 ? 0 : 1 }, 0.1..<2),
        ]
        for (name, function, naive, range) in functions {
            for shape in [[2, 3], [], [0, 2]] {
                let x = uniform(shape, in: range)
                expectNear(function(x), tensor(shape) { naive(x.at($0)) }, 1e-14, name)
                try expectDerivatives(of: function, at: x, tolerance: 1e-6, name)
            }
        }
    }

    @Test func functionsAtTheirEdges() throws {
        let edges: T = [-1000, -1, 0, 1, 1000]
        expectNear(edges.relu(), [0, 0, 0, 1, 1000])
        expectNear(edges.sign(), [-1, -1, 0, 1, 1])
        expectNear(edges.step(), [0, 0, 1, 1, 1])
        #expect(T([-.infinity, .infinity]).relu().elements == [0, .infinity])
        #expect(T([-.infinity, .infinity, -745]).sigmoid().elements == [0, 1, 0])
        expectNear(try T([-100, -700]).sigmoid() / T([.exp(-100), .exp(-700)]), [1, 1])
        expectNear(
            try gradient(at: edges) { $0.sigmoid().sum() },
            [0, 0.19661193324148185, 0.25, 0.19661193324148185, 0], 1e-14)
        expectNear(try gradient(at: edges) { $0.relu().sum() }, [0, 0, 0, 1, 1])
        expectNear(try gradient(at: edges) { $0.abs().sum() }, [-1, -1, 0, 1, 1])
        #expect(T([1e-20]).expMinusOne() == [1e-20])
        #expect(T([1e-20]).logOnePlus() == [1e-20])
        for result in [T([.nan]).abs(), T([.nan]).sign(), T([.nan]).step(), T([.nan]).relu(), T([.nan]).sigmoid()] {
            #expect(result.scalar.isNaN)
        }
        for pair in [(T([.nan]), T([1])), (T([1]), T([.nan]))] {
            #expect(try T.maximum(pair.0, pair.1).scalar.isNaN)
            #expect(try T.minimum(pair.0, pair.1).scalar.isNaN)
        }
    }

    @Test func powersAreThoseOfC() throws {
        let bases: [Double] = [-2, -2, -2, 0, 0, -1, -1, -1, -0.5, -0.5, 4, 0, 2]
        let exponents: [Double] = [3, -3, 0.5, 0, 2, 1_000_001, 1_000_002, 1e300, .infinity, 3e7, 0.5, -1, 2000]
        let expected: [Double] = [-8, -0.125, .nan, 1, 0, -1, 1, 1, 0, 0, 2, .infinity, .infinity]
        expectNear(try T.pow(T(bases), T(exponents)), T(expected), 0)
        let single = try Tensor<Float>.pow(Tensor(bases.map { Float($0) }), Tensor(exponents.map { Float($0) }))
        expectNear(T(single.elements.map { Double($0) }), T(expected.enumerated().map { $0.offset == 5 ? -1 : $0.element }), 0)
    }

    @Test func derivativesOfPowersAtZeroAndBelow() throws {
        let x: T = [-1.5, 0, 2]
        func derivative(_ order: Int, _ exponent: Double, _ x: T) throws -> T {
            order == 0 ? T.pow(x, exponent) : try gradient(at: x) { try derivative(order - 1, exponent, $0).sum() }
        }
        expectNear(try derivative(1, 2, x), [-3, 0, 4])
        expectNear(try derivative(2, 2, x), [2, 2, 2])
        expectNear(try derivative(3, 2, x), [0, 0, 0])
        expectNear(try derivative(4, 2, x), [0, 0, 0])
        expectNear(try derivative(2, 3, x), [-9, 0, 12])
        expectNear(try derivative(1, 0, x), [0, 0, 0])
        expectNear(try derivative(1, 1, x), [1, 1, 1])
        // In the exponent: a^b log a, and 0 for a = 0.
        expectNear(try gradient(at: T([2, 2, 0])) { b in try T.pow([3, 0, 0], b).sum() }, T([9 * .log(3), 0, 0]))
        let mixed = try gradient(at: T(2)) { b in try gradient(at: T(0)) { a in try T.pow(a, b) } }
        #expect(mixed.scalar == 0)
    }

    @Test func equalOperandsOfExtremaShareTheDerivative() throws {
        let (x, y): (T, T) = ([1, 2, 3], [2, 2, 2])
        expectNear(try gradient(at: x) { try T.maximum($0, y).sum() }, [0, 0.5, 1])
        expectNear(try gradient(at: y) { try T.maximum(x, $0).sum() }, [1, 0.5, 0])
        expectNear(try gradient(at: x) { try T.minimum($0, y).sum() }, [1, 0.5, 0])
        expectNear(try gradient(at: y) { try T.minimum(x, $0).sum() }, [0, 0.5, 1])
        expectNear(try gradient(at: x) { try T.maximum($0, $0).sum() }, [1, 1, 1])
    }

    @Test func literalsAndArrays() throws {
        let cube: Tensor<Float> = [[[1, -2], [3, 4.5]], [[5, 6], [7, 8]]]
        #expect(cube.shape == [2, 2, 2] && cube.elements == [1, -2, 3, 4.5, 5, 6, 7, 8])
        #expect(([[], []] as T).shape == [2, 0] && ([] as T).shape == [0])
        #expect(Tensor([SIMD3<Float>(1, 2, 3), SIMD3(4, 5, 6)]) == [[1, 2, 3], [4, 5, 6]])
        #expect(try T([[1, 2], [3, 4]]) == [[1, 2], [3, 4]])
        #expect(T(repeating: 2, shape: [2, 1]) == [[2], [2]] && T(3).scalar == 3)
        #expect(cube[1, 0, 1] == 6 && cube.count == 8 && cube.rank == 3)
        #expect(T([.nan]) != T([.nan]) && T([0]) == T([-0.0]) && T([1]) != ([[1]] as T))
    }
}
