import Formulas

/// A reduction as a program with no text yet: instructions, loops and arrays, sorted by what each depends on.
///
/// A row is a point of the result, a column a point of the reduced index. The sections run in this order:
///
///     call                            what depends on parameters only
///     centre                          a point amid the columns, from a few of them (where distances are taken from there)
///     column                          per column, ahead of all rows, kept in a table (where there is any such work)
///     for each block of rows:
///         row                         what depends on the row
///         begin                       total = identity
///         for each block of columns:
///             blockBegin              block = identity
///             for each column: pair   value enters block
///             flush                   block merges into total
///         finish                      total becomes the result, or
///         export                      total is handed out, to be merged with other columns' totals
public struct Kernel: Sendable {
    public enum Section: Int, Hashable, Sendable, CaseIterable {
        case call, centre, column, row, begin, blockBegin, pair, flush, finish, export
    }

    /// An input and the role that its index plays.
    public struct Input: Hashable, Sendable {
        public var variable: Variable
        public var role: Role
    }

    public enum Role: Hashable, Sendable { case row, column, parameter }

    /// What the kernel was lowered from and for.
    public var reduction: Reduction
    public var precision: Precision
    public var squaredDistances: SquaredDistances
    public var inputs: [Input]

    public internal(set) var sections: [Section: [Statement]] = [:]
    var arrays: [ArrayInfo] = []

    /// Components that are computed at a time; nil for all of them.
    public internal(set) var chunk: ComponentChunk?
    /// Whether registers are all the memory near by, and four numbers are read at once: vectors of a pair that are cheap are computed
    /// again rather than kept, and long sums begin with component 0.
    var isForAccelerators = false

    /// Whether the longest inner product of a row and a column is to be computed for a tile of pairs at a time.
    var contracts = false
    /// That inner product.
    public internal(set) var contraction: Contraction?
    /// Whether long vectors of columns that have one weight per pair are to be added up for a tile of pairs at a time.
    var weighs = false
    /// Those vectors.
    public internal(set) var weighting: Weighting?

    /// Numbers of the points amid the columns.
    public internal(set) var centreWidth = 0
    /// Numbers per column in the table of column values.
    public internal(set) var columnTableWidth = 0
    /// Whether some squared distances are computed by inner products.
    public var usesInnerProducts: Bool { centreWidth > 0 }
    /// Numbers and positions of a state that is handed out.
    public var stateCount: (values: Int, positions: Int)

    /// Bytes that a column is read from, for every pair: not counting what only rare pairs read.
    public var columnBytes: Int {
        var read: Set<Input> = []
        for case .define(_, .input(let place, _)) in sections[.pair, default: []].outsideBranches { read.insert(inputs[place]) }
        return read.reduce(columnTableWidth * precision.arithmetic.byteCount) { bytes, input in
            bytes + (input.role == .column ? input.variable.dimension * precision.storage.byteCount : 0)
        }
    }

    /// Columns per block; nil where terms go straight into the total.
    public var blockLength: Int? { reduction.scheme == .blocks ? 256 : nil }
}

/// The types that a kernel stores, computes and accumulates in.
public struct Precision: Hashable, Sendable {
    /// The type of the caller's arrays.
    public var storage: ScalarType
    /// The type of totals.
    public var accumulator: ScalarType
    /// How exact exponentials are.
    public var exponentials: Exponentials
    /// How exact inner products on tensor cores are.
    public var innerProducts: InnerProducts

    public init(
        storage: ScalarType, accumulator: ScalarType? = nil, exponentials: Exponentials = .accurate,
        innerProducts: InnerProducts = .accurate
    ) {
        self.storage = storage
        self.exponentials = exponentials
        self.innerProducts = innerProducts
        self.accumulator = accumulator ?? (storage == .float64 ? .float64 : .float32)
    }

    /// Types of 16 bits are only stored; their arithmetic is float32.
    public var arithmetic: ScalarType { storage == .float64 ? .float64 : .float32 }
}

/// How exact exponentials are.
public enum Exponentials: String, Hashable, Sendable, CaseIterable {
    /// Within two units in the last place.
    case accurate
    /// Relative errors of about 1e-4 in float32, in less time; e^0 is 1. In float64 as accurate.
    case fast
}

/// How exact inner products of long float32 vectors are where tensor cores compute them.
public enum InnerProducts: String, Hashable, Sendable, CaseIterable {
    /// As in float32.
    case accurate
    /// Of factors rounded to 11 bits (NVIDIA's TF32), in a third of the time: relative errors of up to 1e-3.
    case fast
}

