import Formulas

// The names of KeOps: 13 of the engine (`Name_Reduction`), 16 of Genred's `reduction_op`.

extension Reduction.Kind {
    /// The name that Genred calls it by.
    public var name: String {
        switch self {
        case .sum: "Sum"
        case .logSumExp: "LogSumExp"
        case .sumSoftMax: "SumSoftMaxWeight"
        case .maxSumShiftExp: "Max_SumShiftExpWeight"
        case .min: "Min"
        case .max: "Max"
        case .argMin: "ArgMin"
        case .argMax: "ArgMax"
        case .minArgMin: "Min_ArgMin"
        case .maxArgMax: "Max_ArgMax"
        case .kMin: "KMin"
        case .argKMin: "ArgKMin"
        case .kMinArgKMin: "KMin_ArgKMin"
        case .zero: "Zero"
        }
    }

    /// Other spellings that are accepted.
    private var aliases: [String] {
        switch self {
        case .logSumExp: ["LogSumExpWeight"]
        case .sumSoftMax: ["SoftMax"]
        case .maxSumShiftExp: ["Max_SumShiftExp"]
        default: []
        }
    }

    /// Every name, canonical ones first.
    public static let names: [String] = allCases.map(\.name) + allCases.flatMap(\.aliases)

    private static let byName = Dictionary(
        uniqueKeysWithValues: allCases.flatMap { kind in ([kind.name] + kind.aliases).map { ($0, kind) } })

    /// - Throws: a sentence that lists the names.
    public init(named name: String) throws(FormulaError) {
        guard let kind = Self.byName[name] else {
            throw FormulaError("There is no reduction named \(name); there are \(Self.names.sorted().joined(separator: ", ")).")
        }
        self = kind
    }

    var takesK: Bool { self == .kMin || self == .argKMin || self == .kMinArgKMin }
}

extension Reduction {
    /// For messages and listings.
    public var name: String { kind.name }
}
