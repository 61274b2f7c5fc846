import Engines
import Kernels
import KhufuHeader

/// The caller's arrays as the engine takes them; their memory is not read.
func arrays(_ pointer: UnsafePointer<khufu_array>?, _ count: Int32) throws(BindingError) -> [InputArray] {
    var result: [InputArray] = []
    for k in try indices(count, of: pointer, "inputs") { result.append(try array(pointer![k], "Input \(k)")) }
    return result
}

func array(_ array: khufu_array, _ name: String) throws(BindingError) -> InputArray {
    let type = try scalarType(array.type, name)
    var shape: [Int] = []
    for axis in try indices(array.rank, of: array.shape, "The shape of \(name)") { shape.append(Int(array.shape[axis])) }
    if let data = array.data {
        guard Int(bitPattern: data) % type.byteCount == 0 else {
            throw BindingError("\(name) lies at an address that is no multiple of the size of a \(type.rawValue).")
        }
    } else if !shape.contains(0) {
        throw BindingError("\(name) has shape \(shape) and is NULL.")
    }
    // What is empty is never read.
    return InputArray(array.data ?? UnsafeRawPointer(bitPattern: 64)!, type: type, shape: shape)
}

private func scalarType(_ number: Int32, _ name: String) throws(BindingError) -> ScalarType {
    switch khufu_type(UInt32(bitPattern: number)) {
    case KHUFU_FLOAT16: .float16
    case KHUFU_FLOAT32: .float32
    case KHUFU_FLOAT64: .float64
    case KHUFU_BFLOAT16: .bfloat16
    default: throw BindingError("The type of \(name) is 0 to 3, for float16, float32, float64 and bfloat16; \(number) came.")
    }
}

extension ExecutionOptions {
    init(_ pointer: UnsafePointer<khufu_options>?) throws {
        self.init()
        guard let given = pointer?.pointee else { return }
        switch khufu_engine(UInt32(bitPattern: given.engine)) {
        case KHUFU_AUTOMATIC: engine = .automatic
        case KHUFU_CPU: engine = .cpu
        case KHUFU_INTERPRETER: engine = .interpreter
        case KHUFU_CUDA, KHUFU_OPENCL: break
        default: throw BindingError("An engine is 0 to 4: automatic, CPU, interpreter, CUDA, OpenCL; \(given.engine) came.")
        }
        guard given.threads >= 0 else { throw BindingError("A number of threads is 0 or more; \(given.threads) came.") }
        threads = given.threads == 0 ? nil : Int(given.threads)
        exponentials = given.fast_exponentials == 0 ? .accurate : .fast
        innerProducts = given.fast_inner_products == 0 ? .accurate : .fast
        switch khufu_pruning(UInt32(bitPattern: given.pruning)) {
        case KHUFU_PRUNING_AUTOMATIC: pruning = .automatic
        case KHUFU_PRUNING_ALWAYS: pruning = .always
        case KHUFU_PRUNING_NEVER: pruning = .never
        default: throw BindingError("Pruning is 0 to 2: automatic, always, never; \(given.pruning) came.")
        }
        tolerance = given.tolerance == 0 ? nil : given.tolerance
        try setDevices(given)
        let count = try indices(given.range_count, of: given.ranges, "ranges").count
        if count > 0 { sparsity = BlockSparsity(patterns: try (0..<count).map { try .init(given.ranges[$0]) }) }
    }
}

extension ExecutionOptions {
    fileprivate mutating func setDevices(_ given: khufu_options) throws(BindingError) {
        let numbers = try indices(given.device_count, of: given.devices, "devices").map { given.devices[$0] }
        if let library = Device.Library(engine: given.engine) {
            if let number = numbers.first(where: { $0 < 0 }) {
                throw BindingError("Devices are numbered from 0; \(number) came.")
            }
            devices = (numbers.isEmpty ? [0] : numbers).map { library.device(Int($0)) }
        } else if !numbers.isEmpty {
            throw BindingError("Devices are those of an engine that is CUDA or OpenCL, 3 or 4; engine \(given.engine) came.")
        }
        guard given.device_memory_limit >= 0 else {
            throw BindingError(
                "A limit of the device's memory is 0 bytes, for most of it, or more; \(given.device_memory_limit) came.")
        }
        deviceMemoryLimit = given.device_memory_limit == 0 ? nil : Int(given.device_memory_limit)
        switch khufu_memory(UInt32(bitPattern: given.memory)) {
        case KHUFU_HOST:
            guard given.stream == nil else {
                throw BindingError("A stream is that of arrays on a device; these are on the host.")
            }
        case KHUFU_DEVICE:
            guard devices.count == 1 else {
                throw BindingError(
                    "Arrays on a device are computed with there, by one device of CUDA's or OpenCL's; \(devices.count) came.")
            }
            memory = .device(stream: UInt(bitPattern: given.stream))
        default: throw BindingError("Memory is 0 or 1: the host's, the device's; \(given.memory) came.")
        }
    }
}

