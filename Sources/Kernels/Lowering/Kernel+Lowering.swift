import Formulas

extension Kernel {
    /// Lowers a reduction: decides for every node of its formulas at which stage it is computed and whether its components
    /// are kept or computed where they are used, and writes the accumulation around it.
    ///
    /// - Parameter squaredDistances: how those of long vectors are computed.
    public init(
        lowering reduction: Reduction, precision: Precision, squaredDistances: SquaredDistances = .direct
    ) throws(FormulaError) {
        try self.init(lowering: reduction, precision: precision, squaredDistances: squaredDistances, isForAccelerators: false)
    }

    /// - Parameters:
    ///   - chunkLength: how many components of the result are computed at a time; nil for all of them.
    ///   - contracts: whether the longest inner product of a row and a column is computed for a tile of pairs at a time.
    ///   - weighs: whether long vectors of columns with a weight per pair are added up for a tile of pairs at a time.
    init(
        lowering reduction: Reduction, precision: Precision, squaredDistances: SquaredDistances = .direct,
        isForAccelerators: Bool, chunkLength: Int? = nil, contracts: Bool = false, weighs: Bool = false
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
        self.isForAccelerators = isForAccelerators
        (self.contracts, self.weighs) = (contracts, weighs)
        let builder = KernelBuilder(self)
        if let chunkLength { builder.cut(reduction.cuttableDimension, into: chunkLength) }
        builder.write(reduction)
        self = builder.kernel
        copyRowChunks()
        removeUnusedValues()
    }
}

extension Kernel {
    /// What merges states that `export` has handed out: its columns are the parts that a row's columns were split into.
    init(merging reduction: Reduction, precision: Precision, chunkLength: Int? = nil) {
        self.init(
            reduction: reduction, precision: precision, squaredDistances: .direct, inputs: [],
            stateCount: reduction.accumulator.stateCount)
        let builder = KernelBuilder(self)
        if let chunkLength { builder.cut(reduction.accumulator.componentCount, into: chunkLength) }
        builder.writeMerging(reduction.accumulator(of: chunkLength))
        self = builder.kernel
        removeUnusedValues()
    }
}

extension Reduction {
    /// The formula without the factor that all terms of a sum share, and that factor: it is multiplied by their sum.
    public func separatingCommonFactor() -> (rest: Formula, factor: Formula?) {
        guard kind == .sum else { return (formula, nil) }
        return formula.separatingFactor { !$0.dependence.contains(over.reducedCategory.dependence) }
    }

    /// How many components of the state, all of one kind, can be computed some at a time.
    var cuttableDimension: Int {
        var summed = self
        summed.formula = separatingCommonFactor().rest
        return summed.accumulator.componentCount
    }
}

