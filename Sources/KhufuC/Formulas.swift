import Engines
import Formulas
import KhufuHeader

/// What a `khufu_formula` points to.
final class FormulaObject: Sendable {
    let formula: Formula
    init(_ formula: Formula) { self.formula = formula }
}

func formula(_ pointer: OpaquePointer?, _ name: String) throws(BindingError) -> Formula {
    try borrow(pointer, FormulaObject.self, name).formula
}

@c @implementation
public func khufu_formula_parse(
    _ source: UnsafePointer<CChar>!, _ names: UnsafePointer<UnsafePointer<CChar>?>!, _ operands: UnsafePointer<OpaquePointer?>!,
    _ count: Int32, _ result: UnsafeMutablePointer<OpaquePointer?>!
) -> khufu_status {
    reporting {
        var formulas: [String: Formula] = [:]
        let names = try texts(names, count, "names")
        for k in try indices(count, of: operands, "operands") {
            formulas[names[k]] = try formula(operands[k], "operands[\(k)]")
        }
        try give(FormulaObject(try Formula(parsing: try text(source, "The formula"), formulas: formulas)), to: result)
    }
}

@c @implementation
public func khufu_formula_dimension(_ pointer: OpaquePointer!) -> Int64 {
    (try? formula(pointer, "The formula")).map { Int64($0.dimension) } ?? 0
}

@c @implementation
public func khufu_formula_text(_ pointer: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int) -> Int {
    write((try? formula(pointer, "The formula"))?.text(limit: nil) ?? "", to: buffer, capacity: capacity)
}

@c @implementation
public func khufu_formula_release(_ pointer: OpaquePointer!) { release(pointer, FormulaObject.self) }
