import Engines
import Formulas
import Synchronization

/// A matrix of vectors F(p, x_i, y_j), of shape (batch…, rows, columns, dimension), known by its formula and never stored.
///
///     let x = LazyTensor(rows: points), y = LazyTensor(columns: sources)         // (M, 3) and (N, 3)
///     let kernel = try (-x.squaredDistance(to: y) / (2 * sigma * sigma)).exp()
///     let density = try kernel.sum(over: .columns)                               // (M, 1)
///
/// Operators only build a formula: nothing is computed or copied until a reduction over rows or columns is asked for. Reductions are
/// compiled once per formula, take linear memory, and are recorded like any operation on tensors: see
/// ``gradient(of:withRespectTo:differentiable:)``.
///
/// Shapes broadcast as NumPy's do: along batch axes, rows, columns, and in the dimension, lengths are equal or one of them is 1. What
/// does not fit throws a ``TensorError`` that names both shapes.
public struct LazyTensor<Scalar: TensorScalar>: Sendable {
    /// F. Its variables bear the numbers of the inputs.
    let formula: Formula
    let inputs: [LazyInput<Scalar>]

    /// How reductions run: on which engine, with how many threads, with which accuracy of exponentials, and on which pairs.
    ///
    /// Operations keep what their operands were given; of two that differ, the first operand's.
    public var options: ExecutionOptions

    /// Which rows meet which columns; nil for all. Only rows and columns that meet enter a reduction.
    ///
    /// Two operands may not have different ones.
    public var sparsity: BlockSparsity? {
        get { options.sparsity }
        set { options.sparsity = newValue }
    }

    /// Where reductions run.
    public var engine: ExecutionOptions.Engine {
        get { options.engine }
        set { options.engine = newValue }
    }

    /// The accelerator where reductions run; nil for this processor. Tensors are copied there and back.
    public var device: Device? {
        get { options.device }
        set { options.device = newValue }
    }

    init(_ formula: Formula, _ inputs: [LazyInput<Scalar>], _ options: ExecutionOptions = .init()) {
        self.formula = formula
        self.inputs = inputs
        self.options = options
    }

    // MARK: Creation

    /// One vector per row: x_i.
    ///
    /// - Parameter tensor: (batch…, rows, dimension), or (rows) for one number per row.
    public init(rows tensor: Tensor<Scalar>) throws { try self.init(points: tensor, .i) }

    /// One vector per column: y_j.
    ///
    /// - Parameter tensor: (batch…, columns, dimension), or (columns) for one number per column.
    public init(columns tensor: Tensor<Scalar>) throws { try self.init(points: tensor, .j) }

    private init(points tensor: Tensor<Scalar>, _ category: Category) throws {
        guard tensor.rank > 0 else {
            throw TensorError(
                "Rows and columns have shape (batch…, points, dimension) or (points); a single number came. It is a parameter.")
        }
        try self.init(LazyInput(tensor.rank == 1 ? try tensor.reshaped([-1, 1]) : tensor, category))
    }

    /// One vector for all rows and columns: p.
    ///
    /// - Parameter tensor: (batch…, dimension), or a single number.
    public init(parameter tensor: Tensor<Scalar>) throws {
        try self.init(LazyInput(tensor.rank == 0 ? try tensor.reshaped([1]) : tensor, .parameter))
    }

    /// One number for all rows and columns.
    public init(parameter number: Scalar) throws { try self.init(parameter: Tensor(number)) }

    /// A tensor laid out as the matrix it broadcasts to: (batch…, M, 1, D) are rows, (batch…, 1, N, D) columns and
    /// (batch…, 1, 1, D) a parameter.
    ///
    /// - Throws: ``TensorError`` for other ranks, and where both M and N are larger than 1: that matrix is stored, not symbolic.
    public init(_ tensor: Tensor<Scalar>) throws {
        guard tensor.rank >= 3 else {
            throw TensorError(
                "A tensor for all pairs has shape (batch…, M, 1, D), (batch…, 1, N, D) or (batch…, 1, 1, D); this has \(tensor.shape). Name it rows:, columns: or parameter:."
            )
        }
        let (batch, own) = (Array(tensor.shape.dropLast(3)), Array(tensor.shape.suffix(3)))
        switch (own[0], own[1]) {
        case (1, 1): try self.init(parameter: try tensor.reshaped(batch + [own[2]]))
        case (_, 1): try self.init(rows: try tensor.reshaped(batch + [own[0], own[2]]))
        case (1, _): try self.init(columns: try tensor.reshaped(batch + [own[1], own[2]]))
        default:
            throw TensorError("Shape \(tensor.shape) has rows and columns at once; one of its last axes but one has length 1.")
        }
    }

    /// A variable that a tensor is bound to later; see ``binding(_:)``.
    public static func rows(named name: String, dimension: Int) throws -> LazyTensor {
        try LazyTensor(LazyInput(named: name, dimension, .i))
    }

