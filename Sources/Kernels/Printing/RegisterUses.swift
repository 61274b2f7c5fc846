import Formulas

/// Which registers outlive the run of simple statements that defines them.
///
/// The printer repeats each run for every row vector (and column) of a block. A register used in its own run only is a plain
/// variable there; one that crosses into another run is an array over the block. One that only fetches a number, and is used
/// once, is written where it is used.
struct RegisterUses {
    private var definition: [Register: Int] = [:]
    private(set) var crossing: Set<Register> = []
    private(set) var constants: [Register: Double] = [:]
    /// Registers written in place, with the expression to write.
    private(set) var inlined: [Register: Expression] = [:]
    private var direct: [Register: Expression] = [:]
    private var useCount: [Register: Int] = [:]
    /// What was fetched from memory that has been written to since.
    private var stale: Set<Register> = []
    private var branchDepth = 0
    private var run = 0
    private let splitsAtBranches: Bool

    /// - Parameters:
    ///   - splitsAtBarriers: whether a barrier ends a run: it does where several columns are in flight.
    ///   - splitsAtBranches: whether a branch is a run of its own.
    init(_ sections: [[Statement]], splitsAtBarriers: Bool, splitsAtBranches: Bool = false) {
        self.splitsAtBranches = splitsAtBranches
        for section in sections {
            run += 1
            visit(section, splitsAtBarriers)
        }
        inlined.merge(direct) { fetched, _ in fetched }
        inlined = inlined.filter { useCount[$0.key] == 1 && !crossing.contains($0.key) }
    }

    /// Whether it is written by its name anywhere.
    func reads(_ register: Register) -> Bool { useCount[register, default: 0] > 0 }

    private mutating func visit(_ block: [Statement], _ splitsAtBarriers: Bool) {
        for (position, statement) in block.enumerated() {
            noteDirectStore(statement, before: block.dropFirst(position + 1).first)
            switch statement {
            case .loop(_, _, let body):
                run += 1
                visit(body, splitsAtBarriers)
                run += 1
            case .barrier:
                if splitsAtBarriers { run += 1 }
            case .whenAny where splitsAtBranches:
                run += 1
                visitSimple(statement)
                run += 1
            default: visitSimple(statement)
            }
        }
    }

    private mutating func visitSimple(_ statement: Statement) {
        switch statement {
        case .define(let register, let expression):
            definition[register] = run
            if case .constant(let value) = expression { constants[register] = value }
            if case .convert(let source) = expression, let value = constants[source] { constants[register] = value }
            expression.operands.forEach { use($0) }
            if branchDepth == 0, expression.isFetch { inlined[register] = expression }
        case .declare(let register, let initial):
            definition[register] = run
            use(initial)
        case .assign(let register, let value):
            use(register)
            use(value)
        case .store(let register, let array, _):
            use(register)
            for case (let fetched, .load(array, _)) in inlined { stale.insert(fetched) }
        case .centreStore(let register, _), .tableStore(let register, _), .weigh(let register), .rescale(let register),
            .result(let register, _), .index(let register, _),
            .exportedValue(let register, _), .exportedPosition(let register, _):
            use(register)
        case .whenAny(let mask, let body):
            use(mask)
            // Loops in here are inside the run.
            branchDepth += 1
            visitInside(body)
            branchDepth -= 1
        case .loop, .barrier: break
        }
    }

    private mutating func visitInside(_ block: [Statement]) {
        for (position, statement) in block.enumerated() {
            noteDirectStore(statement, before: block.dropFirst(position + 1).first)
            if case .loop(_, _, let body) = statement { visitInside(body) } else { visitSimple(statement) }
        }
    }

    /// A result that the next statement stores is written there.
    private mutating func noteDirectStore(_ statement: Statement, before next: Statement?) {
        guard case .define(let register, .apply(let instruction, let operands)) = statement else { return }
        switch next {
        case .store(register, _, _), .assign(_, register), .result(register, _):
            direct[register] = .apply(instruction, operands)
        default: break
        }
    }

    private mutating func use(_ register: Register) {
        if definition[register] != run { crossing.insert(register) }
        useCount[register, default: 0] += 1
        if stale.contains(register) || branchDepth > 0 { inlined[register] = nil }
    }
}

extension Expression {
    /// Whether this only reads memory.
    var isFetch: Bool {
        switch self {
        case .load, .columnTable, .contraction, .weighted, .centre, .input, .partValue, .partPosition: true
        default: false
        }
    }

    var operands: [Register] {
        switch self {
        case .apply(_, let operands): operands
        case .convert(let operand): [operand]
        default: []
        }
    }
}

extension [Statement] {
    /// Every statement, those inside loops and branches too.
    var flattened: [Statement] {
        flatMap { statement -> [Statement] in
            switch statement {
            case .loop(_, _, let body), .whenAny(_, let body): [statement] + body.flattened
            default: [statement]
            }
        }
    }
}
