import Formulas
import Kernels

/// Compiled bounds of a formula's values on pairs of boxes.
///
/// A box of columns is a row of this kernel, so that one box of rows meets many boxes of columns at a time, in vectors.
struct BoundKernel: Sendable {
    let rows: PointSide
    let columns: PointSide
    /// The kernels of what the sides compute of their points.
    let computedRows: CPUKernel?
    let computedColumns: CPUKernel?
    private let kernel: CPUKernel
    /// Where each input of the kernel comes from.
    private let sources: [Source]

    fileprivate enum Source: Sendable {
        case rowLower, rowUpper, columnLower, columnUpper
        /// A parameter of the reduction, by its place among that one's inputs.
        case parameter(Int)
    }

    private init(_ formulas: BoundFormulas, of reduction: Reduction, _ compiled: (Reduction) throws -> CPUKernel) throws {
        rows = formulas.rows
        columns = formulas.columns
        computedRows = try rows.computed.map(compiled)
        computedColumns = try columns.computed.map(compiled)
        kernel = try compiled(formulas.lowest)
        let variables = reduction.variables
        sources = kernel.kernel.inputs.map { input in
            formulas.boxes.first { $0.variable == input.variable }?.source
                ?? .parameter(variables.firstIndex { $0 == input.variable }!)
        }
    }

    /// - Parameter formula: what is bounded: the reduction's, or its negative.
    /// - Returns: nil where there is nothing to prune by: an index is not used, or the formula has no bounds.
    static func compiled(
        _ formula: Formula, of reduction: Reduction, type: ScalarType, instructionSet: InstructionSet, cache: KernelCache
    ) throws -> BoundKernel? {
        guard !type.isHalf, let formulas = try? BoundFormulas(formula, of: reduction, type: type) else { return nil }
        return try BoundKernel(formulas, of: reduction) {
            try CPUKernel($0, type: type, instructionSet: instructionSet, cache: cache)
        }
    }

    /// Whether there is something to prune by.
    static func exists(_ formula: Formula, of reduction: Reduction, type: ScalarType) -> Bool {
        !type.isHalf && (try? BoundFormulas(formula, of: reduction, type: type)) != nil
    }

    /// The bounds for boxes of rows and columns of two levels.
    ///
    /// - Parameter parameters: the inputs of the reduction; only parameters are read.
    func table<Scalar>(
        rows: BoxLevel<Scalar>, columns: BoxLevel<Scalar>, parameters: [UnsafeRawPointer]
    ) -> BoundTable<Scalar> {
        let inputs = sources.map { source -> UnsafeRawPointer in
            switch source {
            case .rowLower: UnsafeRawPointer(rows.lower)
            case .rowUpper: UnsafeRawPointer(rows.upper)
            case .columnLower: UnsafeRawPointer(columns.lower)
            case .columnUpper: UnsafeRawPointer(columns.upper)
            case .parameter(let place): parameters[place]
            }
        }
        return BoundTable(kernel, inputs: inputs, rowCount: rows.count)
    }
}

/// The least values that a formula can have on pairs of boxes, computed when asked for.
struct BoundTable<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {
    private let kernel: CPUKernel
    private let inputs: [UnsafeRawPointer]
    private let table: UnsafeMutableRawPointer?

    init(_ kernel: CPUKernel, inputs: [UnsafeRawPointer], rowCount: Int) {
        self.kernel = kernel
        self.inputs = inputs
        let bytes = kernel.columnTableBytes(rowCount)
        table = bytes > 0 ? .allocate(byteCount: bytes, alignment: 64) : nil
        if let table { kernel.tabulate(0..<rowCount, inputs: inputs, table: table) }
    }

    func deallocate() { table?.deallocate() }

    /// Writes the bounds of one box of rows with neighbouring boxes of columns.
    func evaluate(_ row: Int, _ columns: Range<Int>, into values: UnsafeMutablePointer<Scalar>) {
        kernel.reduce(
            columns, over: [row..<row + 1], positionBase: 0, inputs: inputs, table: table,
            into: kernel.results(of: columns, values: UnsafeMutableRawPointer(values)))
    }
}

/// The formulas of the bounds and what they are taken of.
private struct BoundFormulas {
    let rows: PointSide
    let columns: PointSide
    let boxes: [(variable: Variable, source: BoundKernel.Source)]
    /// The lower bound, as a reduction over the one box of rows that it is computed for.
    let lowest: Reduction

    /// - Throws: where there is nothing to prune by.
    init(_ formula: Formula, of reduction: Reduction, type: ScalarType) throws(FormulaError) {
        let roundoff = type == .float32 ? Number(0x1p-24)! : Number(0x1p-53)!
        let contacts = formula.contacts
        var next = 1 + (reduction.variables.map(\.index).max() ?? 0)
        let rows = try PointSide(
            formula, reduction.over.outputCategory, firstIndex: next, contacts: contacts, roundoff: roundoff)
        next += rows.parts.count
        let columns = try PointSide(
            formula, reduction.over.reducedCategory, firstIndex: next, contacts: contacts, roundoff: roundoff)
        next += columns.parts.count
        guard rows.width > 0, columns.width > 0 else { throw FormulaError("An index is not used.") }

        let (rowLower, rowUpper) = (
            Variable(index: next, dimension: rows.width, category: .j),
            Variable(index: next + 1, dimension: rows.width, category: .j)
        )
        let (columnLower, columnUpper) = (
            Variable(index: next + 2, dimension: columns.width, category: .i),
            Variable(index: next + 3, dimension: columns.width, category: .i)
        )
        var stands: [Formula: Formula] = [:]
        for part in rows.parts + columns.parts { stands[part.formula] = try Formula(part.stand) }
        let corners = try rows.corners(lower: rowLower, upper: rowUpper)
            .merging(try columns.corners(lower: columnLower, upper: columnUpper)) { first, _ in first }
        guard let bounds = try formula.substituting(stands).bounds(of: corners, roundoff: roundoff) else {
            throw FormulaError("There are no bounds.")
        }
        self.rows = rows
        self.columns = columns
        boxes = [(rowLower, .rowLower), (rowUpper, .rowUpper), (columnLower, .columnLower), (columnUpper, .columnUpper)]
        lowest = try Reduction(.sum, of: bounds.lower, over: .j, accumulation: Accumulation(scheme: .direct))
    }
}

extension CPUKernel {
    /// A reduction that takes distances directly, in the usual precision.
    ///
    /// - Throws: where it does not lower or compile.
    convenience init(_ reduction: Reduction, type: ScalarType, instructionSet: InstructionSet, cache: KernelCache) throws {
        try self.init(
            try Kernel(lowering: reduction, precision: Precision(storage: type), squaredDistances: .direct),
            instructionSet: instructionSet, cache: cache)
    }
}
