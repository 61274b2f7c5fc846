import Formulas

/// Prints a kernel's statements in a C-like language.
///
/// Every run of simple statements stands in loops over the block: `r` counts its row vectors, and where several columns are
/// taken at a time, `c` counts those. These loops are unrolled, so that each value is a handful of registers.
struct StatementPrinter {
    let kernel: Kernel
    let dialect: any Dialect
    let uses: RegisterUses
    /// Columns that pair values have room for.
    let columnsPerStep: Int
    /// Columns taken at a time in what is being printed: 1 prints no loop over c.
    var columns = 1
    /// Names of the current column's numbers that have been read.
    var fetched: [Expression: String] = [:]
    /// What the lanes of points are.
    var lanes = LanePoints.rows
    private(set) var lines: [String] = []
    private var indent: Int

    init(kernel: Kernel, dialect: any Dialect, uses: RegisterUses, columnsPerStep: Int, indent: Int) {
        self.columnsPerStep = columnsPerStep
        self.kernel = kernel
        self.dialect = dialect
        self.uses = uses
        self.indent = indent
    }

    mutating func line(_ text: String) {
        lines.append(text.isEmpty ? "" : String(repeating: "    ", count: indent) + text)
    }

    mutating func braced(_ head: String, _ body: (inout StatementPrinter) -> Void) {
        line(head + " {")
        indent += 1
        body(&self)
        indent -= 1
        line("}")
    }

    // MARK: Blocks

    /// A section's statements, each run in the block's loops.
    mutating func block(_ statements: [Statement], of section: Kernel.Section) {
        var run: [Statement] = []
        for statement in statements {
            switch statement {
            case .loop(let counter, let count, let body):
                printRun(&run, section)
                loop(counter, count, body) { $0.block(body, of: section) }
            case .barrier:
                if columns > 1 { printRun(&run, section) }
            case .whenAny(let mask, _) where dialect.gathersBranches && section == .pair:
                printRun(&run, section)
                gathered(mask, statement)
            default: run.append(statement)
            }
        }
        printRun(&run, section)
    }

    /// What stands ahead of a loop over rows.
    private mutating func blockLoops(_ section: Kernel.Section) {
        if section == .pair, columns > 1 {
            if let note = dialect.blockLoopNote { line(note) }
            line("for (int c = 0; c < \(columns); c++)")
        }
        if let note = dialect.blockLoopNote { line(note) }
    }

    private mutating func printRun(_ run: inout [Statement], _ section: Kernel.Section) {
        defer { run = [] }
        let printed = run.filter { !isSilent($0) }
        guard !printed.isEmpty else { return }
        guard section.isRepeatedPerRow else { return printed.forEach { simple($0) } }
        blockLoops(section)
        braced("for (int r = 0; r < R; r++)") { printer in printed.forEach { printer.simple($0) } }
    }

    /// A branch that is taken where any row and column of the block has to: one question for all of them.
    private mutating func gathered(_ mask: Register, _ branch: Statement) {
        line("i32 any\(mask.id) = 0;")
        blockLoops(.pair)
        line("for (int r = 0; r < R; r++) any\(mask.id) |= \(name(mask));")
        braced("if (any\(mask.id))") { printer in
            var run = [branch]
            printer.printRun(&run, .pair)
        }
    }

    private mutating func loop(
        _ counter: Int, _ count: Int, _ body: [Statement], _ print: (inout StatementPrinter) -> Void
    ) {
        if let note = dialect.loopNote(counter: counter, count: count, body) { line(note) }
        braced("for (int k\(counter) = 0; k\(counter) < \(count); k\(counter)++)", print)
    }

    /// Constants and plain fetches are written where they are used.
    private func isSilent(_ statement: Statement) -> Bool {
        guard case .define(let register, _) = statement else { return false }
        return uses.constants[register] != nil || uses.inlined[register] != nil
    }

    // MARK: Statements

    private mutating func simple(_ statement: Statement) {
        switch statement {
        case .define(let register, let expression):
            let isPlain = !isBlockArray(register)
            line(
                "\(isPlain ? "const \(dialect.type(register.type)) " : "")\(name(register)) = \(text(expression, register.type));"
            )
        case .declare(let register, let initial):
            let isPlain = !isBlockArray(register)
            line("\(isPlain ? "\(dialect.type(register.type)) " : "")\(name(register)) = \(vector(initial));")
        case .assign(let register, let value): line("\(name(register)) = \(vector(value));")
        case .store(let register, let array, let index): line("\(element(array, index)) = \(vector(register));")
        case .centreStore(let register, let index): line(dialect.storeInCentre(vector(register), at: position(index)))
        case .tableStore(let register, let index): line(dialect.storeInTable(vector(register), at: position(index)))
        case .weigh(let register): line(dialect.weigh(vector(register), column))
        case .rescale(let register): line(dialect.rescale(vector(register), column))
        case .result(let register, let index): line(dialect.storeResult(narrow(register), at: position(index)))
        case .index(let register, let index): line(dialect.storeIndex(vector(register), at: position(index)))
        case .exportedValue(let register, let index):
            line(dialect.exportValue(vector(register), register.type, at: position(index)))
        case .exportedPosition(let register, let index): line(dialect.exportPosition(vector(register), at: position(index)))
        case .whenAny(let mask, let body):
            braced("if (\(dialect.anyHolds(name(mask), mask.type)))") { printer in printer.inside(body) }
        case .loop, .barrier: break
        }
    }

