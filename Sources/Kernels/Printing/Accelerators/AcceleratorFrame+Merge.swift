import Formulas

extension AcceleratorFrame {
    /// Merges the states of a group's rows, a thread per row, in order of their columns; no states give the result of no columns.
    func mergeFunction() -> String {
        var parameters: [String] = []
        if kernel.reduction.valueCount > 0 { parameters.append(pointer(stored, "values")) }
        if kernel.reduction.indexCount > 0 { parameters.append(pointer("i64", "indices")) }
        parameters += [
            pointer("const \(dialect.type(.wide))", "part_values"), pointer("const i64", "part_positions"),
            pointer("const i64", "merges"), "const i64 rows", "const i64 blocks", "const i64 parts",
        ]
        var body = printer()
        let hasStates = !kernel.sections[.pair, default: []].isEmpty
        let fields = ["item", "first_row", "end_row", "state", "part_rows", "part_count"]
        func isUsed(_ field: String) -> Bool { hasStates || !["state", "part_rows"].contains(field) }
        body.line("i64 \(fields.filter(isUsed).joined(separator: ", "));")
        body.braced("if (merges)") { body in
            for (k, name) in fields.enumerated() where isUsed(name) {
                body.line("\(name) = merges[\(fields.count) * (i64)GROUP + \(k)];")
            }
        }
        body.braced("else") { body in
            body.line("item = GROUP / (u32)blocks;")
            body.line("first_row = (i64)(GROUP % (u32)blocks) * THREADS;")
            body.line("end_row = first_row + THREADS < rows ? first_row + THREADS : rows;")
            if hasStates { body.line("state = item * parts * rows + first_row;") }
            if hasStates { body.line("part_rows = rows;") }
            body.line("part_count = parts;")
        }
        body.line("if (!IS_ROW(0)) return;")
        if kernel.reduction.valueCount > 0 { body.line("values += item * rows * \(kernel.reduction.valueCount);") }
        if kernel.reduction.indexCount > 0 { body.line("indices += item * rows * \(kernel.reduction.indexCount);") }
        rows(&body)
        arrays(of: Set(Kernel.Section.allCases), &body)
        crossingRegisters(&body)
        if let chunk = kernel.chunk {
            body.braced("for (int chunk = 0; chunk < \(chunk.count); chunk++)") { body in
                body.line("const int k\(chunk.counter) = \(chunk.firstText);")
                mergeParts(&body)
            }
        } else {
            mergeParts(&body)
        }
        return function("khufu_merge", parameters, body)
    }

    private func mergeParts(_ body: inout StatementPrinter) {
        section(.begin, "Nothing accumulated yet.", &body)
        body.line("UNROLL_1")
        body.braced("for (i64 j = 0; j < part_count; j++)") { body in
            body.block(kernel.sections[.pair, default: []], of: .pair)
        }
        section(.finish, "The result.", &body)
    }
}
