import Formulas

extension Kernel {
    /// Lowers a reduction: decides for every node of its formulas at which stage it is computed and whether its components
    /// are kept or computed where they are used, and writes the accumulation around it.
    ///
    /// - Parameter squaredDistances: how those of long vectors are computed.
    public init(
        lowering reduction: Reduction, precision: Precision, squaredDistances: SquaredDistances = .direct
    ) throws(FormulaError) {
        let accumulator = reduction.accumulator
        self.init(
            reduction: reduction, precision: precision, squaredDistances: squaredDistances,
            inputs: reduction.variables.map { variable in
                let role: Role =
                    switch variable.category {
                    case .parameter: .parameter
                    case reduction.over.outputCategory: .row
                    default: .column
                    }
                return Input(variable: variable, role: role)
            },
            stateCount: accumulator.stateCount)
        let builder = KernelBuilder(self)
        builder.write(reduction)
        self = builder.kernel
        removeUnusedValues()
    }
}

extension Kernel {
    /// What merges states that `export` has handed out: its columns are the parts that a row's columns were split into.
    init(merging reduction: Reduction, precision: Precision) {
        let accumulator = reduction.accumulator
        self.init(
            reduction: reduction, precision: precision, squaredDistances: .direct, inputs: [],
            stateCount: accumulator.stateCount)
        let builder = KernelBuilder(self)
        builder.writeMerging(accumulator)
        self = builder.kernel
    }
}

extension Reduction {
    /// The formula without the factor that all terms of a sum share, and that factor: it is multiplied by their sum.
    public func separatingCommonFactor() -> (rest: Formula, factor: Formula?) {
        guard kind == .sum else { return (formula, nil) }
        return formula.separatingFactor { !$0.dependence.contains(over.reducedCategory.dependence) }
    }
}

extension KernelBuilder {
    fileprivate func write(_ reduction: Reduction) {
        var lowering = FormulaLowering(builder: self)
        let (formula, factor) = reduction.separatingCommonFactor()
        var summed = reduction
        summed.formula = formula
        let accumulator = summed.accumulator
        let roots = reduction.kind == .zero ? [] : [formula] + (reduction.weight.map { [$0] } ?? [])
        lowering.place(roots + (factor.map { [$0] } ?? []))
        let scale = factor.map { lowering.operand($0) }

        let total = begin(accumulator)

        var entered = total
        if kernel.blockLength != nil {
            let block = inSection(.blockBegin) { state(accumulator, .number, named: "partial") }
            inSection(.blockBegin) { accumulator.emitIdentity(ofBlock: block, after: total, self) }
            inSection(.flush) { accumulator.emitMerge(block, into: total, self) }
            entered = block
        }
        if let formula = roots.first {
            inSection(.pair) {
                accumulator.emitEnter(
                    lowering.operand(formula), weight: roots.count > 1 ? lowering.operand(roots[1]) : nil, into: entered, self)
            }
        }
        guard let scale else { return finish(accumulator, total) }
        let dimension = reduction.formula.dimension
        inSection(.finish) {
            loop(dimension) { k in result(load(total.values, at: formula.dimension == 1 ? 0 : k) * scale.broadcast(k), at: k) }
        }
        // What rounding has added too much, in compensated sums, is a part of the sum.
        inSection(.export) {
            for part in 0..<total.values.count / formula.dimension {
                loop(dimension) { k in
                    let sum = load(total.values, at: (formula.dimension == 1 ? 0 : k) + part * formula.dimension)
                    export(value: sum * scale.broadcast(k), at: k + part * dimension)
                }
            }
        }
    }

    fileprivate func writeMerging(_ accumulator: any Accumulator) {
        let total = begin(accumulator)
        inSection(.pair) {
            let part = state(accumulator, totalType, named: "part")
            loop(part.values.count) { k in store(partValue(k), in: part.values, at: k) }
            if let positions = part.positions {
                loop(positions.count) { k in store(partPosition(k), in: positions, at: k) }
            }
            accumulator.emitMerge(part, into: total, self)
        }
        emitResult(accumulator, total)
    }

    private func begin(_ accumulator: any Accumulator) -> StateReference {
        inSection(.begin) {
            let total = state(accumulator, totalType, named: "total")
            accumulator.emitIdentity(total, self)
            return total
        }
    }

    private func emitResult(_ accumulator: any Accumulator, _ total: StateReference) {
        inSection(.finish) {
            accumulator.emitFinish(
                total, value: { k, value in self.result(value, at: k) },
                index: { k, position in self.index(position, at: k) }, self)
        }
    }

    private func finish(_ accumulator: any Accumulator, _ total: StateReference) {
        emitResult(accumulator, total)
        inSection(.export) {
            loop(total.values.count) { k in export(value: load(total.values, at: k), at: k) }
            if let positions = total.positions {
                loop(positions.count) { k in export(position: load(positions, at: k), at: k) }
            }
        }
    }

    private func state(_ accumulator: any Accumulator, _ type: ElementType, named name: String) -> StateReference {
        let count = accumulator.stateCount
        return StateReference(
            values: array(count.values, of: type, named: name),
            positions: count.positions > 0 ? array(count.positions, of: .position, named: name + "_position") : nil)
    }
}

extension Kernel {
    /// Drops what nothing uses: operations leave such values behind where they find a shorter way.
    fileprivate mutating func removeUnusedValues() {
        var uses: [Register: Int] = [:]
        var definitions: [Register: [Register]] = [:]
        for statement in sections.values.flatMap(\.flattened) {
            for register in statement.operands { uses[register, default: 0] += 1 }
            if case .define(let register, let expression) = statement { definitions[register] = expression.operands }
        }
        var unused: Set<Register> = []
        var open = definitions.keys.filter { uses[$0] == nil }
        while let register = open.popLast() {
            unused.insert(register)
            for operand in definitions[register]! {
                uses[operand]! -= 1
                if uses[operand] == 0, definitions[operand] != nil { open.append(operand) }
            }
        }
        for section in sections.keys { sections[section] = sections[section]!.removing(unused) }
    }
}

extension [Statement] {
    fileprivate func removing(_ registers: Set<Register>) -> [Statement] {
        compactMap { statement in
            switch statement {
            case .define(let register, _) where registers.contains(register): nil
            case .loop(let counter, let count, let body): .loop(counter: counter, count: count, body: body.removing(registers))
            case .whenAny(let mask, let body): .whenAny(mask, body.removing(registers))
            default: statement
            }
        }
    }
}
