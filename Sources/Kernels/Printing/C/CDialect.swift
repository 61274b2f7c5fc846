import Formulas

/// C with vector extensions: a value is a vector that holds one number of each lane.
struct CDialect: Dialect {
    let kernel: Kernel

    func type(_ element: ElementType) -> String {
        switch element {
        case .number: suffix(kernel.precision.arithmetic)
        case .wide: suffix(kernel.precision.accumulator)
        case .position, .mask: kernel.precision.arithmetic == .float64 ? "i64" : "i32"
        case .wideMask: kernel.precision.accumulator == .float64 ? "i64" : "i32"
        }
    }

    /// The C type of an array in memory.
    static func scalar(_ type: ScalarType) -> String {
        switch type {
        case .float16, .bfloat16: "unsigned short"
        case .float32: "float"
        case .float64: "double"
        }
    }

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

    func splat(_ number: String, _ type: ElementType) -> String { "splat_\(self.type(type))(\(number))" }
    func not(_ mask: String) -> String { "~\(mask)" }
    func anyHolds(_ mask: String, _ type: ElementType) -> String { "RARELY(any_\(self.type(type))(\(mask)))" }
    // Compilers unroll the block's loops by themselves, so that each value is a handful of registers.
    var blockLoopNote: String? { nil }
    func loopNote(counter: Int, count: Int, _ body: [Statement]) -> String? { nil }

    // MARK: Places

    /// The first row of vector r.
    private static let row = "block_row + r * LANES"

    func laneNumber(of input: Kernel.Input, _ component: String, in lanes: LanePoints) -> String {
        let from = Kernel.inputName(input) + (component == "0" ? "" : " + \(component)")
        let dimension = input.variable.dimension
        switch (input.role, lanes) {
        case (.row, _): return "gather(\(from), \(dimension), \(Self.row), end_row)"
        case (.column, .sampledColumns): return "gather(\(from), \(dimension) * step, 0, samples)"
        case (.column, _): return "gather(\(from), \(dimension), first, end)"
        // A half-precision parameter is converted in lanes, all of them the same.
        case (.parameter, _): return "gather(\(from), 0, 0, 1)"
        }
    }

    func columnNumber(of source: ColumnSource, _ column: String, _ index: Index, _ position: (Index) -> String) -> String {
        let component = position(index)
        let (name, dimension) =
            switch source {
            case .table: ("table", kernel.columnTableWidth)
            case .input(let place): (Kernel.inputName(kernel.inputs[place]), kernel.inputs[place].variable.dimension)
            }
        if dimension == 1 { return "\(name)[\(column)]" }
        return "\(name)[\(dimension) * \(column)\(component == "0" ? "" : " + \(component)")]"
    }

    func columnPosition(_ column: String) -> String { "\(column) - position_base" }

    func partNumber(_ component: String) -> String { preconditionFailure("the processor merges by the reference") }
    func partPosition(_ component: String) -> String { preconditionFailure("the processor merges by the reference") }

    // MARK: Stores

    func storeInCentre(_ value: String, at position: String) -> String { "centre[\(position)] = median(\(value), samples);" }

    func storeInTable(_ value: String, at position: String) -> String {
        "scatter_table(table, \(kernel.columnTableWidth), \(position), first, end, \(value));"
    }

    func storeResult(_ value: String, at position: String) -> String {
        "scatter_values(values + \(position), \(kernel.reduction.valueCount), \(Self.row), end_row, \(value));"
    }

    func storeIndex(_ value: String, at position: String) -> String {
        "scatter_indices(indices + \(position), \(kernel.reduction.indexCount), \(Self.row), end_row, position_base, \(value));"
    }

    func exportValue(_ value: String, _ type: ElementType, at position: String) -> String {
        let double = self.type(type) == "f64" ? value : "f64_from_f32(\(value))"
        return
            "export_values(call->exported_values + \(position), \(kernel.stateCount.values), \(Self.row) - first_row, end_row - first_row, \(double));"
    }

    func exportPosition(_ value: String, at position: String) -> String {
        "scatter_indices(call->exported_positions + \(position), \(kernel.stateCount.positions), \(Self.row) - first_row, end_row - first_row, position_base, \(value));"
    }
}
