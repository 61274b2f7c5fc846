import Formulas
import Kernels

/// What the pruned runs of a sum have compiled, for one type of number.
struct SumKernels: Sendable {
    let reduction: Reduction
    /// Bounds of the negative of what a pair adds: of its magnitude, or of its logarithm.
    let bounds: BoundKernel
    /// The reduction itself.
    let whole: CPUKernel
    /// The same sum of magnitudes; of a soft maximum that of the numerator, as a logarithm.
    let magnitudes: CPUKernel
    let magnitudesOnDevices: CompiledReduction
    /// The largest magnitudes of a soft maximum's weight, which bounds leave out; a reduction whose result follows no index.
    let weights: CPUKernel?

    /// Whether limits and bounds are logarithms.
    var isLogarithmic: Bool { reduction.kind != .sum }

    /// - Returns: nil where the reduction cannot be pruned.
    init?(
        _ reduction: Reduction, whole: CPUKernel, type: ScalarType, instructionSet: InstructionSet, cache: KernelCache
    ) throws {
        guard let (weight, magnitudes) = try? Self.formulas(reduction) else { return nil }
        weights =
            try reduction.kind == .sumSoftMax
            ? CPUKernel(
                Reduction(.max, of: magnitudes.weight!, over: reduction.over), type: type, instructionSet: instructionSet,
                cache: cache)
            : nil
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
        magnitudesOnDevices = try CompiledReduction(magnitudes, declarations: nil, cache: cache)
    }

    /// The negative of a pair's largest magnitude, or of its logarithm; and the sum of magnitudes.
    static func formulas(_ reduction: Reduction) throws(FormulaError) -> (weight: Formula, magnitudes: Reduction) {
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
        case .sumSoftMax:
            // A factor of the row scales the result and its error alike.
            let (weight, _) = reduction.weight!.separatingFactor {
                !$0.dependence.contains(reduction.over.reducedCategory.dependence)
            }
            guard !weight.dependence.contains(reduction.over.outputCategory.dependence) else {
                throw FormulaError("This weight is no product.")
            }
            return (
                try apply("Minus", formula),
                try Reduction(.logSumExp, of: formula, weight: try apply("Abs", weight), over: reduction.over)
            )
        default: throw FormulaError("\(reduction.name) is no sum.")
        }
    }
}
