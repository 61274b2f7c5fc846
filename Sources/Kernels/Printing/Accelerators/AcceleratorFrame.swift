import Formulas

/// The functions around the sections.
struct AcceleratorFrame {
    let kernel: Kernel
    let language: AcceleratorLanguage
    let block: ThreadBlock
    let isMerging: Bool
    let dialect: AcceleratorDialect
    let uses: RegisterUses

    init(kernel: Kernel, language: AcceleratorLanguage, block: ThreadBlock, isMerging: Bool) {
        (self.kernel, self.language, self.block, self.isMerging) = (kernel, language, block, isMerging)
        dialect = AcceleratorDialect(kernel: kernel, block: block, isMerging: isMerging)
        uses = RegisterUses(
            Kernel.Section.allCases.map { kernel.sections[$0, default: []] }, splitsAtBarriers: block.columns > 1,
            splitsAtBranches: dialect.gathersBranches)
    }

    var number: String { dialect.type(.number) }
    var stored: String { AcceleratorDialect.scalar(kernel.precision.storage) }
    var usesFloat64: Bool { kernel.precision.arithmetic == .float64 || kernel.precision.accumulator == .float64 }

    func text(_ functions: [String?]) -> String {
        let constants = "#define THREADS \(block.threads)\n#define R \(block.rowsPerThread)\n"
        let prelude = AcceleratorPrelude(
            language: language, kernel: kernel, dialect: dialect, usesFloat64: usesFloat64, contraction: block.contraction)
        return ([heading, constants, prelude.text] + functions.compactMap { $0 }).joined(separator: "\n")
    }

    private var heading: String {
        if isMerging { return "// Merges states of \(kernel.reduction.name).\n" }
        return kernel.heading
    }

    // MARK: Parameters of functions

    func inputs(_ roles: Set<Kernel.Role>) -> [String] {
        kernel.inputs.filter { roles.contains($0.role) }.map { pointer("const \(stored)", Kernel.inputName($0)) }
    }

    /// The points amid the columns.
    func centre(isWritten: Bool = false) -> [String] {
        kernel.centreWidth > 0 ? [pointer(isWritten ? number : "const \(number)", "centre")] : []
    }

    func moveCentre(_ body: inout StatementPrinter) {
        if kernel.centreWidth > 0 { body.line("centre += item * \(kernel.centreWidth);") }
    }

    func pointer(_ type: String, _ name: String) -> String { "GLOBAL \(type) *RESTRICT \(name)" }

    /// - Parameter groups: how many of them a multiprocessor's registers have to suffice for.
    func function(_ name: String, _ parameters: [String], groups: Int = 1, _ body: StatementPrinter) -> String {
        """
        KERNEL\(groups > 1 ? "_BESIDE(\(groups))" : "") void \(name)(
            \(parameters.joined(separator: ",\n    ")))
        {
        \(body.lines.joined(separator: "\n"))
        }

        """
    }

    // MARK: Bodies

    func printer() -> StatementPrinter {
        StatementPrinter(kernel: kernel, dialect: dialect, uses: uses, columnsPerStep: block.columns, indent: 1)
    }

    /// Memory of the thread's own: registers, where every index is known when compiling.
    func arrays(of sections: Set<Kernel.Section>, _ printer: inout StatementPrinter) {
        let used = Set(sections.flatMap { kernel.sections[$0, default: []].flattened }.compactMap(\.access).map(\.array.id))
        for info in kernel.arrays where used.contains(info.reference.id) && info.reference.count > 0 {
            if block.rowTable[info.reference.id] != nil || block.isShared(info.reference) { continue }
            let rows = blockDimensions(info.section)
            printer.line("\(dialect.type(info.type)) \(info.name)[\(info.reference.count)]\(rows);")
        }
    }

    /// Registers that live from one run of statements to another.
    func crossingRegisters(_ printer: inout StatementPrinter) {
        let registers = uses.crossing.filter { $0.section.isRepeatedPerRow && uses.constants[$0] == nil && uses.reads($0) }
        for register in registers.sorted(by: { $0.id < $1.id }) {
            printer.line("\(dialect.type(register.type)) t\(register.id)\(blockDimensions(register.section));")
        }
    }

    /// Bytes of the arrays that are no registers.
    var localByteCount: Int {
        block.arraysInMemory(kernel).reduce(0) { sum, id in
            let info = kernel.arrays[id]
            let copies = info.section.isRepeatedPerRow ? block.rowsPerThread * (info.section == .pair ? block.columns : 1) : 1
            let bytes = info.reference.count * copies * (["f64", "i64"].contains(dialect.type(info.type)) ? 8 : 4)
            // Each begins at a multiple of 16.
            return sum + (bytes + 15) / 16 * 16
        }
    }

    private func blockDimensions(_ section: Kernel.Section) -> String {
        guard section.isRepeatedPerRow else { return "" }
        return section == .pair && block.columns > 1 ? "[\(block.columns)][R]" : "[R]"
    }

    func section(_ section: Kernel.Section, _ comment: String, _ printer: inout StatementPrinter) {
        let statements = kernel.sections[section, default: []]
        guard !statements.isEmpty else { return }
        printer.line("// \(comment)")
        printer.block(statements, of: section)
    }

    /// The inputs of a batch item begin at its own first point.
    func moveInputs(_ roles: Set<Kernel.Role>, _ body: inout StatementPrinter) {
        let moved = kernel.inputs.enumerated().filter { roles.contains($0.element.role) }
        guard !moved.isEmpty else { return }
        body.braced("if (offsets)") { body in
            for (place, input) in moved {
                body.line("\(Kernel.inputName(input)) += offsets[item * \(kernel.inputs.count) + \(place)];")
            }
        }
    }

    /// The rows of this thread; those past the end repeat the last.
    func rows(_ body: inout StatementPrinter) {
        body.line("i64 row[R];")
        body.line("UNROLL")
        body.braced("for (int r = 0; r < R; r++)") { body in
            body.line("row[r] = IS_ROW(r) ? first_row + r * THREADS + THREAD : end_row - 1;")
        }
    }
}
