import Formulas
import Kernels

/// What a formula takes of one side, of rows or of columns: numbers of each point, of which the least and the greatest among the points
/// of a tile make a box.
///
/// They are the side's variables, and what the formula computes of them alone. For 1 - |x|², say, the range among some points is
/// narrower than what follows from the range of x.
struct PointSide: Sendable {
    /// A part of the formula, and the variable that stands for it where bounds are taken.
    struct Part: Sendable {
        var formula: Formula
        var stand: Variable
        /// Where its lower and its upper bounds stand among the numbers of a point; one place for what is exact.
        var lowerOffset: Int
        var upperOffset: Int
    }

    private(set) var parts: [Part] = []
    /// Numbers of a point.
    private(set) var width = 0
    /// Those that nearness is judged by.
    let axes: [Int]
    /// The bounds of the parts that are no variables, one after the other.
    let computed: Reduction?

    /// - Parameters:
    ///   - category: that of the side's variables.
    ///   - firstIndex: that of the first variable that stands for a part.
    init(_ formula: Formula, _ category: Category, firstIndex: Int, contacts: Set<Formula>, roundoff: Number) throws(FormulaError)
    {
        var bounds: [Formula] = []
        var axes: [Int] = []
        for (k, part) in try formula.parts(following: category, roundoff: roundoff).enumerated() {
            let stand = Variable(index: firstIndex + k, dimension: part.formula.dimension, category: category)
            let dimension = part.formula.dimension
            let upperOffset = part.bounds == nil ? width : width + dimension
            if contacts.contains(part.formula) { axes += width..<width + dimension }
            parts.append(Part(formula: part.formula, stand: stand, lowerOffset: width, upperOffset: upperOffset))
            width = upperOffset + dimension
            if let both = part.bounds { bounds += [both.lower, both.upper] }
        }
        self.axes = axes.isEmpty ? Array(0..<width) : axes
        guard var joined = bounds.first else {
            computed = nil
            return
        }
        for next in bounds.dropFirst() { joined = try Catalogue.formula("Concat", [.formula(joined), .formula(next)]) }
        computed = try Reduction(.sum, of: joined, over: category == .i ? .j : .i, accumulation: Accumulation(scheme: .direct))
    }

    /// The corners of a box, for what stands for the parts.
    func corners(lower: Variable, upper: Variable) throws(FormulaError) -> [Variable: Bounds] {
        var result: [Variable: Bounds] = [:]
        for part in parts {
            func corner(_ box: Variable, _ offset: Int) throws(FormulaError) -> Formula {
                try Catalogue.formula(
                    "Extract", [.formula(try Formula(box)), .integer(offset), .integer(part.stand.dimension)])
            }
            result[part.stand] = Bounds(lower: try corner(lower, part.lowerOffset), upper: try corner(upper, part.upperOffset))
        }
        return result
    }
}

extension Formula {
    /// The largest parts that vary with points of one category only, with the bounds of those that are no variables.
    fileprivate func parts(
        following category: Category, roundoff: Number
    ) throws(FormulaError) -> [(formula: Formula, bounds: Bounds?)] {
        var found: [(formula: Formula, bounds: Bounds?)] = []
        var seen: Set<Formula> = []
        var open = [self]
        while let node = open.popLast() {
            guard node.dependence.contains(category.dependence), seen.insert(node).inserted else { continue }
            if node.variable != nil {
                found.append((node, nil))
            } else if !node.dependence.isSuperset(of: .pair), let bounds = try node.bounds(of: [:], roundoff: roundoff) {
                found.append((node, bounds))
            } else {
                open += node.arguments
            }
        }
        return found
    }

    /// How many numbers of a category's points nearness is judged by.
    func contactDimension(_ category: Category) -> Int {
        let parts = contacts.filter { $0.dependence.contains(category.dependence) }
        return parts.isEmpty
            ? variables.reduce(0) { $0 + ($1.category == category ? $1.dimension : 0) } : parts.reduce(0) { $0 + $1.dimension }
    }

    /// The parts by which the indices meet: those of which a difference, say, takes one of a row and one of a column. Where a row and a
    /// column are near in these, they are near for the formula; others, such as weights, only scale.
    var contacts: Set<Formula> {
        var result: Set<Formula> = []
        for node in Formula.topologicalOrder([self]) where node.dependence.isSuperset(of: .pair) {
            let own = node.arguments.filter { !$0.dependence.isSuperset(of: .pair) }
            if own.contains(where: { $0.dependence.contains(.i) }), own.contains(where: { $0.dependence.contains(.j) }) {
                result.formUnion(own)
            }
        }
        return result
    }
}
