import Formulas
import Kernels

/// What the pruned runs of a sum have compiled, for one type of number.
struct SumKernels: Sendable {
    let reduction: Reduction
    /// Bounds of the negative of what a pair adds: of its magnitude, or of its logarithm.
    let bounds: BoundKernel
    /// The reduction itself.
    let whole: CPUKernel
    /// The same reduction of magnitudes.
    let magnitudes: CPUKernel

    /// - Returns: nil where the reduction cannot be pruned.
    init?(
        _ reduction: Reduction, whole: CPUKernel, type: ScalarType, instructionSet: InstructionSet, cache: KernelCache
    ) throws {
        guard let (weight, magnitudes) = try? Self.formulas(reduction) else { return nil }
        let (bounds, kernel) = try ThreadPool.shared.both {
            try BoundKernel.compiled(weight, of: reduction, type: type, instructionSet: instructionSet, cache: cache)
        } and: {
            try CPUKernel(magnitudes, type: type, instructionSet: instructionSet, cache: cache)
        }
        guard let bounds else { return nil }
        self.reduction = reduction
        self.bounds = bounds
        self.whole = whole
        self.magnitudes = kernel
    }

    /// The negative of a pair's largest magnitude, or of its logarithm; and the sum of magnitudes.
    private static func formulas(_ reduction: Reduction) throws(FormulaError) -> (weight: Formula, magnitudes: Reduction) {
        func apply(_ name: String, _ operands: Formula...) throws(FormulaError) -> Formula {
            try Catalogue.formula(name, operands.map { .formula($0) })
        }
        func largest(_ formula: Formula) throws(FormulaError) -> Formula {
            let magnitudes = try apply("Abs", formula)
            return formula.dimension == 1 ? magnitudes : try apply("Max", magnitudes)
        }
        let formula = reduction.formula
        switch reduction.kind {
        case .sum:
            return (
                try apply("Minus", try largest(formula)), try Reduction(.sum, of: try apply("Abs", formula), over: reduction.over)
            )
        case .logSumExp:
            guard let weight = reduction.weight else {
                return (try apply("Minus", formula), try Reduction(.logSumExp, of: formula, over: reduction.over))
            }
            return (
                try apply("Minus", try apply("Add", formula, try apply("Log", try largest(weight)))),
                try Reduction(.logSumExp, of: formula, weight: try apply("Abs", weight), over: reduction.over)
            )
        default: throw FormulaError("\(reduction.name) is no sum.")
        }
    }
}
