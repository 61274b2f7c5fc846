import Formulas
import Kernels
import RandomNumbers
import Testing

@testable import Engines

/// A GPU of CUDA's, or else what OpenCL has.
private let testDevice = [Device.Library.cuda, .openCL].first { (try? $0.deviceNames())?.isEmpty == false }?.device(0)

/// Calls whose arrays and results are in a device's memory, intermediate results included.
@Suite(.enabled(if: testDevice != nil, "there is no device"))
struct DeviceArrayTests {
    /// A reduction and the lengths that its arrays have.
    struct Case: CustomTestStringConvertible, Sendable {
        var kind: String
        var formula: String
        var weight: String?
        var k = 1
        var batches: [[Int]] = [[], [], [], []]
        var testDescription: String { "\(kind) \(formula) \(batches)" }

        static let inputs =
            [Variable(index: 0, dimension: 2, category: .i), Variable(index: 1, dimension: 2, category: .j)]
            + [Variable(index: 2, dimension: 3, category: .j), Variable(index: 3, dimension: 1, category: .parameter)]

        func shapes(rows: Int = 9) -> [[Int]] {
            zip(Self.inputs, batches).map { variable, batch in
                batch + (variable.category == .i ? [rows] : variable.category == .j ? [6] : []) + [variable.dimension]
            }
        }

        func compiled() throws -> CompiledReduction {
            let declarations = zip(["x", "y", "b", "p"], Self.inputs).map { Declaration(name: $0, variable: $1) }
            return try CompiledReduction(
                try Reduction(
                    try Reduction.Kind(named: kind), of: formula, weight: weight, k: k, over: .j, accumulation: .init(),
                    declarations: declarations),
                declarations: declarations)
        }
    }

    static let gaussian = "Exp(-p*SqDist(x,y))"
    static let cases = [
        Case(kind: "Sum", formula: "\(gaussian)*b"),
        Case(kind: "Sum", formula: "\(gaussian)*b", batches: [[3, 2], [2], [3, 1], [1, 2]]),
        Case(kind: "LogSumExp", formula: "-p*SqDist(x,y)*Sum(b)", batches: [[2], [], [], []]),
        Case(kind: "SumSoftMaxWeight", formula: "-p*SqDist(x,y)", weight: "b", batches: [[], [2], [], [2]]),
        Case(kind: "Min_ArgMin", formula: "p*SqDist(x,y)*Sum(b)", batches: [[2], [1], [2], []]),
        Case(kind: "KMin", formula: "p*SqDist(x,y)", k: 2),
        Case(kind: "Max_SumShiftExpWeight", formula: "-p*SqDist(x,y)", weight: "b"),
    ]

    @Test(arguments: cases) func gradientsAreThoseOfTheProcessor(_ example: Case) throws {
        let sum = try CompiledExpression(of: example.compiled())
        let shapes = example.shapes()
        let withCotangent = shapes + [try shape(of: sum, shapes)]
        for position in 0..<4 {
            let gradient = try sum.gradient(withRespectTo: position)
            // Kernels for either type take their time to compile.
            try check(gradient, withCotangent, position == 1 ? .float32 : .float64)
            guard position == 0 else { continue }
            try check(try gradient.gradient(withRespectTo: 3), withCotangent + [shapes[position]], .float64)
        }
    }

    /// Long sums over points and batches, in parts; zeros; an input that is the result.
    @Test func totalsOfManyPoints() throws {
        let example = Case(kind: "Sum", formula: "p*x", batches: [[2, 3], [], [], []])
        let sum = try CompiledExpression(of: example.compiled())
        let gradient = try sum.gradient(withRespectTo: 3)
        let shapes = example.shapes(rows: 5_000)
        let withCotangent = shapes + [try shape(of: sum, shapes)]
        for type in ScalarType.allCases { try check(gradient, withCotangent, type) }
        try check(try sum.gradient(withRespectTo: 2), withCotangent, .float32)
        try check(try gradient.gradient(withRespectTo: 1), withCotangent + [shapes[3]], .float32)
    }

