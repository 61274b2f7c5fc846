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
        /// How many batch items of its own the input has, and their bytes.
        var ownItemCount: Int
        var itemByteCount: Int
    }

    /// - Parameter arrays: one per declaration; those that the formula does not use are checked and count points too.
    init(_ signature: InputSignature, _ arrays: [InputArray]) throws(BindingError) {
        let declarations = signature.declarations
        let check = try InputCheck(declarations: declarations, arrays: arrays)
        type = check.type
        rowCount = try check.pointCount(signature.outputCategory)
        columnCount = try check.pointCount(signature.reducedCategory)
        batchShape = try check.batchShape()

        // No later product of sizes, in numbers or in bytes, is larger than this one.
        var count = 16
        for length in batchShape + [max(rowCount, columnCount, 1), signature.width] {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard !overflow else { throw BindingError("The batch shape \(batchShape) with \(rowCount) points is too large.") }
            count = product
        }
        batchCount = batchShape.reduce(1, *)
        let batchShape = batchShape
        inputs = signature.positions.map { position in
            let (count, bytes) = check.ownItems(position)
            return Input(
                base: arrays[position].base, batchStrides: check.batchStrides(position, for: batchShape), ownItemCount: count,
                itemByteCount: bytes)
        }
    }

    /// One batch item of arrays that are known to fit a reduction.
    ///
    /// - Parameter pointers: where they are, in the order of its variables.
    init(of reduction: Reduction, _ pointers: [UnsafeRawPointer], rows: Int, columns: Int, type: ScalarType) {
        (rowCount, columnCount, batchShape, batchCount) = (rows, columns, [], 1)
        self.type = type
        inputs = zip(reduction.variables, pointers).map { variable, base in
            let count =
                variable.category == .parameter ? 1 : variable.category == reduction.over.outputCategory ? rows : columns
            return Input(
                base: base, batchStrides: [], ownItemCount: 1, itemByteCount: count * variable.dimension * type.byteCount)
        }
    }

    /// Whether arrays fit their declarations and each other; all that a call checks before a reduction's own limits.
    static func check(_ arrays: [InputArray], _ declarations: [Declaration]) throws(BindingError) {
        let check = try InputCheck(declarations: declarations, arrays: arrays)
        for category in [Category.i, .j] { _ = try check.pointCount(category) }
        _ = try check.batchShape()
    }

    /// Where each input of a batch item begins.
    func pointers(_ batchItem: Int) -> [UnsafeRawPointer] {
        zip(inputs, offsets(batchItem)).map { $0.base + $1 }
    }

    /// The whole of an input: where it begins, how many batch items of its own it has, and the bytes of each.
    func whole(_ input: Int) -> (base: UnsafeRawPointer, itemCount: Int, itemByteCount: Int) {
        (inputs[input].base, inputs[input].ownItemCount, inputs[input].itemByteCount)
    }

    /// The bytes from each input's beginning to a batch item.
    func offsets(_ batchItem: Int) -> [Int] {
        var rest = batchItem
        var offsets = [Int](repeating: 0, count: inputs.count)
        for axis in batchShape.indices.reversed() {
            let counter = rest % batchShape[axis]
            rest /= batchShape[axis]
            for k in inputs.indices { offsets[k] += counter * inputs[k].batchStrides[axis] }
        }
        return offsets
    }
}

/// The checks, each of which names the inputs that it fails on.
private struct InputCheck {
    private let declarations: [Declaration]
    private let arrays: [InputArray]
    /// That of all inputs.
    let type: ScalarType

    init(declarations: [Declaration], arrays: [InputArray]) throws(BindingError) {
        guard arrays.count == declarations.count else {
            throw BindingError("This reduction takes \(declarations.count) inputs, and \(arrays.count) came.")
        }
        self.declarations = declarations
        self.arrays = arrays
        type = arrays.first?.type ?? .float64
        for position in arrays.indices { try checkShape(position) }
        try checkTypes()
    }

