import Formulas

extension AcceleratorFrame {
    /// Tabulates what depends on the column only: a thread per column.
    func columnFunction() -> String {
        let parameters =
            inputs([.column, .parameter]) + centre() + [
                pointer(number, "table"), pointer("const i64", "offsets"), "const i64 columns", "const i64 blocks",
            ]
        var body = printer()
        body.lanes = .columns
        body.line("const i64 item = GROUP / (u32)blocks;")
        body.line("const i64 column = (i64)(GROUP % (u32)blocks) * THREADS + THREAD;")
        body.line("const int is_inside = column < columns;")
        body.line("const i64 point = is_inside ? column : columns - 1;")
        moveInputs([.column, .parameter], &body)
        body.line("table += item * columns * \(kernel.columnTableWidth);")
        moveCentre(&body)
        arrays(of: [.call, .column], &body)
        section(.call, "What depends on parameters only.", &body)
        section(.column, "What depends on the column only.", &body)
        return function("khufu_columns", parameters, body)
    }
}