    @Test(arguments: [
        ([4, 3], [4, 3]), ([5, 1, 3], [1, 4, 3]), ([5, 7, 2, 3], [7, 1, 3]), ([3, 1], [3, 1]), ([2, 300, 1], [1]),
    ])
    func totalsOfAnyShape(_ own: [Int], _ target: [Int]) throws {
        let accelerator = try #require(testDevice).accelerator()
        let queue = try accelerator.queue(stream: nil)
        for type in ScalarType.allCases {
            for count in 0..<4 {
                let terms = (0..<count).map { Host(shape: $0.isMultiple(of: 2) ? own : target, type, seed: $0) }
                let (host, device) = (HostArrays(), DeviceArrays(queue, on: accelerator))
                let bytes = target.reduce(type.byteCount, *)
                let expected = host.allocate(bytes)
                host.store(totalOf: terms.map(\.input), type, shape: target, to: expected)
                let total = try device.allocate(bytes)
                let memory = DeviceMemory(queue)
                try device.store(totalOf: try terms.map { try $0.uploaded(memory) }, type, shape: target, to: total)
                let result = try device.onHost(total, byteCount: bytes)
                let length = target.reduce(1, *)
                let error = distance(type.load(result, 0, count: length), type.load(expected, 0, count: length))
                let roundoff = [ScalarType.float16: 2e-3, .bfloat16: 1e-2][type] ?? 1e-7
                #expect(error < roundoff, "\(type) of \(count)")
            }
        }
    }

    /// Winners with more points each than one sum takes, and slots that nothing fills.
    @Test func gradientsOfWinnersOfManyPoints() throws {
        for (kind, k) in [("Min", 1), ("KMin", 8)] {
            let example = Case(kind: kind, formula: "p*SqDist(x,y)*Sum(b)", k: k, batches: [[2], [], [2], []])
            let smallest = try CompiledExpression(of: example.compiled())
            let shapes = example.shapes(rows: 1_500)
            let withCotangent = shapes + [try shape(of: smallest, shapes)]
            for position in 0..<4 {
                try check(
                    try smallest.gradient(withRespectTo: position), withCotangent, position == 1 ? .float32 : .float64)
            }
        }
    }

    @Test func valuesThatAreKnownAreNotComputedAgain() throws {
        let example = Self.cases[2]
        let sum = try CompiledExpression(of: example.compiled())
        let gradient = try sum.gradient(withRespectTo: 1)
        let ownShape = try shape(of: sum, example.shapes())
        let device = try DeviceCall(gradient, example.shapes() + [ownShape], .float64)
        // Known to be something else: then the gradient is another.
        let known = Host(shape: ownShape, .float64, seed: 77)
        let result = try device.run([(sum, try known.uploaded(device.memory))])
        let hosts = device.hosts
        let expected = try run(gradient, hosts.map(\.input), [(sum, known.input)])
        #expect(distance(result, expected) < 1e-10)
        #expect(distance(result, try device.run()) > 1e-3)
    }

    @Test func memoryIsToldBeforehand() throws {
        let sum = try CompiledExpression(of: Self.cases[0].compiled())
        let gradient = try sum.gradient(withRespectTo: 3)
        let shapes = Self.cases[0].shapes(rows: 1_000)
        let device = try DeviceCall(gradient, shapes + [try shape(of: sum, shapes)], .float32)
        // The terms of each row, before they are added up.
        let bytes = try gradient.deviceMemory(for: device.inputs, options: device.options)
        #expect(bytes.count == 1 && bytes[0] >= 4_000)
        var options = device.options
        options.memory = .host
        #expect(try gradient.deviceMemory(for: device.inputs, options: options)[0] > bytes[0])
    }

    @Test func mistakesAreSentences() throws {
        let sum = try Self.cases[0].compiled()
        let call = try DeviceCall(CompiledExpression(of: sum), Self.cases[0].shapes(), .float32)
        for devices: [Device] in [[], [.openCL(0), .openCL(1)]] {
            var options = call.options
            options.devices = devices
            let count = devices.isEmpty ? "no device was" : "2 devices were"
            let message = "Arrays in a device's memory are computed with there; \(count) named."
            #expect(throws: BindingError(message)) { try call.run(options: options) }
        }
    }

    // MARK: Comparisons

    private func shape(of expression: CompiledExpression, _ shapes: [[Int]]) throws -> [Int] {
        try expression.resultShape(for: shapes.map { InputArray(UnsafeRawPointer(bitPattern: 64)!, type: .float64, shape: $0) })
    }

    private func check(_ expression: CompiledExpression, _ shapes: [[Int]], _ type: ScalarType) throws {
        let device = try DeviceCall(expression, shapes, type)
        let result = try device.run()
        let expected = try run(expression, device.hosts.map(\.input))
        let error = distance(result, expected)
        let limit = [ScalarType.float16: 1e-2, .bfloat16: 5e-2, .float32: 1e-4, .float64: 1e-10][type]!
        #expect(result.count == expected.count && error < limit, "\(expression.declarations.count) inputs, \(type): \(error)")
        // Without a stream the call waits; and host arrays are copied.
        var options = device.options
        options.memory = .device(stream: 0)
        #expect(distance(try device.run(options: options), result) == 0)
        options.memory = .host
        #expect(distance(try run(expression, device.hosts.map(\.input), options: options), result) < limit)
    }

