import Formulas

// Products of matrices for a tile of pairs at a time: see `ContractionTile` for what is where.
extension AcceleratorFrame {
    /// The memory that they take, and zeros where rows are filled up.
    func contractionMemory(_ body: inout StatementPrinter) {
        guard let tile = block.contraction else { return }
        if !block.isSharedMemoryAskedFor {
            body.line("SHARED f32 matrices[\(tile.sharedCount)];")
        } else if language == .cuda {
            body.line("extern SHARED f32 matrices[];")
        }
        let (count, filled) = (tile.contraction?.count ?? 0, tile.partCount * tile.partLength)
        if tile.keepsRows, filled > count {
            body.line("for (int k = \(count); k < \(filled); k++) matrices[THREAD * ROW_STRIDE + k] = 0;")
        }
    }

    /// Where OpenCL gives memory that a launch asks for.
    var contractionParameter: [String] {
        language == .openCL && block.isSharedMemoryAskedFor ? ["SHARED_POINTER f32 *matrices"] : []
    }

    // MARK: Inner products

    /// The inner products of the group's rows and a tile's columns, up to where each thread reads its row's.
    func contract(_ body: inout StatementPrinter) {
        guard let tile = block.contraction, let contraction = tile.contraction else { return }
        body.line("f32 products[2][4][4] = {{{0}}};")
        body.line("UNROLL_1")
        body.braced("for (int part = 0; part < \(tile.partCount); part++)") { body in
            if tile.partCount > 1 { body.line("if (part > 0) BARRIER();") }
            copyColumns(tile, contraction, &body)
            if !tile.keepsRows { copyRows(tile, contraction, &body) }
            body.line("BARRIER();")
            let part = tile.keepsRows && tile.partCount > 1 ? " + part * PART" : ""
            body.line("contract(products, matrices + THREAD / 32 * 32 * ROW_STRIDE\(part), matrices + \(tile.firstColumn));")
        }
        body.line("BARRIER();")
        body.line("store_products(products, matrices + \(tile.firstColumn));")
        body.line("BARRIER();")
    }

    /// A part of the tile's columns.
    private func copyColumns(_ tile: ContractionTile, _ contraction: Contraction, _ body: inout StatementPrinter) {
        let first = (contraction.first > 0 ? "\(contraction.first) + " : "") + (tile.partCount > 1 ? "part * PART + " : "")
        let isWhole = tile.partCount * tile.partLength == contraction.count
        let isInside =
            "k / PART < tile_count"
            + (isWhole ? "" : " && \(tile.partCount > 1 ? "part * PART + " : "")k % PART < \(contraction.count)")
        body.line("UNROLL_4")
        body.braced("for (int k = THREAD; k < \(ContractionTile.columns) * PART; k += THREADS)") { body in
            body.line(
                "matrices[\(tile.firstColumn) + k / PART * COLUMN_STRIDE + k % PART] = \(isInside) ? \(kernel.name(of: contraction.column))[(tile_first + k / PART) * \(kernel.dimension(of: contraction.column)) + \(first)k % PART] : 0;"
            )
        }
    }

    /// A part of the group's rows from their table: four threads read a row's components, eight rows side by side.
    private func copyRows(_ tile: ContractionTile, _ contraction: Contraction, _ body: inout StatementPrinter) {
        let place = block.rowTable[contraction.row.id]!
        body.line("UNROLL_4")
        body.braced("for (int l = 0; l < PART; l++)") { body in
            body.line("const int own = l % 4 * (THREADS / 4) + THREAD / 4, k = l / 4 * 4 + THREAD % 4;")
            body.line("const i64 row = first_row + own < end_row ? first_row + own : end_row - 1;")
            body.line(
                "matrices[own * ROW_STRIDE + k] = part * PART + k < \(contraction.count) ? row_table[(part * PART + k\(place > 0 ? " + \(place)" : "")) * rows + row] : 0;"
            )
        }
    }

    // MARK: Weighted sums

    /// Nothing weighted yet.
    func beginWeighing(_ body: inout StatementPrinter) {
        guard let tile = block.contraction, tile.weighting != nil else { return }
        body.line("f32 weighted[\(tile.vectorBlocks)][2][4][4] = {{{{0}}}};")
        body.line("f32 row_factor = 1;")
        // The last chunk's sums may be where the notice is.
        body.line("BARRIER();")
        body.line("if (THREAD == 0) matrices[\(tile.notice)] = 0;")
    }

    /// The tile's vectors.
    func copyVectors(_ body: inout StatementPrinter) {
        guard let tile = block.contraction, let weighting = tile.weighting else { return }
        let length = tile.vectorBlocks * ContractionTile.blockLength
        var component = "k % \(length)"
        if weighting.first > 0 { component = "\(weighting.first) + " + component }
        if let chunk = kernel.chunk { component = "k\(chunk.counter) + " + component }
        let isInside = "k / \(length) < tile_count" + (length > weighting.count ? " && k % \(length) < \(weighting.count)" : "")
        body.line("UNROLL_4")
        body.braced("for (int k = THREAD; k < \(ContractionTile.columns * length); k += THREADS)") { body in
            body.line(
                "const f32 number = \(isInside) ? \(kernel.name(of: weighting.column))[(tile_first + k / \(length)) * \(kernel.dimension(of: weighting.column)) + \(component)] : 0;"
            )
            body.line("if (IS_STRANGE(number)) matrices[\(tile.notice)] = 1;")
            body.line("matrices[\(tile.firstVector) + k / \(length) * VECTOR_STRIDE + k % \(length)] = number;")
        }
    }

    /// The tile's vectors enter the weighted sums.
    func weigh(_ body: inout StatementPrinter) {
        guard let tile = block.contraction, tile.weighting != nil else { return }
        body.line(
            "for (int j = tile_count; j < \(ContractionTile.columns); j++) matrices[\(tile.firstColumn) + PRODUCT_STRIDE * j + THREAD] = 0;"
        )
        body.line("matrices[\(tile.firstFactor) + THREAD] = row_factor;")
        body.line("row_factor = 1;")
        body.line("BARRIER();")
        func call(_ name: String, _ body: inout StatementPrinter) {
            body.line("UNROLL")
            body.braced("for (int b = 0; b < \(tile.vectorBlocks); b++)") { body in
                body.line(
                    "\(name)(weighted[b], matrices + \(tile.firstColumn) + THREAD / 32 * 32, matrices + \(tile.firstVector) + \(ContractionTile.blockLength) * b, matrices + \(tile.firstFactor) + THREAD / 32 * 32);"
                )
            }
        }
        body.braced("if (matrices[\(tile.notice)] == 0)") { call("weigh", &$0) }
        body.braced("else") { call("weigh_plainly", &$0) }
    }

    /// The weighted sums go to where each thread reads its row's.
    func endWeighing(_ body: inout StatementPrinter) {
        guard let tile = block.contraction, let weighting = tile.weighting else { return }
        body.line("BARRIER();")
        body.line("UNROLL")
        body.braced("for (int b = 0; b < \(tile.vectorBlocks); b++)") { body in
            body.line(
                "store_weighted(weighted[b], matrices + \(tile.firstColumn) + \(ContractionTile.blockLength) * b * PRODUCT_STRIDE, \(weighting.count) - \(ContractionTile.blockLength) * b);"
            )
        }
        body.line("BARRIER();")
    }
}
