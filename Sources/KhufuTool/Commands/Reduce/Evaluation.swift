import Engines
import Formulas
import Kernels

/// A reduction's result, with what it took.
struct Evaluation {
    let values: NumberArray?
    let indices: PointArray?
    /// Pairs of points that entered; as a Double, which no product of sizes overflows.
    let pairs: Double
    let device: Device
    /// For finding or compiling the machine code.
    let preparation: Duration
    let time: Duration

    /// Runs a reduction on data.
    init(_ compiled: CompiledReduction, _ arrays: [NumberArray], _ options: DeviceOptions) throws {
        let inputs = arrays.map(\.input)
        let shape = try compiled.resultShape(for: inputs)
        let type = arrays.first?.type ?? .float64
        let values = shape.values > 0 ? try NumberArray(type: type, shape: shape.batch + [shape.rows, shape.values]) : nil
        let indexShape = shape.batch + [shape.rows, shape.indices]
        var indices = [Int64](repeating: 0, count: try Self.checkedCount(indexShape))

        let clock = ContinuousClock()
        let start = clock.now
        let device = try Device(options) { try compiled.prepare(inputs, $0) }
        let ready = clock.now

        pairs = compiled.pairs(arrays)
        let progress = ProgressLine(compiled.reduction.name, total: Int(min(pairs, 1e18)))
        try indices.withUnsafeMutableBufferPointer { indices in
            try compiled.run(
                inputs, options: device.options(progress: progress),
                values: values?.output ?? UnsafeMutableRawBufferPointer(start: nil, count: 0), indices: indices)
        }
        progress.finish()
        time = clock.now - ready
        preparation = ready - start
        self.values = values
        self.indices = shape.indices > 0 ? PointArray(shape: indexShape, storage: .int64(indices)) : nil
        self.device = device
    }

    private static func checkedCount(_ shape: [Int]) throws(Failure) -> Int {
        try NumberArray(type: .float64, shape: shape).count
    }
}

extension CompiledReduction {
    /// Runs on the first point of each input: finds or compiles the machine code, and next to nothing else.
    func prepare(_ inputs: [InputArray], _ device: Device) throws {
        // With no points there is nothing to compile for, and no first point.
        guard inputs.allSatisfy({ !$0.shape.contains(0) }) else { return }
        let single = zip(declarations, inputs).map { declaration, input in
            let shape = declaration.variable.category == .parameter ? input.shape.suffix(1) : [1] + input.shape.suffix(1)
            return InputArray(input.base, type: input.type, shape: Array(shape))
        }
        let shape = try resultShape(for: single)
        let values = UnsafeMutableRawBufferPointer.allocate(byteCount: max(8, 8 * shape.valueTotal), alignment: 64)
        let indices = UnsafeMutableBufferPointer<Int64>.allocate(capacity: max(1, shape.indexTotal))
        defer {
            values.deallocate()
            indices.deallocate()
        }
        try run(single, options: ExecutionOptions(engine: device.engine, threads: 1), values: values, indices: indices)
    }

    /// How many pairs of points there are, over the whole batch.
    func pairs(_ arrays: [NumberArray]) -> Double {
        var points: [Category: Double] = [:]
        var batch: [Int] = []
        for (declaration, array) in zip(declarations, arrays) where declaration.variable.category != .parameter {
            points[declaration.variable.category] = Double(array.shape[array.shape.count - 2])
            let own = Array(array.shape.dropLast(2))
            let rank = max(batch.count, own.count)
            batch = zip(Array(repeating: 1, count: rank - batch.count) + batch, Array(repeating: 1, count: rank - own.count) + own)
                .map { max($0, $1) }
        }
        return batch.reduce(1) { $0 * Double($1) } * (points[.i] ?? 1) * (points[.j] ?? 1)
    }
}