    private func name(_ position: Int) -> String {
        declarations[position].name ?? declarations[position].variable.description
    }

    private func isParameter(_ position: Int) -> Bool { declarations[position].variable.category == .parameter }

    /// How many of the last axes are one item's own.
    private func ownAxes(_ position: Int) -> Int { isParameter(position) ? 1 : 2 }

    private func batchShape(_ position: Int) -> ArraySlice<Int> { arrays[position].shape.dropLast(ownAxes(position)) }

    private func points(_ position: Int) -> Int {
        isParameter(position) ? 1 : arrays[position].shape[arrays[position].shape.count - 2]
    }

    private func checkShape(_ position: Int) throws(BindingError) {
        let (shape, dimension) = (arrays[position].shape, declarations[position].variable.dimension)
        guard shape.count >= ownAxes(position), shape.last == dimension else {
            let expected = isParameter(position) ? "(…, \(dimension))" : "(…, points, \(dimension))"
            throw BindingError(
                "\(name(position)) has shape \(shape); its declaration \(declarations[position]) expects \(expected).")
        }
        guard shape.allSatisfy({ $0 >= 0 }) else {
            throw BindingError("\(name(position)) has shape \(shape), with a negative length.")
        }
    }

    private func checkTypes() throws(BindingError) {
        for position in arrays.indices where arrays[position].type != type {
            throw BindingError(
                "All inputs have one type; \(name(0)) is \(type.rawValue) and \(name(position)) is \(arrays[position].type.rawValue)."
            )
        }
    }

    /// The number of points that all inputs of a category agree on; 1 where there is none.
    func pointCount(_ category: Category) throws(BindingError) -> Int {
        var first: Int?
        for position in arrays.indices where declarations[position].variable.category == category {
            guard let known = first else {
                first = position
                continue
            }
            guard points(position) == points(known) else {
                throw BindingError(
                    "All \(category.keyword) inputs have one number of points; \(name(known)) has \(points(known)) and \(name(position)) has \(points(position))."
                )
            }
        }
        return first.map(points) ?? 1
    }

    /// The batch shapes broadcast together, aligned at the right: equal lengths, or 1.
    func batchShape() throws(BindingError) -> [Int] {
        let rank = arrays.indices.map { arrays[$0].shape.count - ownAxes($0) }.max() ?? 0
        var shape = Array(repeating: 1, count: rank)
        guard rank > 0 else { return shape }
        for position in arrays.indices {
            for (offset, length) in batchShape(position).reversed().enumerated() where length != 1 {
                let axis = rank - 1 - offset
                guard shape[axis] == 1 || shape[axis] == length else {
                    let other = arrays.indices.first { batchShape($0).dropLast(offset).last == shape[axis] } ?? position
                    throw BindingError(
                        "Batch shapes broadcast where lengths are equal or 1; \(name(other)) has \(Array(batchShape(other))) and \(name(position)) has \(Array(batchShape(position)))."
                    )
                }
                shape[axis] = length
            }
        }
        return shape
    }

    /// How many batch items an input has, and the bytes of each.
    func ownItems(_ position: Int) -> (count: Int, byteCount: Int) {
        (
            batchShape(position).reduce(1, *),
            arrays[position].type.byteCount * declarations[position].variable.dimension * points(position)
        )
    }

    /// Bytes from one batch item to the next along each axis of the common batch shape.
    func batchStrides(_ position: Int, for shape: [Int]) -> [Int] {
        var strides = Array(repeating: 0, count: shape.count)
        guard !shape.isEmpty else { return strides }
        var stride = arrays[position].type.byteCount * declarations[position].variable.dimension * points(position)
        for (offset, length) in batchShape(position).reversed().enumerated() {
            if length != 1 { strides[shape.count - 1 - offset] = stride }
            stride *= length
        }
        return strides
    }
}
