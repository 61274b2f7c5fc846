import Engines
import Formulas
import Khufu
import KhufuHeader

/// A progress function that asked to stop.
struct Cancellation: Error, CustomStringConvertible {
    var description: String { "The progress function asked to stop." }
}

/// Runs the body of a function of the header: errors become its status and the thread's last error.
func reporting(_ body: () throws -> Void) -> khufu_status {
    Forks.areWatched
    do {
        try body()
        return KHUFU_OK
    } catch {
        khufu_set_last_error("\(error)")
        return status(of: error)
    }
}

private func status(of error: any Error) -> khufu_status {
    switch error {
    case is FormulaError: KHUFU_FORMULA_ERROR
    case is EngineError: KHUFU_ENGINE_ERROR
    case is Cancellation: KHUFU_CANCELLED
    case SolverError.notPositiveDefinite, SolverError.notConverged, SolverError.stagnated: KHUFU_SOLVER_ERROR
    default: KHUFU_ARGUMENT_ERROR
    }
}

/// Text of the caller's, with a sentence for NULL.
func text(_ pointer: UnsafePointer<CChar>?, _ name: String) throws(BindingError) -> String {
    guard let pointer else { throw BindingError("\(name) is NULL; text was expected.") }
    return String(cString: pointer)
}

/// A list of texts of the caller's.
func texts(
    _ pointer: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int32, _ name: String
) throws(BindingError) -> [String] {
    var result: [String] = []
    for k in try indices(count, of: pointer, name) { result.append(try text(pointer![k], "\(name)[\(k)]")) }
    return result
}

/// 0..<count for an array of the caller's, which may only be NULL where it is empty.
func indices<Element>(_ count: some BinaryInteger, of pointer: UnsafePointer<Element>?, _ name: String) throws(BindingError)
    -> Range<Int>
{
    guard count >= 0, count == 0 || pointer != nil else {
        throw BindingError("\(name) has a count of \(count)\(pointer == nil ? " and is NULL" : "").")
    }
    return 0..<Int(count)
}

/// Hands an object to the caller, who releases it.
func give<Object: AnyObject>(_ object: Object, to destination: UnsafeMutablePointer<OpaquePointer?>?) throws(BindingError) {
    guard let destination else { throw BindingError("The place for the result is NULL.") }
    destination.pointee = OpaquePointer(Unmanaged.passRetained(object).toOpaque())
}

/// An object that the caller owns.
func borrow<Object: AnyObject>(_ pointer: OpaquePointer?, _: Object.Type, _ name: String) throws(BindingError) -> Object {
    guard let pointer else { throw BindingError("\(name) is NULL.") }
    return Unmanaged<Object>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
}

func release<Object: AnyObject>(_ pointer: OpaquePointer?, _: Object.Type) {
    if let pointer { Unmanaged<Object>.fromOpaque(UnsafeRawPointer(pointer)).release() }
}

/// Writes text with its final zero, or what there is room for.
///
/// - Returns: the bytes that all of it takes.
func write(_ text: String, to buffer: UnsafeMutablePointer<CChar>?, capacity: Int) -> Int {
    var text = text
    return text.withUTF8 { bytes in
        if let buffer, capacity > 0 {
            let count = min(bytes.count, capacity - 1)
            for k in 0..<count { buffer[k] = CChar(bitPattern: bytes[k]) }
            buffer[count] = 0
        }
        return bytes.count + 1
    }
}
