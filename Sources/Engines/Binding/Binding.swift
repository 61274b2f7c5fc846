import Formulas
import Kernels

/// Arrays matched with a reduction's inputs: sizes agreed on, batches broadcast, everything checked before any memory is read.
struct Binding: Sendable {
    /// Points of the result, per batch item.
    let rowCount: Int
    /// Points reduced over, per batch item.
    let columnCount: Int
    let batchShape: [Int]
    let batchCount: Int
    let type: ScalarType
    /// In the order of the reduction's variables.
    private let inputs: [Input]

    private struct Input: @unchecked Sendable {
        var base: UnsafeRawPointer
        /// Bytes from one batch item to the next along each batch axis; 0 where the input is broadcast.
        var batchStrides: [Int]
    }

    /// - Parameters:
    ///   - arrays: one per declaration.
    ///   - declarations: the inputs by position; those that the formula does not use are checked and count points too.
    init(
        _ reduction: Reduction, _ arrays: [InputArray], declarations: [Declaration]
    ) throws(BindingError) {
        guard arrays.count == declarations.count else {
            throw BindingError("This reduction takes \(declarations.count) inputs, and \(arrays.count) came.")
        }
        let named = zip(declarations, arrays).map { NamedArray(declaration: $0, array: $1) }
        type = try Self.commonType(named)
        for input in named { try input.checkShape() }
        rowCount = try Self.pointCount(named, reduction.over.outputCategory)
        columnCount = try Self.pointCount(named, reduction.over.reducedCategory)
        batchShape = try Self.batchShape(named)

        // No later product of sizes, in numbers or in bytes, is larger than this one.
        let width = max(reduction.valueCount, reduction.indexCount, declarations.map(\.variable.dimension).max() ?? 1)
        var count = 16
        for length in batchShape + [max(rowCount, columnCount, 1), width] {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard !overflow else { throw BindingError("The batch shape \(batchShape) with \(rowCount) points is too large.") }
            count = product
        }
        batchCount = batchShape.reduce(1, *)
        let byVariable = Dictionary(named.map { ($0.declaration.variable, $0) }) { first, _ in first }
        var inputs: [Input] = []
        for variable in reduction.variables {
            guard let input = byVariable[variable] else {
                throw BindingError("The formula uses \(variable), which is not among the inputs.")
            }
            inputs.append(Input(base: input.array.base, batchStrides: input.batchStrides(for: batchShape)))
        }
        self.inputs = inputs
    }

    /// Where each input of a batch item begins.
    func pointers(_ batchItem: Int) -> [UnsafeRawPointer] {
        var counters = batchShape
        var rest = batchItem
        for axis in batchShape.indices.reversed() {
            counters[axis] = rest % batchShape[axis]
            rest /= batchShape[axis]
        }
        return inputs.map { input in
            input.base + zip(counters, input.batchStrides).reduce(0) { $0 + $1.0 * $1.1 }
        }
    }

    // MARK: Checks

    private static func commonType(_ inputs: [NamedArray]) throws(BindingError) -> ScalarType {
        guard let first = inputs.first else { return .float64 }
        for input in inputs where input.array.type != first.array.type {
            throw BindingError(
                "All inputs have one type; \(first.name) is \(first.array.type.rawValue) and \(input.name) is \(input.array.type.rawValue).")
        }
        return first.array.type
    }

    /// The number of points that all inputs of a category agree on; 1 where there is none.
    private static func pointCount(_ inputs: [NamedArray], _ category: Category) throws(BindingError) -> Int {
        let following = inputs.filter { $0.declaration.variable.category == category }
        guard let first = following.first else { return 1 }
        for input in following where input.pointCount != first.pointCount {
            throw BindingError(
                "All \(category.keyword) inputs have one number of points; \(first.name) has \(first.pointCount) and \(input.name) has \(input.pointCount).")
        }
        return first.pointCount
    }

    /// The batch shapes broadcast together, aligned at the right: equal lengths, or 1.
    private static func batchShape(_ inputs: [NamedArray]) throws(BindingError) -> [Int] {
        let rank = inputs.map(\.batchShape.count).max() ?? 0
        var shape = Array(repeating: 1, count: rank)
        for input in inputs {
            for (offset, length) in input.batchShape.reversed().enumerated() where length != 1 {
                let axis = rank - 1 - offset
                guard shape[axis] == 1 || shape[axis] == length else {
                    let other = inputs.first { $0.batchShape.count > offset && $0.batchShape.reversed()[offset] == shape[axis] }
                    throw BindingError(
                        "Batch shapes broadcast where lengths are equal or 1; \(other?.name ?? "one input") has \(other?.batchShape ?? shape) and \(input.name) has \(input.batchShape).")
                }
                shape[axis] = length
            }
        }
        return shape
    }
}

/// An array and what it was declared as.
private struct NamedArray {
    var declaration: Declaration
    var array: InputArray

    var name: String { declaration.name ?? declaration.variable.description }
    private var isParameter: Bool { declaration.variable.category == .parameter }
    var batchShape: [Int] { Array(array.shape.dropLast(isParameter ? 1 : 2)) }
    var pointCount: Int { isParameter ? 1 : array.shape[array.shape.count - 2] }

    func checkShape() throws(BindingError) {
        let expected = isParameter ? "(…, \(declaration.variable.dimension))" : "(…, points, \(declaration.variable.dimension))"
        guard array.shape.count >= (isParameter ? 1 : 2), array.shape.last == declaration.variable.dimension else {
            throw BindingError("\(name) has shape \(array.shape); its declaration \(declaration) expects \(expected).")
        }
        guard array.shape.allSatisfy({ $0 >= 0 }) else {
            throw BindingError("\(name) has shape \(array.shape), with a negative length.")
        }
    }

    /// Bytes from one batch item to the next along each axis of the common batch shape.
    func batchStrides(for shape: [Int]) -> [Int] {
        var stride = array.type.byteCount * declaration.variable.dimension * pointCount
        var strides: [Int] = []
        let own = Array(repeating: 1, count: shape.count - batchShape.count) + batchShape
        for length in own.reversed() {
            strides.append(length == 1 ? 0 : stride)
            stride *= length
        }
        return strides.reversed()
    }
}
