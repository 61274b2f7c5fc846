import Formulas

extension AcceleratorFrame {
    /// Reduces the rows of a group. Its work is an entry of the list of tasks, or, where there is no list, one of the pieces of
    /// rows × columns that are cut alike.
    func rowFunction() -> String {
        var parameters = inputs([.row, .column, .parameter])
        if kernel.columnTableWidth > 0 { parameters.append(pointer("const \(number)", "table")) }
        parameters += centre()
        if block.rowTableWidth > 0 { parameters.append(pointer(number, "row_table")) }
        if kernel.reduction.valueCount > 0 { parameters.append(pointer(stored, "values")) }
        if kernel.reduction.indexCount > 0 { parameters.append(pointer("i64", "indices")) }
        parameters += [
            pointer(dialect.type(.wide), "part_values"), pointer("i64", "part_positions"), pointer("const i64", "offsets"),
            pointer("const i64", "tasks"), pointer("const i64", "ranges"), "const i64 rows", "const i64 columns",
            "const i64 blocks", "const i64 parts", "const i64 part_length", "const i64 first_state", "const i64 first_position",
        ]
        parameters += contractionParameter
        var body = printer()
        task(&body)
        moveInputs([.row, .column, .parameter], &body)
        if kernel.columnTableWidth > 0 { body.line("table += item * columns * \(kernel.columnTableWidth);") }
        moveCentre(&body)
        if block.rowTableWidth > 0 {
            body.line("row_table += item * rows * \(block.rowTableWidth);")
            body.line("i64 row_stride = rows;")
        }
        if kernel.reduction.valueCount > 0 { body.line("values += item * rows * \(kernel.reduction.valueCount);") }
        if kernel.reduction.indexCount > 0 { body.line("indices += item * rows * \(kernel.reduction.indexCount);") }
        if dialect.hasLongParameters { body.line("int origin = 0;") }
        rows(&body)
        if let tile = block.tile { body.line("SHARED \(number) tile[\(tile.columns * tile.stride)];") }
        contractionMemory(&body)
        arrays(of: Set(Kernel.Section.allCases).subtracting([.centre, .column]), &body)
        crossingRegisters(&body)
        body.line("")
        section(.call, "What depends on parameters only.", &body)
        section(.row, "What depends on the row only.", &body)
        if let tile = block.contraction, tile.contraction != nil, !tile.keepsRows { body.line("BARRIER_OF_ALL_MEMORY();") }
        if let chunk = kernel.chunk {
            body.line("// Some components of the result at a time.")
            body.line("UNROLL_1")
            body.braced("for (int chunk = 0; chunk < \(chunk.count); chunk++)") { body in
                body.line("const int k\(chunk.counter) = \(chunk.firstText);")
                passRanges(&body)
            }
        } else {
            passRanges(&body)
        }
        return function("khufu_rows", parameters, groups: block.groupsPerUnit, body)
    }

    /// Which rows and columns are this group's.
    private func task(_ body: inout StatementPrinter) {
        let isPositioned = kernel.usesPositions
        func isUsed(_ field: String) -> Bool { field == "state" ? hasStates : field != "position_base" || isPositioned }
        body.line("i64 \(Self.taskFields.filter(isUsed).joined(separator: ", "));")
        body.line("i64 first_column = 0, end_column = 0;")
        body.braced("if (tasks)") { body in
            for (k, name) in Self.taskFields.enumerated() where isUsed(name) {
                body.line("\(name) = tasks[\(Self.taskFields.count) * (i64)GROUP + \(k)];")
            }
        }
        body.braced("else") { body in
            body.line("const i64 part = GROUP % (u32)parts;")
            body.line("item = GROUP / (u32)parts / (u32)blocks;")
            body.line("first_row = (i64)(GROUP / (u32)parts % (u32)blocks) * (R * THREADS);")
            body.line("end_row = first_row + R * THREADS < rows ? first_row + R * THREADS : rows;")
            body.line("first_range = 0;")
            body.line("end_range = 1;")
            body.line("first_column = part * part_length;")
            body.line("end_column = first_column + part_length < columns ? first_column + part_length : columns;")
            if isPositioned { body.line("position_base = first_column;") }
            if hasStates { body.line("state = first_state < 0 ? -1 : first_state + (item * parts + part) * rows + first_row;") }
        }
    }

    private var hasStates: Bool { !kernel.sections[.export, default: []].isEmpty }
    private static let taskFields = ["item", "first_row", "end_row", "first_range", "end_range", "state", "position_base"]

    /// From no column accumulated to the result or the state.
    private func passRanges(_ body: inout StatementPrinter) {
        section(.begin, "Nothing accumulated yet.", &body)
        beginWeighing(&body)
        body.braced("for (i64 range = first_range; range < end_range; range++)") { body in
            body.line("const i64 begin = tasks ? ranges[2 * range] : first_column;")
            body.line("const i64 end = tasks ? ranges[2 * range + 1] : end_column;")
            passColumns(&body)
        }
        endWeighing(&body)
        guard hasStates else { return section(.finish, "The result.", &body) }
        body.braced("if (state >= 0)") { section(.export, "The state, for merging.", &$0) }
        body.braced("else") { section(.finish, "The result.", &$0) }
    }
}

extension ComponentChunk {
    /// The first component of the chunk that `chunk` counts, in C.
    var firstText: String { "chunk * \(length) < \(dimension - length) ? chunk * \(length) : \(dimension - length)" }
}

extension Kernel {
    /// Whether it matters which columns these are.
    fileprivate var usesPositions: Bool {
        sections.values.flatMap(\.flattened).contains { statement in
            switch statement {
            case .index, .exportedPosition, .define(_, .columnPosition): true
            default: false
            }
        }
    }
}
