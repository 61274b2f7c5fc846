/// What operations say their generated code in: scalar instructions, loops and arrays, with no text and no device.
///
/// A ``Value`` is one number per pair (row, column), or per row, or one for all, as its operands are; the emitter knows
/// which, and places each instruction in the earliest stage that its operands allow.
public protocol Emitter: AnyObject {
    /// Any Double, infinities included.
    func constant(_ value: Double) -> Value
    func apply(_ instruction: Instruction, _ operands: [Value]) -> Value

    /// `count` repetitions that carry some values along: `values = body(k, values)`. Short ones are unrolled.
    func fold(_ count: Int, from initial: [Value], _ body: (Index, [Value]) -> [Value]) -> [Value]
    /// Whether the first of so many repetitions had better not be taken out of the loop.
    func keepsLoopsWhole(_ count: Int) -> Bool
    /// `count` repetitions for their stores.
    func loop(_ count: Int, _ body: (Index) -> Void)
    /// Keeps the loops written by `body` as loops: for bodies too large to be copied.
    func withoutUnrolling<Result>(_ body: () -> Result) -> Result
    /// A repetition counter as a number.
    func number(_ index: Index) -> Value

    /// Fresh memory of the kernel's own, uninitialised.
    func array(_ count: Int) -> ArrayReference
    func store(_ value: Value, in array: ArrayReference, at index: Index)
    func load(_ array: ArrayReference, at index: Index) -> Value
}

/// Memory of `count` numbers inside a kernel.
public struct ArrayReference: Hashable, Sendable {
    public let id: Int
    public let count: Int

    public init(id: Int, count: Int) {
        self.id = id
        self.count = count
    }
}

/// The instructions that every dialect can print.
public enum Instruction: Hashable, Sendable {
    case negate, add, subtract, multiply, divide
    case absolute, squareRoot, floor, round
    /// 1/√x, and 0 at 0.
    case reciprocalSquareRoot
    case exp, log, sin, cos, arcsin, arccos, arctan
    /// 2^x.
    case exp2
    /// 2^x to about four digits.
    case fastExp2
    /// arctan2(y, x).
    case arctan2
    case power
    /// Comparisons yield masks, which only `and`, `or`, `not` and `select` take. All are false on NaN but `notEqual`.
    case less, lessOrEqual, equal, notEqual
    case and, or, not
    /// select(mask, a, b): a where the mask holds, else b.
    case select
    /// A function of the C library, CUDA and OpenCL under one name, for what is rare: `library("erf")`.
    case library(String)
}

/// The result of an instruction.
public struct Value {
    public let id: Int
    public let emitter: any Emitter

    public init(id: Int, emitter: any Emitter) {
        self.id = id
        self.emitter = emitter
    }

    public func apply(_ instruction: Instruction, _ others: Value...) -> Value { emitter.apply(instruction, [self] + others) }

    public static func + (a: Value, b: Value) -> Value { a.apply(.add, b) }
    public static func - (a: Value, b: Value) -> Value { a.apply(.subtract, b) }
    public static func * (a: Value, b: Value) -> Value { a.apply(.multiply, b) }
    public static func / (a: Value, b: Value) -> Value { a.apply(.divide, b) }
    public static prefix func - (a: Value) -> Value { a.apply(.negate) }
    public static func < (a: Value, b: Value) -> Value { a.apply(.less, b) }
    public static func > (a: Value, b: Value) -> Value { b.apply(.less, a) }
    public static func <= (a: Value, b: Value) -> Value { a.apply(.lessOrEqual, b) }
    public static func >= (a: Value, b: Value) -> Value { b.apply(.lessOrEqual, a) }
    public static func == (a: Value, b: Value) -> Value { a.apply(.equal, b) }
    public static func != (a: Value, b: Value) -> Value { a.apply(.notEqual, b) }
    public static func && (a: Value, b: Value) -> Value { a.apply(.and, b) }
    public static func || (a: Value, b: Value) -> Value { a.apply(.or, b) }

    /// `a` where this mask holds, else `b`.
    public func select(_ a: Value, _ b: Value) -> Value { apply(.select, a, b) }

    /// Whether this is not a number, as a mask.
    var isNaN: Value { self != self }
}

extension Emitter {
    /// Σ over k of the body.
    package func sum(_ count: Int, _ body: (Index) -> Value) -> Value {
        guard count > 0 else { return constant(0) }
        if keepsLoopsWhole(count) { return fold(count, from: [constant(0)]) { k, total in [total[0] + body(k)] }[0] }
        // Starting from the first term rather than from 0 saves an addition where the loop is unrolled.
        let first = body(0)
        guard count > 1 else { return first }
        return fold(count - 1, from: [first]) { k, total in [total[0] + body(k + 1)] }[0]
    }

    func constant(_ value: Int) -> Value { constant(Double(value)) }
}
