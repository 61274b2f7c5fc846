import Formulas
import Kernels

/// Evaluates a reduction's formulas in Double, node by node, by the operations' own reference definitions. What does not
/// depend on the row or the column is evaluated once.
struct FormulaEvaluator {
    private let roots: [Int]
    private let nodes: [Node]
    private var values: [[Double]]

    private struct Node {
        var formula: Formula
        var arguments: [Int]
        /// The input's place among the reduction's variables.
        var input: Int?
    }
    private var callNodes: [Int] = []
    private var rowNodes: [Int] = []
    private var pairNodes: [Int] = []

    init(_ reduction: Reduction) {
        let formulas = [reduction.formula] + (reduction.weight.map { [$0] } ?? [])
        let order = Formula.topologicalOrder(formulas)
        let places = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        let variables = reduction.variables
        nodes = order.map { formula in
            Node(
                formula: formula, arguments: formula.arguments.map { places[$0]! },
                input: formula.variable.flatMap { variables.firstIndex(of: $0) })
        }
        roots = formulas.map { places[$0]! }
        values = Array(repeating: [], count: nodes.count)
        let row = reduction.over.outputCategory.dependence
        for (place, node) in nodes.enumerated() {
            let dependence = node.formula.dependence.intersection(.pair)
            if dependence.isEmpty {
                callNodes.append(place)
            } else if dependence == row {
                rowNodes.append(place)
            } else {
                pairNodes.append(place)
            }
        }
    }

    /// - Parameter input: the vector of an input, by its place, at the current point.
    mutating func beginCall(_ input: (Int) -> [Double]) { evaluate(callNodes, input) }
    mutating func beginRow(_ input: (Int) -> [Double]) { evaluate(rowNodes, input) }

    /// The value, and the weight where there is one.
    mutating func pair(_ input: (Int) -> [Double]) -> (value: [Double], weight: [Double]) {
        evaluate(pairNodes, input)
        return (values[roots[0]], roots.count > 1 ? values[roots[1]] : [])
    }

    private mutating func evaluate(_ places: [Int], _ input: (Int) -> [Double]) {
        for place in places {
            let node = nodes[place]
            values[place] =
                node.input.map(input)
                ?? node.formula.operation.evaluate(node.arguments.map { values[$0] }, dimension: node.formula.dimension)
        }
    }
}
