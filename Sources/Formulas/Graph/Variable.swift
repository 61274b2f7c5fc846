/// What a value of a formula varies with. Work is hoisted to the earliest stage that its dependence allows.
public struct Dependence: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let parameter = Dependence(rawValue: 1)
    public static let i = Dependence(rawValue: 2)
    public static let j = Dependence(rawValue: 4)
    /// Both indices.
    public static let pair: Dependence = [.i, .j]
}

/// Which index a variable follows. The numbers are those of `Var(index,dim,category)` in the formula language.
public enum Category: Int, Hashable, Sendable, CaseIterable {
    /// `Vi`: one vector per i.
    case i = 0
    /// `Vj`: one vector per j.
    case j = 1
    /// `Pm`: one vector for all.
    case parameter = 2

    /// The constructor of the formula language.
    public var keyword: String {
        switch self {
        case .i: "Vi"
        case .j: "Vj"
        case .parameter: "Pm"
        }
    }
}

extension Category {
    /// What a formula of such inputs varies with.
    public var dependence: Dependence {
        switch self {
        case .i: .i
        case .j: .j
        case .parameter: .parameter
        }
    }
}

/// An input of a formula: argument number `index`, a vector of `dimension` numbers.
///
/// A negative index is a place holder that no data is ever bound to; formulas use it to be substituted.
public struct Variable: Hashable, Sendable {
    public var index: Int
    public var dimension: Int
    public var category: Category

    public init(index: Int, dimension: Int, category: Category) {
        self.index = index
        self.dimension = dimension
        self.category = category
    }
}

extension Variable: CustomStringConvertible {
    public var description: String { "Var(\(index),\(dimension),\(category.rawValue))" }
}