    /// Statements inside a branch: its loops stand as they are.
    private mutating func inside(_ statements: [Statement]) {
        for statement in statements where !isSilent(statement) {
            if case .loop(let counter, let count, let body) = statement {
                loop(counter, count, body) { $0.inside(body) }
            } else {
                simple(statement)
            }
        }
    }

    // MARK: Registers and arrays

    private func isBlockArray(_ register: Register) -> Bool {
        register.section.isRepeatedPerRow && uses.crossing.contains(register)
    }

    private func blockIndex(_ section: Kernel.Section) -> String {
        guard section.isRepeatedPerRow else { return "" }
        guard section == .pair, columnsPerStep > 1 else { return "[r]" }
        return columns > 1 ? "[c][r]" : "[0][r]"
    }

    private func name(_ register: Register) -> String {
        "t\(register.id)" + (isBlockArray(register) ? blockIndex(register.section) : "")
    }

    private func element(_ array: ArrayReference, _ index: Index) -> String {
        dialect.element(kernel.arrays[array.id], position(index), blockIndex(kernel.arrays[array.id].section))
    }

    func position(_ index: Index) -> String {
        var text = index.terms.map { term in
            switch term.stride {
            case 1: "k\(term.counter)"
            case -1: "-k\(term.counter)"
            default: "\(term.stride) * k\(term.counter)"
            }
        }
        if index.constant != 0 || text.isEmpty { text.append("\(index.constant)") }
        return text.joined(separator: " + ").replacing("+ -", with: "- ")
    }

    // MARK: Expressions

    /// A register where a vector is needed.
    private func vector(_ register: Register) -> String {
        if let expression = uses.inlined[register] { return text(expression, register.type) }
        guard let value = uses.constants[register] else { return name(register) }
        return dialect.splat(dialect.literal(value, register.type), register.type)
    }

    /// A register beside a vector, where a plain number will do; nil for what is a vector itself.
    private func scalar(_ register: Register) -> String? {
        if let value = uses.constants[register] {
            let literal = dialect.literal(value, register.type)
            return literal.hasPrefix("-") ? "(\(literal))" : literal
        }
        return uses.inlined[register].flatMap(scalar)
    }

    /// A number in the arithmetic's type.
    private func narrow(_ register: Register) -> String {
        register.type == .wide && dialect.type(.wide) != dialect.type(.number)
            ? "f32_from_f64(\(vector(register)))" : vector(register)
    }

    private func text(_ expression: Expression, _ type: ElementType) -> String {
        if let number = scalar(expression) { return dialect.splat(number, type) }
        switch expression {
        case .constant(let value): return dialect.literal(value, type)
        case .apply(let instruction, let operands): return text(instruction, operands, type)
        case .convert(let register):
            return type == .wide ? "f64_from_f32(\(vector(register)))" : "f32_from_f64(\(vector(register)))"
        case .load(let array, let index): return element(array, index)
        case .input(let place, let index):
            return dialect.laneNumber(of: kernel.inputs[place], position(index), in: lanes)
        case .counter(let index): return dialect.splat(position(index), type)
        case .contraction: return dialect.contraction(column)
        case .weighted(let index): return dialect.weighted(position(index))
        case .columnPosition: return dialect.splat(dialect.columnPosition(column), type)
        case .positionZero: return dialect.splat("0", type)
        case .partValue(let index): return dialect.partNumber(position(index))
        case .partPosition(let index): return dialect.partPosition(position(index))
        case .columnTable, .centre: preconditionFailure("is a plain number")
        }
    }

    /// What is one number for all lanes: components of parameters and of the current column.
    func scalar(_ expression: Expression) -> String? {
        if let name = fetched[expression] { return name }
        switch expression {
        case .centre(let index): return "centre[\(position(index))]"
        case .columnTable(let index):
            return dialect.columnNumber(of: .table, column, index, position)
        case .input(let place, let index):
            let input = kernel.inputs[place]
            if input.role == .column, lanes == .rows {
                return dialect.columnNumber(of: .input(place), column, index, position)
            }
            guard input.role == .parameter, !kernel.precision.storage.isHalf else { return nil }
            return dialect.parameterNumber(of: input, position(index), in: lanes)
        default: return nil
        }
    }

    /// The current column.
    private var column: String { columns > 1 ? "(j + c)" : "j" }

    private func text(_ instruction: Instruction, _ operands: [Register], _ type: ElementType) -> String {
        if let symbol = instruction.infix {
            // One side has to be a vector.
            let (first, second) = (scalar(operands[0]), scalar(operands[1]))
            let left = (second == nil ? first : nil) ?? vector(operands[0])
            return "\(left) \(symbol) \(second ?? vector(operands[1]))"
        }
        switch instruction {
        case .negate: return "-\(vector(operands[0]))"
        case .not: return dialect.not(vector(operands[0]))
        default:
            let arguments = operands.map(vector).joined(separator: ", ")
            return "\(instruction.function!)_\(dialect.type(type))(\(arguments))"
        }
    }
}

extension Kernel {
    /// The name of an input in generated code: x for rows, y for columns, p for parameters, and its number.
    static func inputName(_ input: Input) -> String {
        switch input.role {
        case .row: "x\(input.variable.index)"
        case .column: "y\(input.variable.index)"
        case .parameter: "p\(input.variable.index)"
        }
    }
}

extension Kernel.Section {
    /// Whether each of its values exists once per row of a block.
    var isRepeatedPerRow: Bool { self != .call && self != .centre && self != .column }
}
