import Formulas

/// The functions around the sections.
struct CSourceFrame {
    let kernel: Kernel
    let dialect: CDialect
    let uses: RegisterUses
    let columns: Int
    let lanes: Int
    let rowVectors: Int
    let largestStackArray: Int
    var workspaceBytes = 0

    var number: String { CDialect.scalar(kernel.precision.arithmetic) }
    var stored: String { CDialect.scalar(kernel.precision.storage) }
    var isHalf: Bool { kernel.precision.storage.isHalf }
    var halfName: String { kernel.precision.storage.halfName }

    mutating func print() -> String {
        var texts = [kernel.heading, "#define LANES \(lanes)\n", mathematics, memory]
        if kernel.centreWidth > 0 { texts.append(centreFunction()) }
        if kernel.columnTableWidth > 0 { texts.append(columnFunction()) }
        texts.append(rowFunction())
        return texts.joined(separator: "\n")
    }

    // MARK: What stands above

    /// The vector functions that the kernel calls, in the types that it calls them in.
    private var mathematics: String {
        var (single, double): (Set<String>, Set<String>) = ([], [])
        var library: Set<String> = []
        for section in Kernel.Section.allCases {
            for case .define(let register, .apply(let instruction, _)) in kernel.sections[section, default: []].flattened {
                if case .library(let name) = instruction { library.insert(name) }
                guard let name = instruction.function, VectorMath.function(named: name) != nil else { continue }
                if dialect.type(register.type) == "f64" { double.insert(name) } else { single.insert(name) }
            }
        }
        return VectorMath.prelude
            + VectorMath.source(for: single, f32: true, f64: false)
            + VectorMath.source(for: double, f32: false, f64: true)
            + library.sorted().map { "library1(\($0))\n" }.joined()
    }

    // MARK: Functions

    /// A pointer of the call, as the parameter of a function. Parameters, for compilers trust `restrict` on nothing else:
    /// without it, every store to the workspace could change an input.
    struct Pointer {
        var type: String
        var name: String
        var source: String
    }

    func pointers(_ roles: Set<Kernel.Role>) -> [Pointer] {
        var pointers: [Pointer] = []
        for (place, input) in kernel.inputs.enumerated() where roles.contains(input.role) {
            pointers.append(
                Pointer(type: "const \(stored)", name: Kernel.inputName(input), source: "call->inputs[\(place)]"))
        }
        return pointers
    }

    func parameters(_ pointers: [Pointer]) -> String {
        pointers.map { ", \($0.type) *restrict \($0.name)" }.joined()
    }

    func arguments(_ pointers: [Pointer]) -> String { pointers.map { ", \($0.source)" }.joined() }

    /// Arrays of some sections, small ones on the stack.
    mutating func arrays(of sections: Set<Kernel.Section>, _ printer: inout StatementPrinter) {
        for info in kernel.arrays where sections.contains(info.section) && info.reference.count > 0 {
            let columns = info.section == .pair ? columns : 1
            let block = info.section.isRepeatedPerRow ? (columns > 1 ? "[\(columns)]" : "") + "[R]" : ""
            let type = dialect.type(info.type)
            let laneBytes = type == "f64" || type == "i64" ? 8 : 4
            let bytes = info.reference.count * columns * (info.section.isRepeatedPerRow ? rowVectors : 1) * lanes * laneBytes
            if bytes <= largestStackArray {
                printer.line("\(type) \(info.name)[\(info.reference.count)]\(block);")
            } else {
                printer.line("\(type) (*const \(info.name))\(block) = (void *)(workspace + \(workspaceBytes));")
                workspaceBytes += (bytes + 63) / 64 * 64
            }
        }
    }

    /// Registers that live from one run of statements to another.
    private func crossingRegisters(of sections: [Kernel.Section], _ printer: inout StatementPrinter) {
        for section in sections where section.isRepeatedPerRow {
            let registers = uses.crossing.filter { $0.section == section && uses.constants[$0] == nil }.sorted { $0.id < $1.id }
            let block = section == .pair && columns > 1 ? "[\(columns)][R]" : "[R]"
            for register in registers { printer.line("\(dialect.type(register.type)) t\(register.id)\(block);") }
        }
    }

    func printer(indent: Int = 1) -> StatementPrinter {
        StatementPrinter(kernel: kernel, dialect: dialect, uses: uses, columnsPerStep: columns, indent: indent)
    }

    func section(_ section: Kernel.Section, _ comment: String, _ printer: inout StatementPrinter) {
        let statements = kernel.sections[section, default: []]
        guard !statements.isEmpty else { return }
        printer.line("// \(comment)")
        printer.block(statements, of: section)
    }

    /// What `khufu_centre` has found.
    private var centrePointer: [Pointer] {
        kernel.centreWidth > 0 ? [Pointer(type: "const \(number)", name: "centre", source: "call->centre")] : []
    }

