import Formulas

/// `a_i = Reduce_j F(p, x_i, y_j)`, or the same with the roles of i and j exchanged: what is computed, with no word on how.
public struct Reduction: Hashable, Sendable {
    public var kind: Kind
    /// F.
    public var formula: Formula
    /// What the exponentials of F are multiplied with, in the weighted kinds.
    public var weight: Formula?
    /// How many of the smallest values are kept, in the k-min kinds.
    public var k: Int
    /// The index that is reduced over; the result follows the other.
    public var over: ReducedIndex
    public var accumulation: Accumulation

    /// - Throws: a sentence where the kind needs a weight, a positive k or a scalar formula and has none, and where an
    ///   accumulation option does not apply to it.
    public init(
        _ kind: Kind, of formula: Formula, weight: Formula? = nil, k: Int = 1, over: ReducedIndex = .j,
        accumulation: Accumulation = .init()
    ) throws(FormulaError) {
        self.kind = kind
        self.formula = formula
        self.weight = weight
        self.k = k
        self.over = over
        self.accumulation = accumulation
        try check()
    }
}

/// An index that a reduction runs over.
public enum ReducedIndex: String, Hashable, Sendable, CaseIterable {
    case i, j

    /// The category of variables that the result follows.
    public var outputCategory: Category { self == .j ? .i : .j }
    public var reducedCategory: Category { self == .j ? .j : .i }
}

/// How terms are added up. Sums of every kind take these options; selections (min, max, …) have nothing to add.
public struct Accumulation: Hashable, Sendable {
    public enum Scheme: String, Hashable, Sendable, CaseIterable {
        /// Blocks where terms are summed, nothing elsewhere.
        case automatic = "auto"
        /// One term after the other.
        case direct = "direct_sum"
        /// Partial sums over blocks of terms, then their sum: the rounding error grows with the block and the number of
        /// blocks, not with the number of terms.
        case blocks = "block_sum"
        /// Compensated summation (W. Kahan, "Further remarks on reducing truncation errors", 1965).
        case kahan = "kahan_scheme"
    }
    public var scheme: Scheme
    /// Whether totals are kept in float64 when the data is not.
    public var usesDoubleAccumulator: Bool

    public init(scheme: Scheme = .automatic, usesDoubleAccumulator: Bool = false) {
        self.scheme = scheme
        self.usesDoubleAccumulator = usesDoubleAccumulator
    }
}

extension Reduction {
    /// What is accumulated and what of it is returned.
    public enum Kind: Hashable, Sendable, CaseIterable {
        case sum
        /// log Σ e^F, or log Σ e^F g with a weight g.
        case logSumExp
        /// Σ e^F g / Σ e^F.
        case sumSoftMax
        /// m = max F and Σ e^(F - m) g: the pair that the two above are made from.
        case maxSumShiftExp
        case min, max, argMin, argMax, minArgMin, maxArgMax
        case kMin, argKMin, kMinArgKMin
        /// Zeros of the formula's dimension.
        case zero
    }

    /// How many numbers the result has per point.
    public var valueCount: Int {
        switch kind {
        case .sum, .min, .max, .minArgMin, .maxArgMax, .zero: formula.dimension
        case .logSumExp, .sumSoftMax: weight?.dimension ?? 1
        case .maxSumShiftExp: 1 + (weight?.dimension ?? 1)
        case .kMin, .kMinArgKMin: k * formula.dimension
        case .argMin, .argMax, .argKMin: 0
        }
    }

    /// How many indices the result has per point.
    public var indexCount: Int {
        switch kind {
        case .argMin, .argMax, .minArgMin, .maxArgMax: formula.dimension
        case .argKMin, .kMinArgKMin: k * formula.dimension
        default: 0
        }
    }

    /// The inputs, in order of their number.
    public var variables: [Variable] {
        let formulas = [formula] + (weight.map { [$0] } ?? [])
        return Set(formulas.flatMap(\.variables)).sorted {
            ($0.index, $0.category.rawValue, $0.dimension) < ($1.index, $1.category.rawValue, $1.dimension)
        }
    }

    private func check() throws(FormulaError) {
        switch kind {
        case .logSumExp, .maxSumShiftExp, .sumSoftMax:
            guard formula.dimension == 1 else {
                throw FormulaError("\(name) takes a formula of dimension 1; this has dimension \(formula.dimension).")
            }
            if kind == .sumSoftMax, weight == nil { throw FormulaError("\(name) takes a weight, as a second formula.") }
        default:
            guard weight == nil else { throw FormulaError("\(name) takes no weight; multiply the formula by it instead.") }
        }
        switch kind {
        case .kMin, .argKMin, .kMinArgKMin:
            guard k >= 1 else { throw FormulaError("\(name) takes K of at least 1; this is \(k).") }
            let (total, overflow) = k.multipliedReportingOverflow(by: formula.dimension)
            guard !overflow, total <= Formula.maximumDimension else {
                throw FormulaError(
                    "\(name) with K = \(k) in dimension \(formula.dimension) is beyond \(Formula.maximumDimension) numbers per point."
                )
            }
        default:
            guard k == 1 else { throw FormulaError("\(name) takes no K.") }
        }
        if !addsTerms, accumulation != Accumulation() {
            throw FormulaError("\(name) adds nothing up: the summation scheme and the accumulator's type do not apply.")
        }
        var seen: [Int: Variable] = [:]
        for variable in variables {
            if let other = seen.updateValue(variable, forKey: variable.index) {
                throw FormulaError("\(other) and \(variable) are two descriptions of one input.")
            }
            guard variable.index >= 0 else {
                throw FormulaError("\(variable) is a place holder; an input's number is 0 or more.")
            }
        }
    }

    /// Whether the kind is a sum, to which the accumulation options apply.
    public var addsTerms: Bool {
        switch kind {
        case .sum, .logSumExp, .sumSoftMax, .maxSumShiftExp: true
        default: false
        }
    }

    /// The scheme with `automatic` resolved.
    var scheme: Accumulation.Scheme {
        guard accumulation.scheme == .automatic else { return accumulation.scheme }
        return addsTerms ? .blocks : .direct
    }
}