/// The floating-point types that arrays may have.
public enum ScalarType: String, Hashable, Sendable, CaseIterable {
    case float16, bfloat16, float32, float64

    public var byteCount: Int {
        switch self {
        case .float16, .bfloat16: 2
        case .float32: 4
        case .float64: 8
        }
    }

    /// Whether numbers are stored in 16 bits, and converted to float32 for arithmetic.
    public var isHalf: Bool { byteCount == 2 }

    /// In generated code, the name of vectors or numbers that are stored in 16 bits: functions convert from and to it.
    var halfName: String { self == .bfloat16 ? "b16" : "h16" }

    var largestFinite: Double {
        switch self {
        case .float16: 65_504
        case .bfloat16: 0x1.FEp127
        case .float32: Double(Float.greatestFiniteMagnitude)
        case .float64: .greatestFiniteMagnitude
        }
    }
}

/// What a register or an array element holds.
public enum ElementType: Hashable, Sendable {
    /// A number in the arithmetic's type.
    case number
    /// A number in the accumulator's type, where that is another.
    case wide
    /// A column's position.
    case position
    /// The outcome of a comparison of numbers, or of wide numbers.
    case mask, wideMask
}

/// A value of the program.
public struct Register: Hashable, Sendable {
    public var id: Int
    public var type: ElementType
    /// Where it is computed.
    public var section: Kernel.Section
}

/// Where a register's value comes from.
public enum Expression: Hashable, Sendable {
    case constant(Double)
    case apply(Instruction, [Register])
    /// The same number in the other type.
    case convert(Register)
    case load(ArrayReference, Index)
    /// A component of an input, by its place in `Kernel.inputs`.
    case input(Int, Index)
    /// A number of the points amid the columns.
    case centre(Index)
    /// A number of the current column's entry in the table.
    case columnTable(Index)
    /// The pair's inner product, of those that are computed for a tile of pairs at a time.
    case contraction
    /// A component of the row's weighted sum, of those that are added up for a tile of pairs at a time.
    case weighted(Index)
    /// A loop counter as a number.
    case counter(Index)
    case columnPosition
    case positionZero
    /// A number and a position of the state that is merged, in kernels that merge.
    case partValue(Index)
    case partPosition(Index)
}

/// A step of the program.
public indirect enum Statement: Hashable, Sendable {
    case define(Register, Expression)
    /// A register that is assigned again later.
    case declare(Register, initial: Register)
    case assign(Register, Register)
    case store(Register, ArrayReference, Index)
    case loop(counter: Int, count: Int, body: [Statement])
    /// Steps that change nothing in a lane where the mask does not hold, skipped where it holds in no lane.
    case whenAny(Register, [Statement])
    /// What follows needs what is before to be done for all columns in flight.
    case barrier
    /// The median of a register's lanes, as a number of the points amid the columns.
    case centreStore(Register, Index)
    case tableStore(Register, Index)
    /// The weight with which the column's vector enters the row's weighted sum.
    case weigh(Register)
    /// A factor for all that has entered the row's weighted sum.
    case rescale(Register)
    case result(Register, Index)
    case index(Register, Index)
    case exportedValue(Register, Index)
    case exportedPosition(Register, Index)
}

extension Statement {
    /// The registers that it reads, those of statements inside it not included.
    var operands: [Register] {
        switch self {
        case .define(_, let expression): expression.operands
        case .declare(_, let initial): [initial]
        case .assign(let register, let value): [register, value]
        case .store(let register, _, _), .centreStore(let register, _), .tableStore(let register, _), .weigh(let register),
            .rescale(let register), .result(let register, _), .index(let register, _),
            .exportedValue(let register, _), .exportedPosition(let register, _), .whenAny(let register, _):
            [register]
        case .loop, .barrier: []
        }
    }
}

extension [Statement] {
    /// Every statement but those that are for what is rare.
    var outsideBranches: [Statement] {
        flatMap { statement -> [Statement] in
            if case .loop(_, _, let body) = statement { [statement] + body.outsideBranches } else { [statement] }
        }
    }
}

extension [Statement] {
    /// The registers that loops outside branches carry along.
    var assignedInLoops: [Register] {
        flatMap { statement -> [Register] in
            guard case .loop(_, _, let body) = statement else { return [] }
            return body.assignedInLoops
                + body.compactMap { if case .assign(let register, _) = $0 { register } else { nil } }
        }
    }
}

/// An array of the program.
struct ArrayInfo: Hashable, Sendable {
    var reference: ArrayReference
    var type: ElementType
    var section: Kernel.Section
    /// Its name in generated code.
    var name: String
}
