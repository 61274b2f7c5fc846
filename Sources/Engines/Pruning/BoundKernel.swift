import Formulas
import Kernels

/// Compiled bounds of a formula's values on pairs of boxes.
///
/// A box of columns is a row of this kernel, so that one box of rows meets many boxes of columns at a time, in vectors.
struct BoundKernel: Sendable {
    /// Which numbers of a point of each side each variable is.
    struct Side: Sendable {
        var variables: [Variable] = []
        var offsets: [Int] = []
        var width = 0
        /// The numbers that nearness is judged by.
        var axes: [Int] = []
    }

    let rows: Side
    let columns: Side
    private let kernel: CPUKernel
    /// Where each input of the kernel comes from.
    private let sources: [Source]

    private enum Source: Sendable {
        case rowLower, rowUpper, columnLower, columnUpper
        /// A parameter of the reduction, by its place among that one's inputs.
        case parameter(Int)
    }

    /// - Returns: nil where there is nothing to prune by: an index is not used, or the formula has no bounds.
    init?(
        _ formula: Formula, of reduction: Reduction, type: ScalarType, instructionSet: InstructionSet, cache: KernelCache
    ) throws(CompilationError) {
        guard type != .float16 else { return nil }
        let contacts = formula.contacts
        rows = Side(reduction.variables.filter { $0.category == reduction.over.outputCategory }, contacts)
        columns = Side(reduction.variables.filter { $0.category == reduction.over.reducedCategory }, contacts)
        guard rows.width > 0, columns.width > 0 else { return nil }

        let first = 1 + (reduction.variables.map(\.index).max() ?? 0)
        let boxes: [(Variable, Source)] = [
            (Variable(index: first, dimension: rows.width, category: .j), .rowLower),
            (Variable(index: first + 1, dimension: rows.width, category: .j), .rowUpper),
            (Variable(index: first + 2, dimension: columns.width, category: .i), .columnLower),
            (Variable(index: first + 3, dimension: columns.width, category: .i), .columnUpper),
        ]
        let lowest: Reduction
        do {
            let corners = try rows.bounds(lower: boxes[0].0, upper: boxes[1].0)
                .merging(try columns.bounds(lower: boxes[2].0, upper: boxes[3].0)) { first, _ in first }
            let roundoff = type == .float32 ? Number(0x1p-24)! : Number(0x1p-53)!
            guard let bounds = try formula.bounds(of: corners, roundoff: roundoff) else { return nil }
            lowest = try Reduction(.sum, of: bounds.lower, over: .j, accumulation: Accumulation(scheme: .direct))
        } catch {
            return nil
        }
        let kernel = try CPUKernel(
            Kernel(lowering: lowest, precision: Precision(storage: type), squaredDistances: .direct),
            instructionSet: instructionSet, cache: cache)
        self.kernel = kernel
        sources = kernel.kernel.inputs.map { input in
            boxes.first { $0.0 == input.variable }?.1
                ?? .parameter(reduction.variables.firstIndex { $0 == input.variable }!)
        }
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
        return BoundTable(kernel, inputs: inputs, rowCount: rows.count, columnCount: columns.count)
    }
}

/// The least values that a formula can have on pairs of boxes, computed when asked for.
struct BoundTable<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {
    let columnCount: Int
    private let kernel: CPUKernel
    private let inputs: [UnsafeRawPointer]
    private let table: UnsafeMutableRawPointer?

    init(_ kernel: CPUKernel, inputs: [UnsafeRawPointer], rowCount: Int, columnCount: Int) {
        self.kernel = kernel
        self.inputs = inputs
        self.columnCount = columnCount
        let bytes = kernel.columnTableBytes(rowCount)
        table = bytes > 0 ? .allocate(byteCount: bytes, alignment: 64) : nil
        if let table { kernel.tabulate(0..<rowCount, inputs: inputs, table: table) }
    }

    func deallocate() { table?.deallocate() }

    /// Writes the bounds of one box of rows with neighbouring boxes of columns.
    func evaluate(_ row: Int, _ columns: Range<Int>, into values: UnsafeMutablePointer<Scalar>) {
        // The kernel writes where box 0 would stand and on.
        let origin = UnsafeMutableRawPointer(values) - columns.lowerBound * MemoryLayout<Scalar>.stride
        kernel.reduce(
            columns, over: [row..<row + 1], positionBase: 0, inputs: inputs, table: table,
            into: .results(values: origin, indices: nil))
    }
}

extension BoundKernel.Side {
    fileprivate init(_ variables: [Variable], _ contacts: Set<Variable>) {
        self.init()
        for variable in variables {
            self.variables.append(variable)
            offsets.append(width)
            if contacts.contains(variable) { axes += width..<width + variable.dimension }
            width += variable.dimension
        }
        if axes.isEmpty { axes = Array(0..<width) }
    }

    fileprivate func bounds(lower: Variable, upper: Variable) throws(FormulaError) -> [Variable: Bounds] {
        var result: [Variable: Bounds] = [:]
        for (variable, offset) in zip(variables, offsets) {
            func part(_ corner: Variable) throws(FormulaError) -> Formula {
                try Catalogue.formula(
                    "Extract", [.formula(try Formula(corner)), .integer(offset), .integer(variable.dimension)])
            }
            result[variable] = Bounds(lower: try part(lower), upper: try part(upper))
        }
        return result
    }
}

extension Formula {
    /// The variables by which the indices meet: what a difference, say, of a row's and a column's value depends on. Where a row and a
    /// column are near in these, they are near for the formula; others, such as weights, only scale.
    fileprivate var contacts: Set<Variable> {
        var result: Set<Variable> = []
        for node in Formula.topologicalOrder([self]) where node.dependence.isSuperset(of: .pair) {
            let own = node.arguments.filter { !$0.dependence.isSuperset(of: .pair) }
            if own.contains(where: { $0.dependence.contains(.i) }), own.contains(where: { $0.dependence.contains(.j) }) {
                for argument in own { result.formUnion(argument.variables) }
            }
        }
        return result
    }
}
