import Formulas
import Kernels

/// What a reduction's inputs are, worked out once: every call is checked against it.
struct InputSignature: Sendable {
    let declarations: [Declaration]
    /// For each of the reduction's variables, in their order, the declaration that describes it.
    let positions: [Int]
    let outputCategory: Category
    let reducedCategory: Category
    /// The largest number of numbers per point, of an input or of the result.
    let width: Int

    /// - Throws: where the formula uses what is not declared.
    init(_ reduction: Reduction, declarations: [Declaration]?) throws(BindingError) {
        let variables = reduction.variables
        let declarations = declarations ?? variables.map { Declaration(variable: $0) }
        var positions: [Int] = []
        for variable in variables {
            guard let position = declarations.firstIndex(where: { $0.variable == variable }) else {
                let rival = declarations.first { $0.variable.index == variable.index }
                throw BindingError(
                    rival.map { "The formula uses \(variable), and input \(variable.index) is declared as \($0)." }
                        ?? "The formula uses \(variable), which is not among the inputs.")
            }
            positions.append(position)
        }
        self.declarations = declarations
        self.positions = positions
        outputCategory = reduction.over.outputCategory
        reducedCategory = reduction.over.reducedCategory
        width = max(
            reduction.valueCount, reduction.indexCount, declarations.map(\.variable.dimension).max() ?? 1)
    }
}
