import Formulas

/// Lowers formulas into a builder, each node at the earliest stage that its dependence allows.
///
/// A node's components are kept in registers or in an array where several uses, a later stage, or an operation that reads
/// them repeatedly needs them; else they are computed inside the loop of the one that uses them.
struct FormulaLowering {
    let builder: KernelBuilder
    let inputs: [Kernel.Input]
    /// The index that the result follows.
    private let row: Dependence
    private let column: Dependence
    /// Where column nodes are computed: `centre` evaluates them for a sample of the columns.
    private var columnSection = Kernel.Section.column
    /// Where the components of placed nodes are.
    private var places: [Formula: Place] = [:]
    /// Where column nodes that pairs use begin in the column table.
    private var tablePlaces: [Formula: Int] = [:]
    /// The nodes that are computed by inner products.
    private(set) var distances: [Formula: LongDistance] = [:]
    /// The one that is computed for a tile of pairs at a time.
    private var contracted: Formula?

    private enum Place {
        case register(Value)
        case array(ArrayReference)
    }

    init(builder: KernelBuilder) {
        self.builder = builder
        inputs = builder.kernel.inputs
        row = builder.kernel.reduction.over.outputCategory.dependence
        column = builder.kernel.reduction.over.reducedCategory.dependence
    }

    /// Computes all nodes that must be kept, for the pair section to use `roots`.
    mutating func place(_ roots: [Formula]) {
        let order = Formula.topologicalOrder(roots)
        if builder.kernel.squaredDistances == .inner { distances = longDistances(order, roots: roots) }
        if builder.kernel.contracts { contracted = longestContraction(order) }
        let usedPerPair = Set(roots + order.filter { stage($0) == .pair }.flatMap(\.arguments))
        let kept = nodesToKeep(order, roots: roots)
        for formula in order where kept.contains(formula) && places[formula] == nil {
            keep(formula, exported: usedPerPair.contains(formula))
        }
    }

    /// The same for columns of the sample that `centre` is taken from; what depends on parameters stays where it is.
    func ofSample() -> FormulaLowering {
        var sample = FormulaLowering(builder: builder)
        sample.columnSection = .centre
        sample.places = places.filter { stage($0.key) == .call }
        return sample
    }

    func stage(_ formula: Formula) -> Kernel.Section {
        switch (formula.dependence.contains(row), formula.dependence.contains(column)) {
        case (false, false): .call
        case (true, false): .row
        case (false, true): columnSection
        case (true, true): .pair
        }
    }

    // MARK: What to keep

    private func nodesToKeep(_ order: [Formula], roots: [Formula]) -> Set<Formula> {
        let recomputes = builder.kernel.isForAccelerators
        var kept: Set<Formula> = []
        var useCount: [Formula: Int] = [:]
        for formula in order {
            let repeats = !isInline(formula) && formula.dimension > 1
            for argument in formula.arguments {
                useCount[argument, default: 0] += 1
                if repeats || stage(argument) != stage(formula) { kept.insert(argument) }
            }
        }
        for root in roots where stage(root) != .pair { kept.insert(root) }
        // How many operations a component is computed through: each is a recursion here and a longer expression there.
        var inlineDepth: [Formula: Int] = [:]
        for formula in order {
            let depth = 1 + (formula.arguments.map { inlineDepth[$0] ?? 0 }.max() ?? 0)
            let isKept =
                if recomputes, stage(formula) == .pair, formula.dimension > Self.longestKept {
                    !(isInline(formula) || isNested(formula) && useCount[formula] == nil)
                        || useCount[formula, default: 0] > 1
                            && !(depth == 1 && Self.cheap.contains(type(of: formula.operation).name))
                } else {
                    formula.dimension == 1 || !isInline(formula) || useCount[formula, default: 0] > 1
                }
            if isKept || depth > Self.maximumInlineDepth { kept.insert(formula) }
            inlineDepth[formula] = kept.contains(formula) ? 0 : depth
        }
        // Constants cost nothing. Inputs are memory already, but rows are gathered into lanes once, and half-precision
        // columns are converted once.
        let isHalf = builder.kernel.precision.storage.isHalf
        return kept.filter { $0.variable == nil && !$0.arguments.isEmpty }.union(
            order.filter { $0.variable != nil && (stage($0) == .row || (stage($0) == columnSection && isHalf)) })
    }

    private static let maximumInlineDepth = 50
    /// Vectors of a pair up to this dimension are kept in any case.
    private static let longestKept = 8
    /// What is as soon computed again as kept.
    private static let cheap: Set = ["Add", "Subtract", "Mult"]

