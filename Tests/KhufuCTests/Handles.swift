import KhufuC
import KhufuHeader

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// What a function of the interface reported.
struct InterfaceError: Error, CustomStringConvertible {
    var description: String
}

var lastError: String { String(cString: khufu_last_error()) }

func succeeded(_ status: khufu_status) throws(InterfaceError) {
    guard status == KHUFU_OK else { throw InterfaceError(description: lastError) }
}

func withTexts<Result>(_ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) throws -> Result) rethrows -> Result {
    let copies = texts.map { strdup($0)! }
    defer { copies.forEach { free($0) } }
    return try copies.map { UnsafePointer<CChar>?($0) }.withUnsafeBufferPointer { try body($0.baseAddress!) }
}

/// Arrays of one type in the interface's form; there are as many as shapes.
func withArrays<Scalar: BinaryFloatingPoint, Result>(
    _ arrays: [[Scalar]], _ shapes: [[Int64]], _ body: (UnsafeBufferPointer<khufu_array>) throws -> Result
) rethrows -> Result {
    var data: [UnsafeMutableBufferPointer<Scalar>] = [], lengths: [UnsafeMutableBufferPointer<Int64>] = []
    var described: [khufu_array] = []
    for (numbers, shape) in zip(arrays, shapes) {
        data.append(.allocate(capacity: max(1, numbers.count)))
        _ = data.last!.initialize(fromContentsOf: numbers)
        lengths.append(.allocate(capacity: max(1, shape.count)))
        _ = lengths.last!.initialize(fromContentsOf: shape)
        described.append(
            khufu_array(
                data: UnsafeRawPointer(data.last!.baseAddress!), shape: UnsafePointer(lengths.last!.baseAddress!),
                rank: Int32(shape.count), type: Scalar.self == Float.self ? 1 : 2))
    }
    defer {
        data.forEach { $0.deallocate() }
        lengths.forEach { $0.deallocate() }
    }
    return try described.withUnsafeBufferPointer(body)
}

/// A formula, released with its last reference.
final class FormulaHandle {
    let pointer: OpaquePointer

    init(_ text: String, _ operands: [String: FormulaHandle] = [:]) throws {
        var made: OpaquePointer?
        let names = operands.keys.sorted()
        try withTexts(names) { texts in
            try succeeded(khufu_formula_parse(text, texts, names.map { operands[$0]!.pointer }, Int32(names.count), &made))
        }
        pointer = made!
    }

    deinit { khufu_formula_release(pointer) }

    var text: String {
        var buffer = [CChar](repeating: 0, count: khufu_formula_text(pointer, nil, 0))
        _ = khufu_formula_text(pointer, &buffer, buffer.count)
        return String(decoding: buffer.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A reduction, released with its last reference.
final class Handle {
    let pointer: OpaquePointer

    init(
        _ make: (UnsafePointer<UnsafePointer<CChar>?>, UnsafeMutablePointer<OpaquePointer?>) -> khufu_status,
        from declarations: [String]
    ) throws {
        var made: OpaquePointer?
        try withTexts(declarations + [""]) { try succeeded(make($0, &made)) }
        pointer = made!
    }

    convenience init(parsing text: String, _ declarations: [String]) throws {
        try self.init({ khufu_reduction_parse(text, $0, Int32(declarations.count), $1) }, from: declarations)
    }

    deinit { khufu_reduction_release(pointer) }

    var result: (khufu_category, Int64, Int64) {
        var (category, values, indices) = (KHUFU_I, Int64(-1), Int64(-1))
        khufu_reduction_result(pointer, &category, &values, &indices)
        return (category, values, indices)
    }

    func input(_ position: Int32) -> (khufu_category, Int64) {
        var (category, dimension) = (KHUFU_I, Int64(-1))
        _ = khufu_reduction_input(pointer, position, &category, &dimension)
        return (category, dimension)
    }

    func shape(_ arrays: [[Float]], _ shapes: [[Int64]]) throws -> [Int64] {
        var (lengths, rank) = ([Int64](repeating: 0, count: 8), Int32(0))
        try withArrays(arrays, shapes) { arrays in
            try succeeded(khufu_reduction_shape(pointer, arrays.baseAddress, Int32(arrays.count), &lengths, 8, &rank))
        }
        return Array(lengths.prefix(Int(rank)))
    }

    func run(
        _ arrays: [[Float]], _ shapes: [[Int64]], count: Int, indexCount: Int = 0, options: khufu_options = .init()
    ) throws -> (values: [Float], indices: [Int64]) {
        var (values, indices) = ([Float](repeating: .nan, count: count), [Int64](repeating: -1, count: indexCount))
        try withArrays(arrays, shapes) { arrays in
            try withUnsafePointer(to: options) { options in
                try succeeded(
                    khufu_reduction_run(
                        pointer, arrays.baseAddress, Int32(arrays.count), options, &values, Int64(count), &indices,
                        Int64(indexCount)))
            }
        }
        return (values, indices)
    }
}