    /// A variable that a tensor is bound to later; see ``binding(_:)``.
    public static func columns(named name: String, dimension: Int) throws -> LazyTensor {
        try LazyTensor(LazyInput(named: name, dimension, .j))
    }

    /// A variable that a tensor is bound to later; see ``binding(_:)``.
    public static func parameter(named name: String, dimension: Int) throws -> LazyTensor {
        try LazyTensor(LazyInput(named: name, dimension, .parameter))
    }

    init(_ input: LazyInput<Scalar>) throws { self.init(try Formula(input.variable), [input]) }

    /// A number: small whole and half ones are part of the formula, where they simplify it; others are parameters, so that a
    /// new value needs no new code.
    init(number: Scalar) {
        let isPartOfFormula = number.magnitude <= 4 && (2 * number).rounded() == 2 * number
        if isPartOfFormula, let constant = Number(Double(number)) {
            self.init(Formula(constant), [])
        } else {
            do { try self.init(parameter: Tensor(number)) } catch { preconditionFailure("\(error)") }
        }
    }

    // MARK: Shape

    /// Numbers per pair.
    public var dimension: Int { formula.dimension }

    /// Rows, or 1 where the formula has none; nil where they are not known yet.
    public var rowCount: Int { pointCount(.i) }
    public var columnCount: Int { pointCount(.j) }

    private func pointCount(_ category: Category) -> Int {
        var count = 1
        for input in inputs where input.variable.category == category {
            if let own = input.pointCount, own != 1 { count = own }
        }
        return count
    }

    /// The batch axes that all inputs broadcast to.
    public var batchShape: [Int] {
        inputs.reduce([]) { shape, input in (try? Shape.broadcast(shape, input.batchShape)) ?? shape }
    }

    /// (batch…, rows, columns, dimension), with 1 where the formula has no rows or columns.
    public var shape: [Int] { batchShape + [rowCount, columnCount, dimension] }
}

extension LazyTensor: CustomStringConvertible {
    /// The formula, with inputs by name, and the shape.
    public var description: String {
        var names: [String] = []
        var replacements: [Formula: Formula] = [:]
        for (k, input) in inputs.enumerated() {
            let variable = Variable(index: k, dimension: input.variable.dimension, category: input.variable.category)
            if let own = try? Formula(input.variable), let short = try? Formula(variable) { replacements[own] = short }
            let unbound = input.tensor == nil ? ", not bound" : ""
            names.append("\(variable)\(input.name.map { " = \($0)" } ?? "")\(unbound)")
        }
        let text = (try? formula.substituting(replacements)).map(String.init(describing:)) ?? "…"
        let unbound = inputs.contains { $0.tensor == nil } ? "; " + names.joined(separator: ", ") : ""
        return "LazyTensor \(shape): \(text)\(unbound)"
    }
}

/// A tensor, or one to come, that stands for a variable of a formula.
struct LazyInput<Scalar: TensorScalar>: Sendable {
    /// Numbered so that no other input of the process has its number.
    let variable: Variable
    let tensor: Tensor<Scalar>?
    let name: String?

    /// - Parameter tensor: (batch…, points, dimension), or (batch…, dimension) for a parameter.
    init(_ tensor: Tensor<Scalar>, _ category: Category) throws(TensorError) {
        guard let dimension = tensor.shape.last, (1...Formula.maximumDimension).contains(dimension) else {
            throw TensorError("The last axis of an input is its dimension, 1 or more; shape \(tensor.shape) came.")
        }
        variable = Variable(index: inputCount.add(1, ordering: .relaxed).newValue, dimension: dimension, category: category)
        self.tensor = tensor
        name = nil
    }

    init(named name: String, _ dimension: Int, _ category: Category) throws(TensorError) {
        guard (1...Formula.maximumDimension).contains(dimension) else {
            throw TensorError("The dimension of an input is 1 or more; \(name) was given \(dimension).")
        }
        variable = Variable(index: inputCount.add(1, ordering: .relaxed).newValue, dimension: dimension, category: category)
        tensor = nil
        self.name = name
    }

    private init(_ variable: Variable, _ tensor: Tensor<Scalar>?, _ name: String?) {
        self.variable = variable
        self.tensor = tensor
        self.name = name
    }

    /// The same variable with another tensor.
    func bound(to tensor: Tensor<Scalar>) -> LazyInput { LazyInput(variable, tensor, name) }

    private var ownAxes: Int { variable.category == .parameter ? 1 : 2 }

    var batchShape: [Int] { tensor.map { Array($0.shape.dropLast(ownAxes)) } ?? [] }

    /// Nil for parameters and what is not bound.
    var pointCount: Int? { variable.category == .parameter ? nil : tensor.map { $0.shape[$0.rank - 2] } }
}

private let inputCount = Atomic<Int>(0)
