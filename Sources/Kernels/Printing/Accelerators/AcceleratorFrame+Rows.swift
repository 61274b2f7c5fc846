import Formulas

extension AcceleratorFrame {
    /// Reduces the rows of a group. Its work is an entry of the list of tasks, or, where there is no list, one of the pieces of
    /// rows × columns that are cut alike.
    func rowFunction() -> String {
        var parameters = inputs([.row, .column, .parameter])
        if kernel.columnTableWidth > 0 { parameters.append(pointer("const \(number)", "table")) }
        if block.rowTableWidth > 0 { parameters.append(pointer(number, "row_table")) }
        if kernel.reduction.valueCount > 0 { parameters.append(pointer(stored, "values")) }
        if kernel.reduction.indexCount > 0 { parameters.append(pointer("i64", "indices")) }
        parameters += [
            pointer(dialect.type(.wide), "part_values"), pointer("i64", "part_positions"), pointer("const i64", "offsets"),
            pointer("const i64", "tasks"), pointer("const i64", "ranges"), "const i64 rows", "const i64 columns",
            "const i64 blocks", "const i64 parts", "const i64 part_length", "const i64 first_state", "const i64 first_position",
        ]
        var body = printer()
        task(&body)
        moveInputs([.row, .column, .parameter], &body)
        if kernel.columnTableWidth > 0 { body.line("table += item * columns * \(kernel.columnTableWidth);") }
        if block.rowTableWidth > 0 { body.line("row_table += item * rows * \(block.rowTableWidth);") }
        if kernel.reduction.valueCount > 0 { body.line("values += item * rows * \(kernel.reduction.valueCount);") }
        if kernel.reduction.indexCount > 0 { body.line("indices += item * rows * \(kernel.reduction.indexCount);") }
        rows(&body)
        if let tile = block.tile { body.line("SHARED \(number) tile[\(tile.columns * tile.stride)];") }
        arrays(of: Set(Kernel.Section.allCases).subtracting([.centre, .column]), &body)
        crossingRegisters(&body)
        body.line("")
        section(.call, "What depends on parameters only.", &body)
        section(.row, "What depends on the row only.", &body)
        section(.begin, "Nothing accumulated yet.", &body)
        body.braced("for (i64 range = first_range; range < end_range; range++)") { body in
            body.line("const i64 end = tasks ? ranges[2 * range + 1] : end_column;")
            tileLoop(&body)
        }
        if !kernel.sections[.export, default: []].isEmpty {
            body.braced("if (state >= 0)") { body in
                section(.export, "The state, for merging.", &body)
                body.line("return;")
            }
        }
        section(.finish, "The result.", &body)
        return function("khufu_rows", parameters, body)
    }

    /// Which rows and columns are this group's.
    private func task(_ body: inout StatementPrinter) {
        body.line("i64 item, first_row, end_row, first_range, end_range, state, position_base;")
        body.line("i64 first_column = 0, end_column = 0;")
        body.braced("if (tasks)") { body in
            for (k, name) in Self.taskFields.enumerated() {
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
            body.line("position_base = first_column;")
            body.line("state = first_state < 0 ? -1 : first_state + (item * parts + part) * rows + first_row;")
        }
    }

    private static let taskFields = ["item", "first_row", "end_row", "first_range", "end_range", "state", "position_base"]

    private func tileLoop(_ body: inout StatementPrinter) {
        let length = block.tile?.columns ?? 256
        body.braced(
            "for (i64 tile_first = tasks ? ranges[2 * range] : first_column; tile_first < end; tile_first += \(length))"
        ) { body in
            body.line("const int tile_count = end - tile_first < \(length) ? (int)(end - tile_first) : \(length);")
            if let tile = block.tile { fill(tile, &body) }
            if kernel.blockLength != nil { section(.blockBegin, "A block of columns is accumulated on its own.", &body) }
            columnLoop(&body)
            if kernel.blockLength != nil { section(.flush, "The block joins the total.", &body) }
        }
    }

    /// The pairs of the thread's rows with a tile's columns.
    private func columnLoop(_ body: inout StatementPrinter) {
        let statements = kernel.sections[.pair, default: []]
        guard block.columns > 1 else {
            body.braced("for (int j = 0; j < tile_count; j++)") { $0.block(statements, of: .pair) }
            return
        }
        body.line("int j = 0;")
        body.braced("for (; j + \(block.columns) <= tile_count; j += \(block.columns))") { body in
            body.columns = block.columns
            body.block(statements, of: .pair)
            body.columns = 1
        }
        // The same, a column at a time.
        body.braced("for (; j < tile_count; j++)") { $0.block(statements, of: .pair) }
    }

    /// Copies columns to where the group shares them.
    private func fill(_ tile: ColumnTile, _ body: inout StatementPrinter) {
        body.line("BARRIER();")
        for source in tile.offsets.keys.sorted(by: { tile.offsets[$0]! < tile.offsets[$1]! }) {
            let dimension = kernel.dimension(of: source)
            let name = kernel.name(of: source)
            let offset = tile.offsets[source]! == 0 ? "" : " + \(tile.offsets[source]!)"
            body.braced("for (int k = THREAD; k < tile_count * \(dimension); k += THREADS)") { body in
                let place =
                    dimension == 1
                    ? "k * \(tile.stride)"
                    : dimension == tile.stride ? "k" : "k / \(dimension) * \(tile.stride) + k % \(dimension)"
                body.line("tile[\(place)\(offset)] = \(name)[tile_first * \(dimension) + k];")
            }
        }
        body.line("BARRIER();")
    }
}