extension Device.Library {
    init?(engine: Int32) {
        switch khufu_engine(UInt32(bitPattern: engine)) {
        case KHUFU_CUDA: self = .cuda
        case KHUFU_OPENCL: self = .openCL
        default: return nil
        }
    }
}

extension BlockSparsity.Pattern {
    fileprivate init(_ given: khufu_ranges) throws(BindingError) {
        self.init(
            rowRanges: try ranges(given.row_ranges, given.row_range_count, "row_ranges"),
            ends: try indices(given.row_range_count, of: given.ends, "ends").map { Int(given.ends[$0]) },
            columnRanges: try ranges(given.column_ranges, given.column_range_count, "column_ranges"))
    }
}

private func ranges(_ bounds: UnsafePointer<Int64>?, _ count: Int64, _ name: String) throws(BindingError) -> [Range<Int>] {
    var result: [Range<Int>] = []
    for k in try indices(count, of: bounds, name) {
        let (first, end) = (bounds![2 * k], bounds![2 * k + 1])
        guard first <= end else { throw BindingError("\(name)[\(k)] begins at \(first) and ends before it, at \(end).") }
        result.append(Int(first)..<Int(end))
    }
    return result
}

// MARK: - Running

@c @implementation
public func khufu_reduction_shape(
    _ pointer: OpaquePointer!, _ inputs: UnsafePointer<khufu_array>!, _ count: Int32, _ shape: UnsafeMutablePointer<Int64>!,
    _ capacity: Int32, _ rank: UnsafeMutablePointer<Int32>!
) -> khufu_status {
    reporting {
        let result = try reduction(pointer).expression.resultShape(for: try arrays(inputs, count))
        rank?.pointee = Int32(result.count)
        if let shape { for (axis, length) in result.prefix(Int(max(0, capacity))).enumerated() { shape[axis] = Int64(length) } }
    }
}

@c @implementation
public func khufu_reduction_run(
    _ pointer: OpaquePointer!, _ inputs: UnsafePointer<khufu_array>!, _ count: Int32, _ options: UnsafePointer<khufu_options>!,
    _ values: UnsafeMutableRawPointer!, _ valueCapacity: Int64, _ indices: UnsafeMutablePointer<Int64>!, _ indexCapacity: Int64
) -> khufu_status {
    reporting {
        let object = try reduction(pointer)
        let inputs = try arrays(inputs, count)
        let execution = try ExecutionOptions(options)
        let numbers = UnsafeMutableRawBufferPointer(
            start: values, count: try room(valueCapacity, values, "values") * (inputs.first?.type ?? .float64).byteCount)
        let positions = UnsafeMutableBufferPointer(start: indices, count: try room(indexCapacity, indices, "indices"))
        if let compiled = object.reduction {
            try compiled.run(inputs, options: execution, values: numbers, indices: positions)
        } else {
            try object.expression.run(inputs, options: execution, known: try known(options), values: numbers)
        }
    }
}

@c @implementation
public func khufu_reduction_device_memory(
    _ pointer: OpaquePointer!, _ inputs: UnsafePointer<khufu_array>!, _ count: Int32, _ options: UnsafePointer<khufu_options>!,
    _ bytes: UnsafeMutablePointer<Int64>!, _ capacity: Int32
) -> khufu_status {
    reporting {
        let object = try reduction(pointer)
        let inputs = try arrays(inputs, count)
        let execution = try ExecutionOptions(options)
        let taken =
            if let compiled = object.reduction {
                try compiled.bound(to: inputs).deviceMemory(options: execution)
            } else {
                try object.expression.deviceMemory(for: inputs, options: execution, known: try known(options))
            }
        if let bytes { for (place, number) in taken.prefix(Int(max(0, capacity))).enumerated() { bytes[place] = Int64(number) } }
    }
}

private func room<Pointer>(_ capacity: Int64, _ pointer: Pointer?, _ name: String) throws(BindingError) -> Int {
    guard pointer != nil, capacity > 0 else { return 0 }
    guard capacity <= Int64.max / 16 else { throw BindingError("There cannot be room for \(capacity) \(name).") }
    return Int(capacity)
}

private func known(_ options: UnsafePointer<khufu_options>?) throws(BindingError) -> [(CompiledExpression, InputArray)] {
    guard let options = options?.pointee else { return [] }
    var result: [(CompiledExpression, InputArray)] = []
    for k in try indices(options.known_count, of: options.known, "known") {
        let entry = options.known[k]
        result.append((try reduction(entry.reduction).expression, try array(entry.values, "known[\(k)]")))
    }
    return result
}
