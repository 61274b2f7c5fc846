import Formulas

/// How a C-like language spells the program's instructions and types. A dialect is data; the statements are printed by one
/// printer for all.
struct Dialect: Sendable {
    var precision: Precision

    /// The type of a register or array element.
    func type(_ element: ElementType) -> String {
        switch element {
        case .number: suffix(precision.arithmetic)
        case .wide: suffix(precision.accumulator)
        case .position, .mask: precision.arithmetic == .float64 ? "i64" : "i32"
        case .wideMask: precision.accumulator == .float64 ? "i64" : "i32"
        }
    }

    /// `f32` or `f64`, which are also the suffixes of functions.
    private func suffix(_ type: ScalarType) -> String { type == .float64 ? "f64" : "f32" }

    /// The C type of an array in memory.
    static func scalar(_ type: ScalarType) -> String {
        switch type {
        case .float16: "unsigned short"
        case .float32: "float"
        case .float64: "double"
        }
    }

    /// A number as a literal of an element type.
    func literal(_ value: Double, _ element: ElementType) -> String {
        let isSingle = type(element) == "f32"
        let letter = isSingle ? "f" : ""
        if value.isNaN { return "__builtin_nan\(letter)(\"\")" }
        if value.isInfinite { return (value < 0 ? "-" : "") + "__builtin_inf\(letter)()" }
        let text = isSingle ? "\(Float(value))" : "\(value)"
        // A number beyond float's range is infinite there, as the data would be.
        if text.hasSuffix("inf") { return (value < 0 ? "-" : "") + "__builtin_inff()" }
        return text + letter
    }

    /// Infix operators.
    static func infix(_ instruction: Instruction) -> String? {
        switch instruction {
        case .add: "+"
        case .subtract: "-"
        case .multiply: "*"
        case .divide: "/"
        case .less: "<"
        case .lessOrEqual: "<="
        case .equal: "=="
        case .notEqual: "!="
        case .and: "&"
        case .or: "|"
        default: nil
        }
    }

    /// Functions of the vector prelude.
    static func function(_ instruction: Instruction) -> String? {
        switch instruction {
        case .absolute: "abs"
        case .squareRoot: "sqrt"
        case .reciprocalSquareRoot: "rsqrt"
        case .floor: "floor"
        case .round: "round"
        case .exp: "exp"
        case .exp2: "exp2"
        case .fastExp2: "fast_exp2"
        case .log: "log"
        case .sin: "sin"
        case .cos: "cos"
        case .arcsin: "asin"
        case .arccos: "acos"
        case .arctan: "atan"
        case .arctan2: "atan2"
        case .power: "pow"
        case .select: "select"
        case .library(let name): name
        default: nil
        }
    }
}