    /// Whether each component has a loop of its own, so that one can be computed without the others.
    private func isNested(_ formula: Formula) -> Bool {
        guard formula.variable == nil else { return false }
        if case .nest(let shape, _) = formula.operation.lowering(formula.arguments.map(\.dimension)) { return shape.count == 1 }
        return false
    }

    private func isInline(_ formula: Formula) -> Bool {
        if formula.variable != nil { return true }
        if case .inline = formula.operation.lowering(formula.arguments.map(\.dimension)) { return true }
        return false
    }

    // MARK: Computing

    private mutating func keep(_ formula: Formula, exported: Bool) {
        let stage = stage(formula)
        let place = builder.inSection(stage) { compute(formula) }
        places[formula] = place
        guard stage == .column, exported else { return }
        // Pairs read column values from the table.
        let first = builder.reserveColumnTable(formula.dimension)
        let operand = operand(formula)
        builder.inSection(.column) {
            builder.loop(formula.dimension) { k in builder.storeInColumnTable(operand[k], at: k + first) }
        }
        tablePlaces[formula] = first
    }

    private func compute(_ formula: Formula) -> Place {
        if let variable = formula.variable {
            let input = inputs.first { $0.variable == variable }!
            // A column may be sampled for several centres.
            let name = columnSection == .column ? Kernel.inputName(input) + "_lanes" : nil
            let array = builder.array(formula.dimension, of: .number, named: name)
            let source = inputOperand(formula)
            builder.loop(formula.dimension) { k in builder.store(source[k], in: array, at: k) }
            return .array(array)
        }
        if let distance = distances[formula] { return .register(emit(distance, isContracted: formula == contracted)) }
        if formula == contracted, let (row, column) = factors(of: formula), let product = emitContraction(row, column) {
            return .register(product)
        }
        let arguments = formula.arguments.map { operand($0) }
        switch formula.operation.lowering(formula.arguments.map(\.dimension)) {
        case .inline(let component):
            if formula.dimension == 1 { return .register(component(0, arguments, builder)) }
            let array = builder.array(formula.dimension)
            builder.loop(formula.dimension) { k in builder.store(component(k, arguments, builder), in: array, at: k) }
            return .array(array)
        case .nest(let shape, let component):
            if shape.isEmpty { return .register(component([], arguments, builder)) }
            let array = builder.array(formula.dimension)
            func nest(_ counters: [Index], _ flat: Index) {
                guard counters.count < shape.count else {
                    builder.store(component(counters, arguments, builder), in: array, at: flat)
                    return
                }
                let length = shape[counters.count]
                builder.loop(length) { k in nest(counters + [k], flat * length + k) }
            }
            nest([], 0)
            return .array(array)
        case .whole(let fill):
            let array = builder.array(formula.dimension)
            fill(array, arguments, builder)
            return .array(array)
        }
    }

    // MARK: Using

    /// The components of a formula, for instructions in the builder's current section.
    func operand(_ formula: Formula) -> Operand {
        if let place = places[formula] {
            return Operand(dimension: formula.dimension) { k in
                if let first = tablePlaces[formula], builder.readsColumnTable { return builder.columnTable(k + first) }
                switch place {
                case .register(let value): return value
                case .array(let array): return builder.load(array, at: k)
                }
            }
        }
        if formula.variable != nil { return inputOperand(formula) }
        let arguments = formula.arguments.map { operand($0) }
        switch formula.operation.lowering(formula.arguments.map(\.dimension)) {
        case .inline(let component): return Operand(dimension: formula.dimension) { k in component(k, arguments, builder) }
        case .nest(let shape, let component) where shape.count == 1:
            return Operand(dimension: formula.dimension) { k in component([k], arguments, builder) }
        default: preconditionFailure("\(type(of: formula.operation).name) should have been kept")
        }
    }

    /// The array that holds a formula's components.
    func array(of formula: Formula) -> ArrayReference? {
        if case .array(let array) = places[formula] { array } else { nil }
    }

    /// Where pairs find a column's vector.
    func source(of formula: Formula) -> (source: ColumnSource, first: Int)? {
        if let first = tablePlaces[formula] { return (.table, first) }
        guard places[formula] == nil, formula.variable != nil else { return nil }
        return (.input(inputs.firstIndex { $0.variable == formula.variable }!), 0)
    }

    private func inputOperand(_ formula: Formula) -> Operand {
        let place = inputs.firstIndex { $0.variable == formula.variable }!
        return Operand(dimension: formula.dimension) { k in builder.input(place, k) }
    }
}
