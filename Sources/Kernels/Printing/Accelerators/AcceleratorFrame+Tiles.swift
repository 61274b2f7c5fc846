import Formulas

// How rows pass their columns:
//
//     a block of columns         is accumulated on its own
//         a tile of columns      is copied to where the group shares it
//             some columns       are taken at a time
extension AcceleratorFrame {
    /// All columns of a range, from `begin` to `end`.
    func passColumns(_ body: inout StatementPrinter) {
        let length = block.tile?.columns ?? (block.contraction == nil ? Self.usualLength : ContractionTile.columns)
        guard let blockLength = kernel.blockLength else { return tiles(length, "begin", "end", &body) }
        let isTile = length == blockLength
        let name = isTile ? "tile_first" : "block_first"
        body.braced("for (i64 \(name) = begin; \(name) < end; \(name) += \(blockLength))") { body in
            if !isTile {
                body.line("const i64 block_end = end - block_first < \(blockLength) ? end : block_first + \(blockLength);")
            }
            section(.blockBegin, "A block of columns is accumulated on its own.", &body)
            if isTile { tile(length, "end", &body) } else { tiles(length, "block_first", "block_end", &body) }
            section(.flush, "The block joins the total.", &body)
        }
    }

    private static let usualLength = 256

    private func tiles(_ length: Int, _ begin: String, _ end: String, _ body: inout StatementPrinter) {
        body.braced("for (i64 tile_first = \(begin); tile_first < \(end); tile_first += \(length))") { tile(length, end, &$0) }
    }

    private func tile(_ length: Int, _ end: String, _ body: inout StatementPrinter) {
        body.line("const int tile_count = \(end) - tile_first < \(length) ? (int)(\(end) - tile_first) : \(length);")
        if block.tile != nil || block.contraction != nil { body.line("BARRIER();") }
        if let tile = block.tile { fill(tile, &body) }
        copyVectors(&body)
        contract(&body)
        if block.contraction?.contraction == nil, block.tile != nil || block.contraction != nil { body.line("BARRIER();") }
        columnLoop(&body)
        weigh(&body)
    }

    /// The pairs of the thread's rows with a tile's columns.
    private func columnLoop(_ body: inout StatementPrinter) {
        let statements = kernel.sections[.pair, default: []]
        guard block.columns > 1 else {
            body.line(dialect.columnLoopNote(statements))
            body.braced("for (int j = 0; j < tile_count; j++)") { body in
                forget(&body)
                fetch(statements, &body)
                body.block(statements, of: .pair)
                body.fetched = [:]
            }
            return
        }
        body.line("int j = 0;")
        body.braced("for (; j + \(block.columns) <= tile_count; j += \(block.columns))") { body in
            forget(&body)
            body.columns = block.columns
            body.block(statements, of: .pair)
            body.columns = 1
        }
        // The same, a column at a time.
        body.line("UNROLL_1")
        body.braced("for (; j < tile_count; j++)") { body in
            forget(&body)
            body.block(statements, of: .pair)
        }
    }

    /// What is read from memory for each column, or where it is, must not be moved ahead of them all: it would take the registers.
    private func forget(_ body: inout StatementPrinter) {
        if block.rowTableWidth > 0 { body.line("FORGET(row_stride);") }
        if dialect.hasLongParameters { body.line("FORGET_INT(origin);") }
    }

    /// Reads what all pairs need of the column, in its order: four numbers are one read then, where those that are read when their turn comes
    /// may be a read each.
    private func fetch(_ statements: [Statement], _ body: inout StatementPrinter) {
        guard let tile = block.tile else { return }
        var places: [Expression: Int] = [:]
        func place(_ source: ColumnSource, _ index: Index) -> Int {
            tile.offsets[source]! - tile.components[source]!.lowerBound + index.constant
        }
        for case .define(_, let expression) in statements {
            switch expression {
            case .columnTable(let index) where index.terms.isEmpty: places[expression] = place(.table, index)
            case .input(let input, let index) where index.terms.isEmpty && kernel.inputs[input].role == .column:
                places[expression] = place(.input(input), index)
            default: break
            }
        }
        guard places.count <= Self.mostFetched else { return }
        for (expression, place) in places.sorted(by: { $0.value < $1.value }) {
            body.line("const \(number) c\(place) = \(body.scalar(expression)!);")
        }
        body.fetched = places.mapValues { "c\($0)" }
    }

    private static let mostFetched = 16

    /// Copies columns to where the group shares them.
    private func fill(_ tile: ColumnTile, _ body: inout StatementPrinter) {
        for source in tile.offsets.keys.sorted(by: { tile.offsets[$0]! < tile.offsets[$1]! }) {
            let (dimension, components) = (kernel.dimension(of: source), tile.components[source]!)
            let length = components.count
            let name = kernel.name(of: source)
            let offset = tile.offsets[source]! == 0 ? "" : " + \(tile.offsets[source]!)"
            body.braced("for (int k = THREAD; k < tile_count * \(length); k += THREADS)") { body in
                let place =
                    length == 1
                    ? "k * \(tile.stride)" : length == tile.stride ? "k" : "k / \(length) * \(tile.stride) + k % \(length)"
                let first = components.lowerBound > 0 ? "\(components.lowerBound)" : kernel.chunk.map { "k\($0.counter)" } ?? ""
                let origin =
                    length == dimension
                    ? "tile_first * \(dimension) + k"
                    : "(tile_first + k / \(length)) * \(dimension) + \(first) + k % \(length)"
                body.line("tile[\(place)\(offset)] = \(name)[\(origin)];")
            }
        }
    }
}