extension KernelBuilder {
    fileprivate func write(_ reduction: Reduction) {
        var lowering = FormulaLowering(builder: self)
        let (formula, factor) = reduction.separatingCommonFactor()
        var summed = reduction
        summed.formula = formula
        let accumulator = summed.accumulator(of: kernel.chunk?.length)
        var roots = reduction.kind == .zero ? [] : [formula] + (reduction.weight.map { [$0] } ?? [])
        let weighted = kernel.weighs && totalType == .number ? summed.weightedVector : nil
        if let weighted, reduction.kind == .sum { roots = [weighted.weight, weighted.vector] }
        lowering.place(roots + (factor.map { [$0] } ?? []))
        if let weighted {
            let (source, first) = lowering.source(of: weighted.vector)!
            add(Weighting(column: source, first: first, count: kernel.chunk?.length ?? weighted.vector.dimension))
        }
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
                    chunk(of: lowering.operand(formula)), weight: roots.count > 1 ? chunk(of: lowering.operand(roots[1])) : nil,
                    into: entered, self)
            }
        }
        guard let scale else { return finish(accumulator, total) }
        let dimension = reduction.formula.dimension
        let length = kernel.chunk?.length ?? formula.dimension
        let computed = kernel.chunk?.length ?? dimension
        inSection(.finish) {
            loop(computed) { k in
                let place = place(k, after: 0)
                result(total.component(formula.dimension == 1 ? 0 : k, after: 0, self) * scale.broadcast(place), at: place)
            }
        }
        // What rounding has added too much, in compensated sums, is a part of the sum.
        inSection(.export) {
            for part in 0..<accumulator.stateCount.values / length {
                loop(computed) { k in
                    let place = place(k, after: 0)
                    let sum = total.component((formula.dimension == 1 ? 0 : k) + part * length, after: 0, self)
                    export(value: sum * scale.broadcast(place), at: place + part * dimension)
                }
            }
        }
    }

    fileprivate func writeMerging(_ accumulator: any Accumulator) {
        let total = begin(accumulator)
        inSection(.pair) {
            let part = state(accumulator, totalType, named: "part")
            loop(over: accumulator.valueRuns) { own, whole, _ in store(partValue(whole), in: part.values, at: own) }
            if let positions = part.positions {
                loop(over: accumulator.positionRuns) { own, whole, _ in store(partPosition(whole), in: positions, at: own) }
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
                total, value: { k, value in self.result(value, at: self.place(k, after: accumulator.fixedResultCount)) },
                index: { k, position in self.index(position, at: self.place(k, after: 0)) }, self)
        }
    }

    private func finish(_ accumulator: any Accumulator, _ total: StateReference) {
        emitResult(accumulator, total)
        inSection(.export) {
            loop(over: accumulator.valueRuns) { own, whole, component in
                let isWeighted = component != nil && kernel.weighting != nil
                export(value: isWeighted ? weighted(component!) : load(total.values, at: own), at: whole)
            }
            if let positions = total.positions {
                loop(over: accumulator.positionRuns) { own, whole, _ in export(position: load(positions, at: own), at: whole) }
            }
        }
    }

    private func state(_ accumulator: any Accumulator, _ type: ElementType, named name: String) -> StateReference {
        let count = accumulator.stateCount
        let isWeighted = kernel.weighting != nil
        return StateReference(
            values: array(count.values - (isWeighted ? accumulator.componentCount : 0), of: type, named: name),
            positions: count.positions > 0 ? array(count.positions, of: .position, named: name + "_position") : nil,
            isWeighted: isWeighted)
    }
}

extension Kernel {
    /// What some sections take: of the others' values, nothing is computed.
    func limited(to sections: Set<Section>) -> Kernel {
        var kernel = self
        kernel.sections = kernel.sections.filter { sections.contains($0.key) }
        // Constants are used beyond the section that has them first.
        let others = self.sections.filter { !sections.contains($0.key) }.values.flatMap(\.flattened)
        let constants = others.filter { if case .define(_, .constant) = $0 { true } else { false } }
        kernel.sections[.call, default: []].insert(contentsOf: constants, at: 0)
        kernel.removeUnusedValues()
        return kernel
    }

    /// Drops what nothing uses: operations leave such values behind where they find a shorter way.
    fileprivate mutating func removeUnusedValues() {
        removeUnusedRegisters()
        guard isForAccelerators else { return }
        // What fills an array that nothing reads may be all that reads another.
        var before: [Section: [Statement]]
        repeat {
            before = sections
            removeUnreadArrays()
            removeUnusedRegisters()
        } while sections != before
    }

    private mutating func removeUnusedRegisters() {
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

extension Kernel {
    /// Drops stores to what nothing loads, such as vectors whose components are all registers too.
    private mutating func removeUnreadArrays() {
        let read = Set(
            sections.values.flatMap(\.flattened).compactMap { statement in
                if case .define(_, .load(let array, _)) = statement { array.id } else { nil }
            })
        for section in sections.keys { sections[section] = sections[section]!.storing(in: read) }
    }
}

extension [Statement] {
    fileprivate func storing(in arrays: Set<Int>) -> [Statement] {
        compactMap { statement in
            switch statement {
            case .store(_, let array, _) where !arrays.contains(array.id): nil
            case .loop(let counter, let count, let body): .loop(counter: counter, count: count, body: body.storing(in: arrays))
            case .whenAny(let mask, let body): .whenAny(mask, body.storing(in: arrays))
            default: statement
            }
        }
    }

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
