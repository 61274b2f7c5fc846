import Khufu
import Testing

/// The Swift entry point: what a caller writes, what comes back, and what a mistake says.
struct KernelReductionTests {
    private let x: [Double] = [0, 0, 1, 0, 0, 1]  // three points in the plane
    private let y: [Double] = [0, 0, 2, 1]  // two

    @Test func sumOfGaussians() throws {
        let density = try KernelReduction("Exp(-g * SqDist(x, y))", ["g = Pm(1)", "x = Vi(2)", "y = Vj(2)"])
        let result = try density([0.5], x, y)
        #expect(result.shape == .init(batch: [], rows: 3, values: 1, indices: 0))
        // Squared distances, by hand.
        let distances = [[0.0, 5], [1, 2], [1, 4]]
        for (value, row) in zip(result.values, distances) {
            let expected = row.reduce(0) { $0 + exponential(-0.5 * $1) }
            #expect(abs(value - expected) < 1e-14)
        }
    }

    @Test(arguments: [ExecutionOptions.Engine.cpu, .interpreter]) func nearestNeighbours(engine: ExecutionOptions.Engine) throws {
        let nearest = try KernelReduction("SqDist(x, y)", ["x = Vi(1)", "y = Vj(1)"], .kMinArgKMin, k: 3)
        let points: [Float] = [5, 1, 4, 1, 9]
        let result = try nearest([1, 8], points, options: .init(engine: engine))
        // Equal distances stay in the order of their columns.
        #expect(result.indices == [1, 3, 2, 4, 0, 2])
        #expect(result.values == [0, 0, 9, 1, 9, 16])
    }