    private func run(
        _ expression: CompiledExpression, _ inputs: [InputArray], _ known: [(CompiledExpression, InputArray)] = [],
        options: ExecutionOptions = ExecutionOptions(engine: .interpreter)
    ) throws -> [Double] {
        let count = try expression.resultShape(for: inputs).reduce(1, *)
        let result = Host(shape: [count], inputs[0].type, seed: 0)
        try expression.run(inputs, options: options, known: known, values: result.bytes)
        return result.numbers
    }

    private func distance(_ a: [Double], _ b: [Double]) -> Double {
        let scale = b.map(abs).max().map { max($0, 1e-3) } ?? 1
        return zip(a, b).map { $0.isFinite && $1.isFinite ? abs($0 - $1) / scale : $0 == $1 ? 0 : .infinity }.max() ?? 0
    }
}

/// An array of random numbers on the host.
private final class Host {
    let shape: [Int]
    let type: ScalarType
    let bytes: UnsafeMutableRawBufferPointer

    init(shape: [Int], _ type: ScalarType, seed: Int) {
        (self.shape, self.type) = (shape, type)
        bytes = .allocate(byteCount: max(1, shape.reduce(type.byteCount, *)), alignment: 64)
        var random = RandomSource(seed: seed)
        for place in 0..<shape.reduce(1, *) { type.store(random.uniform(0.1, 1), bytes.baseAddress!, place) }
    }

    deinit { bytes.deallocate() }

    var input: InputArray { InputArray(bytes.baseAddress!, type: type, shape: shape) }
    var numbers: [Double] { type.load(bytes.baseAddress!, 0, count: shape.reduce(1, *)) }

    func uploaded(_ memory: DeviceMemory) throws -> InputArray {
        let buffer = try memory.allocate(bytes.count)
        try memory.queue.upload(bytes.baseAddress!, to: buffer, at: 0, byteCount: shape.reduce(type.byteCount, *))
        return InputArray(UnsafeRawPointer(bitPattern: buffer.handle)!, type: type, shape: shape)
    }
}

/// An expression with its arrays on the device, as a caller would have them.
private struct DeviceCall {
    let expression: CompiledExpression
    let hosts: [Host]
    let inputs: [InputArray]
    let memory: DeviceMemory
    let result: InputArray
    var options: ExecutionOptions

    init(_ expression: CompiledExpression, _ shapes: [[Int]], _ type: ScalarType) throws {
        self.expression = expression
        hosts = shapes.enumerated().map { Host(shape: $1, type, seed: $0) }
        let device = try #require(testDevice)
        memory = DeviceMemory(try device.accelerator().queue(stream: nil))
        let uploading = memory
        inputs = try hosts.map { try $0.uploaded(uploading) }
        let shape = try expression.resultShape(for: inputs)
        let buffer = try memory.allocate(shape.reduce(type.byteCount, *))
        self.result = InputArray(UnsafeRawPointer(bitPattern: buffer.handle)!, type: type, shape: shape)
        options = ExecutionOptions(devices: [device])
        options.memory = .device(stream: memory.queue.stream)
    }

    func run(
        _ known: [(CompiledExpression, InputArray)] = [], options: ExecutionOptions? = nil
    ) throws -> [Double] {
        let count = result.shape.reduce(1, *)
        let target = UnsafeMutableRawBufferPointer(
            start: UnsafeMutableRawPointer(mutating: result.base), count: count * result.type.byteCount)
        let options = options ?? self.options
        try expression.run(inputs, options: options, known: known, values: target)
        // What is on another stream comes first.
        if case .device(let stream) = options.memory, stream != memory.queue.stream, let device = options.device {
            try memory.queue.wait(for: try device.accelerator().queue(stream: stream))
        }
        let copy = Host(shape: [max(1, count)], result.type, seed: 0)
        try memory.queue.download(
            DeviceBuffer(result.base, count * result.type.byteCount), at: 0, to: copy.bytes.baseAddress!,
            byteCount: count * result.type.byteCount)
        try memory.queue.finish()
        return Array(copy.numbers.prefix(count))
    }
}
