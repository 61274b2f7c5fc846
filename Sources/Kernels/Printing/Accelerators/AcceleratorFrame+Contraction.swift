import Formulas

extension AcceleratorFrame {
    /// The memory that a group's inner products take, and zeros where its rows are filled up.
    func contractionMemory(_ body: inout StatementPrinter) {
        guard let tile = block.contraction else { return }
        if block.isSharedMemoryAskedFor {
            body.line("extern SHARED f32 matrices[];")
        } else {
            body.line("SHARED f32 matrices[\(tile.sharedCount)];")
        }
        guard tile.keepsRows, tile.partCount * tile.partLength > tile.contraction.count else { return }
        body.line(
            "for (int k = \(tile.contraction.count); k < \(tile.partCount * tile.partLength); k++) matrices[THREAD * ROW_STRIDE + k] = 0;"
        )
    }

    /// The inner products of the group's rows and a tile's columns, up to where each thread reads its row's.
    func contract(_ body: inout StatementPrinter) {
        guard let tile = block.contraction else { return }
        body.line("f32 products[2][4][4] = {{{0}}};")
        body.line("UNROLL_1")
        body.braced("for (int part = 0; part < \(tile.partCount); part++)") { body in
            if tile.partCount > 1 { body.line("if (part > 0) BARRIER();") }
            copyColumns(tile, &body)
            if !tile.keepsRows { copyRows(tile, &body) }
            body.line("BARRIER();")
            let part = tile.keepsRows && tile.partCount > 1 ? " + part * PART" : ""
            body.line("contract(products, matrices + THREAD / 32 * 32 * ROW_STRIDE\(part), matrices + \(tile.firstColumn));")
        }
        body.line("BARRIER();")
        body.line("store_products(products, matrices + \(tile.firstColumn));")
        body.line("BARRIER();")
    }

    /// A part of the tile's columns.
    private func copyColumns(_ tile: ContractionTile, _ body: inout StatementPrinter) {
        let contraction = tile.contraction
        let first = (contraction.first > 0 ? "\(contraction.first) + " : "") + (tile.partCount > 1 ? "part * PART + " : "")
        let isWhole = tile.partCount * tile.partLength == contraction.count
        let isInside =
            "k / PART < tile_count" + (isWhole ? "" : " && \(tile.partCount > 1 ? "part * PART + " : "")k % PART < \(contraction.count)")
        body.line("UNROLL_4")
        body.braced("for (int k = THREAD; k < \(ContractionTile.columns) * PART; k += THREADS)") { body in
            body.line(
                "matrices[\(tile.firstColumn) + k / PART * COLUMN_STRIDE + k % PART] = \(isInside) ? \(kernel.name(of: contraction.column))[(tile_first + k / PART) * \(kernel.dimension(of: contraction.column)) + \(first)k % PART] : 0;"
            )
        }
    }

    /// A part of the group's rows from their table: four threads read a row's components, eight rows side by side.
    private func copyRows(_ tile: ContractionTile, _ body: inout StatementPrinter) {
        let place = block.rowTable[tile.contraction.row.id]!
        body.line("UNROLL_4")
        body.braced("for (int l = 0; l < PART; l++)") { body in
            body.line("const int own = l % 4 * (THREADS / 4) + THREAD / 4, k = l / 4 * 4 + THREAD % 4;")
            body.line("const i64 row = first_row + own < end_row ? first_row + own : end_row - 1;")
            body.line(
                "matrices[own * ROW_STRIDE + k] = part * PART + k < \(tile.contraction.count) ? row_table[(part * PART + k\(place > 0 ? " + \(place)" : "")) * rows + row] : 0;"
            )
        }
    }
}
