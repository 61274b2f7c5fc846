import Formulas
import RandomNumbers

/// A formula, its bounds as one formula of the corners of boxes, and what a pair of them is checked for.
package struct BoundsCase: Sendable {
    package let formula: Formula
    /// The lower bound, then the upper one.
    package let bounds: Formula
    /// The formula's variables, and for those that have boxes the variables of the lower and the upper corner.
    package let variables: [(variable: Variable, corners: (lower: Variable, upper: Variable)?)]

    /// Nil where the formula has no bounds. Parameters are exact.
    package init?(_ formula: Formula, roundoff: Double) throws {
        let count = (formula.variables.map(\.index).max() ?? -1) + 1
        var boxes: [Variable: Bounds] = [:]
        variables = try formula.variables.enumerated().map { k, variable in
            if variable.category == .parameter { return (variable, nil) }
            var (lower, upper) = (variable, variable)
            (lower.index, upper.index) = (count + 2 * k, count + 2 * k + 1)
            boxes[variable] = Bounds(lower: try Formula(lower), upper: try Formula(upper))
            return (variable, (lower, upper))
        }
        guard let bounds = try formula.bounds(of: boxes, roundoff: Number(roundoff)!) else { return nil }
        self.formula = formula
        self.bounds = try Catalogue.formula("Concat", [.formula(bounds.lower), .formula(bounds.upper)])
    }

    /// What is wrong with a value and its bounds; nil where nothing is. NaN bounds say nothing, and a value that is NaN may
    /// not have bounds that say anything.
    package static func violation(_ value: Double, _ lower: Double, _ upper: Double) -> String? {
        let isBelow = value.isNaN ? lower > -.infinity : value < lower
        let isAbove = value.isNaN ? upper < .infinity : value > upper
        return isBelow || isAbove ? "\(value) is not in [\(lower), \(upper)]" : nil
    }
}

/// Random boxes of many sorts, and points in them.
package struct BoxGenerator: Sendable {
    package enum Sort: Int, CaseIterable, Sendable {
        case narrow, wide, positive, negative, point, unit, fromZero, toZero, whole, zero
        // From here on results overflow and underflow.
        case huge, tiny, far, halfLine, line, infinity
    }
    package static let moderate = Array(Sort.allCases.prefix(while: { $0 != .huge }))

    package var random: RandomSource
    /// Whether numbers are rounded to float32.
    package let isSingle: Bool

    package init(seed: Int, isSingle: Bool) {
        random = RandomSource(seed: seed)
        self.isSingle = isSingle
    }

    package mutating func box(_ dimension: Int, sorts: [Sort]) -> (lower: [Double], upper: [Double]) {
        let sort = random.pick(sorts)
        var box: (lower: [Double], upper: [Double]) = ([], [])
        for _ in 0..<dimension {
            let (a, b) = interval(random.chance(0.8) ? sort : random.pick(sorts))
            box.lower.append(rounded(min(a, b)))
            box.upper.append(rounded(max(a, b)))
        }
        return box
    }

    private mutating func interval(_ sort: Sort) -> (Double, Double) {
        let largest = isSingle ? 38.0 : 308
        func power(_ exponent: Double) -> Double { (0..<Int(abs(exponent))).reduce(1) { x, _ in exponent < 0 ? x / 10 : x * 10 } }
        let sign = random.chance(0.5) ? 1.0 : -1
        switch sort {
        case .narrow:
            let centre = random.uniform(-2, 2)
            return (centre, centre + power(-random.uniform(1, 8)))
        case .wide: return (random.uniform(-3, 3), random.uniform(-3, 3))
        case .positive: return (random.uniform(0.1, 1), random.uniform(1, 3))
        case .negative: return (-random.uniform(0.1, 1), -random.uniform(1, 3))
        case .point:
            let place = random.uniform(-2, 2)
            return (place, place)
        case .unit: return (random.uniform(-1, 1), random.uniform(-1, 1))
        case .fromZero: return (0, random.uniform(0, 3))
        case .toZero: return (-random.uniform(0, 3), 0)
        case .whole:
            let place = Double(random.below(7) - 3)
            return (place, place + Double(random.below(3)))
        case .zero: return (0, 0)
        case .huge: return (sign * power(random.uniform(largest / 2, largest)), random.uniform(0, 1) * power(largest))
        case .tiny: return (sign * power(-random.uniform(largest / 2, largest)), random.uniform(0, 10) * power(-largest - 5))
        case .far: return (sign * power(random.uniform(1, 8)), sign * power(random.uniform(1, 8)))
        case .halfLine: return (sign * .infinity, random.uniform(-3, 3))
        case .line: return (-.infinity, .infinity)
        case .infinity: return (sign * .infinity, sign * .infinity)
        }
    }

    /// A corner, a number inside, or one of these for each component.
    package mutating func point(in box: (lower: [Double], upper: [Double])) -> [Double] {
        let mode = random.below(4)
        var point: [Double] = []
        for (a, b) in zip(box.lower, box.upper) {
            switch mode == 3 ? random.below(3) : mode {
            case 0: point.append(a)
            case 1: point.append(b)
            default: point.append(inside(a, b))
            }
        }
        return point
    }

    private mutating func inside(_ a: Double, _ b: Double) -> Double {
        if a <= 0, b >= 0, random.chance(0.2) { return random.chance(0.5) ? 0 : -0.0 }
        let (low, high) = (max(a, -1e30), min(b, 1e30))
        return low <= high ? min(max(rounded(random.uniform(low, high)), a), b) : a
    }

    private func rounded(_ x: Double) -> Double { isSingle ? Double(Float(x)) : x }
}