    /// Exponentials to four digits, where that is asked for and in float32 only; derivatives too.
    @Test func fastExponentials() throws {
        let density = try KernelReduction("Exp(-g * SqDist(x, y))", ["g = Pm(1)", "x = Vi(2)", "y = Vj(2)"])
        let soft = try KernelReduction("-SqDist(x, y)", ["x = Vi(2)", "y = Vj(2)"], .logSumExp)
        let points = (0..<400).map { Float($0 * 37 % 101) / 50 }
        func errors(_ exponentials: Exponentials) throws -> [Float] {
            let options = ExecutionOptions(engine: .cpu, exponentials: exponentials)
            let wide = points.map(Double.init)
            func worst(_ a: [Float], _ b: [Double]) -> Float {
                zip(a, b).reduce(0) { max($0, Float(abs(Double($1.0) - $1.1) / abs($1.1))) }
            }
            let ones = [Float](repeating: 1, count: 200)
            return [
                worst(try density([0.7], points, points, options: options).values, try density([0.7], wide, wide).values),
                worst(try soft(points, points, options: options).values, try soft(wide, wide).values),
                worst(
                    try density.gradient(withRespectTo: 0, [0.7], points, points, cotangent: ones, options: options),
                    try density.gradient(withRespectTo: 0, [0.7], wide, wide, cotangent: ones.map(Double.init))),
            ]
        }
        #expect(try errors(.accurate).allSatisfy { $0 < 3e-6 })
        #expect(try errors(.fast).allSatisfy { $0 < 1.2e-4 && $0 > 3e-6 })
        let wide = points.map(Double.init)
        let fast = ExecutionOptions(engine: .cpu, exponentials: .fast)
        #expect(
            try density([0.7], wide, wide, options: fast).values
                == density([0.7], wide, wide, options: .init(engine: .cpu)).values)
        // A point's value with itself stays exactly 1.
        #expect(try density([0.7] as [Float], [1, 2], [1, 2], options: fast).values == [1])
    }

    @Test func gradientOfEachInput() throws {
        let aliases = ["g = Pm(1)", "x = Vi(2)", "y = Vj(2)"]
        let density = try KernelReduction("Exp(-g * SqDist(x, y))", aliases)
        let g = [0.7]
        let cotangent = [1.0, -2, 3]
        func loss(_ g: [Double], _ x: [Double], _ y: [Double]) throws -> Double {
            zip(try density(g, x, y).values, cotangent).reduce(0) { $0 + $1.0 * $1.1 }
        }
        for position in 0..<3 {
            let gradient = try density.gradient(withRespectTo: position, g, x, y, cotangent: cotangent)
            var inputs = [g, x, y]
            #expect(gradient.count == inputs[position].count)
            for k in gradient.indices {
                let step = 1e-6
                inputs[position][k] += step
                let above = try loss(inputs[0], inputs[1], inputs[2])
                inputs[position][k] -= 2 * step
                let below = try loss(inputs[0], inputs[1], inputs[2])
                inputs[position][k] += step
                #expect(abs(gradient[k] - (above - below) / (2 * step)) < 1e-8)
            }
        }
    }

    @Test(arguments: [Reduction.Kind.min, .max, .kMin, .logSumExp, .maxSumShiftExp])
    func gradientsOfSelectionsAndSoftMaxima(kind: Reduction.Kind) throws {
        let reduction = try KernelReduction("SqDist(x, y) - x", ["x = Vi(1)", "y = Vj(1)"], kind, k: kind == .kMin ? 2 : 1)
        let x = [0.1, 1.7, 2.4]
        let y = [0.3, 1.1, 2.9, -0.8]
        let count = try reduction(x, y).values.count
        let cotangent = (0..<count).map { 1.5 - Double($0) * 0.4 }
        func loss(_ x: [Double], _ y: [Double]) throws -> Double {
            zip(try reduction(x, y).values, cotangent).reduce(0) { $0 + $1.0 * $1.1 }
        }
        for (position, input) in [x, y].enumerated() {
            let gradient = try reduction.gradient(withRespectTo: position, x, y, cotangent: cotangent)
            for k in input.indices {
                var (above, below) = (input, input)
                above[k] += 1e-6
                below[k] -= 1e-6
                let difference =
                    position == 0 ? try loss(above, y) - loss(below, y) : try loss(x, above) - loss(x, below)
                #expect(abs(gradient[k] - difference / 2e-6) < 1e-7, "\(kind), input \(position), number \(k)")
            }
        }
    }

    @Test func gradientOfASoftMaxMean() throws {
        let attention = try KernelReduction(
            "(q | k)", ["q = Vi(2)", "k = Vj(2)", "v = Vj(2)"], .sumSoftMax, weight: "v")
        let inputs = [[0.3, -0.2, 0.9, 0.4], [0.1, 0.5, -0.7, 0.2, 0.6, 0.6], [1.0, 2, -1, 0.5, 0.3, -2]]
        let cotangent = [0.5, -1, 2, 0.25]
        func loss(_ inputs: [[Double]]) throws -> Double {
            zip(try attention(inputs[0], inputs[1], inputs[2]).values, cotangent).reduce(0) { $0 + $1.0 * $1.1 }
        }
        for position in 0..<3 {
            let gradient = try attention.gradient(
                withRespectTo: position, inputs[0], inputs[1], inputs[2], cotangent: cotangent)
            for k in gradient.indices {
                var (above, below) = (inputs, inputs)
                above[position][k] += 1e-6
                below[position][k] -= 1e-6
                #expect(abs(gradient[k] - (try loss(above) - loss(below)) / 2e-6) < 1e-8)
            }
        }
    }

    /// log Σ e^(x y): the second derivative in x is the variance of y under the soft-max weights.
    @Test func hessianOfALogSumExp() throws {
        let soft = try KernelReduction("x * y", ["x = Vi(1)", "y = Vj(1)"], .logSumExp)
        let hessian = try soft.gradient(withRespectTo: 0).tangent(withRespectTo: 0)
        let y = [0.0, 1, 3]
        let weights = [1, exponential(0.5), exponential(1.5)]
        let total = weights.reduce(0, +)
        let mean = zip(weights, y).reduce(0) { $0 + $1.0 * $1.1 } / total
        let variance = zip(weights, y).reduce(0) { $0 + $1.0 * ($1.1 - mean) * ($1.1 - mean) } / total
        #expect(abs(try hessian([0.5], y, [2], [3])[0] - 6 * variance) < 1e-13)
        #expect(abs(try soft.tangent(withRespectTo: 0)([0.5], y, [3])[0] - 3 * mean) < 1e-13)
        #expect(throws: BindingError("This reduction takes 4 inputs, and 2 came.")) { try hessian([0.5], y) }
        #expect(throws: BindingError.self) { try hessian([0.5], y, [2, 2], [3]) }
    }

    @Test func batchesBroadcast() throws {
        let sum = try KernelReduction("x * y", ["x = Vi(1)", "y = Vj(1)"])
        let x: [Float] = [1, 2, 3, 4]  // two batch items of two points
        let y: [Float] = [10, 20, 30]  // one item of three points, for both
        let result = try x.withUnsafeBufferPointer { x in
            try y.withUnsafeBufferPointer { y in try sum.run([x, y], shapes: [[2, 2, 1], [1, 3, 1]]) }
        }
        #expect(result.shape.batch == [2])
        #expect(result.values == [60, 120, 180, 240])
    }

    @Test func manyThreadsShareOneReduction() async throws {
        let density = try KernelReduction("Exp(-SqDist(x, y))", ["x = Vi(1)", "y = Vj(1)"])
        let points = (0..<400).map { Float($0) / 100 }
        let expected = try density(points, points, options: .init(engine: .cpu, threads: 1)).values
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    (try? density(points, points, options: .init(engine: .cpu, threads: 2)).values) == expected
                }
            }
            for await isEqual in group { #expect(isEqual) }
        }
    }

    @Test func noPointsAtAll() throws {
        let sum = try KernelReduction("x * y", ["x = Vi(1)", "y = Vj(1)"])
        #expect(try sum([1, 2] as [Double], []).values == [0, 0])
        #expect(try sum([] as [Double], [1, 2]).values == [])
        let smallest = try KernelReduction("x * y", ["x = Vi(1)", "y = Vj(1)"], .minArgMin)
        let result = try smallest([1] as [Double], [])
        #expect(result.values == [.infinity])
        #expect(result.indices == [0])
    }

    // MARK: Mistakes

    @Test func mistakesAreSentences() throws {
        let density = try KernelReduction("Exp(-SqDist(x, y))", ["x = Vi(3)", "y = Vj(3)"])
        #expect(throws: BindingError("Input x = Vi(0,3) takes 3 numbers per point; 4 is no multiple of that.")) {
            try density([1, 2, 3, 4] as [Float], [1, 2, 3])
        }
        #expect(throws: BindingError("This reduction takes 2 inputs, and 1 came.")) { try density([1, 2, 3] as [Float]) }
        #expect(throws: BindingError.self) {
            try density.gradient(withRespectTo: 5, [1, 2, 3] as [Float], [1, 2, 3], cotangent: [1])
        }
        #expect(throws: FormulaError.self) { try KernelReduction("Exp(x", ["x = Vi(3)"]) }
        let nearest = try KernelReduction("SqDist(x, y)", ["x = Vi(3)", "y = Vj(3)"], .argMin)
        #expect(throws: FormulaError("ArgMin returns indices, which have no derivative; its values are those of Min.")) {
            try nearest.gradient(withRespectTo: 0, [1, 2, 3] as [Float], [1, 2, 3], cotangent: [])
        }
    }
}

/// The exponential by its series: nothing of the project's.
private func exponential(_ x: Double) -> Double {
    var (term, sum) = (1.0, 1.0)
    for k in 1..<60 {
        term *= x / Double(k)
        sum += term
    }
    return sum
}
