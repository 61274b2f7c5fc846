import Formulas

/// Collects a kernel's statements: what operations and accumulators write their code to.
///
/// Instructions go to the current section. Equal instructions are computed once per scope; arrays and variables that
/// change are read anew each time.
final class KernelBuilder: Emitter {
    private(set) var kernel: Kernel
    private(set) var section = Kernel.Section.call
    /// The open blocks of statements, outermost first.
    private var blocks: [[Statement]] = [[]]
    /// What the current scopes have computed already, outermost first.
    private var scopes: [[Expression: Register]] = [[:]]
    /// What the call and row sections have computed: later sections see it too.
    private var sectionScopes: [Kernel.Section: [Expression: Register]] = [:]
    private var registers: [Register] = []
    /// What each register was defined as, by its number; nil for those that are assigned again.
    private(set) var definitions: [Expression?] = []
    private var counterCount = 0
    /// How many copies of the current place unrolling makes.
    private var unrolled = 1
    private var keepsLoops = false

    /// Loops of at most this many repetitions are unrolled, unless they would multiply into more than `mostCopies`.
    private static let shortLoop = 8
    private static let mostCopies = 64

    init(_ kernel: Kernel) { self.kernel = kernel }

    /// Runs `body` with its instructions going to a section's end.
    func inSection<Result>(_ section: Kernel.Section, _ body: () throws -> Result) rethrows -> Result {
        let saved = (self.section, blocks, scopes)
        self.section = section
        blocks = [kernel.sections[section, default: []]]
        scopes = [sectionScopes[section, default: [:]]]
        defer {
            kernel.sections[section] = blocks[0]
            sectionScopes[section] = scopes[0]
            (self.section, blocks, scopes) = saved
        }
        return try body()
    }

    // MARK: Registers

    private func append(_ statement: Statement) { blocks[blocks.count - 1].append(statement) }

    private func register(_ type: ElementType, _ definition: Expression? = nil) -> Register {
        let register = Register(id: registers.count, type: type, section: section)
        registers.append(register)
        definitions.append(definition)
        return register
    }

    func value(_ register: Register) -> Value { Value(id: register.id, emitter: self) }

    /// A register for an expression; one that has it already, where it cannot have changed.
    private func define(_ type: ElementType, _ expression: Expression) -> Value {
        let canChange = if case .load = expression { true } else { false }
        if !canChange {
            for scope in scopes.reversed() { if let known = scope[expression] { return value(known) } }
            for earlier in section.visible { if let known = sectionScopes[earlier]?[expression] { return value(known) } }
        }
        let register = register(type, expression)
        append(.define(register, expression))
        if !canChange { scopes[scopes.count - 1][expression] = register }
        return value(register)
    }

    func operand(_ value: Value) -> Register { registers[value.id] }

    // MARK: Instructions

    func constant(_ number: Double) -> Value { define(.number, .constant(number)) }

    func apply(_ instruction: Instruction, _ operands: [Value]) -> Value {
        if instruction == .exp, let power = powerOfTwo(operand(operands[0])) { return power }
        if kernel.precision.exponentials == .fast, kernel.precision.arithmetic == .float32, operand(operands[0]).type == .number {
            if instruction == .exp { return (operands[0] * constant(Self.log2e)).apply(.fastExp2) }
            if instruction == .exp2 { return operands[0].apply(.fastExp2) }
        }
        var registers = operands.map(operand)
        // Numbers of two types meet in the wider; constants take the type of their company.
        let isWide = registers.contains { $0.type == .wide }
        if isWide {
            registers = registers.map { $0.type == .number ? operand(converted(value($0), to: .wide)) : $0 }
        }
        let type: ElementType =
            switch instruction {
            case .less, .lessOrEqual, .equal, .notEqual: isWide ? .wideMask : .mask
            case .and, .or, .not: registers[0].type
            case .select: registers[1].type
            default: isWide ? .wide : .number
            }
        return define(type, .apply(instruction, registers))
    }

    private func converted(_ value: Value, to type: ElementType) -> Value {
        let register = operand(value)
        return register.type == type ? value : define(type, .convert(register))
    }

    /// A number in the type of an array's elements.
    func converted(_ value: Value, like array: ArrayReference) -> Value { converted(value, to: elementType(array)) }

    func number(_ index: Index) -> Value {
        index.terms.isEmpty ? constant(Double(index.constant)) : define(.number, .counter(index))
    }

    var columnPosition: Value { define(.position, .columnPosition) }
    var positionZero: Value { define(.position, .positionZero) }

    /// Whether column values come from the table here, rather than from where they are computed.
    var readsColumnTable: Bool { section != .column && section != .centre }

    func input(_ place: Int, _ component: Index) -> Value { define(.number, .input(place, component)) }
    func columnTable(_ component: Index) -> Value { define(.number, .columnTable(component)) }

    /// The inner product that is computed for a tile of pairs at a time; nil where that is another one.
    func contract(_ contraction: Contraction) -> Value? {
        guard kernel.contracts, kernel.contraction == nil || kernel.contraction == contraction else { return nil }
        kernel.contraction = contraction
        return define(.number, .contraction)
    }

    /// The vectors that are added up for a tile of pairs at a time.
    func add(_ weighting: Weighting) { kernel.weighting = weighting }

    func weigh(_ weight: Value) { append(.weigh(operand(weight))) }
    func rescale(by factor: Value) { append(.rescale(operand(factor))) }
    func weighted(_ component: Index) -> Value { define(.number, .weighted(component)) }

    func centre(_ component: Index) -> Value { define(.number, .centre(component)) }

