import Formulas

extension Kernel {
    /// Lowers a reduction: decides for every node of its formulas at which stage it is computed and whether its components
    /// are kept or computed where they are used, and writes the accumulation around it.
    public init(lowering reduction: Reduction, precision: Precision) throws(FormulaError) {
        let accumulator = reduction.accumulator
        self.init(
            reduction: reduction, precision: precision,
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
        builder.write(reduction, accumulator)
        self = builder.kernel
    }
}

extension KernelBuilder {
    fileprivate func write(_ reduction: Reduction, _ accumulator: any Accumulator) {
        var lowering = FormulaLowering(builder: self)
        let roots = reduction.kind == .zero ? [] : [reduction.formula] + (reduction.weight.map { [$0] } ?? [])
        lowering.place(roots)

        let isWide = kernel.precision.accumulator != kernel.precision.arithmetic
        let total = inSection(.begin) { state(accumulator, isWide ? .wide : .number, named: "total") }
        inSection(.begin) { accumulator.emitIdentity(total, self) }

        var entered = total
        if kernel.blockLength != nil {
            let block = inSection(.blockBegin) { state(accumulator, .number, named: "partial") }
            inSection(.blockBegin) { accumulator.emitIdentity(block, self) }
            inSection(.flush) { accumulator.emitMerge(block, into: total, self) }
            entered = block
        }
        if let formula = roots.first {
            inSection(.pair) {
                accumulator.emitEnter(
                    lowering.operand(formula), weight: roots.count > 1 ? lowering.operand(roots[1]) : nil, into: entered, self)
            }
        }
        inSection(.finish) {
            accumulator.emitFinish(
                total, value: { k, value in self.result(value, at: k) },
                index: { k, position in self.index(position, at: k) }, self)
        }
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
