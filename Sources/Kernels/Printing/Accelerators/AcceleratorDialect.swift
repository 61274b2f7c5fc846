import Formulas

/// CUDA C and OpenCL C: a value is a plain number of one thread. What the languages differ in, the prelude defines.
struct AcceleratorDialect: Dialect {
    let kernel: Kernel
    let block: ThreadBlock
    /// Positions of states are those of all columns, beyond 31 bits.
    let isMerging: Bool

    func type(_ element: ElementType) -> String {
        switch element {
        case .number: suffix(kernel.precision.arithmetic)
        case .wide: suffix(kernel.precision.accumulator)
        case .position: isMerging ? "i64" : "i32"
        case .mask, .wideMask: "i32"
        }
    }

    /// The type of an array in memory.
    static func scalar(_ type: ScalarType) -> String {
        switch type {
        case .float16, .bfloat16: "u16"
        case .float32: "f32"
        case .float64: "f64"
        }
    }

    func literal(_ value: Double, _ element: ElementType) -> String {
        let type = type(element)
        if value.isNaN { return "NAN_\(type)" }
        // A number beyond float's range is infinite there, as the data would be.
        if value.isInfinite || (type == "f32" && Float(value).isInfinite) { return (value < 0 ? "-" : "") + "INFINITY_\(type)" }
        return type == "f32" ? "\(Float(value))f" : "\(value)"
    }

    func splat(_ number: String, _ type: ElementType) -> String { number.hasPrefix("-") ? "(\(number))" : number }
    func not(_ mask: String) -> String { "!\(mask)" }
    func anyHolds(_ mask: String, _ type: ElementType) -> String { mask }
    var blockLoopNote: String? { "UNROLL" }
    // A branch costs several instructions, a comparison one. Columns in flight have a branch each: what one changes, the next has to see.
    var gathersBranches: Bool { block.columns == 1 && block.rowsPerThread > 1 }

    func loopNote(counter: Int, count: Int, _ body: [Statement]) -> String? {
        let repetitions = block.unrolling(kernel).repetitions(counter, count, body)
        return repetitions == count ? "UNROLL" : "UNROLL_\(repetitions)"
    }

    /// How often the loop over columns is unrolled: the loop's own instructions weigh where there are few others.
    func columnLoopNote(_ body: [Statement]) -> String {
        let statements = block.unrolling(kernel).size(of: body) * block.rowsPerThread
        // Numbers of two registers fill them sooner.
        let weight = kernel.precision.arithmetic == .float64 ? 2 : 1
        let repetitions = [8, 4, 2].first { $0 * statements * weight <= Self.mostUnrolledColumns }
        return "UNROLL_\(repetitions ?? 1)"
    }

    private static let mostUnrolledColumns = 1_024

    // MARK: Places

    func element(_ array: ArrayInfo, _ position: String, _ block: String) -> String {
        if self.block.isShared(array.reference) { return "matrices[THREAD * ROW_STRIDE + \(position)]" }
        guard let first = self.block.rowTable[array.reference.id] else { return "\(array.name)[\(position)]\(block)" }
        let component = [position, first > 0 ? "\(first)" : "0"].filter { $0 != "0" }.joined(separator: " + ")
        return "row_table[\(component.isEmpty ? "" : "(\(component)) * row_stride + ")row[r]]"
    }

    func laneNumber(of input: Kernel.Input, _ component: String, in lanes: LanePoints) -> String {
        let (name, dimension) = (Kernel.inputName(input), input.variable.dimension)
        let place: String
        switch input.role {
        case .row: place = element(dimension, "row[r]", component)
        case .column: place = element(dimension, "point", component)
        case .parameter:
            place = input.variable.dimension > Self.mostKeptNumbers && lanes == .rows ? "origin + \(component)" : component
        }
        let storage = kernel.precision.storage
        return storage.isHalf ? "f32_from_\(storage.halfName)(\(name)[\(place)])" : "\(name)[\(place)]"
    }

    /// Numbers of long parameters are read anew for each column: kept, they would take the registers.
    func parameterNumber(of input: Kernel.Input, _ component: String, in lanes: LanePoints) -> String {
        let isLong = lanes == .rows && input.variable.dimension > Self.mostKeptNumbers
        return "\(Kernel.inputName(input))[\(isLong ? "origin + " : "")\(component)]"
    }

