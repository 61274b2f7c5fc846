import ArrayFiles
import Engines
import Formulas
import Kernels

/// A result, with what it took.
struct Evaluation {
    let values: NumberArray?
    let indices: PointArray?
    /// Pairs of points of the reduction; as a Double, which no product of sizes overflows.
    let pairs: Double
    /// Those of them that the formula was evaluated for.
    let evaluatedPairs: Double
    let device: ChosenDevice
    /// For finding or compiling the machine code.
    let preparation: Duration
    /// One per repetition.
    let times: [Duration]
    var time: Duration { times.min()! }

    /// Runs a reduction on data.
    init(_ compiled: CompiledReduction, _ arrays: [NumberArray], _ options: DeviceOptions) throws {
        let shape = try arrays.withInputs { try compiled.resultShape(for: $0) }
        let values =
            shape.values > 0
            ? try NumberArray(type: arrays.commonType, shape: shape.batch + [shape.rows, shape.values]) : nil
        let indexShape = shape.batch + [shape.rows, shape.indices]
        var indices = [Int64](repeating: 0, count: try NumberArray.checkedCount(indexShape, .float64))

        let timing = try Timing(options, pairs: compiled.pairs(arrays), title: compiled.reduction.name) { options, isFirst in
            try arrays.withInputs { inputs -> RunReport? in
                let inputs = isFirst ? compiled.firstPoints(of: inputs) : inputs
                return try indices.withUnsafeMutableBufferPointer { indices in
                    func run(_ values: UnsafeMutableRawBufferPointer) throws -> RunReport {
                        try compiled.run(inputs, options: options, values: values, indices: indices)
                    }
                    return try values?.withOutput(run) ?? run(.init(start: nil, count: 0))
                }
            }
        }
        self.init(
            values: values, indices: shape.indices > 0 ? PointArray(shape: indexShape, storage: .int64(indices)) : nil, timing)
    }

    /// The gradient of Σ result × cotangent with respect to one input, of that input's shape.
    init(
        gradientOf compiled: CompiledReduction, at position: Int, _ arrays: [NumberArray], cotangent: NumberArray,
        _ options: DeviceOptions
    ) throws {
        let gradient = try NumberArray(type: arrays.commonType, shape: arrays[position].shape)
        let title = "Gradient of \(compiled.reduction.name)"
        let timing = try Timing(options, pairs: compiled.pairs(arrays), title: title) { options, isFirst in
            try arrays.withInputs { inputs in
                try cotangent.withInput { cotangent in
                    var cotangent = cotangent
                    if isFirst { cotangent.shape = [1] + cotangent.shape.suffix(1) }
                    let inputs = isFirst ? compiled.firstPoints(of: inputs) : inputs
                    try gradient.withOutput { gradient in
                        try compiled.gradient(
                            withRespectTo: position, inputs, cotangent: cotangent, options: options, into: gradient)
                    }
                }
            }
            return nil
        }
        self.init(values: gradient, indices: nil, timing)
    }

    private init(values: NumberArray?, indices: PointArray?, _ timing: Timing) {
        self.values = values
        self.indices = indices
        pairs = timing.pairs
        evaluatedPairs = timing.report.map { Double($0.evaluatedPairs) } ?? timing.pairs
        device = timing.device
        preparation = timing.preparation
        times = timing.times
    }
}

/// A computation run on the first points, which makes the machine code and shows whether the engine can run at all; then on
/// everything, as often as is asked, with its progress shown.
private struct Timing {
    let pairs: Double
    let device: ChosenDevice
    let preparation: Duration
    let times: [Duration]
    /// Of the last time.
    let report: RunReport?

    /// - Parameter compute: tells what it did, where it knows.
    init(
        _ options: DeviceOptions, pairs: Double, title: String,
        _ compute: (_ options: ExecutionOptions, _ isFirst: Bool) throws -> RunReport?
    ) throws {
        let clock = ContinuousClock()
        let start = clock.now
        // Without points there is no first one, and nothing that needs machine code.
        device = try ChosenDevice(options) { device in
            if pairs > 0 { _ = try compute(device.options(), true) }
        }
        preparation = clock.now - start
        var (times, report): ([Duration], RunReport?) = ([], nil)
        for _ in 0..<options.repetitions {
            let progress = ProgressLine(title, total: Int(min(pairs, 1e18)))
            defer { progress.finish() }
            let begin = clock.now
            report = try compute(device.options(progress: progress), false)
            times.append(clock.now - begin)
        }
        self.times = times
        self.report = report
        self.pairs = pairs
    }
}

extension CompiledReduction {
    /// The same inputs with one point each, and no batch.
    fileprivate func firstPoints(of inputs: [InputArray]) -> [InputArray] {
        zip(declarations, inputs).map { declaration, input in
            let dimension = Array(input.shape.suffix(1))
            let shape = declaration.variable.category == .parameter ? dimension : [1] + dimension
            return InputArray(input.base, type: input.type, shape: shape)
        }
    }

    /// How many pairs of points there are, over the whole batch.
    fileprivate func pairs(_ arrays: [NumberArray]) -> Double {
        var points: [Category: Double] = [:]
        var batch: [Double] = []
        for (declaration, array) in zip(declarations, arrays) where declaration.variable.category != .parameter {
            points[declaration.variable.category] = Double(array.shape[array.shape.count - 2])
            for (axis, length) in array.shape.dropLast(2).reversed().enumerated() {
                if axis == batch.count { batch.append(1) }
                if length != 1 { batch[axis] = Double(length) }
            }
        }
        return batch.reduce(1, *) * (points[.i] ?? 1) * (points[.j] ?? 1)
    }
}

extension [NumberArray] {
    /// The type of all inputs; that of constants where there is none.
    fileprivate var commonType: ScalarType { first?.type ?? .float64 }
}