    private mutating func columnFunction() -> String {
        let ahead =
            pointers([.column, .parameter]) + [
                Pointer(type: number, name: "table", source: "call->table"),
                Pointer(type: "char", name: "workspace", source: "call->workspace"),
            ]
        let pointers = ahead + centrePointer
        var body = printer()
        body.lanes = .columns
        body.line("const long long end = call->end;")
        arrays(of: [.call, .column], &body)
        section(.call, "What depends on parameters only.", &body)
        let statements = kernel.sections[.column, default: []]
        body.braced("for (long long first = call->first; first < end; first += LANES)") { body in
            body.block(statements, of: .column)
        }
        return """
            // What depends on the column only, LANES columns at a time.
            INLINE void columns(const call *call\(parameters(pointers)))
            {
            \(body.lines.joined(separator: "\n"))
            }

            void khufu_columns(const call *call)
            {
                columns(call\(arguments(pointers)));
            }

            """
    }

    private mutating func rowFunction() -> String {
        var pointers = pointers([.row, .column, .parameter])
        if kernel.columnTableWidth > 0 {
            pointers.append(Pointer(type: "const \(number)", name: "table", source: "call->table"))
        }
        pointers += centrePointer
        if kernel.reduction.valueCount > 0 { pointers.append(Pointer(type: stored, name: "values", source: "call->values")) }
        if kernel.reduction.indexCount > 0 {
            pointers.append(Pointer(type: "long long", name: "indices", source: "call->indices"))
        }
        pointers.append(Pointer(type: "char", name: "workspace", source: "call->workspace"))

        var body = printer()
        body.line("const long long end_row = call->end;")
        if kernel.reduction.indexCount > 0 { body.line("const long long position_base = call->position_base;") }
        arrays(of: Set(Kernel.Section.allCases).subtracting([.centre, .column]), &body)
        crossingRegisters(of: Kernel.Section.allCases, &body)
        body.line("")
        section(.call, "What depends on parameters only.", &body)
        section(.row, "What depends on the row only.", &body)
        section(.begin, "Nothing accumulated yet.", &body)
        copyStates(into: true, &body)
        body.braced("for (long long range = 0; range < call->range_count; range++)") { body in
            body.line("const long long end = call->ranges[2 * range + 1];")
            if let length = kernel.blockLength {
                body.braced("for (long long block = call->ranges[2 * range]; block < end; block += \(length))") { body in
                    body.line("const long long block_end = end - block < \(length) ? end : block + \(length);")
                    section(.blockBegin, "A block of columns is accumulated on its own.", &body)
                    columnLoop(from: "block", to: "block_end", &body)
                    section(.flush, "The block joins the total.", &body)
                }
            } else {
                columnLoop(from: "call->ranges[2 * range]", to: "end", &body)
            }
        }
        copyStates(into: false, &body)
        if !kernel.sections[.export, default: []].isEmpty {
            body.braced("if (call->exported_values)") { body in
                body.line("const long long first_row = call->first;")
                section(.export, "The state, for merging.", &body)
                body.line("return;")
            }
        }
        section(.finish, "The result.", &body)

        // Whole blocks first, and the rest one by one.
        let arguments = arguments(pointers)
        var calls = ["    for (; row < call->end; row += LANES) rows(call, 1, row\(arguments));"]
        if rowVectors > 1 {
            calls.insert(
                "    for (; call->end - row > LANES; row += \(rowVectors) * LANES) rows(call, \(rowVectors), row\(arguments));",
                at: 0)
        }

        return """
            // A block of R row vectors, from `block_row` on.
            INLINE void rows(const call *call, const int R, const long long block_row\(parameters(pointers)))
            {
            \(body.lines.joined(separator: "\n"))
            }

            void khufu_rows(const call *call)
            {
                long long row = call->first;
            \(calls.joined(separator: "\n"))
            }

            """
    }

    /// The pairs of a block of rows with some columns.
    private func columnLoop(from first: String, to end: String, _ body: inout StatementPrinter) {
        let statements = kernel.sections[.pair, default: []]
        guard columns > 1 else {
            body.braced("for (long long j = \(first); j < \(end); j++)") { $0.block(statements, of: .pair) }
            return
        }
        body.line("long long j = \(first);")
        body.braced("for (; j + \(columns) <= \(end); j += \(columns))") { body in
            body.columns = columns
            body.block(statements, of: .pair)
            body.columns = 1
        }
        // The same, a column at a time.
        body.braced("for (; j < \(end); j++)") { $0.block(statements, of: .pair) }
    }
}

extension Kernel {
    /// What it computes, as a comment.
    var heading: String {
        // Formulas print with our names and numbers only, so that nothing of a user's text gets here.
        let weight = reduction.weight.map { "\n// weight \($0.text(limit: 2_000))" } ?? ""
        let inputs = inputs.map { "\(Kernel.inputName($0)): \($0.variable)" }.joined(separator: ", ")
        return """
            // \(reduction.name) over \(reduction.over.rawValue) of \(reduction.formula.text(limit: 2_000))\(weight)
            // \(inputs); \(precision.storage.rawValue), totals in \(precision.accumulator.rawValue)

            """
    }
}