    var hasLongParameters: Bool {
        kernel.inputs.contains { $0.role == .parameter && $0.variable.dimension > Self.mostKeptNumbers }
    }

    private static let mostKeptNumbers = 16

    func columnNumber(of source: ColumnSource, _ column: String, _ index: Index, _ position: (Index) -> String) -> String {
        guard let tile = block.tile, tile.holds(index, of: source) else {
            let place = element(kernel.dimension(of: source), "(tile_first + \(column))", position(index))
            return "\(kernel.name(of: source))[\(place)]"
        }
        var offset = tile.offsets[source]!
        let components = tile.components[source]!
        var own = index
        if components.lowerBound > 0 {
            offset -= components.lowerBound
            own = index + offset
            offset = 0
        } else if let chunk = kernel.chunk, components.count != kernel.dimension(of: source) {
            own = index.within(chunk)
        }
        return "tile[\(element(tile.stride, column, ["\(offset)", position(own)]))]"
    }

    /// The place of a tile's column, or of a component of weighted sums, in the products, the weights or these sums.
    private func product(_ column: String) -> String {
        "matrices[\(block.contraction!.firstColumn) + PRODUCT_STRIDE * (\(column)) + THREAD]"
    }

    func contraction(_ column: String) -> String { product(column) }
    func weighted(_ component: String) -> String { product(component) }

    func weigh(_ weight: String, _ column: String) -> String {
        "\(product(column)) = \(weight); if (IS_STRANGE(\(product(column)))) matrices[\(block.contraction!.notice)] = 1;"
    }

    func rescale(_ factor: String, _ column: String) -> String {
        "row_factor *= \(factor); for (int l = 0; l < \(column); l++) \(product("l")) *= \(factor);"
    }

    func partNumber(_ component: String) -> String {
        "part_values[\(element(kernel.stateCount.values, Self.partRow, component))]"
    }

    func partPosition(_ component: String) -> String {
        "part_positions[\(element(kernel.stateCount.positions, Self.partRow, component))]"
    }

    private static let partRow = "(state + j * part_rows + r * THREADS + THREAD)"

    /// The place of a component of a point.
    private func element(_ dimension: Int, _ point: String, _ component: String) -> String {
        element(dimension, point, [component])
    }

    private func element(_ dimension: Int, _ point: String, _ components: [String]) -> String {
        ([dimension == 1 ? point : "\(dimension) * \(point)"] + components.filter { $0 != "0" }).joined(separator: " + ")
    }

    func columnPosition(_ column: String) -> String { "(i32)(tile_first + \(column) - position_base)" }

    // MARK: Stores

    func storeInCentre(_ value: String, at position: String) -> String {
        "sample[THREAD] = \(value); BARRIER(); store_median(sample, samples, centre + \(position)); BARRIER();"
    }

    func storeInTable(_ value: String, at position: String) -> String {
        "if (is_inside) table[\(element(kernel.columnTableWidth, "point", position))] = \(value);"
    }

    func storeResult(_ value: String, at position: String) -> String {
        let storage = kernel.precision.storage
        let stored = storage.isHalf ? "\(storage.halfName)_from_f32(\(value))" : value
        return "if (IS_ROW(r)) values[\(element(kernel.reduction.valueCount, "row[r]", position))] = \(stored);"
    }

    func storeIndex(_ value: String, at position: String) -> String {
        let absolute = isMerging ? value : "first_position + position_base + \(value)"
        return "if (IS_ROW(r)) indices[\(element(kernel.reduction.indexCount, "row[r]", position))] = \(absolute);"
    }

    private static let state = "(state + r * THREADS + THREAD)"

    func exportValue(_ value: String, _ type: ElementType, at position: String) -> String {
        "if (IS_ROW(r)) part_values[\(element(kernel.stateCount.values, Self.state, position))] = \(value);"
    }

    func exportPosition(_ value: String, at position: String) -> String {
        "if (IS_ROW(r)) part_positions[\(element(kernel.stateCount.positions, Self.state, position))] = first_position + position_base + \(value);"
    }
}