    func partValue(_ component: Index) -> Value { define(totalType, .partValue(component)) }
    func partPosition(_ component: Index) -> Value { define(.position, .partPosition(component)) }

    /// The type of totals.
    var totalType: ElementType { kernel.precision.accumulator != kernel.precision.arithmetic ? .wide : .number }

    // MARK: Loops

    private func isUnrolled(_ count: Int) -> Bool {
        count <= 1 || (!keepsLoops && count <= Self.shortLoop && unrolled * count <= Self.mostCopies)
    }

    func keepsLoopsWhole(_ count: Int) -> Bool { kernel.isForAccelerators && !isUnrolled(count) }

    func withoutUnrolling<Result>(_ body: () -> Result) -> Result {
        let saved = keepsLoops
        keepsLoops = true
        defer { keepsLoops = saved }
        return body()
    }

    /// A loop's body as a block of its own.
    private func looped(_ count: Int, _ body: (Index) -> Void) {
        let counter = counterCount
        counterCount += 1
        blocks.append([])
        scopes.append([:])
        body(Index(counter: counter))
        scopes.removeLast()
        append(.loop(counter: counter, count: count, body: blocks.removeLast()))
    }

    private func copied(_ count: Int, _ body: (Index) -> Void) {
        unrolled *= max(1, count)
        for k in 0..<max(0, count) { body(Index(k)) }
        unrolled /= max(1, count)
    }

    func loop(_ count: Int, _ body: (Index) -> Void) {
        if isUnrolled(count) { copied(count, body) } else { looped(count, body) }
    }

    func fold(_ count: Int, from initial: [Value], _ body: (Index, [Value]) -> [Value]) -> [Value] {
        guard count > 0 else { return initial }
        if isUnrolled(count) {
            var values = initial
            copied(count) { k in values = body(k, values) }
            return values
        }
        let carried = initial.map { start in
            let register = register(operand(start).type)
            append(.declare(register, initial: operand(start)))
            return register
        }
        looped(count) { k in
            // All next values are computed before the first is assigned.
            let next = body(k, carried.map(value))
            for (register, value) in zip(carried, next) { append(.assign(register, operand(value))) }
        }
        return carried.map(value)
    }

    /// Steps for the lanes where a mask holds.
    func whenAny(_ mask: Value, _ body: () -> Void) {
        blocks.append([])
        scopes.append([:])
        body()
        scopes.removeLast()
        append(.whenAny(operand(mask), blocks.removeLast()))
    }

    /// A value that steps compute anew in the lanes where a mask holds, skipped where it holds in no lane.
    func replacing(_ value: Value, where mask: Value, by body: () -> Value) -> Value {
        let register = register(operand(value).type)
        append(.declare(register, initial: operand(value)))
        whenAny(mask) { append(.assign(register, operand(mask.select(body(), value)))) }
        return self.value(register)
    }

    func barrier() { append(.barrier) }

    /// From here on, the result's components are computed some at a time.
    func cut(_ dimension: Int, into length: Int) {
        precondition(length < dimension, "a chunk is a part")
        kernel.chunk = ComponentChunk(length: length, dimension: dimension, counter: counterCount)
        counterCount += 1
    }

    // MARK: Arrays

    func array(_ count: Int) -> ArrayReference { array(count, of: .number) }

    /// An array of the current section.
    func array(_ count: Int, of type: ElementType, named name: String? = nil) -> ArrayReference {
        let reference = ArrayReference(id: kernel.arrays.count, count: count)
        kernel.arrays.append(
            ArrayInfo(reference: reference, type: type, section: section, name: name ?? "a\(reference.id)"))
        return reference
    }

    private func elementType(_ array: ArrayReference) -> ElementType { kernel.arrays[array.id].type }

    func store(_ value: Value, in array: ArrayReference, at index: Index) {
        let type = elementType(array)
        append(.store(operand(type == .position ? value : converted(value, to: type)), array, index))
    }

    func load(_ array: ArrayReference, at index: Index) -> Value { define(elementType(array), .load(array, index)) }

    /// The largest finite number of an array's type.
    func largestFinite(of array: ArrayReference) -> Double {
        (elementType(array) == .wide ? kernel.precision.accumulator : kernel.precision.arithmetic).largestFinite
    }

    var largestFiniteNumber: Double { kernel.precision.arithmetic.largestFinite }

    // MARK: Results

    func storeInCentre(_ value: Value, at index: Index) { append(.centreStore(operand(value), index)) }
    func storeInColumnTable(_ value: Value, at index: Index) { append(.tableStore(operand(value), index)) }
    func result(_ value: Value, at index: Index) { append(.result(operand(value), index)) }
    func index(_ value: Value, at index: Index) { append(.index(operand(value), index)) }
    func export(value: Value, at index: Index) { append(.exportedValue(operand(value), index)) }
    func export(position: Value, at index: Index) { append(.exportedPosition(operand(position), index)) }

    /// Room for `count` numbers of a point amid the columns; returns their first place.
    func reserveCentre(_ count: Int) -> Int {
        defer { kernel.centreWidth += count }
        return kernel.centreWidth
    }

    /// Room for `count` numbers per column in the table; returns their first place.
    func reserveColumnTable(_ count: Int) -> Int {
        defer { kernel.columnTableWidth += count }
        return kernel.columnTableWidth
    }
}

extension Kernel.Section {
    /// The earlier sections whose registers can be used here.
    fileprivate var visible: [Kernel.Section] {
        switch self {
        case .call: []
        case .centre, .column, .row: [.call]
        default: [.call, .row]
        }
    }
}
