import Formulas

/// How a C-like language spells the program's types, numbers and places. The statements are printed by one printer for all.
protocol Dialect: Sendable {
    var kernel: Kernel { get }

    /// The type of a register or array element; also the suffix of the functions on it.
    func type(_ element: ElementType) -> String
    /// A number as a literal of an element type.
    func literal(_ value: Double, _ element: ElementType) -> String
    /// A plain number where a value of each lane is needed.
    func splat(_ number: String, _ type: ElementType) -> String
    /// Where a mask does not hold.
    func not(_ mask: String) -> String
    /// The condition of a branch that is for few columns: whether a mask holds in any lane.
    func anyHolds(_ mask: String, _ type: ElementType) -> String
    /// Whether all rows of a block share one branch for what is rare.
    var gathersBranches: Bool { get }
    /// What stands ahead of a loop over a block's rows or columns, and of a loop over components.
    var blockLoopNote: String? { get }
    func loopNote(counter: Int, count: Int, _ body: [Statement]) -> String?

    /// An element of an array of the program.
    ///
    /// - Parameter block: the row and column of the block that it belongs to, as indices: "[c][r]".
    func element(_ array: ArrayInfo, _ position: String, _ block: String) -> String

    /// One number of each lane's own row, of the column that each lane has, of the column that is a sample's, or of a parameter.
    func laneNumber(of input: Kernel.Input, _ component: String, in lanes: LanePoints) -> String
    /// A number of a parameter, the same for all lanes.
    func parameterNumber(of input: Kernel.Input, _ component: String, in lanes: LanePoints) -> String
    /// One number of the current column, of an input or of the table.
    ///
    /// - Parameter position: a component in the language's words.
    func columnNumber(of source: ColumnSource, _ column: String, _ index: Index, _ position: (Index) -> String) -> String
    /// The inner product of the row and the current column, of those that are computed for a tile of pairs at a time.
    func contraction(_ column: String) -> String
    /// A component of the row's weighted sum, of those that are added up for a tile of pairs at a time.
    func weighted(_ component: String) -> String
    /// Statements that let the current column's vector enter that sum, and that multiply what has entered it.
    func weigh(_ weight: String, _ column: String) -> String
    func rescale(_ factor: String, _ column: String) -> String
    /// The current column's position in lanes.
    func columnPosition(_ column: String) -> String

    /// A number and a position of the state that is merged.
    func partNumber(_ component: String) -> String
    func partPosition(_ component: String) -> String

    /// Statements that store what a lane has computed.
    func storeInCentre(_ value: String, at position: String) -> String
    func storeInTable(_ value: String, at position: String) -> String
    func storeResult(_ value: String, at position: String) -> String
    func storeIndex(_ value: String, at position: String) -> String
    func exportValue(_ value: String, _ type: ElementType, at position: String) -> String
    func exportPosition(_ value: String, at position: String) -> String
}

/// Which points lanes stand for.
enum LanePoints { case rows, columns, sampledColumns }

/// Where numbers of a column come from.
enum ColumnSource: Hashable { case input(Int), table }

extension Dialect {
    func element(_ array: ArrayInfo, _ position: String, _ block: String) -> String { "\(array.name)[\(position)]\(block)" }

    func contraction(_ column: String) -> String { preconditionFailure("is computed pair by pair") }
    func weighted(_ component: String) -> String { preconditionFailure("is added up pair by pair") }
    func weigh(_ weight: String, _ column: String) -> String { preconditionFailure("is added up pair by pair") }
    func rescale(_ factor: String, _ column: String) -> String { preconditionFailure("is added up pair by pair") }

    func parameterNumber(of input: Kernel.Input, _ component: String, in lanes: LanePoints) -> String {
        "\(Kernel.inputName(input))[\(component)]"
    }

    var gathersBranches: Bool { false }

    /// `f32` or `f64`.
    func suffix(_ type: ScalarType) -> String { type == .float64 ? "f64" : "f32" }
}

extension Instruction {
    /// Infix operators.
    var infix: String? {
        switch self {
        case .add: "+"
        case .subtract: "-"
        case .multiply: "*"
        case .divide: "/"
        case .less: "<"
        case .lessOrEqual: "<="
        case .equal: "=="
        case .notEqual: "!="
        case .and: "&"
        case .or: "|"
        default: nil
        }
    }

    /// Functions of the preludes, whose names end in the type that they work on: `exp_f32`.
    var function: String? {
        switch self {
        case .absolute: "abs"
        case .squareRoot: "sqrt"
        case .reciprocalSquareRoot: "rsqrt"
        case .floor: "floor"
        case .round: "round"
        case .exp: "exp"
        case .exp2: "exp2"
        case .fastExp2: "fast_exp2"
        case .log: "log"
        case .sin: "sin"
        case .cos: "cos"
        case .arcsin: "asin"
        case .arccos: "acos"
        case .arctan: "atan"
        case .arctan2: "atan2"
        case .power: "pow"
        case .select: "select"
        case .library(let name): name
        default: nil
        }
    }
}
