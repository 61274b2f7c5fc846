import Formulas

/// What one pair of points costs: with the processor's rates, the least time that a kernel can take.
public struct PairCost: Hashable, Sendable {
    /// Sums, products, comparisons and the like. A product that is added to something is one instruction with the addition.
    public internal(set) var arithmetic = 0
    /// How many of these multiply: on some processors fewer units do.
    public internal(set) var multiplications = 0
    /// Calls of the vector functions, by name, and divisions.
    public internal(set) var functions: [String: Int] = [:]
    /// Numbers of the column that are read.
    public internal(set) var columnNumbers = 0

    /// The name that divisions are counted under.
    public static let division = "division"
}

extension Kernel {
    /// The cost of the pair section. What is skipped for nearly all columns, such as a new minimum, is not counted.
    public var pairCost: PairCost {
        let statements = sections[.pair, default: []]
        var counter = PairCostCounter(statements, inputs: inputs)
        counter.add(statements, times: 1)
        return counter.cost
    }
}

private struct PairCostCounter {
    private(set) var cost = PairCost()
    /// Products that are used once, so that they fuse with the addition that uses them.
    private var products: Set<Register> = []
    private let inputs: [Kernel.Input]

    init(_ statements: [Statement], inputs: [Kernel.Input]) {
        self.inputs = inputs
        var uses: [Register: Int] = [:]
        for statement in statements.flattened {
            for operand in statement.operands { uses[operand, default: 0] += 1 }
        }
        for case .define(let register, .apply(.multiply, _)) in statements.flattened where uses[register] == 1 {
            products.insert(register)
        }
    }

    mutating func add(_ statements: [Statement], times: Int) {
        for statement in statements {
            switch statement {
            case .define(_, let expression): add(expression, times: times)
            case .loop(_, let count, let body): add(body, times: times * count)
            // The question whether any lane has something to do.
            case .whenAny: cost.arithmetic += times
            default: break
            }
        }
    }

    private mutating func add(_ expression: Expression, times: Int) {
        switch expression {
        case .columnTable: cost.columnNumbers += times
        case .input(let place, _): if inputs[place].role == .column { cost.columnNumbers += times }
        case .apply(let instruction, let operands):
            if let name = instruction.function, VectorMath.function(named: name) != nil {
                cost.functions[name, default: 0] += times
                return
            }
            switch instruction {
            case .library(let name): cost.functions[name, default: 0] += times
            case .add, .subtract: cost.arithmetic += operands.contains(where: products.contains) ? 0 : times
            case .divide: cost.functions[PairCost.division, default: 0] += times
            case .negate: break  // turns an addition into a subtraction
            case .multiply:
                cost.arithmetic += times
                cost.multiplications += times
            default: cost.arithmetic += times
            }
        default: break
        }
    }
}
