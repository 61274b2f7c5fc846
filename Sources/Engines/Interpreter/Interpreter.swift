import Formulas
import Kernels

/// Runs a reduction with no compiler: every formula is evaluated in Double by the operations' reference definitions, every
/// state by the accumulator's. Slow, and independent of all generated code.
struct Interpreter: Sendable {
    let reduction: Reduction
    let type: ScalarType

    /// The states of some rows over some columns, handed to `body` row by row.
    func reduce(
        _ rows: Range<Int>, over ranges: ArraySlice<Range<Int>>, inputs: [UnsafeRawPointer],
        _ body: (_ row: Int, AccumulatorState) -> Void
    ) {
        let variables = reduction.variables
        func vector(_ place: Int, at point: Int) -> [Double] {
            let dimension = variables[place].dimension
            return type.load(inputs[place], point * dimension, count: dimension)
        }
        let outputCategory = reduction.over.outputCategory
        var evaluator = FormulaEvaluator(reduction)
        evaluator.beginCall { vector($0, at: 0) }
        for row in rows {
            evaluator.beginRow { vector($0, at: row) }
            var state = reduction.identityState
            for range in ranges {
                for column in range {
                    let (value, weight) = evaluator.pair { place in
                        vector(place, at: variables[place].category == outputCategory ? row : column)
                    }
                    reduction.enter(value, weight: weight, position: Int64(column), into: &state)
                }
            }
            body(row, state)
        }
    }
}

extension ScalarType {
    /// `count` numbers from a position on.
    func load(_ base: UnsafeRawPointer, _ first: Int, count: Int) -> [Double] {
        (first..<first + count).map { k in
            switch self {
            case .float16: Double(halfBits: base.loadUnaligned(fromByteOffset: 2 * k, as: UInt16.self))
            case .bfloat16:
                Double(Float(bitPattern: UInt32(base.loadUnaligned(fromByteOffset: 2 * k, as: UInt16.self)) << 16))
            case .float32: Double(base.loadUnaligned(fromByteOffset: 4 * k, as: Float.self))
            case .float64: base.loadUnaligned(fromByteOffset: 8 * k, as: Double.self)
            }
        }
    }

    /// Writes a number at a position, rounded to this type.
    func store(_ value: Double, _ base: UnsafeMutableRawPointer, _ position: Int) {
        switch self {
        case .float16: base.storeBytes(of: value.halfBits, toByteOffset: 2 * position, as: UInt16.self)
        case .bfloat16: base.storeBytes(of: value.brainHalfBits, toByteOffset: 2 * position, as: UInt16.self)
        case .float32: base.storeBytes(of: Float(value), toByteOffset: 4 * position, as: Float.self)
        case .float64: base.storeBytes(of: value, toByteOffset: 8 * position, as: Double.self)
        }
    }
}
